package storage

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// streamed is a query as a sequence of rows. The connection carries one at a
// time; whoever stops early gets no more.
func streamed[R any](ctx context.Context, tx *Tx, what, query string, args []any, scan func(pgx.Rows) (R, error)) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		stopped := false
		err := tx.Query(ctx, query, args, func(rows pgx.Rows) error {
			if stopped {
				return nil
			}
			r, err := scan(rows)
			if err == nil && !yield(r, nil) {
				stopped = true
			}
			return err
		})
		if err != nil && !stopped {
			var none R
			yield(none, fmt.Errorf("%s: %w", what, err))
		}
	}
}

const settledLine = `
	SELECT ` + settledColumns + `
	FROM statement_lines l ` + settledJoins

const settledColumns = `
	       l.key, l.kind, coalesce(o.code, ''), coalesce(l.order_line, 0), coalesce(p.code, ''), coalesce(l.product_class, ''), coalesce(l.access_type, ''),
	       coalesce(l.model, ''), l.currency, l.paid, l.billable, l.share, l.fee_rate, l.extra_rate, l.tier_total, l.fee, l.withheld, l.wht, l.dst, l.operating_fee,
	       l.settled, l.paid_at, l.decided_by, l.decided_at, coalesce(l.reverses, ''), l.rules, coalesce(l.memo, ''), coalesce(b.code, ''), c.code,
	       (SELECT max(r.business_date) FROM statement_lines r WHERE l.reverses IS NOT NULL AND r.key = l.reverses)`

const settledJoins = `
	JOIN sellers c ON c.id = l.seller_id
	LEFT JOIN orders o ON o.id = l.order_id
	LEFT JOIN products p ON p.id = l.product_id
	LEFT JOIN buyers b ON b.id = l.buyer_id `

// SettledLine is a line of a statement with the codes of what it is about.
type SettledLine struct {
	market.StatementLine
	Buyer, Seller string
	ReversesAt    time.Time // of a refund: the last day of the period of the line that it takes back
}

// GivesBackToPartner tells whether it is a refund of a partner's part.
func (l SettledLine) GivesBackToPartner() bool {
	return l.Kind == market.EarnedRefund && strings.HasSuffix(l.Reverses, "/partner")
}

// scanSettledLine reads the columns of a line, and those that a query has behind them.
func scanSettledLine(rows pgx.Rows, more ...any) (l SettledLine, err error) {
	var c market.Currency
	var tier *market.Decimal
	var paidAt pgtype.Timestamptz
	var reverses pgtype.Date
	err = rows.Scan(append([]any{&l.Key, &l.Kind, &l.Order, &l.OrderLine, &l.Product, &l.ProductClass, &l.AccessType, &l.Model, &c, &l.Paid.Amount, &l.Billable, &l.Share, &l.FeeRate, &l.ExtraRate,
		&tier, &l.Fee, &l.Withheld, &l.WHT, &l.DST, &l.OperatingFee, &l.Settled, &paidAt, &l.DecidedBy, &l.DecidedAt, &l.Reverses, &l.Rules, &l.Memo, &l.Buyer, &l.Seller, &reverses}, more...)...)
	l.Paid.Currency, l.PaidAt, l.ReversesAt = c, paidAt.Time, reverses.Time
	if tier != nil {
		l.TierTotal, l.Tiered = *tier, true
	}
	return l, err
}

func settledLineOf(rows pgx.Rows) (SettledLine, error) { return scanSettledLine(rows) }

// LinesOf are the lines of a version of a statement, in their order.
func (tx *Tx) LinesOf(ctx context.Context, s StatementStand) iter.Seq2[SettledLine, error] {
	return streamed(ctx, tx, "read the lines of the statement "+s.Period.String()+" of "+s.Seller, settledLine+`
		WHERE l.seller_id = $1 AND l.period = $2 AND l.version = $3 AND l.business_date = $4
		ORDER BY l.no`, []any{s.SellerID, s.Period.Number(), s.Version, s.Period.Last()}, settledLineOf)
}

// OutsideLinesOf are the lines of a version of a statement from outside the
// trade, which are few: agreed, open at the cutover, carried.
func (tx *Tx) OutsideLinesOf(ctx context.Context, s StatementStand) iter.Seq2[SettledLine, error] {
	return streamed(ctx, tx, "read the adjustments of the statement "+s.Period.String()+" of "+s.Seller, settledLine+`
		WHERE l.seller_id = $1 AND l.period = $2 AND l.version = $3 AND l.business_date = $4 AND l.kind IN ('adjustment', 'opening', 'carried')
		ORDER BY l.no`, []any{s.SellerID, s.Period.Number(), s.Version, s.Period.Last()}, settledLineOf)
}

