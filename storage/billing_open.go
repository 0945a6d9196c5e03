package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"nightshift/rules/market"
)

// notPaid are the decisions d of a run about orders that are not paid, in one
// currency; orders without an amount count to the site's, $4.
const notPaid = ` d.ruleset = 'payment' AND d.business_date = $1 AND d.run_id = $2 AND d.outcome <> 'deduct'
	AND coalesce(nullif(` + currency + `, ''), $4) = $3 `

// Unpaid is an order that a run did not have paid, and why.
type Unpaid struct {
	OrderLine
	Outcome   string
	Rule      string
	RunID     int64
	At        time.Time
	Tried     time.Time // zero while nobody asked
	Shortfall market.Decimal
	TurnsAt   time.Time // zero: only by hand
	Refused   []market.Refusal
}

// NotPaidBy are the orders that a run rejected, cancelled or left to wait, by
// instant.
func (tx *Tx) NotPaidBy(ctx context.Context, r market.Run, c, site market.Currency) iter.Seq2[Unpaid, error] {
	var v Unpaid
	dest := append(v.dest(), &v.Outcome, &v.Rule, &v.RunID, (*instant)(&v.At), (*instant)(&v.Tried), &v.Shortfall, (*instant)(&v.TurnsAt), (*notUsed)(&v.Refused))
	return each(ctx, tx, `
		SELECT `+orderLine+`,
		       d.outcome, d.rule, d.run_id, d.due_at, (d.facts->'tried_for'->>'since')::timestamptz,
		       coalesce(nullif(split_part(d.facts->>'shortfall', ' ', 1), '')::numeric, 0), d.look_at, coalesce(d.refused, '[]')
		FROM decisions d JOIN orders o ON o.id = d.subject
		WHERE `+notPaid+`
		ORDER BY d.due_at, o.code COLLATE "C"`, []any{r.On, r.ID, c, site}, dest, func() Unpaid {
		v.Amount.Currency = c
		return v
	})
}

// notUsed scans the instruments that were not used.
type notUsed []market.Refusal

// ScanBytes is called by pgx with bytes that are valid for this row only.
func (n *notUsed) ScanBytes(text []byte) error {
	*n = nil
	return json.Unmarshal(text, (*[]market.Refusal)(n))
}

// TallyNotPaid counts them and adds up what they cost and what is short of it.
func (tx *Tx) TallyNotPaid(ctx context.Context, r market.Run, c, site market.Currency) (rows int64, cost, short market.Decimal, err error) {
	_, err = tx.one(ctx, `
		SELECT count(*), coalesce(sum(`+amount+`), 0), coalesce(sum(nullif(split_part(d.facts->>'shortfall', ' ', 1), '')::numeric), 0)
		FROM decisions d WHERE `+notPaid, []any{r.On, r.ID, c, site}, &rows, &cost, &short)
	if err != nil {
		err = fmt.Errorf("count the orders that run %d did not have paid: %w", r.ID, err)
	}
	return rows, cost, short, err
}

// GivenBack is what a run decided about a request for money back.
type GivenBack struct {
	Refund, Order, Buyer string // their codes; Refund is empty where the platform decided it in an appeal
	Request, Outcome     string
	RequestedAt, At      time.Time
	Amount               market.Decimal // zero where it was refused
	Rule, Because        string
}

// refundedBy are the results b of a run in one currency.
const refundedBy = ` b.business_date = $1 AND b.run_id = $2 AND b.currency = $3 `

// RefundsBy are the requests that a run decided, by instant.
func (tx *Tx) RefundsBy(ctx context.Context, r market.Run, c market.Currency) iter.Seq2[GivenBack, error] {
	var v GivenBack
	return each(ctx, tx, `
		SELECT coalesce(f.code, ''), o.code, u.code, b.request, b.outcome, b.requested_at, b.at, b.amount, b.rule, b.because
		FROM refund_results b
		LEFT JOIN refunds f ON f.id = b.refund_id
		JOIN orders o ON o.id = b.order_id
		JOIN buyers u ON u.id = b.buyer_id
		WHERE `+refundedBy+`
		ORDER BY b.at, o.code COLLATE "C", f.code COLLATE "C"`, []any{r.On, r.ID, c},
		[]any{&v.Refund, &v.Order, &v.Buyer, &v.Request, &v.Outcome, &v.RequestedAt, &v.At, &v.Amount, &v.Rule, &v.Because}, func() GivenBack { return v })
}

// TallyRefunds counts them and adds up what was given back.
func (tx *Tx) TallyRefunds(ctx context.Context, r market.Run, c market.Currency) (rows int64, back market.Decimal, err error) {
	_, err = tx.one(ctx, `SELECT count(*), coalesce(sum(b.amount), 0) FROM refund_results b WHERE `+refundedBy, []any{r.On, r.ID, c}, &rows, &back)
	if err != nil {
		err = fmt.Errorf("add up the refunds of run %d: %w", r.ID, err)
	}
	return rows, back, err
}

// Erroneous is a record of use on the error list of a run.
type Erroneous struct {
	SN, Upload, Seller, Buyer, Instance, Item string // as reported; Buyer is empty where no instance is known
	Begin, End, Value                         string
	Received                                  time.Time
	Code, Rule                                string
	Late                                      bool
}

// ErrorsOf are the records of use that a run put on the error list, in the
// order of receipt.
func (tx *Tx) ErrorsOf(ctx context.Context, r market.Run) iter.Seq2[Erroneous, error] {
	var v Erroneous
	dest := []any{&v.SN, &v.Upload, &v.Seller, &v.Buyer, &v.Instance, &v.Item, &v.Begin, &v.End, &v.Value, &v.Received, &v.Code, &v.Rule, &v.Late}
	return each(ctx, tx, `
		SELECT u.metering_sn, u.upload, u.seller, coalesce(b.code, ''), u.instance, u.item, u.begin_time, u.end_time, u.usage_value, u.received_at, r.code, r.rule, r.late
		FROM usage_results r JOIN usage_records u ON u.id = r.record_id LEFT JOIN buyers b ON b.id = r.buyer_id
		WHERE r.business_date = $1 AND r.run_id = $2 AND r.outcome = 'reject'
		ORDER BY u.id`, []any{r.On, r.ID}, dest, func() Erroneous { return v })
}

// CountUsage counts the results of a run about records of use, and those of
// them that are errors.
func (tx *Tx) CountUsage(ctx context.Context, r market.Run) (judged, rejected int64, err error) {
	_, err = tx.one(ctx, `SELECT count(*), count(*) FILTER (WHERE outcome = 'reject') FROM usage_results WHERE business_date = $1 AND run_id = $2`,
		[]any{r.On, r.ID}, &judged, &rejected)
	if err != nil {
		err = fmt.Errorf("count what run %d said about use: %w", r.ID, err)
	}
	return judged, rejected, err
}
