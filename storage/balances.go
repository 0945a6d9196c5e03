package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// BooksAt says which of what was booked is looked at: what took effect up to
// an instant, as it was known at another. A zero instant is no limit.
type BooksAt struct {
	Site    string
	AsOf    time.Time
	KnownAt time.Time
}

// AccountBalance is what was posted to accounts, what was posted from them,
// and the difference. Account is one account, or a class of them.
type AccountBalance struct {
	Account     market.Account
	In, Out     market.Money
	Balance     market.Money
	HasPostings int64
}

// moves are the two sides of the postings that BooksAt ($1 to $3) looks at.
const moves = `
	SELECT p.to_account AS name, p.currency, p.amount AS inwards, 0::numeric AS outwards
	FROM postings_seen p WHERE p.site = $1 AND p.at <= coalesce($2, 'infinity'::timestamptz) AND p.recorded_at <= coalesce($3, 'infinity'::timestamptz)
	  AND ($4 = '' OR p.to_account = $4 OR (p.to_account >= $4 || ':' AND p.to_account < $4 || ';'))
	UNION ALL
	SELECT p.from_account, p.currency, 0, p.amount
	FROM postings_seen p WHERE p.site = $1 AND p.at <= coalesce($2, 'infinity'::timestamptz) AND p.recorded_at <= coalesce($3, 'infinity'::timestamptz)
	  AND ($4 = '' OR p.from_account = $4 OR (p.from_account >= $4 || ':' AND p.from_account < $4 || ';'))`

// Balances adds up the postings of an account and of those below it, such as
// all of buyer:ann, account by account; an empty one is all there are.
func (s *Store) Balances(ctx context.Context, at BooksAt, below market.Account) ([]AccountBalance, error) {
	return s.addUp(ctx, at, string(below), `name`)
}

// TrialBalance adds up all postings by class of account and currency. The
// balances of a currency add up to zero.
func (s *Store) TrialBalance(ctx context.Context, at BooksAt) ([]AccountBalance, error) {
	return s.addUp(ctx, at, "", `
		CASE WHEN name LIKE 'platform:%' THEN name
		     ELSE split_part(name, ':', 1) || ':*:' || split_part(name, ':', 3) || CASE WHEN split_part(name, ':', 4) <> '' THEN ':*' ELSE '' END END`)
}

func (s *Store) addUp(ctx context.Context, at BooksAt, below, by string) ([]AccountBalance, error) {
	var list []AccountBalance
	err := s.query(ctx, `
		SELECT `+by+` COLLATE "C" AS account, currency, sum(inwards), sum(outwards), count(*)
		FROM (`+moves+`) AS moves
		GROUP BY account, currency ORDER BY account, currency`,
		[]any{at.Site, orNull(at.AsOf), orNull(at.KnownAt), below}, func(rows pgx.Rows) error {
			var b AccountBalance
			if err := rows.Scan(&b.Account, &b.Balance.Currency, &b.In.Amount, &b.Out.Amount, &b.HasPostings); err != nil {
				return err
			}
			b.In.Currency, b.Out.Currency = b.Balance.Currency, b.Balance.Currency
			b.Balance.Amount = b.In.Amount.Sub(b.Out.Amount)
			list = append(list, b)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("add up the postings at %s: %w", at.Site, err)
	}
	return list, nil
}

// BookedJournal is a journal and how it was booked.
type BookedJournal struct {
	market.Journal
	Source     string
	On         market.Date
	RecordedAt time.Time
}

// bookedColumns are a journal with one of its postings, and how it was booked.
const bookedColumns = `j.key, j.memo, j.at, coalesce(j.reverses, ''), p.from_account, p.to_account, p.amount, p.currency, j.source, j.business_date, j.recorded_at`

// FindJournal is the journal under a key; it is false where nothing was booked.
func (s *Store) FindJournal(ctx context.Context, key string) (BookedJournal, bool, error) {
	list, err := s.booked(ctx, `
		SELECT `+bookedColumns+`
		FROM events_seen e
		JOIN journals_seen j ON j.id = e.journal_id AND j.business_date = e.business_date
		LEFT JOIN postings_seen p ON p.journal_id = j.id AND p.business_date = j.business_date
		WHERE e.key = $1
		ORDER BY p.no`, key)
	if err != nil || len(list) == 0 {
		return BookedJournal{}, false, err
	}
	return list[0], true, nil
}

// JournalsOf are the journals that touched an account in [from, to), in the
// order in which they took effect; a zero instant is no limit. Each has only
// the postings that touch the account.
func (s *Store) JournalsOf(ctx context.Context, site string, account market.Account, from, to time.Time, limit int) ([]BookedJournal, error) {
	return s.booked(ctx, `
		SELECT `+bookedColumns+`
		FROM postings_seen p JOIN journals_seen j ON j.id = p.journal_id AND j.business_date = p.business_date
		WHERE p.site = $1 AND (p.from_account = $2 OR p.to_account = $2)
		  AND p.at >= coalesce($3, '-infinity'::timestamptz) AND p.at < coalesce($4, 'infinity'::timestamptz)
		ORDER BY p.at, j.key, p.no
		LIMIT $5`, site, account, orNull(from), orNull(to), limit)
}

func (s *Store) booked(ctx context.Context, query string, args ...any) (list []BookedJournal, err error) {
	err = s.query(ctx, query, args, func(rows pgx.Rows) error {
		var b BookedJournal
		j, p, err := scanJournal(rows, &b.Source, &b.On, &b.RecordedAt)
		if err != nil {
			return err
		}
		if b.Journal = j; len(list) == 0 || list[len(list)-1].Key != j.Key {
			list = append(list, b)
		}
		if last := &list[len(list)-1]; p != nil {
			last.Postings = append(last.Postings, *p)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read journals: %w", err)
	}
	return list, nil
}
