package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// Untied is a seller of whom two figures of a period differ.
type Untied struct {
	Seller   string
	Currency market.Currency
	Is, Must market.Decimal
}

// PeriodSum is a figure of a period, in one currency, from two places.
type PeriodSum struct {
	Currency  market.Currency
	Statement market.Decimal // by the newest versions of the statements
	Other     market.Decimal // by lines, journals or payment files
}

// newestVersions are the newest versions of the statements s of a site ($1) and a period ($2).
const newestVersions = ` s.site = $1 AND s.period = $2 AND NOT EXISTS (SELECT FROM statements n WHERE n.seller_id = s.seller_id AND n.period = s.period AND n.version > s.version) `

// journalsOf are the postings of the journals of all versions of the statements
// of a site and a period.
const journalsOf = `
	SELECT s.seller_id, p.from_account, p.to_account, p.amount, p.currency
	FROM statements s
	JOIN event_keys e ON e.key = s.journal_key
	JOIN postings p ON p.journal_id = e.journal_id AND p.business_date = e.business_date
	WHERE s.site = $1 AND s.period = $2`

// SumLines compares statements with their lines: what is paid or carried on.
func (tx *Tx) SumLines(ctx context.Context, site string, p market.Period) ([]PeriodSum, error) {
	return tx.periodSums(ctx, "add up the lines", `
		SELECT s.currency, sum(s.payout + s.carried_out), coalesce(sum(l.settled), 0)
		FROM statements s LEFT JOIN LATERAL (
			SELECT sum(settled) AS settled FROM statement_lines l
			WHERE l.seller_id = s.seller_id AND l.period = s.period AND l.version = s.version AND l.business_date = $3) l ON true
		WHERE`+newestVersions+`GROUP BY 1 ORDER BY 1`, site, p.Number(), p.Last())
}

// SumPayable compares what statements pay with what their journals made payable.
func (tx *Tx) SumPayable(ctx context.Context, site string, p market.Period) ([]PeriodSum, error) {
	return tx.periodSums(ctx, "add up what is payable", `
		WITH j AS (`+journalsOf+`)
		SELECT s.currency, sum(s.payout), coalesce((SELECT sum(CASE WHEN to_account LIKE 'seller:%:payable' THEN amount WHEN from_account LIKE 'seller:%:payable' THEN -amount ELSE 0 END) FROM j WHERE j.currency = s.currency), 0)
		FROM statements s WHERE`+newestVersions+`GROUP BY 1 ORDER BY 1`, site, p.Number())
}

// SumFees compares the fees of statements with what their journals gave the platform.
func (tx *Tx) SumFees(ctx context.Context, site string, p market.Period) ([]PeriodSum, error) {
	return tx.periodSums(ctx, "add up the fees", `
		WITH j AS (`+journalsOf+`)
		SELECT s.currency, sum(s.fee + s.operating_fee), coalesce((
			SELECT sum(CASE WHEN from_account LIKE 'seller:%:accrued' THEN amount ELSE -amount END) FROM j
			WHERE j.currency = s.currency AND (to_account = 'platform:fees' AND from_account LIKE 'seller:%:accrued' OR from_account = 'platform:fees' AND to_account LIKE 'seller:%:accrued')), 0)
		     + coalesce((SELECT sum(l.billable) FROM statement_lines l WHERE l.site = $1 AND l.period = $2 AND l.business_date = $3 AND (l.kind = 'partner' OR l.kind = 'refund' AND l.reverses LIKE '%/partner') AND l.currency = s.currency
		                 AND NOT EXISTS (SELECT FROM statements n WHERE n.seller_id = l.seller_id AND n.period = l.period AND n.version > l.version)), 0)
		FROM statements s WHERE`+newestVersions+`GROUP BY 1 ORDER BY 1`, site, p.Number(), p.Last())
}

// SumTaxes compares the taxes of statements with what their journals kept back.
func (tx *Tx) SumTaxes(ctx context.Context, site string, p market.Period) ([]PeriodSum, error) {
	return tx.periodSums(ctx, "add up the taxes", `
		WITH j AS (`+journalsOf+`)
		SELECT s.currency, sum(s.taxes), coalesce((SELECT sum(CASE WHEN to_account = 'platform:taxes' THEN amount WHEN from_account = 'platform:taxes' THEN -amount ELSE 0 END) FROM j WHERE j.currency = s.currency), 0)
		FROM statements s WHERE`+newestVersions+`GROUP BY 1 ORDER BY 1`, site, p.Number())
}

