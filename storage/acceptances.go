package storage

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// OrderLine is what lists say of the order that a row is about.
type OrderLine struct {
	Order, Buyer, Seller string
	AccessType           string
	Amount               market.Money // zero where the marketplace said nothing
	Placed               time.Time    // when the order was placed, as the decision knew it
}

// Settled is an order that a run accepted or refunded.
type Settled struct {
	OrderLine
	Rule       string
	RunID      int64     // whose policy the rule is of
	StartedAt  time.Time // when the clock that was measured began; zero where none did
	DueAt      time.Time
	ValidFrom  time.Time
	ValidUntil time.Time
}

// Standing is an open order and the decision that stands about it.
type Standing struct {
	OrderLine
	Outcome  string
	Rule     string
	RunID    int64
	WaitsFor string
	Since    time.Time
	LookAt   time.Time // zero: only a fact or a rule can change it
	Because  string    // the person's reason, where a person decided
}

// Reminded is a notice that a run owes somebody.
type Reminded struct {
	Order      string
	Kind       string
	Recipients []string
	At         time.Time
	Rule       string
	Placed     time.Time // when the order was placed, as the decision knew it
}

// SetAside is a candidate that a run parked.
type SetAside struct{ Code, Reason string }

// What is said of an order is what the decision d was taken on: an order that is
// imported anew later does not change what a workbook says. Its own code cannot
// change: it is what the marketplace knows it by.
const orderLine = `o.code, coalesce(d.facts->>'buyer', ''), coalesce(d.facts->>'seller', ''), d.facts->>'access_type', ` + amount + `, ` + currency + `, ` + placed

const (
	amount   = `coalesce(nullif(split_part(d.facts->>'amount', ' ', 1), '')::numeric, 0)` // of an order without one: nothing
	currency = `coalesce(split_part(d.facts->>'amount', ' ', 2), '')`
	placed   = `(d.facts->'placed_for'->>'since')::timestamptz`
	totals   = `count(*), coalesce(sum(` + amount + `), 0), coalesce(min(nullif(` + currency + `, '')), ''), count(DISTINCT nullif(` + currency + `, ''))`
)

func (l *OrderLine) dest() []any {
	return []any{&l.Order, &l.Buyer, &l.Seller, &l.AccessType, &l.Amount.Amount, (*string)(&l.Amount.Currency), (*instant)(&l.Placed)}
}

// instant scans an instant that may be missing: it is zero then.
type instant time.Time

// ScanTimestamptz is called by pgx.
func (i *instant) ScanTimestamptz(v pgtype.Timestamptz) error {
	*i = instant(v.Time)
	return nil
}

// SettledBy are the orders that a run settled with an outcome, by due instant.
// The business date of the run narrows the search to what was kept then.
func (tx *Tx) SettledBy(ctx context.Context, r market.Run, outcome string) iter.Seq2[Settled, error] {
	var v Settled
	var started, from, until pgtype.Timestamptz
	dest := append(v.dest(), &v.Rule, &v.RunID, &started, &v.DueAt, &from, &until)
	return each(ctx, tx, `
		SELECT `+orderLine+`, d.rule, d.run_id,
		       coalesce(d.facts->'signed_for'->>'since', d.facts->'activated_for'->>'since', d.facts->'delivered_for'->>'since')::timestamptz,
		       c.completed_at, c.valid_from, c.valid_until
		FROM completions c
		JOIN decisions d ON d.subject = c.order_id AND d.ruleset = $4 AND d.business_date = c.business_date AND d.no = 0
		JOIN orders o ON o.id = c.order_id
		WHERE c.business_date = $1 AND c.run_id = $2 AND c.outcome = $3
		ORDER BY c.completed_at, o.code`, []any{r.On, r.ID, outcome, r.Job}, dest, func() Settled {
		v.StartedAt, v.ValidFrom, v.ValidUntil = started.Time, from.Time, until.Time
		return v
	})
}

// PickStanding picks, of every order that was open when a run had ended, the
// decision that stood then, for StandingAt and TallyStanding in the same
// transaction. What people decided after the run's as-of came later.
func (tx *Tx) PickStanding(ctx context.Context, r market.Run) error {
	_, err := tx.Exec(ctx, `CREATE TEMP TABLE standing (subject bigint NOT NULL, business_date date NOT NULL, no int NOT NULL, outcome text NOT NULL, code text NOT NULL) ON COMMIT DROP`)
	if err == nil {
		_, err = tx.Exec(ctx, pickStanding, r.Job, r.Site, r.On, r.AsOf)
	}
	if err == nil {
		_, err = tx.Exec(ctx, `ANALYZE standing`)
	}
	if err != nil {
		return fmt.Errorf("pick what stood when the %s run of %s at %s had ended: %w", r.Job, r.On, r.Site, err)
	}
	return nil
}

// pickStanding: open when a run had ended is what is open now and whatever has left
// since: completed (also by a run of the same night that came later, of an order that
// was not opened), found to be unsupervised, or parked. Decisions are picked by their
// keys: their facts are a thousand times what is sorted for it.
const pickStanding = `
	WITH open AS (
		SELECT subject FROM due WHERE job = $1 AND site = $2
		UNION
		SELECT order_id FROM completions
		WHERE run_id IS NOT NULL AND business_date >= $3
		  AND (business_date > $3 OR run_id > (SELECT r.id FROM runs r WHERE r.job = $1 AND r.site = $2 AND r.business_date = $3))
		UNION
		SELECT order_id FROM completions WHERE run_id IS NULL AND completed_at > $4
		UNION
		SELECT subject FROM decisions WHERE ruleset = $1 AND outcome = 'unsupervised' AND business_date > $3
		UNION
		SELECT subject FROM parked WHERE job = $1 AND site = $2 AND business_date > $3),
	newest AS (
		SELECT DISTINCT ON (d.subject) d.subject, d.business_date, d.no, d.outcome
		FROM open JOIN decisions d ON d.subject = open.subject
		WHERE d.ruleset = $1 AND (CASE WHEN d.run_id IS NULL THEN d.due_at <= $4 ELSE d.business_date <= $3 END)
		ORDER BY d.subject, d.business_date DESC, d.no DESC)
	INSERT INTO standing SELECT n.*, o.code FROM newest n JOIN orders o ON o.id = n.subject AND o.site = $2`

