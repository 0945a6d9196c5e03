package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// BankAccount is where somebody is paid, or the platform pays from.
type BankAccount struct {
	Code       string
	Holder     string
	IBAN       string
	Number     string
	BIC        string
	BankNumber string
	Country    string
	ChangedAt  time.Time
	First      bool // it is the first one that was known
}

// BankAccounts are the accounts that hold at an instant, by the seller's id; the
// platform's own is that of no seller, 0.
func (tx *Tx) BankAccounts(ctx context.Context, site string, at time.Time) (map[int64]BankAccount, error) {
	found := map[int64]BankAccount{}
	err := tx.Query(ctx, `
		SELECT DISTINCT ON (coalesce(seller_id, 0)) coalesce(seller_id, 0), code, holder, coalesce(iban, ''), coalesce(number, ''), coalesce(bic, ''), coalesce(bank_number, ''),
		       coalesce(country, ''), changed_at, count(*) OVER (PARTITION BY seller_id) = 1
		FROM bank_accounts WHERE site = $1 AND changed_at <= $2
		ORDER BY coalesce(seller_id, 0), changed_at DESC, code DESC`, []any{site, at}, func(rows pgx.Rows) error {
		var seller int64
		var a BankAccount
		err := rows.Scan(&seller, &a.Code, &a.Holder, &a.IBAN, &a.Number, &a.BIC, &a.BankNumber, &a.Country, &a.ChangedAt, &a.First)
		found[seller] = a
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the bank accounts of %s: %w", site, err)
	}
	return found, nil
}

// Paused are the sellers whose payments are paused, by id; 0 stands for all of the site.
func (tx *Tx) Paused(ctx context.Context, site string) (map[int64]bool, error) {
	paused := map[int64]bool{}
	err := tx.Query(ctx, `SELECT DISTINCT ON (seller_id) seller_id, paused FROM payout_pauses WHERE site = $1 ORDER BY seller_id, no DESC`, []any{site}, func(rows pgx.Rows) error {
		var seller int64
		var now bool
		err := rows.Scan(&seller, &now)
		if now {
			paused[seller] = true
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read whose payments of %s are paused: %w", site, err)
	}
	return paused, nil
}

// Pause stops or resumes the payments of a seller, or with 0 of a site.
func (tx *Tx) Pause(ctx context.Context, site string, seller int64, paused bool, m StatementMove) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO payout_pauses (site, seller_id, no, paused, at, actor, because)
		SELECT $1, $2, 1 + coalesce(max(no), 0), $3, $4, $5, $6 FROM payout_pauses WHERE site = $1 AND seller_id = $2`,
		site, seller, paused, m.At, m.Actor, m.Because)
	if err != nil {
		return fmt.Errorf("pause payments of %s: %w", site, err)
	}
	return nil
}

// Approvals are the second persons who agreed to payments, by seller, period and version.
func (tx *Tx) Approvals(ctx context.Context, site string) (map[[3]int64]StatementMove, error) {
	found := map[[3]int64]StatementMove{}
	err := tx.Query(ctx, `SELECT seller_id, period, version, at, actor, because FROM payout_approvals WHERE site = $1`, []any{site}, func(rows pgx.Rows) error {
		var key [3]int64
		var m StatementMove
		err := rows.Scan(&key[0], &key[1], &key[2], &m.At, &m.Actor, &m.Because)
		found[key] = m
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read who approved payments of %s: %w", site, err)
	}
	return found, nil
}

// ApprovalKey is how Approvals knows a statement.
func (s StatementStand) ApprovalKey() [3]int64 {
	return [3]int64{s.SellerID, int64(s.Period.Number()), int64(s.Version)}
}

// Approve keeps that a second person agreed to pay a statement.
func (tx *Tx) Approve(ctx context.Context, s StatementStand, m StatementMove) error {
	_, err := tx.Exec(ctx, `INSERT INTO payout_approvals (seller_id, period, version, site, amount, currency, at, actor, because) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		s.SellerID, s.Period.Number(), s.Version, s.Site, s.Payout, string(s.Currency), m.At, m.Actor, m.Because)
	if err != nil {
		return fmt.Errorf("approve the payment of %s for %s: %w", s.Seller, s.Period, err)
	}
	return nil
}

// Payout is a payment file that was written.
type Payout struct {
	Code      string
	Currency  market.Currency
	Amount    market.Decimal
	ExecuteOn market.Date
	From      BankAccount
	At        time.Time
	Actor     string
	Lines     []PayoutLine
}

// PayoutLine is a payment in a file.
type PayoutLine struct {
	Reference  string
	SellerID   int64
	Seller     string
	Period     market.Period
	Version    int
	Try        int
	Amount     market.Money
	Account    BankAccount
	Remittance string
	Rule       string
}

// PayoutCount is how many payment files of a site there are.
func (tx *Tx) PayoutCount(ctx context.Context, site string) (n int, err error) {
	_, err = tx.one(ctx, `SELECT count(*) FROM payouts WHERE site = $1`, []any{site}, &n)
	return n, err
}

// KeepPayout keeps a payment file, to the last reference.
func (tx *Tx) KeepPayout(ctx context.Context, site string, p Payout) error {
	from, err := json.Marshal(p.From)
	if err != nil {
		return fmt.Errorf("keep the payment file %s: %w", p.Code, err)
	}
	if _, err = tx.Exec(ctx, `INSERT INTO payouts (site, code, currency, transfers, amount, execute_on, from_account, at, actor) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		site, p.Code, string(p.Currency), len(p.Lines), p.Amount, p.ExecuteOn, from, p.At, p.Actor); err != nil {
		return fmt.Errorf("keep the payment file %s: %w", p.Code, err)
	}
	for _, l := range p.Lines {
		to, err := json.Marshal(l.Account)
		if err == nil {
			_, err = tx.Exec(ctx, `INSERT INTO payout_lines (reference, site, payout, seller_id, period, version, try, amount, currency, account, remittance, rule) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
				l.Reference, site, p.Code, l.SellerID, l.Period.Number(), l.Version, l.Try, l.Amount.Amount, string(l.Amount.Currency), to, l.Remittance, l.Rule)
		}
		if err != nil {
			return fmt.Errorf("keep the payment %s of the file %s: %w", l.Reference, p.Code, err)
		}
	}
	return nil
}