// SumOrdered compares what statements pay with what was ordered for them, of
// those that were ordered and did not fail.
func (tx *Tx) SumOrdered(ctx context.Context, site string, p market.Period) ([]PeriodSum, error) {
	return tx.periodSums(ctx, "add up what was ordered", `
		SELECT s.currency, sum(s.payout), sum(l.amount)
		FROM statements s JOIN payout_lines l ON l.seller_id = s.seller_id AND l.period = s.period
		WHERE`+newestVersions+`AND NOT EXISTS (SELECT FROM bank_lines b WHERE b.site = l.site AND b.reference = l.reference AND b.verdict = 'fails')
		GROUP BY 1 ORDER BY 1`, site, p.Number())
}

func (tx *Tx) periodSums(ctx context.Context, doing, query string, args ...any) (sums []PeriodSum, err error) {
	err = tx.Query(ctx, query, args, func(rows pgx.Rows) error {
		var s PeriodSum
		err := rows.Scan(&s.Currency, &s.Statement, &s.Other)
		sums = append(sums, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return sums, nil
}

// UntiedLines are the statements whose lines come to something else, or are of another number.
func (tx *Tx) UntiedLines(ctx context.Context, site string, p market.Period) ([]Untied, error) {
	return tx.untied(ctx, "compare statements with their lines", `
		SELECT c.code, s.currency, coalesce(l.settled, 0), s.payout + s.carried_out
		FROM statements s JOIN sellers c ON c.id = s.seller_id LEFT JOIN LATERAL (
			SELECT sum(settled) AS settled, count(*) AS n FROM statement_lines l
			WHERE l.seller_id = s.seller_id AND l.period = s.period AND l.version = s.version AND l.business_date = $3) l ON true
		WHERE`+newestVersions+`AND (coalesce(l.settled, 0) <> s.payout + s.carried_out OR coalesce(l.n, 0) <> s.lines)
		ORDER BY 1 LIMIT 20`, site, p.Number(), p.Last())
}

// UntiedPayable are the sellers whose payable balance is not what their
// statements left to be ordered.
func (tx *Tx) UntiedPayable(ctx context.Context, site string) ([]Untied, error) {
	return tx.untied(ctx, "compare what is payable with the books", `
		WITH due AS (
			SELECT s.seller_id, s.currency, sum(s.payout) - coalesce((
				SELECT sum(l.amount) FROM payout_lines l WHERE l.seller_id = s.seller_id AND l.currency = s.currency
				AND coalesce((SELECT b.verdict FROM bank_lines b WHERE b.site = l.site AND b.reference = l.reference AND b.verdict IN ('pays', 'fails') ORDER BY b.no DESC LIMIT 1), '') <> 'fails'), 0) AS amount
			FROM statements s
			WHERE s.site = $1 AND NOT EXISTS (SELECT FROM statements n WHERE n.seller_id = s.seller_id AND n.period = s.period AND n.version > s.version)
			GROUP BY 1, 2),
		booked AS (
			SELECT account, currency, sum(amount) AS amount FROM (
				SELECT to_account AS account, currency, amount FROM postings WHERE site = $1 AND to_account LIKE 'seller:%:payable'
				UNION ALL SELECT from_account, currency, -amount FROM postings WHERE site = $1 AND from_account LIKE 'seller:%:payable') p
			GROUP BY 1, 2)
		SELECT coalesce(c.code, b.account), coalesce(d.currency, b.currency), coalesce(b.amount, 0), coalesce(d.amount, 0)
		FROM due d JOIN sellers c ON c.id = d.seller_id
		FULL JOIN booked b ON b.account = 'seller:' || replace(replace(c.code, '%', '%25'), ':', '%3A') || ':payable' AND b.currency = d.currency
		WHERE coalesce(b.amount, 0) <> coalesce(d.amount, 0)
		ORDER BY 1 LIMIT 20`, site)
}

// UntiedAccrued are the sellers whose accrued balance at the end of a period,
// after its settlement, is not what waits of what we deducted.
func (tx *Tx) UntiedAccrued(ctx context.Context, site string, p market.Period, end time.Time) ([]Untied, error) {
	return tx.untied(ctx, "compare what is accrued with what waits", `
		WITH waits AS (
			SELECT w.seller_id, w.currency, sum(w.amount) AS amount
			FROM waiting_lines w JOIN sellers c ON c.id = w.seller_id LEFT JOIN orders o ON o.id = w.order_id
			WHERE w.site = $1 AND w.period = $2 AND w.business_date = $3
			  AND NOT EXISTS (SELECT FROM event_keys v WHERE v.key = 'settled/' || w.key AND v.business_date = w.business_date) -- by a later version
			  AND (w.kind IN ('use', 'renewal', 'charge') OR w.kind IN ('order', 'refund') AND EXISTS (
				SELECT FROM event_keys e JOIN postings q ON q.journal_id = e.journal_id AND q.business_date = e.business_date
				WHERE e.key = 'order/' || w.site || '/' || o.code || '/paid' AND q.to_account = 'seller:' || replace(replace(c.code, '%', '%25'), ':', '%3A') || ':accrued'))
			GROUP BY 1, 2),
		booked AS (
			SELECT account, currency, sum(amount) AS amount FROM (
				SELECT p.to_account AS account, p.currency, p.amount, p.at, p.journal_id, p.business_date FROM postings p WHERE p.site = $1 AND p.to_account LIKE 'seller:%:accrued' AND p.at <= $4
				UNION ALL SELECT p.from_account, p.currency, -p.amount, p.at, p.journal_id, p.business_date FROM postings p WHERE p.site = $1 AND p.from_account LIKE 'seller:%:accrued' AND p.at <= $4) q
			WHERE q.at < $4 OR EXISTS (SELECT FROM journals j WHERE j.id = q.journal_id AND j.business_date = q.business_date AND j.key LIKE 'settlement/%')
			GROUP BY 1, 2 HAVING sum(amount) <> 0)
		SELECT coalesce(c.code, b.account), coalesce(w.currency, b.currency), coalesce(b.amount, 0), coalesce(w.amount, 0)
		FROM waits w JOIN sellers c ON c.id = w.seller_id
		FULL JOIN booked b ON b.account = 'seller:' || replace(replace(c.code, '%', '%25'), ':', '%3A') || ':accrued' AND b.currency = w.currency
		WHERE coalesce(b.amount, 0) <> coalesce(w.amount, 0)
		ORDER BY 1 LIMIT 20`, site, p.Number(), p.Last(), end)
}

func (tx *Tx) untied(ctx context.Context, doing, query string, args ...any) (list []Untied, err error) {
	err = tx.Query(ctx, query, args, func(rows pgx.Rows) error {
		var u Untied
		err := rows.Scan(&u.Seller, &u.Currency, &u.Is, &u.Must)
		list = append(list, u)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return list, nil
}

// ParkedIn is how many candidates of a run are set aside and were not requeued.
func (tx *Tx) ParkedIn(ctx context.Context, run int64) (n int64, err error) {
	_, err = tx.one(ctx, `SELECT count(*) FROM parked WHERE run_id = $1 AND requeued_at IS NULL`, []any{run}, &n)
	if err != nil {
		err = fmt.Errorf("count what run %d set aside: %w", run, err)
	}
	return n, err
}

// SumCharged is what buyers were charged in a period by the newest versions of
// its statements, less what was given back, by currency.
func (tx *Tx) SumCharged(ctx context.Context, site string, p market.Period) (map[market.Currency]market.Decimal, error) {
	sums := map[market.Currency]market.Decimal{}
	err := tx.Query(ctx, `
		SELECT l.currency, sum(l.paid) FROM statement_lines l
		WHERE l.site = $1 AND l.period = $2 AND l.business_date = $3 AND l.kind NOT IN ('adjustment', 'opening', 'carried', 'partner') AND NOT (l.kind = 'refund' AND l.reverses LIKE '%/partner')
		  AND NOT EXISTS (SELECT FROM statements n WHERE n.seller_id = l.seller_id AND n.period = l.period AND n.version > l.version)
		GROUP BY 1`, []any{site, p.Number(), p.Last()}, func(rows pgx.Rows) error {
		var c market.Currency
		var sum market.Decimal
		err := rows.Scan(&c, &sum)
		sums[c] = sum
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("add up what was charged in %s of %s: %w", p, site, err)
	}
	return sums, nil
}

// LastNights are the newest nights that jobs completed at a site, of those that
// completed any.
func (tx *Tx) LastNights(ctx context.Context, site string, jobs []string) (nights map[string]market.Date, err error) {
	nights = map[string]market.Date{}
	err = tx.Query(ctx, `SELECT job, max(business_date) FROM runs WHERE site = $1 AND job = ANY($2) AND state = 'completed' GROUP BY 1`, []any{site, jobs}, func(rows pgx.Rows) error {
		var job string
		var on market.Date
		err := rows.Scan(&job, &on)
		nights[job] = on
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find the last nights of %s: %w", site, err)
	}
	return nights, nil
}
