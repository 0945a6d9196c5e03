package storage

import (
	"context"
	"fmt"
	"iter"
	"time"

	"nightshift/rules/market"
)

// Lapsing is a subscription whose state changed in a run.
type Lapsing struct {
	SubscriptionLine
	State string
	Since time.Time
	Turns time.Time // when it changes by itself; zero: not by itself
	Rule  string
	RunID int64
}

const expiryOf = ` d.ruleset = 'expiry' AND d.business_date = $1 AND d.run_id = $2 `

// LapsingBy are the subscriptions whose state changed in a run, by instant.
func (tx *Tx) LapsingBy(ctx context.Context, r market.Run) iter.Seq2[Lapsing, error] {
	var v Lapsing
	dest := []any{&v.Subscription, &v.Buyer, &v.Seller, &v.Product, &v.Ends, &v.State, &v.Since, (*instant)(&v.Turns), &v.Rule, &v.RunID}
	return each(ctx, tx, `
		SELECT u.code, b.code, coalesce(d.facts->>'seller', ''), coalesce(d.facts->>'product', ''), (d.facts->'expired_for'->>'since')::timestamptz, d.outcome, d.due_at, d.look_at, d.rule, d.run_id
		FROM decisions d JOIN subscriptions u ON u.id = d.subject JOIN buyers b ON b.id = u.buyer_id
		WHERE `+expiryOf+`
		ORDER BY d.due_at, u.code COLLATE "C"`, []any{r.On, r.ID}, dest, func() Lapsing { return v })
}

// ByHand is a term that a person bought outside, and a run added.
type ByHand struct {
	SubscriptionLine
	Renewal string
	Span    market.Span
	At      time.Time
}

// ByHandBy are the terms that a run added because somebody had bought them, by
// instant.
func (tx *Tx) ByHandBy(ctx context.Context, r market.Run) iter.Seq2[ByHand, error] {
	var v ByHand
	return each(ctx, tx, `
		SELECT u.code, b.code, substr(t.paid_by, length('manual_renewal/' || u.site || '/') + 1), t.from_at, t.until_at, t.at
		FROM terms t JOIN subscriptions u ON u.id = t.subscription_id JOIN buyers b ON b.id = u.buyer_id
		WHERE t.business_date = $1 AND t.run_id = $2 AND NOT t.automatic
		ORDER BY t.at, u.code COLLATE "C"`, []any{r.On, r.ID},
		[]any{&v.Subscription, &v.Buyer, &v.Renewal, &v.Span.From, &v.Span.To, &v.At}, func() ByHand {
			v.Ends = v.Span.From
			return v
		})
}

// Wished is what became of a change of the policy.
type Wished struct {
	Subscription, Buyer string
	Policy              string // that was asked for
	At                  time.Time
	Outcome             string
	Rule, Because       string
}

// WishedBy are the changes that a run judged, by instant.
func (tx *Tx) WishedBy(ctx context.Context, r market.Run) iter.Seq2[Wished, error] {
	var v Wished
	return each(ctx, tx, `
		SELECT u.code, b.code, x.facts->>'policy', x.at, x.outcome, x.rule, x.because
		FROM policy_results x JOIN subscriptions u ON u.id = x.subscription_id JOIN buyers b ON b.id = u.buyer_id
		WHERE x.business_date = $1 AND x.run_id = $2
		ORDER BY x.at, u.code COLLATE "C"`, []any{r.On, r.ID},
		[]any{&v.Subscription, &v.Buyer, &v.Policy, &v.At, &v.Outcome, &v.Rule, &v.Because}, func() Wished { return v })
}

// Noticed is a notice of a run about a subscription.
type Noticed struct {
	Subscription, Buyer string
	Kind                string
	Recipients          []string
	At                  time.Time
}

// NoticedBy are the notices of a run, by instant.
func (tx *Tx) NoticedBy(ctx context.Context, r market.Run) iter.Seq2[Noticed, error] {
	var v Noticed
	return each(ctx, tx, `
		SELECT u.code, b.code, n.kind, n.recipients, n.at
		FROM notices n JOIN subscriptions u ON u.id = n.subject JOIN buyers b ON b.id = u.buyer_id
		WHERE n.business_date = $1 AND n.run_id = $2
		ORDER BY n.at, n.key`, []any{r.On, r.ID}, []any{&v.Subscription, &v.Buyer, &v.Kind, &v.Recipients, &v.At}, func() Noticed { return v })
}

// CallsBy are the calls that a run left for sellers, by instant.
func (tx *Tx) CallsBy(ctx context.Context, r market.Run) iter.Seq2[Outgoing, error] {
	var v Outgoing
	var payload string
	return each(ctx, tx, `
		SELECT o.key, o.activity, o.scene, coalesce(s.code, ''), u.code, o.instance, o.at, o.payload
		FROM outbox o JOIN subscriptions u ON u.id = o.subject LEFT JOIN sellers s ON s.id = o.seller_id
		WHERE o.business_date = $1 AND o.run_id = $2
		ORDER BY o.at, o.key COLLATE "C"`, []any{r.On, r.ID},
		[]any{&v.Key, &v.Activity, &v.Scene, &v.Seller, &v.Subscription, &v.Instance, &v.At, &payload}, func() Outgoing {
			v.Payload = []byte(payload)
			return v
		})
}

// LifeTally is what the tables say of a renewal run, whatever the currency.
type LifeTally struct {
	Lapsed, Frozen, Released, Running int64 // changes of state
	ByHand, Wished, Notices, Calls    int64
}

// TallyLives counts them, apart from the lists.
func (tx *Tx) TallyLives(ctx context.Context, r market.Run) (v LifeTally, err error) {
	_, err = tx.one(ctx, `
		SELECT (SELECT count(*) FROM decisions d WHERE `+expiryOf+` AND d.outcome = 'lapse'),
		       (SELECT count(*) FROM decisions d WHERE `+expiryOf+` AND d.outcome = 'freeze'),
		       (SELECT count(*) FROM decisions d WHERE `+expiryOf+` AND d.outcome = 'release'),
		       (SELECT count(*) FROM decisions d WHERE `+expiryOf+` AND d.outcome = 'wait'),
		       (SELECT count(*) FROM terms WHERE business_date = $1 AND run_id = $2 AND NOT automatic),
		       (SELECT count(*) FROM policy_results WHERE business_date = $1 AND run_id = $2),
		       (SELECT count(*) FROM notices WHERE business_date = $1 AND run_id = $2),
		       (SELECT count(*) FROM outbox WHERE business_date = $1 AND run_id = $2)`,
		[]any{r.On, r.ID}, &v.Lapsed, &v.Frozen, &v.Released, &v.Running, &v.ByHand, &v.Wished, &v.Notices, &v.Calls)
	if err != nil {
		err = fmt.Errorf("count what became of subscriptions in run %d: %w", r.ID, err)
	}
	return v, err
}