// FindPayout reads a payment file back.
func (tx *Tx) FindPayout(ctx context.Context, site, code string) (p Payout, found bool, err error) {
	p.Code = code
	var from []byte
	var on pgtype.Date
	found, err = tx.one(ctx, `SELECT currency, amount, execute_on, from_account, at, actor FROM payouts WHERE site = $1 AND code = $2`, []any{site, code},
		&p.Currency, &p.Amount, &on, &from, &p.At, &p.Actor)
	if err == nil && found {
		p.ExecuteOn = market.DateOf(on.Time, time.UTC)
		err = json.Unmarshal(from, &p.From)
	}
	if err == nil && found {
		err = tx.Query(ctx, `
			SELECT l.reference, l.seller_id, c.code, l.period, l.version, l.try, l.amount, l.currency, l.account, l.remittance, l.rule
			FROM payout_lines l JOIN sellers c ON c.id = l.seller_id WHERE l.site = $1 AND l.payout = $2 ORDER BY l.reference`, []any{site, code}, func(rows pgx.Rows) error {
			var l PayoutLine
			var period int
			var account []byte
			if err := rows.Scan(&l.Reference, &l.SellerID, &l.Seller, &period, &l.Version, &l.Try, &l.Amount.Amount, &l.Amount.Currency, &account, &l.Remittance, &l.Rule); err != nil {
				return err
			}
			l.Period = market.PeriodNumbered(period)
			p.Lines = append(p.Lines, l)
			return json.Unmarshal(account, &p.Lines[len(p.Lines)-1].Account)
		})
	}
	if err != nil {
		return p, false, fmt.Errorf("find the payment file %s of %s: %w", code, site, err)
	}
	return p, found, nil
}

// Payouts are the newest payment files of a site, without their lines.
func (tx *Tx) Payouts(ctx context.Context, site string, limit int) (list []Payout, counts []int, err error) {
	err = tx.Query(ctx, `SELECT code, currency, transfers, amount, execute_on, at, actor FROM payouts WHERE site = $1 ORDER BY at DESC, code DESC LIMIT $2`, []any{site, limit}, func(rows pgx.Rows) error {
		var p Payout
		var n int
		var on pgtype.Date
		err := rows.Scan(&p.Code, &p.Currency, &n, &p.Amount, &on, &p.At, &p.Actor)
		p.ExecuteOn = market.DateOf(on.Time, time.UTC)
		list, counts = append(list, p), append(counts, n)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list the payment files of %s: %w", site, err)
	}
	return list, counts, nil
}
