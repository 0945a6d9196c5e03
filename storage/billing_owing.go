package storage

import (
	"context"
	"fmt"
	"iter"
	"time"

	"nightshift/rules/market"
)

// owedAs names what buyers owed on an account of theirs when a run had ended: $1 is
// the site, $2 the business date. What people book afterwards has a later date: it
// is taken off the balance, so that a night does not add up all nights before.
func owedAs(name, account string) string {
	return name + ` AS (
		SELECT a.name, replace(replace(split_part(a.name, ':', 2), '%3A', ':'), '%25', '%') AS code, a.currency, p.later - a.balance AS amount
		FROM accounts a CROSS JOIN LATERAL (
			SELECT coalesce(sum(l.change), 0) AS later
			FROM (
				SELECT -amount AS change FROM postings WHERE from_account = a.name AND site = a.site AND currency = a.currency AND business_date > $2
				UNION ALL
				SELECT amount FROM postings WHERE to_account = a.name AND site = a.site AND currency = a.currency AND business_date > $2) l) p
		WHERE a.site = $1 AND a.name LIKE 'buyer:%:` + account + `' AND a.balance < p.later)`
}

// owedNow lists what buyers owed for use.
var owedNow = `WITH ` + owedAs("owed", "arrears")

// notRepaid is what was owed of a bill m of the month by the buyer of the account o,
// on which purchases are repaid the oldest first: those since the end of its month,
// and those of before that were booked only after the bill was made, come after it.
const notRepaid = `least(m.owed, o.amount - (
	SELECT coalesce(sum(p.amount), 0) FROM postings p
	WHERE p.from_account = o.name AND p.site = $1 AND p.currency = o.currency AND p.business_date BETWEEN m.at::date - 2 AND $2
	  AND (p.at >= m.at OR EXISTS (
		SELECT FROM journals j WHERE j.id = p.journal_id AND j.business_date = p.business_date AND j.source LIKE 'run/%' AND split_part(j.source, '/', 2)::bigint > m.run_id))))`

// whoOwes lists the buyers who owed for use, or had bills of the month overdue, in one
// currency, $3, at an instant, $4. Since a bill asks for all that is owed, what is
// overdue is what is not repaid of the last one that was due.
var whoOwes = owedNow + `, ` + owedAs("on_account", "month_end") + `,
	overdue AS (
		SELECT o.*, u.id AS buyer_id, l.left_of AS overdue
		FROM on_account o
		JOIN buyers u ON u.site = $1 AND u.code = o.code
		CROSS JOIN LATERAL (
			SELECT ` + notRepaid + ` AS left_of FROM month_bills m
			WHERE m.buyer_id = u.id AND m.currency = o.currency AND m.due_at <= $4 AND m.business_date <= $2
			ORDER BY m.month DESC LIMIT 1) l
		WHERE o.currency = $3 AND l.left_of > 0),
	owing AS (
		SELECT coalesce(w.code, v.code) AS code, coalesce(w.amount, 0) AS owed, coalesce(v.overdue, 0) AS overdue, v.name AS account, v.amount AS on_account
		FROM (SELECT * FROM owed WHERE currency = $3) w FULL JOIN overdue v ON v.code = w.code)`

// Owing is a buyer who owed for use, or had not paid the bill of a month in time,
// when a run had ended.
type Owing struct {
	Buyer   string
	Owed    market.Decimal // for use
	Since   time.Time      // zero where no clock of it began
	Overdue market.Decimal // of bills of the month
	DueAt   time.Time      // when the first of them was due; zero where none is overdue
	Month   market.Date    // that it is of
	State   string         // grace, freeze, release; empty where nothing was decided
	Rule    string
	RunID   int64
	At      time.Time // since when the state holds
	Next    time.Time // when it turns; zero: not by itself
}

// OwingAt are the buyers who owed when a run had ended, the longest first.
func (tx *Tx) OwingAt(ctx context.Context, r market.Run, c market.Currency) iter.Seq2[Owing, error] {
	var v Owing
	var month *market.Date
	return each(ctx, tx, whoOwes+`
		SELECT w.code, w.owed, CASE WHEN w.owed > 0 THEN (d.facts->'owed_for'->>'since')::timestamptz END, w.overdue, f.due_at, f.month,
		       coalesce(d.outcome, ''), coalesce(d.rule, ''), coalesce(d.run_id, 0), d.due_at, d.look_at
		FROM owing w
		LEFT JOIN buyers b ON b.site = $1 AND b.code = w.code
		LEFT JOIN LATERAL (
			SELECT * FROM decisions d WHERE d.subject = b.id AND d.ruleset = 'arrears' AND d.business_date <= $2
			ORDER BY d.business_date DESC, d.no DESC LIMIT 1) d ON true
		LEFT JOIN LATERAL (
			SELECT m.due_at, m.month FROM month_bills m, (SELECT w.account AS name, $3::text AS currency, w.on_account AS amount) o
			WHERE w.overdue > 0 AND m.buyer_id = b.id AND m.currency = $3 AND m.due_at <= $4 AND m.business_date <= $2
			  AND m.due_at >= coalesce((d.facts->'overdue_for'->>'since')::timestamptz, '-infinity') AND `+notRepaid+` > 0
			ORDER BY m.month LIMIT 1) f ON true
		ORDER BY least(CASE WHEN w.owed > 0 THEN (d.facts->'owed_for'->>'since')::timestamptz END, f.due_at) NULLS LAST, w.code COLLATE "C"`, []any{r.Site, r.On, c, r.AsOf},
		[]any{&v.Buyer, &v.Owed, (*instant)(&v.Since), &v.Overdue, (*instant)(&v.DueAt), &month, &v.State, &v.Rule, &v.RunID, (*instant)(&v.At), (*instant)(&v.Next)}, func() Owing {
			if v.Month = 0; month != nil {
				v.Month = *month
			}
			return v
		})
}

// TallyOwing counts them and adds up what they owed for use, and what was overdue.
func (tx *Tx) TallyOwing(ctx context.Context, r market.Run, c market.Currency) (rows int64, owed, overdue market.Decimal, err error) {
	_, err = tx.one(ctx, whoOwes+` SELECT count(*), coalesce(sum(owed), 0), coalesce(sum(overdue), 0) FROM owing`, []any{r.Site, r.On, c, r.AsOf}, &rows, &owed, &overdue)
	if err != nil {
		err = fmt.Errorf("add up what buyers owe at run %d: %w", r.ID, err)
	}
	return rows, owed, overdue, err
}