// ChargedLine is a line of a statement with what was measured of use.
type ChargedLine struct {
	SettledLine
	Instance         string // that was used
	UsedFrom, UsedTo time.Time
	Consumed         *market.Decimal // of it, whoever paid; nil of everything but use
	Measure          market.Measure
}

// LinesOfPeriod are the lines of the newest version of every statement of a
// period, by seller.
func (tx *Tx) LinesOfPeriod(ctx context.Context, site string, p market.Period) iter.Seq2[ChargedLine, error] {
	return streamed(ctx, tx, "read the lines of the statements "+p.String()+" of "+site, `
		SELECT `+settledColumns+`, coalesce(i.code, ''), d.used_from, d.used_until, u.quantity, coalesce(u.measure, '')
		FROM statement_lines l `+settledJoins+`
		LEFT JOIN deductions_seen d ON l.kind IN ('use', 'charge') AND d.key = l.key
		LEFT JOIN instances i ON d.kind = 'usage' AND i.id = d.subject
		LEFT JOIN LATERAL (
			SELECT sum(r.quantity) AS quantity, min(r.measure) AS measure FROM rated_seen r
			WHERE d.kind = 'usage' AND r.instance_id = d.subject AND r.used_at >= d.used_from AND r.item = d.item AND r.cycle_from = d.used_from AND r.due_at = d.at) u ON true
		WHERE l.site = $1 AND l.period = $2 AND l.business_date = $3
		  AND NOT EXISTS (SELECT FROM statements n WHERE n.seller_id = l.seller_id AND n.period = l.period AND n.version > l.version)
		ORDER BY l.seller_id, l.no`, []any{site, p.Number(), p.Last()}, func(rows pgx.Rows) (l ChargedLine, err error) {
		var from, to pgtype.Timestamptz
		l.SettledLine, err = scanSettledLine(rows, &l.Instance, &from, &to, &l.Consumed, (*string)(&l.Measure))
		l.UsedFrom, l.UsedTo = from.Time, to.Time
		return l, err
	})
}

// Unsettled is a line that the run of a period left, with the codes of what it is about.
type Unsettled struct {
	Seller, Key, Kind, Order, Product, ProductClass string
	PaidAt                                          time.Time
	Amount                                          market.Money
	Outcome                                         string
	Unmet                                           []string
	Until                                           time.Time
	Because                                         string
}

// UnsettledOf are the lines that wait, of one seller or of all (0), by seller and key.
func (tx *Tx) UnsettledOf(ctx context.Context, site string, p market.Period, seller int64) iter.Seq2[Unsettled, error] {
	return streamed(ctx, tx, "read what waits of "+p.String()+" of "+site, `
		SELECT c.code, w.key, w.kind, coalesce(o.code, ''), coalesce(p.code, ''), coalesce(w.product_class, ''), w.paid_at, w.amount, w.currency, w.outcome, w.unmet, w.until_at, w.because
		FROM waiting_lines w
		JOIN sellers c ON c.id = w.seller_id
		LEFT JOIN orders o ON o.id = w.order_id
		LEFT JOIN products p ON p.id = w.product_id
		WHERE w.site = $1 AND w.period = $2 AND w.business_date = $3 AND ($4 = 0 OR w.seller_id = $4)
		ORDER BY c.code, w.key`, []any{site, p.Number(), p.Last(), seller}, func(rows pgx.Rows) (u Unsettled, err error) {
		var paid, until pgtype.Timestamptz
		err = rows.Scan(&u.Seller, &u.Key, &u.Kind, &u.Order, &u.Product, &u.ProductClass, &paid, &u.Amount.Amount, &u.Amount.Currency, &u.Outcome, &u.Unmet, &until, &u.Because)
		u.PaidAt, u.Until = paid.Time, until.Time
		return u, err
	})
}

// CountUnsettled is how many lines wait of a seller, or of all (0).
func (tx *Tx) CountUnsettled(ctx context.Context, site string, p market.Period, seller int64) (n int64, err error) {
	_, err = tx.one(ctx, `SELECT count(*) FROM waiting_lines WHERE site = $1 AND period = $2 AND business_date = $3 AND ($4 = 0 OR seller_id = $4)`,
		[]any{site, p.Number(), p.Last(), seller}, &n)
	if err != nil {
		err = fmt.Errorf("count what waits of %s of %s: %w", p, site, err)
	}
	return n, err
}