// stands joins what PickStanding picked with the decisions.
const stands = ` FROM standing o JOIN decisions d ON d.subject = o.subject AND d.ruleset = $1 AND d.business_date = o.business_date AND d.no = o.no`

// StandingAt are the open orders for which an outcome stood when a run had
// ended, the longest waiting first.
func (tx *Tx) StandingAt(ctx context.Context, r market.Run, outcome string) iter.Seq2[Standing, error] {
	var v Standing
	var since, look pgtype.Timestamptz
	dest := append(v.dest(), &v.Outcome, &v.Rule, &v.RunID, &v.WaitsFor, &since, &look, &v.Because)
	return each(ctx, tx, `
		SELECT `+orderLine+`, d.outcome, d.rule, coalesce(d.run_id, 0), coalesce(d.carried->>'waits_for', ''), d.due_at, d.look_at, coalesce(d.because, '')
		`+stands+`
		WHERE o.outcome = $2
		ORDER BY d.due_at NULLS LAST, o.code`, []any{r.Job, outcome}, dest, func() Standing {
		v.Since, v.LookAt = since.Time, look.Time
		return v
	})
}

// RemindedBy are the notices of a run that are not about the end of a
// supervision, by instant.
func (tx *Tx) RemindedBy(ctx context.Context, r market.Run, ruleset string) iter.Seq2[Reminded, error] {
	var v Reminded
	dest := []any{&v.Order, &v.Kind, &v.Recipients, &v.At, &v.Rule, (*instant)(&v.Placed)}
	return each(ctx, tx, `
		SELECT o.code, n.kind, n.recipients, n.at, coalesce(d.rule, ''), `+placed+`
		FROM notices n
		JOIN orders o ON o.id = n.subject
		LEFT JOIN decisions d ON d.subject = n.subject AND d.ruleset = $3 AND d.business_date = n.business_date AND d.no = 0
		WHERE n.business_date = $1 AND n.run_id = $2 AND n.kind NOT IN ('accepted', 'refunded')
		ORDER BY n.at, n.key`, []any{r.On, r.ID, ruleset}, dest, func() Reminded { return v })
}

// ParkedBy are the candidates that a run set aside.
func (tx *Tx) ParkedBy(ctx context.Context, r market.Run) iter.Seq2[SetAside, error] {
	var v SetAside
	return each(ctx, tx, `
		SELECT s.code, p.reason FROM parked p JOIN subjects s ON s.job = p.job AND s.subject = p.subject WHERE p.run_id = $1 ORDER BY s.code`,
		[]any{r.ID}, []any{&v.Code, &v.Reason}, func() SetAside { return v })
}

// Tally is a count of orders and the sum of their amounts.
type Tally struct {
	Rows   int64
	Amount market.Money
}

// TallySettled counts what a run settled with an outcome, from the tables.
func (tx *Tx) TallySettled(ctx context.Context, r market.Run, outcome string) (Tally, error) {
	return tx.tally(ctx, "count the "+outcome+"ed orders", `
		SELECT `+totals+`
		FROM completions c
		JOIN decisions d ON d.subject = c.order_id AND d.ruleset = $4 AND d.business_date = c.business_date AND d.no = 0
		WHERE c.business_date = $1 AND c.run_id = $2 AND c.outcome = $3`, r.On, r.ID, outcome, r.Job)
}

// TallyStanding counts the open orders for which an outcome stood.
func (tx *Tx) TallyStanding(ctx context.Context, r market.Run, outcome string) (Tally, error) {
	return tx.tally(ctx, "count the orders that "+outcome, `SELECT `+totals+stands+` WHERE o.outcome = $2`, r.Job, outcome)
}

func (tx *Tx) tally(ctx context.Context, doing, query string, args ...any) (Tally, error) {
	var t Tally
	var currencies int64
	_, err := tx.one(ctx, query, args, &t.Rows, &t.Amount.Amount, (*string)(&t.Amount.Currency), &currencies)
	if err == nil && currencies > 1 {
		err = market.ErrMixedCurrencies
	}
	if err != nil {
		return Tally{}, fmt.Errorf("%s: %w", doing, err)
	}
	return t, nil
}

// CountReminders counts the notices of a run that RemindedBy lists.
func (tx *Tx) CountReminders(ctx context.Context, r market.Run) (n int64, err error) {
	_, err = tx.one(ctx, `SELECT count(*) FROM notices WHERE business_date = $1 AND run_id = $2 AND kind NOT IN ('accepted', 'refunded')`,
		[]any{r.On, r.ID}, &n)
	if err != nil {
		return 0, fmt.Errorf("count the reminders of run %d: %w", r.ID, err)
	}
	return n, nil
}

// errEnough stops a query whose reader has seen enough.
var errEnough = errors.New("enough")

// each streams the rows of a query: every row is scanned into dest, and value
// makes of it what is handed out.
func each[T any](ctx context.Context, tx *Tx, query string, args, dest []any, value func() T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		err := tx.Query(ctx, query, args, func(rows pgx.Rows) error {
			if err := rows.Scan(dest...); err != nil {
				return err
			}
			if !yield(value(), nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			var none T
			yield(none, fmt.Errorf("read a list of the run: %w", err))
		}
	}
}
