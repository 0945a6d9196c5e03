package storage

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"nightshift/rules/market"
)

// ReversedPrefix begins the event key that a reversal takes beside its own, so
// that no journal is taken back twice.
const ReversedPrefix = "reversed/"

// RunSource is the source of what a run booked: its journals are one block.
func RunSource(run int64) string { return "run/" + strconv.FormatInt(run, 10) }

// PersonSource is the source of what people booked on a date.
func PersonSource(on market.Date) string { return "person/" + on.String() }

// LockBalances reads the balances of buyers' accounts, with the limits of the
// credit among them, and keeps others from changing them until the transaction
// ends. Accounts are locked in the order of their names: two who lock at once
// never wait for each other in a circle. Lock all that a transaction will spend
// in one call.
func (tx *Tx) LockBalances(ctx context.Context, site string, accounts []market.Account) (*market.Books, error) {
	books := market.NewBooks()
	err := tx.Query(ctx, `SELECT name, currency, balance FROM lock_balances('accounts'::regclass, $1, $2)`, []any{site, texts(accounts)}, balanceInto(books))
	if err != nil {
		return nil, fmt.Errorf("lock the balances of %d accounts: %w", len(accounts), err)
	}
	return books, tx.creditInto(ctx, site, accounts, books)
}

// ReadBalances is LockBalances without a lock: what it answers may be spent by
// others meanwhile.
func (tx *Tx) ReadBalances(ctx context.Context, site string, accounts []market.Account) (*market.Books, error) {
	books := market.NewBooks()
	err := tx.Query(ctx, `SELECT name, currency, balance FROM accounts_seen WHERE site = $1 AND name = ANY($2)`, []any{site, texts(accounts)}, balanceInto(books))
	if err != nil {
		return nil, fmt.Errorf("read the balances of %d accounts: %w", len(accounts), err)
	}
	return books, tx.creditInto(ctx, site, accounts, books)
}

func balanceInto(books *market.Books) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var name market.Account
		var balance market.Money
		if err := rows.Scan(&name, &balance.Currency, &balance.Amount); err != nil {
			return err
		}
		books.SetBalance(name, balance)
		return nil
	}
}

// creditInto says how much credit the credit accounts among these had when.
func (tx *Tx) creditInto(ctx context.Context, site string, accounts []market.Account, books *market.Books) error {
	var buyers []string
	for _, a := range accounts {
		if buyer := a.Owner(); a == market.BuyerCredit(buyer) {
			buyers = append(buyers, buyer)
		}
	}
	if len(buyers) == 0 {
		return nil
	}
	limits := map[string][]market.Limit{}
	err := tx.Query(ctx, `
		SELECT b.code, coalesce(l.from_at, '0001-01-01'), coalesce(l.amount, b.credit_limit), coalesce(l.currency, b.currency)
		FROM buyers b LEFT JOIN LATERAL (
			SELECT from_at, amount, currency FROM credit_limits c WHERE c.buyer_id = b.id
			UNION ALL SELECT NULL, NULL, NULL) l ON true
		WHERE b.site = $1 AND b.code = ANY($2) AND (l.from_at IS NOT NULL OR b.credit_limit IS NOT NULL)`,
		[]any{site, buyers}, func(rows pgx.Rows) error {
			var buyer string
			var l market.Limit
			if err := rows.Scan(&buyer, &l.From, &l.Amount.Amount, &l.Amount.Currency); err != nil {
				return err
			}
			limits[buyer] = append(limits[buyer], l)
			return nil
		})
	if err != nil {
		return fmt.Errorf("read the credit limits of %d buyers: %w", len(buyers), err)
	}
	for buyer, of := range limits {
		books.SetLimits(market.BuyerCredit(buyer), of)
	}
	return nil
}

func texts(accounts []market.Account) []string {
	names := make([]string, len(accounts))
	for i, a := range accounts {
		names[i] = string(a)
	}
	return names
}