// Version is a statement of one version, which need not be the newest.
func (tx *Tx) Version(ctx context.Context, site, seller string, p market.Period, version int) (s StatementStand, err error) {
	found, err := tx.one(ctx, `
		SELECT s.seller_id, c.code, s.site, s.version, coalesce(s.run_id, 0), s.currency, s.lines, s.billable, s.fee, s.taxes, s.operating_fee,
		       s.settled, s.adjustments, s.carried_in, s.carried_out, s.payout, coalesce(s.because, ''), coalesce(r.as_of, s.recorded_at)
		FROM statements s JOIN sellers c ON c.id = s.seller_id LEFT JOIN runs r ON r.id = s.run_id
		WHERE s.site = $1 AND c.code = $2 AND s.period = $3 AND s.version = $4`, []any{site, seller, p.Number(), version},
		&s.SellerID, &s.Seller, &s.Site, &s.Version, &s.RunID, &s.Currency, &s.Lines, &s.Billable, &s.Fee, &s.Taxes, &s.OperatingFee,
		&s.Settled, &s.Adjustments, &s.CarriedIn, &s.CarriedOut, &s.Payout, &s.Because, &s.AsOf)
	s.Period = p
	if err == nil && !found {
		err = ErrNoStatement
	}
	if err != nil {
		return s, fmt.Errorf("find version %d of the statement %s of %s: %w", version, p, seller, err)
	}
	return s, nil
}

// StatementsByRun are the statements that a run issued, by seller.
func (tx *Tx) StatementsByRun(ctx context.Context, run int64) (list []StatementStand, err error) {
	err = tx.Query(ctx, `
		SELECT s.seller_id, c.code, s.site, s.period, s.version, s.currency, s.lines, s.billable, s.fee, s.taxes, s.operating_fee,
		       s.settled, s.adjustments, s.carried_in, s.carried_out, s.payout, r.as_of
		FROM statements s JOIN sellers c ON c.id = s.seller_id JOIN runs r ON r.id = s.run_id
		WHERE s.run_id = $1 ORDER BY c.code`, []any{run}, func(rows pgx.Rows) error {
		var s StatementStand
		var period int
		err := rows.Scan(&s.SellerID, &s.Seller, &s.Site, &period, &s.Version, &s.Currency, &s.Lines, &s.Billable, &s.Fee, &s.Taxes, &s.OperatingFee,
			&s.Settled, &s.Adjustments, &s.CarriedIn, &s.CarriedOut, &s.Payout, &s.AsOf)
		s.Period, s.RunID = market.PeriodNumbered(period), run
		list = append(list, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the statements of run %d: %w", run, err)
	}
	return list, nil
}

// LineDifference is a line that two versions of a statement settle differently.
type LineDifference struct {
	Key, Order, Product string
	Before, After       *market.Decimal // nil where the version has no such line
	Why                 string
}

// DifferencesOf are the lines of a version that differ from the version before.
func (tx *Tx) DifferencesOf(ctx context.Context, s StatementStand) iter.Seq2[LineDifference, error] {
	return streamed(ctx, tx, "compare two versions of the statement "+s.Period.String()+" of "+s.Seller, `
		WITH of AS (SELECT * FROM statement_lines WHERE seller_id = $1 AND period = $2 AND business_date = $3)
		SELECT coalesce(a.key, b.key), coalesce(o.code, ''), coalesce(p.code, ''), b.settled, a.settled,
		       CASE WHEN b.key IS NULL THEN 'it was missing' WHEN a.key IS NULL THEN 'it does not belong there' WHEN a.billable <> b.billable THEN 'billable ' || trim_scale(b.billable) || ' → ' || trim_scale(a.billable)
		            WHEN a.rules <> b.rules THEN b.rules || ' → ' || a.rules ELSE 'fees or taxes' END
		FROM (SELECT * FROM of WHERE version = $4) a
		FULL JOIN (SELECT * FROM of WHERE version = $4 - 1) b ON b.key = a.key
		LEFT JOIN orders o ON o.id = coalesce(a.order_id, b.order_id)
		LEFT JOIN products p ON p.id = coalesce(a.product_id, b.product_id)
		WHERE a.settled IS DISTINCT FROM b.settled
		ORDER BY 1`, []any{s.SellerID, s.Period.Number(), s.Period.Last(), s.Version}, func(rows pgx.Rows) (d LineDifference, err error) {
		err = rows.Scan(&d.Key, &d.Order, &d.Product, &d.Before, &d.After, &d.Why)
		return d, err
	})
}
