package storage

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// SubscriptionLine is what lists say of the subscription that a row is about.
// Seller and product are those that a decision was taken on.
type SubscriptionLine struct {
	Subscription, Buyer string
	Seller, Product     string
	Ends                time.Time // when the term ends, or ended, that this is about
}

// Renewed is a renewal that a run had paid.
type Renewed struct {
	SubscriptionLine
	Deducted
	Span market.Span // the term that was bought
	Rule string
}

// renewalOf narrows the decisions d of the ruleset renewal to those of a run in
// one currency: $1 is the business date, $2 the run, $3 the currency.
const renewalOf = ` d.ruleset = 'renewal' AND d.business_date = $1 AND d.run_id = $2 AND split_part(d.facts->>'price', ' ', 2) = $3 `

// notRenewed are the outcomes after which something is still to pay.
const notRenewed = renewalOf + ` AND d.outcome IN ('retry', 'hold', 'cancel') `

// money of a fact of a decision d.
func factMoney(name string) string { return `split_part(d.facts->>'` + name + `', ' ', 1)::numeric` }

// RenewalCurrencies are the currencies that the lists of a renewal run have, in
// order, and the site's among them.
func (tx *Tx) RenewalCurrencies(ctx context.Context, r market.Run, site market.Currency) (list []market.Currency, err error) {
	err = tx.Query(ctx, `
		SELECT DISTINCT c FROM (
			SELECT currency FROM deductions WHERE business_date = $1 AND run_id = $2
			UNION ALL
			SELECT split_part(facts->>'price', ' ', 2) FROM decisions WHERE ruleset = 'renewal' AND business_date = $1 AND run_id = $2 AND outcome IN ('retry', 'hold', 'cancel')
			UNION ALL
			SELECT currency FROM unsubscription_results WHERE business_date = $1 AND run_id = $2
			UNION ALL
			SELECT $3::text) AS used (c)
		WHERE c <> ''
		ORDER BY c`, []any{r.On, r.ID, site}, func(rows pgx.Rows) error {
		var c market.Currency
		err := rows.Scan((*string)(&c))
		list = append(list, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the currencies of run %d: %w", r.ID, err)
	}
	return list, nil
}

// RenewedBy are the renewals that a run had paid in one currency, by buyer.
func (tx *Tx) RenewedBy(ctx context.Context, r market.Run, c market.Currency) iter.Seq2[Renewed, error] {
	var v Renewed
	var price, discounted, due, dropped market.Decimal
	var instruments, kinds, paid []string
	dest := []any{&v.Subscription, &v.SubscriptionLine.Buyer, &v.SubscriptionLine.Seller, &v.Product, &v.Key, &v.Span.From, &v.Span.To, &v.At,
		&price, &v.Discount, &discounted, &due, &dropped, &instruments, &kinds, &paid, &v.Rule}
	money := func(amount market.Decimal) market.Money { return market.NewMoney(amount, c) }
	return each(ctx, tx, `
		SELECT u.code, b.code, coalesce(s.code, ''), coalesce(w.facts->>'product', ''), d.key, t.from_at, t.until_at, d.at,
		       d.price, coalesce(d.discount, ''), d.discounted, d.due, d.dropped, p.instruments, p.kinds, p.amounts, coalesce(w.rule, '')
		FROM deductions d
		JOIN terms t ON t.paid_by = d.key
		JOIN subscriptions u ON u.id = d.subject
		JOIN buyers b ON b.id = d.buyer_id
		LEFT JOIN sellers s ON s.id = d.seller_id
		LEFT JOIN LATERAL ( -- by its key, whatever is known of how many there are
			SELECT facts, rule FROM decisions w WHERE w.subject = d.subject AND w.ruleset = 'renewal' AND w.business_date = d.business_date AND w.no = 0 LIMIT 1) w ON true
		LEFT JOIN (SELECT key, array_agg(instrument ORDER BY no) AS instruments, array_agg(kind ORDER BY no) AS kinds, array_agg(amount::text ORDER BY no) AS amounts
			FROM deduction_sources WHERE business_date = $1 GROUP BY key) p ON p.key = d.key
		WHERE d.kind = 'renewal' AND `+ofRun+`
		ORDER BY b.code COLLATE "C", d.key COLLATE "C"`, []any{r.On, r.ID, c}, dest, func() Renewed {
		v.Ends = v.Span.From
		v.Price, v.Discounted, v.Due, v.Dropped = money(price), money(discounted), money(due), money(dropped)
		v.PaidBy = paidBy(instruments, kinds, paid, c)
		return v
	})
}

// paidBy puts together what instruments paid, as the database aggregates it.
func paidBy(instruments, kinds, amounts []string, c market.Currency) (all []Paid) {
	for i, instrument := range instruments {
		amount, err := market.ParseDecimal(amounts[i])
		if err != nil {
			panic("read an amount of the database: " + err.Error()) // numeric(38,12)
		}
		all = append(all, Paid{instrument, kinds[i], market.NewMoney(amount, c)})
	}
	return all
}

// NotRenewed is a subscription that a run wanted to renew and could not.
type NotRenewed struct {
	SubscriptionLine
	Outcome   string
	At        time.Time // of the try
	Price     market.Decimal
	Shortfall market.Decimal
	Next      time.Time // of the next try; zero where there is none
	Rule      string
	RunID     int64
}

// NotRenewedBy are those that a run could not renew in one currency, by buyer.
func (tx *Tx) NotRenewedBy(ctx context.Context, r market.Run, c market.Currency) iter.Seq2[NotRenewed, error] {
	var v NotRenewed
	dest := []any{&v.Subscription, &v.Buyer, &v.Seller, &v.Product, &v.Ends, &v.Outcome, &v.At, &v.Price, &v.Shortfall, (*instant)(&v.Next), &v.Rule, &v.RunID}
	return each(ctx, tx, `
		SELECT u.code, b.code, coalesce(d.facts->>'seller', ''), coalesce(d.facts->>'product', ''), (d.facts->'expired_for'->>'since')::timestamptz, d.outcome, d.due_at,
		       `+factMoney("price")+`, `+factMoney("shortfall")+`, d.look_at, d.rule, d.run_id
		FROM decisions d JOIN subscriptions u ON u.id = d.subject JOIN buyers b ON b.id = u.buyer_id
		WHERE `+notRenewed+`
		ORDER BY b.code COLLATE "C", u.code COLLATE "C"`, []any{r.On, r.ID, c}, dest, func() NotRenewed { return v })
}

// RenewalTally is what the tables say of a renewal run in one currency.
type RenewalTally struct {
	Terms                   int64 // that were bought by themselves
	Tried, Held, Given      int64 // could not be paid, could not be tried, are not tried any more
	Price, Short            market.Decimal
	TakenBack               int64
	GaveBack, BackInJournal market.Decimal
}

// TallyRenewals counts them, apart from the lists.
func (tx *Tx) TallyRenewals(ctx context.Context, r market.Run, c market.Currency) (v RenewalTally, err error) {
	_, err = tx.one(ctx, `
		SELECT (SELECT count(*) FROM terms t JOIN deductions d ON d.key = t.paid_by AND d.business_date = $1 AND d.currency = $3 WHERE t.business_date = $1 AND t.run_id = $2),
		       (SELECT count(*) FROM decisions d WHERE `+renewalOf+` AND d.outcome = 'retry'),
		       (SELECT count(*) FROM decisions d WHERE `+renewalOf+` AND d.outcome = 'hold'),
		       (SELECT count(*) FROM decisions d WHERE `+renewalOf+` AND d.outcome = 'cancel'),
		       (SELECT coalesce(sum(`+factMoney("price")+`), 0) FROM decisions d WHERE `+notRenewed+`),
		       (SELECT coalesce(sum(`+factMoney("shortfall")+`), 0) FROM decisions d WHERE `+notRenewed+`),
		       (SELECT count(*) FROM unsubscription_results b WHERE b.business_date = $1 AND b.run_id = $2 AND b.currency = $3),
		       (SELECT coalesce(sum(b.amount), 0) FROM unsubscription_results b WHERE b.business_date = $1 AND b.run_id = $2 AND b.currency = $3 AND b.paid_by LIKE 'renewal/%'),
		       (SELECT coalesce(sum(p.amount), 0) FROM journals j JOIN postings p ON p.journal_id = j.id AND p.business_date = j.business_date
		        WHERE j.business_date = $1 AND j.source = $4 AND p.currency = $3 AND starts_with(j.key, 'unsubscription/'))`,
		[]any{r.On, r.ID, c, RunSource(r.ID)}, &v.Terms, &v.Tried, &v.Held, &v.Given, &v.Price, &v.Short, &v.TakenBack, &v.GaveBack, &v.BackInJournal)
	if err != nil {
		err = fmt.Errorf("count the renewals of run %d: %w", r.ID, err)
	}
	return v, err
}

// GivenUp is what became of a request to take a renewal back.
type GivenUp struct {
	Request, Subscription, Buyer string
	PaidBy                       string // the key of the renewal; empty where there was none
	Outcome                      string
	At                           time.Time
	Amount                       market.Decimal
	Rule, Because                string
}

// GivenUpBy are the requests that a run decided in one currency, by instant.
func (tx *Tx) GivenUpBy(ctx context.Context, r market.Run, c market.Currency) iter.Seq2[GivenUp, error] {
	var v GivenUp
	return each(ctx, tx, `
		SELECT q.code, u.code, b.code, coalesce(x.paid_by, ''), x.outcome, x.requested_at, x.amount, x.rule, x.because
		FROM unsubscription_results x JOIN unsubscriptions q ON q.id = x.unsubscription_id JOIN subscriptions u ON u.id = x.subscription_id JOIN buyers b ON b.id = x.buyer_id
		WHERE x.business_date = $1 AND x.run_id = $2 AND x.currency = $3
		ORDER BY x.requested_at, q.code COLLATE "C"`, []any{r.On, r.ID, c},
		[]any{&v.Request, &v.Subscription, &v.Buyer, &v.PaidBy, &v.Outcome, &v.At, &v.Amount, &v.Rule, &v.Because}, func() GivenUp { return v })
}