// KeepJournals books journals under their keys, all of them or none, and moves
// the balances of the buyers' accounts in them. A key that was booked before is
// a violation of its unique key, a reversal of what was reversed before too. An
// account that would end below its floor is market.ErrOverLimit. The months of
// the business date must be there: EnsureMonth. Into a period that is closed
// nothing is booked: ErrPeriodClosed.
func (tx *Tx) KeepJournals(ctx context.Context, k Keeping, source string, journals []market.Journal) error {
	if len(journals) == 0 {
		return nil
	}
	for i := range journals {
		if err := journals[i].Check(); err != nil {
			return err
		}
	}
	if err := tx.open(ctx, k); err != nil {
		return err
	}
	ids, err := tx.journalIDs(ctx, k, source, len(journals))
	if err != nil {
		return err
	}
	if err := tx.keepJournalKeys(ctx, k, journals, ids); err != nil {
		return err
	}
	columns := []string{"id", "business_date", "site", "key", "source", "memo", "at", "reverses", "digest"}
	err = tx.CopyRows(ctx, "journals", columns, len(journals), func(i int, row *Row) error {
		j := &journals[i]
		digest := j.Digest(k.Site)
		return row.Put(ids[i], k.On, k.Site, j.Key, source, j.Memo, j.At, textOrNull(j.Reverses), digest[:])
	})
	if err != nil {
		return err
	}
	if err := overLimit(tx.keepPostings(ctx, k, journals, ids), journals); err != nil {
		return err
	}
	return tx.noteBack(ctx, k, journals, ids)
}

// open is ErrPeriodClosed where the business date lies in a period that is closed.
func (tx *Tx) open(ctx context.Context, k Keeping) error {
	c, closed, err := tx.Closed(ctx, k.Site, market.Month(k.On))
	if closed && err == nil {
		return fmt.Errorf("book on %s at %s: %w: %s closed %s: what comes late is booked in the next one", k.On, k.Site, ErrPeriodClosed, c.Actor, c.Period)
	}
	return err
}

// journalIDs hands out as many ids as there are journals, and says that there
// is something to seal. The ids of what people book are all above those of what
// was sealed before: the sealer waits for those on their way.
func (tx *Tx) journalIDs(ctx context.Context, k Keeping, source string, n int) (ids []int64, err error) {
	if k.RunID == 0 {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared(hashtextextended(current_schema() || 'seal/' || $1, 0))`, k.Site); err != nil {
			return nil, fmt.Errorf("wait for the sealing of %s: %w", k.Site, err)
		}
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO unsealed (site, source, business_date) SELECT $1, $2, $3
		WHERE NOT EXISTS (SELECT FROM unsealed WHERE site = $1 AND source = $2 AND business_date = $3)`, k.Site, source, k.On)
	if err != nil {
		return nil, fmt.Errorf("note what %s has to seal: %w", source, err)
	}
	ids = make([]int64, 0, n)
	err = tx.Query(ctx, `SELECT nextval('journal_ids') FROM generate_series(1, $1::int)`, []any{n}, func(rows pgx.Rows) error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("number %d journals: %w", n, err)
	}
	return ids, nil
}

// keepJournalKeys writes the keys down that may come only once.
func (tx *Tx) keepJournalKeys(ctx context.Context, k Keeping, journals []market.Journal, ids []int64) error {
	type event struct {
		key string
		id  int64
	}
	events := make([]event, 0, len(journals))
	for i := range journals {
		events = append(events, event{journals[i].Key, ids[i]})
		if of := journals[i].Reverses; of != "" {
			events = append(events, event{ReversedPrefix + of, ids[i]})
		}
	}
	return tx.CopyRows(ctx, "event_keys", []string{"key", "run_id", "business_date", "journal_id"}, len(events), func(i int, row *Row) error {
		return row.Put(events[i].key, k.run(), k.On, events[i].id)
	})
}

func (tx *Tx) keepPostings(ctx context.Context, k Keeping, journals []market.Journal, ids []int64) error {
	type place struct{ journal, no int }
	var places []place
	for i := range journals {
		for n := range journals[i].Postings {
			places = append(places, place{i, n})
		}
	}
	columns := []string{"journal_id", "no", "business_date", "site", "from_account", "to_account", "amount", "currency", "at"}
	return tx.CopyRows(ctx, "postings", columns, len(places), func(i int, row *Row) error {
		j, no := &journals[places[i].journal], places[i].no
		p := &j.Postings[no]
		return row.Put(ids[places[i].journal], int32(no+1), k.On, k.Site, string(p.From), string(p.To), p.Amount.Amount, string(p.Amount.Currency), j.At)
	})
}

