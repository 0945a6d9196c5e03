package storage

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// ForecastDay is what a forecast says of one night in one currency.
type ForecastDay struct {
	On       market.Date
	Currency market.Currency

	Renewed    int64
	Due        market.Decimal // of those renewed
	Failed     int64          // could not be paid, the first night and those after it
	FailedNew  int64          // the first night of them
	Short      market.Decimal // of all that could not be paid
	Held       int64
	Lapsed     int64          // the term is over
	LapsedCost market.Decimal // what their next terms would have cost
	Frozen     int64
	Released   int64
}

// foreseen is what happens in a forecast, an event a row: the date, the currency,
// what, the subscription, and amounts. It is asked of a scratch copy.
const foreseen = `
	SELECT d.business_date AS on_date, d.currency, 'renew' AS what, d.subject, d.at, d.due AS amount, 0::numeric AS short, ''::text AS rule, 1::bigint AS nth
	FROM deductions d WHERE d.kind = 'renewal' AND d.site = $1
	UNION ALL
	SELECT d.business_date, split_part(d.facts->>'price', ' ', 2), d.outcome, d.subject, d.due_at, ` + `split_part(d.facts->>'price', ' ', 1)::numeric, split_part(d.facts->>'shortfall', ' ', 1)::numeric, d.rule,
	       row_number() OVER (PARTITION BY d.subject, d.outcome, d.facts->'expired_for'->>'since' ORDER BY d.business_date)
	FROM decisions d
	WHERE d.facts->>'site' = $1 AND (d.ruleset = 'renewal' AND d.outcome IN ('retry', 'hold', 'cancel') OR d.ruleset = 'expiry' AND d.outcome IN ('lapse', 'freeze', 'release'))`

// ForecastDays adds up what happens in a forecast, by date and currency. Nights
// in which nothing happens are left out.
func (tx *Tx) ForecastDays(ctx context.Context, site string) (days []ForecastDay, err error) {
	err = tx.Query(ctx, `
		SELECT on_date, currency, count(*) FILTER (WHERE what = 'renew'), coalesce(sum(amount) FILTER (WHERE what = 'renew'), 0),
		       count(*) FILTER (WHERE what = 'retry'), count(*) FILTER (WHERE what = 'retry' AND nth = 1), coalesce(sum(short) FILTER (WHERE what = 'retry'), 0),
		       count(*) FILTER (WHERE what = 'hold'), count(*) FILTER (WHERE what = 'lapse'), coalesce(sum(amount) FILTER (WHERE what = 'lapse'), 0),
		       count(*) FILTER (WHERE what = 'freeze'), count(*) FILTER (WHERE what = 'release')
		FROM (`+foreseen+`) AS f
		GROUP BY on_date, currency
		ORDER BY on_date, currency`, []any{site}, func(rows pgx.Rows) error {
		var d ForecastDay
		err := rows.Scan(&d.On, (*string)(&d.Currency), &d.Renewed, &d.Due, &d.Failed, &d.FailedNew, &d.Short, &d.Held, &d.Lapsed, &d.LapsedCost, &d.Frozen, &d.Released)
		days = append(days, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("add up the forecast of %s: %w", site, err)
	}
	return days, nil
}

// Foreseen is one thing that would happen.
type Foreseen struct {
	On                           market.Date
	What                         string // renew, retry, hold, cancel, lapse, freeze, release
	Subscription, Buyer, Product string
	At                           time.Time
	Amount, Short                market.Money
	Rule                         string
}

// ForecastEvents are the things that would happen in one currency, in order. A renewal that could
// not be paid is there once, with its first night.
func (tx *Tx) ForecastEvents(ctx context.Context, site string, c market.Currency) iter.Seq2[Foreseen, error] {
	var v Foreseen
	dest := []any{&v.On, &v.What, &v.Subscription, &v.Buyer, &v.Product, &v.At, &v.Amount.Amount, &v.Short.Amount, &v.Rule}
	return each(ctx, tx, `
		SELECT f.on_date, f.what, u.code, b.code, coalesce(p.code, ''), f.at, f.amount, f.short, f.rule
		FROM (`+foreseen+`) AS f
		JOIN subscriptions u ON u.id = f.subject JOIN buyers b ON b.id = u.buyer_id LEFT JOIN products p ON p.id = u.product_id
		WHERE f.currency = $2 AND (f.what <> 'retry' OR f.nth = 1)
		ORDER BY f.on_date, f.at, u.code COLLATE "C", f.what`, []any{site, c}, dest, func() Foreseen {
		v.Amount.Currency, v.Short.Currency = c, c
		return v
	})
}

// LastNight is the last business date of a job and site that was completed; it is
// false where there was none.
func (s *Store) LastNight(ctx context.Context, job, site string) (on market.Date, ran bool, err error) {
	err = s.query(ctx, `SELECT business_date FROM runs WHERE job = $1 AND site = $2 AND state = 'completed' ORDER BY business_date DESC LIMIT 1`,
		[]any{job, site}, func(rows pgx.Rows) error {
			ran = true
			return rows.Scan(&on)
		})
	if err != nil {
		return 0, false, fmt.Errorf("find the last %s run at %s: %w", job, site, err)
	}
	return on, ran, nil
}
