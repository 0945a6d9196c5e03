package storage

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// Deducted is a deduction of a run with who paid it.
type Deducted struct {
	Key, Buyer, Seller string // Seller is empty where several share an order
	Kind, Item         string
	Used               market.Span
	At                 time.Time
	Price              market.Money
	Discount           string // the instrument; empty where there was none
	Discounted         market.Money
	Due, Dropped       market.Money
	PaidBy             []Paid
}

// Paid is what one instrument paid.
type Paid struct {
	Instrument string
	Kind       string
	Amount     market.Money
}

// ofRun are the deductions d of a run in one currency: $1 is the business date,
// $2 the run, $3 the currency.
const ofRun = ` d.business_date = $1 AND d.run_id = $2 AND d.currency = $3 `

// BillingCurrencies are the currencies that the lists of a billing run have, in
// order, and the site's among them.
func (tx *Tx) BillingCurrencies(ctx context.Context, r market.Run, site market.Currency) (list []market.Currency, err error) {
	err = tx.Query(ctx, owedNow+`
		SELECT DISTINCT c FROM (
			SELECT currency FROM deductions WHERE business_date = $2 AND run_id = $3
			UNION ALL
			SELECT `+currency+` FROM decisions d WHERE d.ruleset = 'payment' AND d.business_date = $2 AND d.run_id = $3
			UNION ALL
			SELECT p.currency FROM journals j JOIN postings p ON p.journal_id = j.id AND p.business_date = j.business_date
			WHERE j.business_date = $2 AND j.source = $4 AND 'platform:dropped' IN (p.from_account, p.to_account)
			UNION ALL
			SELECT currency FROM refund_results WHERE business_date = $2 AND run_id = $3
			UNION ALL
			SELECT currency FROM month_bills WHERE business_date = $2 AND run_id = $3
			UNION ALL
			SELECT currency FROM owed
			UNION ALL
			SELECT $5::text) AS used (c)
		WHERE c <> ''
		ORDER BY c`, []any{r.Site, r.On, r.ID, RunSource(r.ID), site}, func(rows pgx.Rows) error {
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

// DeductionsBy are the deductions of a run in one currency, by instant.
func (tx *Tx) DeductionsBy(ctx context.Context, r market.Run, c market.Currency) iter.Seq2[Deducted, error] {
	var v Deducted
	var price, discounted, due, dropped market.Decimal
	var from, until instant
	var instruments, kinds, paid []string
	dest := []any{&v.Key, &v.Buyer, &v.Seller, &v.Kind, &v.Item, &from, &until, &v.At, &price, &v.Discount, &discounted, &due, &dropped, &instruments, &kinds, &paid}
	money := func(amount market.Decimal) market.Money { return market.NewMoney(amount, c) }
	return each(ctx, tx, `
		SELECT d.key, b.code, coalesce(s.code, ''), d.kind, coalesce(d.item, ''), d.used_from, d.used_until, d.at,
		       d.price, coalesce(d.discount, ''), d.discounted, d.due, d.dropped, p.instruments, p.kinds, p.amounts
		FROM deductions d
		JOIN buyers b ON b.id = d.buyer_id
		LEFT JOIN sellers s ON s.id = d.seller_id
		LEFT JOIN (SELECT key, array_agg(instrument ORDER BY no) AS instruments, array_agg(kind ORDER BY no) AS kinds, array_agg(amount::text ORDER BY no) AS amounts
			FROM deduction_sources WHERE business_date = $1 GROUP BY key) p ON p.key = d.key
		WHERE `+ofRun+`
		ORDER BY d.at, d.key COLLATE "C"`, []any{r.On, r.ID, c}, dest, func() Deducted {
		v.Used = market.Span{From: time.Time(from), To: time.Time(until)}
		v.Price, v.Discounted, v.Due, v.Dropped = money(price), money(discounted), money(due), money(dropped)
		v.PaidBy = paidBy(instruments, kinds, paid, c)
		return v
	})
}

// Billed adds the deductions of a run up for one buyer, for one seller, or for
// all.
type Billed struct {
	Code                       string // of the buyer or seller
	Rows                       int64
	Price, Discounted, Dropped market.Decimal
	Due                        market.Decimal
	Owed                       market.Decimal // stayed owed
	Back                       market.Decimal // was given back: what is due below zero
}

func (v *Billed) dest() []any {
	return []any{&v.Code, &v.Rows, &v.Price, &v.Discounted, &v.Dropped, &v.Due, &v.Owed, &v.Back}
}

const addedUp = `count(*), coalesce(sum(d.price), 0), coalesce(sum(d.discounted), 0), coalesce(sum(d.dropped), 0), coalesce(sum(d.due), 0),
	coalesce(sum(a.owed), 0), coalesce(-sum(d.due) FILTER (WHERE d.due < 0), 0)`

const withOwed = `
	LEFT JOIN (SELECT key, sum(amount) AS owed FROM deduction_sources WHERE business_date = $1 AND kind = 'arrears' GROUP BY key) a ON a.key = d.key`

// BilledBuyers adds the deductions of a run up by buyer, the largest first.
func (tx *Tx) BilledBuyers(ctx context.Context, r market.Run, c market.Currency) iter.Seq2[Billed, error] {
	return tx.billed(ctx, r, c, `buyers`, `buyer_id`)
}

// BilledSellers adds them up by seller; those of orders that several sellers
// share have no code.
func (tx *Tx) BilledSellers(ctx context.Context, r market.Run, c market.Currency) iter.Seq2[Billed, error] {
	return tx.billed(ctx, r, c, `sellers`, `seller_id`)
}

func (tx *Tx) billed(ctx context.Context, r market.Run, c market.Currency, table, column string) iter.Seq2[Billed, error] {
	var v Billed
	return each(ctx, tx, `
		SELECT coalesce(p.code, ''), `+addedUp+`
		FROM deductions d LEFT JOIN `+table+` p ON p.id = d.`+column+withOwed+`
		WHERE `+ofRun+`
		GROUP BY p.code
		ORDER BY sum(d.due) DESC, p.code COLLATE "C"`, []any{r.On, r.ID, c}, v.dest(), func() Billed { return v })
}

// TallyBilled adds all deductions of a run up.
func (tx *Tx) TallyBilled(ctx context.Context, r market.Run, c market.Currency) (v Billed, err error) {
	_, err = tx.one(ctx, `SELECT '', `+addedUp+` FROM deductions d`+withOwed+` WHERE `+ofRun, []any{r.On, r.ID, c}, v.dest()...)
	if err != nil {
		return v, fmt.Errorf("add up the deductions of run %d: %w", r.ID, err)
	}
	return v, nil
}

// PaidWith is what an instrument paid in a run.
type PaidWith struct {
	Kind, Instrument string
	Deductions       int64
	Buyers           int64
	Amount           market.Decimal
}

// SourcesOf are the instruments that paid the deductions of a run, in the order
// in which they are used.
func (tx *Tx) SourcesOf(ctx context.Context, r market.Run, c market.Currency) iter.Seq2[PaidWith, error] {
	var v PaidWith
	return each(ctx, tx, `
		SELECT p.kind, p.instrument, count(*), count(DISTINCT d.buyer_id), sum(p.amount)
		FROM deduction_sources p JOIN deductions d ON d.key = p.key AND d.business_date = p.business_date
		WHERE p.business_date = $1 AND `+ofRun+`
		GROUP BY p.kind, p.instrument
		ORDER BY array_position(ARRAY['voucher', 'coupon', 'card', 'cash', 'credit', 'month_end', 'arrears'], p.kind), p.instrument COLLATE "C"`,
		[]any{r.On, r.ID, c}, []any{&v.Kind, &v.Instrument, &v.Deductions, &v.Buyers, &v.Amount}, func() PaidWith { return v })
}

// LetGo is what rounding dropped in one journal of a run; below zero where it
// was added.
type LetGo struct {
	Key    string
	Buyer  string
	Memo   string
	At     time.Time
	Amount market.Decimal
}

// droppedIn is what a posting p moved out of platform:dropped.
const droppedIn = `CASE WHEN p.from_account = 'platform:dropped' THEN p.amount ELSE -p.amount END`

// booked are the postings p of the journals j of a run in one currency: $1 is
// the business date, $2 the source, $3 the currency.
const booked = `j.business_date = $1 AND j.source = $2 AND p.currency = $3`

// DroppedBy is what rounding dropped in a run, as the journals have it.
func (tx *Tx) DroppedBy(ctx context.Context, r market.Run, c market.Currency) iter.Seq2[LetGo, error] {
	var v LetGo
	var account string
	return each(ctx, tx, `
		SELECT j.key, CASE WHEN p.from_account = 'platform:dropped' THEN p.to_account ELSE p.from_account END, j.memo, j.at, `+droppedIn+`
		FROM journals j JOIN postings p ON p.journal_id = j.id AND p.business_date = j.business_date
		WHERE `+booked+`
		  AND 'platform:dropped' IN (p.from_account, p.to_account)
		ORDER BY j.at, j.key`, []any{r.On, RunSource(r.ID), c}, []any{&v.Key, &account, &v.Memo, &v.At, &v.Amount}, func() LetGo {
		v.Buyer = market.Account(account).Owner()
		return v
	})
}

// BookedBy is what the journals of a run say, apart from its deductions.
type BookedBy struct {
	Taken       market.Decimal // from buyers under the deductions' keys, less what went back to them
	Dropped     market.Decimal // under the deductions' keys
	Refunded    market.Decimal // under the keys of refunds
	DroppedRows int64
	DroppedAll  market.Decimal
}

// TallyBooked adds the postings of a run up.
func (tx *Tx) TallyBooked(ctx context.Context, r market.Run, c market.Currency) (v BookedBy, err error) {
	_, err = tx.one(ctx, `
		SELECT coalesce(sum(CASE WHEN from_account LIKE 'buyer:%' THEN amount ELSE -amount END) FILTER (WHERE deducted AND NOT drops), 0),
		       coalesce(sum(dropped) FILTER (WHERE deducted AND drops), 0), coalesce(sum(amount) FILTER (WHERE refunds), 0),
		       count(*) FILTER (WHERE drops), coalesce(sum(dropped) FILTER (WHERE drops), 0)
		FROM (
			SELECT p.from_account, p.amount, starts_with(j.key, 'refund/') AS refunds, 'platform:dropped' IN (p.from_account, p.to_account) AS drops, `+droppedIn+` AS dropped,
			       d.key IS NOT NULL AS deducted
			FROM journals j JOIN postings p ON p.journal_id = j.id AND p.business_date = j.business_date
			LEFT JOIN deductions d ON d.key = j.key AND d.business_date = j.business_date
			WHERE `+booked+`) AS moved`,
		[]any{r.On, RunSource(r.ID), c}, &v.Taken, &v.Dropped, &v.Refunded, &v.DroppedRows, &v.DroppedAll)
	if err != nil {
		return v, fmt.Errorf("add up what run %d booked: %w", r.ID, err)
	}
	return v, nil
}
