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
	No        int64 // by which people call it
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
	Cleared   *Clearing // by whom it was settled; nil while it was not
}

// Clearing is that a person settled a line of the bank which no payment explains.
type Clearing struct {
	Account        market.Account // the other side of the bank; empty where nothing was booked
	At             time.Time
	Actor, Because string
}

// Matches tells whether the line is a payment that was ordered, or its failure.
func (b BankLine) Matches() bool { return b.Verdict == "pays" || b.Verdict == "fails" }

// CameIn tells whether the money came into the account.
func (b BankLine) CameIn() bool { return b.Kind == "received" || b.Kind == "returned" }

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
		SELECT l.reference, l.payout, l.seller_id, c.code, l.period, l.version, l.try, l.amount, l.currency, l.account, s.payout, s.currency,
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
		err := rows.Scan(&p.Reference, &p.Payout, &p.SellerID, &p.Seller, &period, &p.Version, &p.Try, &p.Amount.Amount, &p.Amount.Currency, &p.Account, &p.Statement.Amount, &p.Statement.Currency,
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

const bankLineColumns = `
	SELECT b.no, b.key, b.file, b.place, b.kind, coalesce(b.reference, ''), b.amount, b.currency, b.booked_on, coalesce(b.bank_ref, ''), coalesce(b.reason, ''), b.verdict, coalesce(b.why, ''), b.ours, b.at, b.actor,
	       coalesce(c.account, ''), c.at, coalesce(c.actor, ''), coalesce(c.because, '')
	FROM bank_lines b LEFT JOIN bank_clearings c ON c.site = b.site AND c.key = b.key `

func scanBankLine(rows pgx.Rows) (b BankLine, err error) {
	var on pgtype.Date
	var at pgtype.Timestamptz
	var c Clearing
	err = rows.Scan(&b.No, &b.Key, &b.File, &b.Place, &b.Kind, &b.Reference, &b.Amount.Amount, &b.Amount.Currency, &on, &b.BankRef, &b.Reason, &b.Verdict, &b.Why, &b.Ours, &b.At, &b.Actor,
		&c.Account, &at, &c.Actor, &c.Because)
	b.On = market.DateOf(on.Time, time.UTC)
	if c.At = at.Time; at.Valid {
		b.Cleared = &c
	}
	return b, err
}

// Unmatched are the lines of the bank that mean no payment of ours, or not what
// was ordered, the newest first: those that nobody settled, or those that somebody did.
func (tx *Tx) Unmatched(ctx context.Context, site string, cleared bool, limit int) (list []BankLine, err error) {
	err = tx.Query(ctx, bankLineColumns+`
		WHERE b.site = $1 AND b.verdict NOT IN ('pays', 'fails') AND (c.at IS NOT NULL) = $2 ORDER BY b.no DESC LIMIT $3`, []any{site, cleared, limit}, func(rows pgx.Rows) error {
		b, err := scanBankLine(rows)
		list = append(list, b)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list what does not match of %s: %w", site, err)
	}
	return list, nil
}

// BankLine is a line of the bank by its number.
func (tx *Tx) BankLine(ctx context.Context, site string, no int64) (b BankLine, found bool, err error) {
	err = tx.Query(ctx, bankLineColumns+`WHERE b.site = $1 AND b.no = $2`, []any{site, no}, func(rows pgx.Rows) error {
		found = true
		b, err = scanBankLine(rows)
		return err
	})
	if err != nil {
		err = fmt.Errorf("find line %d of the bank at %s: %w", no, site, err)
	}
	return b, found, err
}

// KeepClearing keeps who settled a line of the bank, and why.
func (tx *Tx) KeepClearing(ctx context.Context, site string, b BankLine) error {
	c := b.Cleared
	_, err := tx.Exec(ctx, `INSERT INTO bank_clearings (site, key, account, at, actor, because) VALUES ($1, $2, $3, $4, $5, $6)`,
		site, b.Key, textOrNull(string(c.Account)), c.At, c.Actor, c.Because)
	if err != nil {
		return fmt.Errorf("keep who settled %s of %s: %w", b.Place, b.File, err)
	}
	return nil
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