// overLimit names the journal that wanted more than an account had: the first
// that, in the order given, took it past its floor. The database knows only
// what all of them together wanted.
func overLimit(err error, journals []market.Journal) error {
	refusal := new(pgconn.PgError)
	if err == nil || !errors.As(err, &refusal) || refusal.ConstraintName != "accounts_floor" {
		return err
	}
	said := strings.SplitN(refusal.Detail, " ", 4) // currency, balance before, floor, name
	if len(said) != 4 {
		return fmt.Errorf("%w: %w", market.ErrOverLimit, err)
	}
	currency, name := market.Currency(said[0]), market.Account(said[3])
	balance, badBalance := market.ParseDecimal(said[1])
	floor, badFloor := market.ParseDecimal(said[2])
	if bad := errors.Join(badBalance, badFloor); bad != nil {
		return fmt.Errorf("%w: %w", market.ErrOverLimit, err)
	}
	for i := range journals {
		for _, p := range journals[i].Postings {
			switch {
			case p.Amount.Currency != currency:
			case p.From == name:
				balance = balance.Sub(p.Amount.Amount)
			case p.To == name:
				balance = balance.Add(p.Amount.Amount)
			}
		}
		if balance.Cmp(floor) < 0 {
			return &overLimitError{market.OverLimit(journals[i].Key, name, market.NewMoney(floor.Sub(balance), currency)), refusal}
		}
	}
	return fmt.Errorf("%w: %w", market.ErrOverLimit, err)
}

// overLimitError says what people read, and is still the database's refusal.
type overLimitError struct {
	said    error
	refusal *pgconn.PgError
}

func (e *overLimitError) Error() string   { return e.said.Error() }
func (e *overLimitError) Unwrap() []error { return []error{e.said, e.refusal} }

// JournalsByKey reads journals back, such as one that is to be reversed. Keys
// under which nothing was booked are left out.
func (tx *Tx) JournalsByKey(ctx context.Context, keys []string) (map[string]market.Journal, error) {
	found := map[string]market.Journal{}
	err := tx.Query(ctx, `
		SELECT j.key, j.memo, j.at, coalesce(j.reverses, ''), p.from_account, p.to_account, p.amount, p.currency
		FROM events_seen e
		JOIN journals_seen j ON j.id = e.journal_id AND j.business_date = e.business_date AND j.key = e.key
		LEFT JOIN postings_seen p ON p.journal_id = j.id AND p.business_date = j.business_date
		WHERE e.key = ANY($1)
		ORDER BY j.key, p.no`, []any{keys}, func(rows pgx.Rows) error {
		j, p, err := scanJournal(rows)
		if err != nil {
			return err
		}
		if before, more := found[j.Key]; more {
			j = before
		}
		if p != nil {
			j.Postings = append(j.Postings, *p)
		}
		found[j.Key] = j
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %d journals: %w", len(keys), err)
	}
	return found, nil
}

// OpenHolds are the holds of a site of which nobody said what became of the payment,
// the oldest first.
func (tx *Tx) OpenHolds(ctx context.Context, site string) (holds []market.Journal, err error) {
	err = tx.Query(ctx, `
		SELECT j.key, j.memo, j.at, coalesce(j.reverses, ''), p.from_account, p.to_account, p.amount, p.currency
		FROM event_keys e
		JOIN journals j ON j.id = e.journal_id AND j.business_date = e.business_date AND j.key = e.key
		JOIN postings p ON p.journal_id = j.id AND p.business_date = j.business_date
		WHERE e.key >= 'hold/' || $1 || '/' AND e.key < 'hold/' || $1 || '0' AND e.key NOT LIKE '%/end'
		  AND NOT EXISTS (SELECT FROM event_keys o WHERE o.key = e.key || '/end')
		ORDER BY j.at, j.key`, []any{site}, func(rows pgx.Rows) error {
		j, p, err := scanJournal(rows)
		if err == nil && p != nil {
			j.Postings = append(j.Postings, *p)
			holds = append(holds, j)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the holds of %s: %w", site, err)
	}
	return holds, nil
}

// scanJournal reads a journal and one of its postings; nil where it has none.
// more are columns behind them.
func scanJournal(rows pgx.Rows, more ...any) (j market.Journal, p *market.Posting, err error) {
	var from, to, currency *string
	var amount *market.Decimal
	var at time.Time
	err = rows.Scan(append([]any{&j.Key, &j.Memo, &at, &j.Reverses, &from, &to, &amount, &currency}, more...)...)
	if err != nil {
		return j, nil, err
	}
	j.At = at
	if from != nil {
		p = &market.Posting{From: market.Account(*from), To: market.Account(*to), Amount: market.NewMoney(*amount, market.Currency(*currency))}
	}
	return j, p, nil
}
