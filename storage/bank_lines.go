package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// BankLine is what the bank did, as it told it, and what that means for us.
type BankLine struct {
	Key       string
	File      string
	Place     string // in the file
	Kind      string
	Reference string
	Amount    market.Money
	On        market.Date
	BankRef   string
	Reason    string
	Verdict   string
	Why       string
	Ours      bool // the reference is that of a payment of ours
	At        time.Time
	Actor     string
}

// OrderedPayment is a payment that was ordered, with what its statement says.
type OrderedPayment struct {
	PayoutLine
	Payout    string
	Statement market.Money
	State     string // ordered, paid or payment_failed
	Stand     StatementStand
}

// OrderedPayments are the payments with these references or in these files.
func (tx *Tx) OrderedPayments(ctx context.Context, site string, references, files []string) (list []OrderedPayment, err error) {
	err = tx.Query(ctx, `
		SELECT l.reference, l.payout, l.seller_id, c.code, l.period, l.version, l.try, l.amount, l.currency, s.payout, s.currency,
		       coalesce((SELECT CASE b.verdict WHEN 'pays' THEN 'paid' ELSE 'payment_failed' END FROM bank_lines b
		                 WHERE b.site = l.site AND b.reference = l.reference AND b.verdict IN ('pays', 'fails') ORDER BY b.no DESC LIMIT 1), 'ordered'),
		       coalesce((SELECT max(m.no) FROM statement_moves m WHERE m.seller_id = l.seller_id AND m.period = l.period AND m.version = l.version), 0)
		FROM payout_lines l
		JOIN sellers c ON c.id = l.seller_id
		JOIN statements s ON s.seller_id = l.seller_id AND s.period = l.period AND s.version = l.version
		WHERE l.site = $1 AND (l.reference = ANY($2) OR l.payout = ANY($3))
		ORDER BY l.reference`, []any{site, references, files}, func(rows pgx.Rows) error {
		var p OrderedPayment
		var period int
		err := rows.Scan(&p.Reference, &p.Payout, &p.SellerID, &p.Seller, &period, &p.Version, &p.Try, &p.Amount.Amount, &p.Amount.Currency, &p.Statement.Amount, &p.Statement.Currency,
			&p.State, &p.Stand.Moves)
		p.Period = market.PeriodNumbered(period)
		p.Stand.SellerID, p.Stand.Seller, p.Stand.Site, p.Stand.Period, p.Stand.Version = p.SellerID, p.Seller, site, p.Period, p.Version
		list = append(list, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find the payments that the bank tells of: %w", err)
	}
	return list, nil
}

// BankLinesSeen are those of the keys that were taken in before.
func (tx *Tx) BankLinesSeen(ctx context.Context, site string, keys []string) (map[string]bool, error) {
	seen := map[string]bool{}
	err := tx.Query(ctx, `SELECT key FROM bank_lines WHERE site = $1 AND key = ANY($2)`, []any{site, keys}, func(rows pgx.Rows) error {
		var key string
		err := rows.Scan(&key)
		seen[key] = true
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for lines of the bank that were taken in before: %w", err)
	}
	return seen, nil
}

// KeepBankLine appends what the bank did.
func (tx *Tx) KeepBankLine(ctx context.Context, site string, b BankLine) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO bank_lines (site, key, file, place, kind, reference, amount, currency, booked_on, bank_ref, reason, verdict, why, ours, at, actor)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		site, b.Key, b.File, b.Place, b.Kind, textOrNull(b.Reference), b.Amount.Amount, string(b.Amount.Currency), b.On, textOrNull(b.BankRef), textOrNull(b.Reason), b.Verdict, textOrNull(b.Why),
		b.Ours, b.At, b.Actor)
	if err != nil {
		return fmt.Errorf("keep %s of %s: %w", b.Place, b.File, err)
	}
	return nil
}

// Unmatched are the lines of the bank that mean no payment of ours, or not what
// was ordered, the newest first.
func (tx *Tx) Unmatched(ctx context.Context, site string, limit int) (list []BankLine, err error) {
	err = tx.Query(ctx, `
		SELECT key, file, place, kind, coalesce(reference, ''), amount, currency, booked_on, coalesce(bank_ref, ''), coalesce(reason, ''), verdict, coalesce(why, ''), ours, at, actor
		FROM bank_lines WHERE site = $1 AND verdict NOT IN ('pays', 'fails') ORDER BY no DESC LIMIT $2`, []any{site, limit}, func(rows pgx.Rows) error {
		var b BankLine
		var on pgtype.Date
		err := rows.Scan(&b.Key, &b.File, &b.Place, &b.Kind, &b.Reference, &b.Amount.Amount, &b.Amount.Currency, &on, &b.BankRef, &b.Reason, &b.Verdict, &b.Why, &b.Ours, &b.At, &b.Actor)
		b.On = market.DateOf(on.Time, time.UTC)
		list = append(list, b)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list what does not match of %s: %w", site, err)
	}
	return list, nil
}

// OpenPayments are the payments that were ordered and that the bank has not told of, the oldest first.
func (tx *Tx) OpenPayments(ctx context.Context, site string, limit int) (list []OrderedPayment, err error) {
	err = tx.Query(ctx, `
		SELECT l.reference, l.payout, c.code, l.period, l.amount, l.currency
		FROM payout_lines l JOIN sellers c ON c.id = l.seller_id JOIN payouts p ON p.site = l.site AND p.code = l.payout
		WHERE l.site = $1 AND NOT EXISTS (SELECT FROM bank_lines b WHERE b.site = l.site AND b.reference = l.reference AND b.verdict IN ('pays', 'fails'))
		ORDER BY p.at, l.reference LIMIT $2`, []any{site, limit}, func(rows pgx.Rows) error {
		var p OrderedPayment
		var period int
		err := rows.Scan(&p.Reference, &p.Payout, &p.Seller, &period, &p.Amount.Amount, &p.Amount.Currency)
		p.Period, p.State = market.PeriodNumbered(period), "ordered"
		list = append(list, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list what the bank has not paid of %s: %w", site, err)
	}
	return list, nil
}
