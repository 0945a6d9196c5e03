package storage

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// UnroundedOf are the lines noted for the months of buyers that are to be rounded,
// in the order of the months. Of the month that runs, and of those after it, each
// currency comes once, without a line.
func (tx *Tx) UnroundedOf(ctx context.Context, buyers []int64, running market.Date) (map[int64][]market.MonthLine, error) {
	noted := map[int64][]market.MonthLine{}
	err := tx.lookingUp(ctx, func() error {
		return tx.Query(ctx, `
			SELECT buyer_id, month, currency, key, at, due FROM unrounded_seen WHERE buyer_id = ANY($1) AND month < $2
			UNION ALL
			SELECT DISTINCT buyer_id, month, currency, '', month::timestamptz, 0::numeric FROM unrounded_seen WHERE buyer_id = ANY($1) AND month >= $2
			ORDER BY 1, 2, 3`, []any{buyers, running}, func(rows pgx.Rows) error {
			var l market.MonthLine
			err := rows.Scan(&l.BuyerID, &l.Month, (*string)(&l.Due.Currency), &l.Key, &l.At, &l.Due.Amount)
			noted[l.BuyerID] = append(noted[l.BuyerID], l)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read what is to be rounded of %d buyers: %w", len(buyers), err)
	}
	return noted, nil
}

// KeepUnrounded notes lines for the end of their month.
func (tx *Tx) KeepUnrounded(ctx context.Context, lines []market.MonthLine) error {
	return tx.CopyRows(ctx, "unrounded", []string{"buyer_id", "month", "currency", "key", "at", "due"}, len(lines), func(i int, row *Row) error {
		l := &lines[i]
		return row.Put(l.BuyerID, l.Month, string(l.Due.Currency), l.Key, l.At, l.Due.Amount)
	})
}

// KeepRounded appends what the lines of months were charged whose totals were
// shared out, and takes rounded months off what is open.
func (tx *Tx) KeepRounded(ctx context.Context, k Keeping, months []market.RoundedMonth) error {
	if len(months) == 0 {
		return nil
	}
	var lines []market.MonthLine
	buyers, firsts, currencies := make([]int64, len(months)), make([]string, len(months)), make([]string, len(months))
	for i, m := range months {
		buyers[i], firsts[i], currencies[i] = m.BuyerID, m.Month.String(), string(m.Currency)
		lines = append(lines, m.Lines...)
	}
	_, err := tx.Exec(ctx, `
		DELETE FROM unrounded u USING unnest($1::bigint[], $2::text[]::date[], $3::text[]) AS m (buyer_id, month, currency)
		WHERE (u.buyer_id, u.month, u.currency) = (m.buyer_id, m.month, m.currency)`, buyers, firsts, currencies)
	if err != nil {
		return fmt.Errorf("take %d rounded months off what is open: %w", len(months), err)
	}
	columns := []string{"buyer_id", "month", "currency", "key", "at", "due", "charged", "run_id", "business_date"}
	return tx.CopyRows(ctx, "rounded_lines", columns, len(lines), func(i int, row *Row) error {
		l := &lines[i]
		return row.Put(l.BuyerID, l.Month, string(l.Due.Currency), l.Key, l.At, l.Due.Amount, l.Charged, k.run(), k.On)
	})
}

// RoundedLine is a line among which the rounded total of a month was shared out.
type RoundedLine struct {
	market.MonthLine
	Buyer string
}

// RoundedBy are the lines of a run in one currency, by buyer and month, in the order
// in which they were deducted.
func (tx *Tx) RoundedBy(ctx context.Context, r market.Run, c market.Currency) iter.Seq2[RoundedLine, error] {
	v := RoundedLine{MonthLine: market.MonthLine{Due: market.NewMoney(market.Decimal{}, c)}}
	return each(ctx, tx, `
		SELECT u.code, l.month, l.key, l.at, l.due, l.charged
		FROM rounded_lines l JOIN buyers u ON u.id = l.buyer_id
		WHERE l.business_date = $1 AND l.run_id = $2 AND l.currency = $3
		ORDER BY u.code COLLATE "C", l.month, l.at, l.key`, []any{r.On, r.ID, c},
		[]any{&v.Buyer, &v.Month, &v.Key, &v.At, &v.Due.Amount, &v.Charged}, func() RoundedLine { return v })
}

// RoundedLines adds the lines of a run up.
type RoundedLines struct {
	Rows         int64
	Due, Charged market.Decimal
	Dropped      market.Decimal // as the journals of their months have it
}

// TallyRounded adds up the lines of a run, and what the journals posted of their
// months.
func (tx *Tx) TallyRounded(ctx context.Context, r market.Run, c market.Currency) (v RoundedLines, err error) {
	_, err = tx.one(ctx, `
		WITH lines AS (SELECT buyer_id, month, currency, due, charged FROM rounded_lines WHERE business_date = $1 AND run_id = $4 AND currency = $3)
		SELECT count(*), coalesce(sum(due), 0), coalesce(sum(charged), 0), (
			SELECT coalesce(sum(`+droppedIn+`), 0) FROM journals j JOIN postings p ON p.journal_id = j.id AND p.business_date = j.business_date
			WHERE `+booked+` AND 'platform:dropped' IN (p.from_account, p.to_account) AND j.key IN (
				SELECT 'rounding/' || u.site || '/' || u.code || '/' || to_char(l.month, 'YYYYMM') || '/' || l.currency FROM lines l JOIN buyers u ON u.id = l.buyer_id))
		FROM lines`, []any{r.On, RunSource(r.ID), c, r.ID}, &v.Rows, &v.Due, &v.Charged, &v.Dropped)
	if err != nil {
		err = fmt.Errorf("add up the lines of rounded months of run %d: %w", r.ID, err)
	}
	return v, err
}
