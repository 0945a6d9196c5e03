package storage

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// MonthQuery says of which run's statements a month is told: its own, whatever
// was issued again since, so that a month is the same whenever it is written.
type MonthQuery struct {
	Run      int64
	Site     string
	Period   market.Period
	Currency market.Currency
	Nameless bool // what waits without a currency is among this one's
}

func (q MonthQuery) args(more ...any) []any {
	return append([]any{q.Run, q.Site, q.Period.Number(), q.Period.Last(), string(q.Currency)}, more...)
}

// MonthCurrencies are those of a run's statements and of what waits.
func (tx *Tx) MonthCurrencies(ctx context.Context, run int64, site string, p market.Period) (list []market.Currency, err error) {
	err = tx.Query(ctx, `
		SELECT currency FROM statements WHERE run_id = $1
		UNION SELECT currency FROM waiting_lines WHERE site = $2 AND period = $3 AND business_date = $4 AND currency <> 'XXX'
		ORDER BY 1`, []any{run, site, p.Number(), p.Last()}, func(rows pgx.Rows) error {
		var c market.Currency
		err := rows.Scan(&c)
		list = append(list, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find the currencies of %s of %s: %w", p, site, err)
	}
	return list, nil
}

// RunStatement is a statement of a run, with what was settled the month before.
type RunStatement struct {
	StatementStand
	Last *market.Decimal
}

// StatementsOf are the statements of a run, by seller.
func (tx *Tx) StatementsOf(ctx context.Context, q MonthQuery) iter.Seq2[RunStatement, error] {
	return streamed(ctx, tx, "read the statements "+q.Period.String()+" of "+q.Site, `
		SELECT s.seller_id, c.code, s.version, s.lines, s.billable, s.fee, s.taxes, s.operating_fee, s.settled, s.adjustments, s.carried_in, s.carried_out, s.payout,
		       (SELECT l.settled FROM statements l WHERE l.seller_id = s.seller_id AND l.period = $2 AND l.version = 1 AND l.currency = s.currency)
		FROM statements s JOIN sellers c ON c.id = s.seller_id
		WHERE s.run_id = $1 AND s.currency = $3
		ORDER BY c.code`, []any{q.Run, q.Period.Previous().Number(), string(q.Currency)}, func(rows pgx.Rows) (s RunStatement, err error) {
		s.Site, s.Period, s.Currency, s.RunID = q.Site, q.Period, q.Currency, q.Run
		err = rows.Scan(&s.SellerID, &s.Seller, &s.Version, &s.Lines, &s.Billable, &s.Fee, &s.Taxes, &s.OperatingFee, &s.Settled, &s.Adjustments, &s.CarriedIn, &s.CarriedOut, &s.Payout, &s.Last)
		return s, err
	})
}

// ProductMonth is what a seller's product came to, this month and the month before.
type ProductMonth struct {
	Seller, Product, ProductClass string
	Units, LastUnits              int64
	Billable, LastBillable        market.Decimal
	Fee, Settled, LastSettled     market.Decimal
}

// productMonths adds the first versions' lines up by seller, product and class.
const productMonths = `
	SELECT l.seller_id, l.product_id, coalesce(l.product_class, '') AS class,
	       coalesce(sum(CASE WHEN l.kind = 'refund' THEN -1 ELSE 1 END) FILTER (WHERE l.business_date = $4), 0) AS units,
	       coalesce(sum(CASE WHEN l.kind = 'refund' THEN -1 ELSE 1 END) FILTER (WHERE l.business_date <> $4), 0) AS last_units,
	       coalesce(sum(l.billable) FILTER (WHERE l.business_date = $4), 0) AS billable, coalesce(sum(l.billable) FILTER (WHERE l.business_date <> $4), 0) AS last_billable,
	       coalesce(sum(l.fee) FILTER (WHERE l.business_date = $4), 0) AS fee,
	       coalesce(sum(l.settled) FILTER (WHERE l.business_date = $4), 0) AS settled, coalesce(sum(l.settled) FILTER (WHERE l.business_date <> $4), 0) AS last_settled
	FROM statement_lines l
	WHERE l.site = $2 AND l.period IN ($3, $6) AND l.business_date IN ($4, $7) AND l.version = 1 AND l.currency = $5
	  AND l.kind NOT IN ('adjustment', 'opening', 'carried') AND $1 <> 0
	GROUP BY 1, 2, 3`

func (q MonthQuery) products() []any {
	last := q.Period.Previous()
	return q.args(last.Number(), last.Last())
}

// ProductMonths are the products of a month and of the one before, by seller and product.
func (tx *Tx) ProductMonths(ctx context.Context, q MonthQuery) iter.Seq2[ProductMonth, error] {
	return streamed(ctx, tx, "add up the products of "+q.Period.String()+" of "+q.Site, `
		SELECT c.code, coalesce(p.code, ''), m.class, m.units, m.last_units, m.billable, m.last_billable, m.fee, m.settled, m.last_settled
		FROM (`+productMonths+`) m JOIN sellers c ON c.id = m.seller_id LEFT JOIN products p ON p.id = m.product_id
		ORDER BY 1, 2, 3`, q.products(), func(rows pgx.Rows) (p ProductMonth, err error) {
		err = rows.Scan(&p.Seller, &p.Product, &p.ProductClass, &p.Units, &p.LastUnits, &p.Billable, &p.LastBillable, &p.Fee, &p.Settled, &p.LastSettled)
		return p, err
	})
}

// MonthRate is what was settled by one fee and tier.
type MonthRate struct {
	Model              string // how it is shared, or partner
	FeeRate, ExtraRate market.Decimal
	Lines              int64
	Billable, Fee      market.Decimal
}

// MonthRates add the fees of a month up by rate.
func (tx *Tx) MonthRates(ctx context.Context, q MonthQuery) iter.Seq2[MonthRate, error] {
	return streamed(ctx, tx, "add up the fees of "+q.Period.String()+" of "+q.Site, `
		SELECT CASE WHEN l.kind = 'partner' OR l.kind = 'refund' AND l.reverses LIKE '%/partner' THEN 'partner' ELSE coalesce(l.model, 'common') END,
		       l.fee_rate, l.extra_rate, count(*), sum(l.billable), sum(l.fee)
		FROM statement_lines l
		WHERE l.site = $2 AND l.period = $3 AND l.business_date = $4 AND l.version = 1 AND l.currency = $5 AND l.kind NOT IN ('adjustment', 'opening', 'carried') AND $1 <> 0
		GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`, q.args(), func(rows pgx.Rows) (r MonthRate, err error) {
		err = rows.Scan(&r.Model, &r.FeeRate, &r.ExtraRate, &r.Lines, &r.Billable, &r.Fee)
		return r, err
	})
}

// MonthLines are the lines of a month's first statements, by seller.
func (tx *Tx) MonthLines(ctx context.Context, q MonthQuery) iter.Seq2[SettledLine, error] {
	return streamed(ctx, tx, "read the lines of "+q.Period.String()+" of "+q.Site, settledLine+`
		WHERE l.site = $2 AND l.period = $3 AND l.business_date = $4 AND l.version = 1 AND l.currency = $5 AND $1 <> 0
		ORDER BY c.code, l.no`, q.args(), settledLineOf)
}

// UnsettledIn are the lines of a month that wait, in one currency.
func (tx *Tx) UnsettledIn(ctx context.Context, q MonthQuery) iter.Seq2[Unsettled, error] {
	return func(yield func(Unsettled, error) bool) {
		for u, err := range tx.UnsettledOf(ctx, q.Site, q.Period, 0) {
			if err == nil && u.Amount.Currency != q.Currency && !(q.Nameless && u.Amount.Currency == NoCurrency) {
				continue
			}
			if !yield(u, err) {
				return
			}
		}
	}
}

// NoCurrency stands where nobody said what a line that waits is paid in.
const NoCurrency market.Currency = "XXX"

// MonthTally is what the tables and the journals say of a month in one currency.
type MonthTally struct {
	Statements, Lines, Products, Waiting, Openings                   int64
	Billable, Fee, Taxes, OperatingFee, Settled                      market.Decimal
	Adjustments, CarriedIn, CarriedOut, Payout                       market.Decimal
	WaitingAmount, LinesSettled, LastSettled                         market.Decimal
	JournalFees, JournalTaxes, JournalPayable, JournalMoved, Partner market.Decimal
}

// TallyMonth adds a month up.
func (tx *Tx) TallyMonth(ctx context.Context, q MonthQuery) (t MonthTally, err error) {
	_, err = tx.one(ctx, `
		SELECT count(*), coalesce(sum(lines), 0), coalesce(sum(billable), 0), coalesce(sum(fee), 0), coalesce(sum(taxes), 0), coalesce(sum(operating_fee), 0), coalesce(sum(settled), 0),
		       coalesce(sum(adjustments), 0), coalesce(sum(carried_in), 0), coalesce(sum(carried_out), 0), coalesce(sum(payout), 0),
		       (SELECT coalesce(sum(settled), 0) FROM statements l WHERE l.site = $2 AND l.period = $4 AND l.version = 1 AND l.currency = $3)
		FROM statements WHERE run_id = $1 AND currency = $3`, []any{q.Run, q.Site, string(q.Currency), q.Period.Previous().Number()},
		&t.Statements, &t.Lines, &t.Billable, &t.Fee, &t.Taxes, &t.OperatingFee, &t.Settled, &t.Adjustments, &t.CarriedIn, &t.CarriedOut, &t.Payout, &t.LastSettled)
	if err == nil {
		_, err = tx.one(ctx, `
			SELECT coalesce(sum(settled), 0), coalesce(sum(billable) FILTER (WHERE kind = 'partner' OR kind = 'refund' AND reverses LIKE '%/partner'), 0)
			FROM statement_lines WHERE site = $2 AND period = $3 AND business_date = $4 AND version = 1 AND currency = $5 AND $1 <> 0`, q.args(), &t.LinesSettled, &t.Partner)
	}
	if err == nil {
		_, err = tx.one(ctx, `SELECT count(*) FROM (`+productMonths+`) m`, q.products(), &t.Products)
	}
	if err == nil {
		_, err = tx.one(ctx, `
			SELECT count(*), coalesce(sum(amount) FILTER (WHERE currency = $4), 0) FROM waiting_lines
			WHERE site = $1 AND period = $2 AND business_date = $3 AND (currency = $4 OR $5 AND currency = 'XXX')`,
			[]any{q.Site, q.Period.Number(), q.Period.Last(), string(q.Currency), q.Nameless}, &t.Waiting, &t.WaitingAmount)
	}
	if err == nil {
		err = tx.tallyJournals(ctx, `s.run_id = $1`, []any{q.Run, string(q.Currency)}, &t)
	}
	if err != nil {
		return t, fmt.Errorf("add up %s of %s: %w", q.Period, q.Site, err)
	}
	return t, nil
}

// tallyJournals adds up what the journals of some statements s posted in the
// currency $2, and leaves out what partners were given of the fees.
func (tx *Tx) tallyJournals(ctx context.Context, which string, args []any, t *MonthTally) error {
	_, err := tx.one(ctx, `
		WITH p AS (
			SELECT p.from_account, p.to_account, p.amount
			FROM statements s
			JOIN event_keys e ON e.key = s.journal_key
			JOIN postings p ON p.journal_id = e.journal_id AND p.business_date = e.business_date
			WHERE `+which+` AND p.currency = $2)
		SELECT coalesce(sum(CASE WHEN to_account = 'platform:fees' THEN amount WHEN from_account = 'platform:fees' THEN -amount END), 0),
		       coalesce(sum(CASE WHEN to_account = 'platform:taxes' THEN amount WHEN from_account = 'platform:taxes' THEN -amount END), 0),
		       coalesce(sum(CASE WHEN to_account LIKE 'seller:%:payable' THEN amount WHEN from_account LIKE 'seller:%:payable' THEN -amount END), 0),
		       coalesce(sum(CASE WHEN to_account LIKE 'seller:%:carried' THEN amount WHEN from_account LIKE 'seller:%:carried' THEN -amount END), 0)
		FROM p`, args, &t.JournalFees, &t.JournalTaxes, &t.JournalPayable, &t.JournalMoved)
	t.JournalFees = t.JournalFees.Add(t.Partner)
	return err
}

// TallyStatement adds up what the journals of a statement posted, up to its version.
func (tx *Tx) TallyStatement(ctx context.Context, s StatementStand) (t MonthTally, err error) {
	_, err = tx.one(ctx, `
		SELECT coalesce(sum(billable) FILTER (WHERE kind = 'partner' OR kind = 'refund' AND reverses LIKE '%/partner'), 0), count(*) FILTER (WHERE kind = 'opening')
		FROM statement_lines WHERE seller_id = $1 AND period = $2 AND business_date = $3 AND version = $4`,
		[]any{s.SellerID, s.Period.Number(), s.Period.Last(), s.Version}, &t.Partner, &t.Openings)
	if err == nil {
		err = tx.tallyJournals(ctx, `s.seller_id = $1 AND s.period = $3 AND s.version <= $4`, []any{s.SellerID, string(s.Currency), s.Period.Number(), s.Version}, &t)
	}
	if err != nil {
		return t, fmt.Errorf("add up the journals of the statement %s of %s: %w", s.Period, s.Seller, err)
	}
	return t, nil
}
