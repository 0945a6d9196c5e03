package storage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Merge brings the staged facts into their table and answers how many were not
// there before and how many were there with other values. What a file does not
// report of a fact stays as it is. The orders behind them are woken, unless
// they are completed: looked at again from the instant they were placed.
//
// Every staged row must have a key of its own and known references by now.
// Updating before inserting, under the stage's lock, costs half of what
// ON CONFLICT does and leaves rows alone that did not change.
func (tx *Tx) Merge(ctx context.Context, in Inbound) (added, changed int64, err error) {
	if in.mayChange() {
		if changed, err = tx.touch(ctx, in, in.update()); err != nil {
			return 0, 0, fmt.Errorf("update %s: %w", in.Table, err)
		}
	}
	if added, err = tx.touch(ctx, in, in.insert()); err != nil {
		return 0, 0, fmt.Errorf("insert %s: %w", in.Table, err)
	}
	return added, changed, nil
}

// touch runs a statement that returns the orders behind the facts it touched,
// wakes them, and answers how many facts there were.
func (tx *Tx) touch(ctx context.Context, in Inbound, statement string) (n int64, err error) {
	query, args := `WITH touched AS (`+statement+`) SELECT count(*) FROM touched`, []any{in.Site}
	if in.Wakes != "" {
		query, args = `WITH touched AS (`+statement+`), woken AS (`+in.wake()+`) SELECT count(*) FROM touched`, append(args, in.Wakes)
	}
	err = tx.Query(ctx, query, args, func(rows pgx.Rows) error { return rows.Scan(&n) })
	return n, err
}

// orders is the table whose own rows are subjects.
const orders = "orders"

// wake is ordered, so that it cannot block a run and be blocked by it at once.
func (in Inbound) wake() string {
	woken := `SELECT t.subject, t.look_at FROM touched t`
	if in.Table != orders {
		woken = `SELECT o.id AS subject, o.placed_at AS look_at FROM orders o JOIN (SELECT DISTINCT subject FROM touched) t ON t.subject = o.id`
	}
	return `
		INSERT INTO due (job, site, subject, look_at)
		SELECT $2::text, $1::text, w.subject, w.look_at FROM (` + woken + `) w
		WHERE NOT EXISTS (SELECT FROM completions c WHERE c.order_id = w.subject)
		ORDER BY w.subject
		ON CONFLICT (job, subject) DO UPDATE SET look_at = excluded.look_at WHERE due.look_at > excluded.look_at`
}

// returning is the subject behind a touched fact.
func (in Inbound) returning() string {
	switch {
	case in.Wakes == "":
		return `RETURNING 1`
	case in.Table == orders:
		return `RETURNING t.id AS subject, t.placed_at AS look_at`
	}
	return `RETURNING t.order_id AS subject`
}

func (in Inbound) update() string {
	var set []string
	for _, target := range in.values() {
		set = append(set, fmt.Sprintf(`%[1]s = n.%[1]s`, quoted(target)))
	}
	return fmt.Sprintf(`
		UPDATE %s t SET %s
		FROM (%s) n
		WHERE %s AND %s
		%s`, quoted(in.Table), strings.Join(set, ", "), in.resolved(), in.sameFact(), in.changed(), in.returning())
}

func (in Inbound) insert() string {
	var targets []string
	for _, c := range in.Columns {
		targets = append(targets, c.Target)
	}
	into, from := list("", targets), list("n.", targets)
	if in.hasSite() {
		into, from = "site, "+into, "$1::text, "+from
	}
	return fmt.Sprintf(`
		INSERT INTO %[1]s AS t (%[2]s)
		SELECT %[3]s FROM (%[4]s) n
		WHERE NOT EXISTS (SELECT FROM %[1]s t WHERE %[5]s)
		%[6]s`, quoted(in.Table), into, from, in.resolved(), in.sameFact(), in.returning())
}

// resolved is the stage in the columns of the table: codes become ids.
func (in Inbound) resolved() string {
	columns, from := []string{"s.at_line"}, "staged s"
	for i, c := range in.Columns {
		if c.Refers == "" {
			columns = append(columns, "s."+quoted(c.Name)+" AS "+quoted(c.Target))
			continue
		}
		r := fmt.Sprintf("r%d", i)
		columns = append(columns, r+".id AS "+quoted(c.Target))
		from += fmt.Sprintf(" LEFT JOIN %[2]s %[1]s ON %[1]s.site = $1::text AND %[1]s.code = s.%[3]s", r, quoted(c.Refers), quoted(c.Name))
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM " + from
}

// sameFact holds where the row t of the table is the fact n.
func (in Inbound) sameFact() string {
	var same []string
	if in.hasSite() {
		same = append(same, "t.site = $1::text")
	}
	for _, target := range in.keyTargets() {
		same = append(same, fmt.Sprintf(`t.%[1]s = n.%[1]s`, quoted(target)))
	}
	return strings.Join(same, " AND ")
}

// changed holds where n reports the fact t differently.
func (in Inbound) changed() string {
	return fmt.Sprintf(`(%s) IS DISTINCT FROM (%s)`, list("t.", in.values()), list("n.", in.values()))
}

// mayChange tells whether a file says more of its facts than that they are there.
func (in Inbound) mayChange() bool { return len(in.Once) == 0 && len(in.values()) > 0 }

// hasSite tells whether the table has a site of its own, or its facts have
// their order's.
func (in Inbound) hasSite() bool {
	return !slices.ContainsFunc(in.Columns, func(c InboundColumn) bool { return c.Refers != "" && slices.Contains(in.Key, c.Name) })
}

func (in Inbound) keyTargets() (targets []string) {
	for _, name := range in.Key {
		i := slices.IndexFunc(in.Columns, func(c InboundColumn) bool { return c.Name == name })
		targets = append(targets, in.Columns[i].Target)
	}
	return targets
}

// values are the targets that are not part of the key.
func (in Inbound) values() (targets []string) {
	for _, c := range in.Columns {
		if !slices.Contains(in.Key, c.Name) {
			targets = append(targets, c.Target)
		}
	}
	return targets
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// list writes names after a prefix, between commas.
func list(prefix string, names []string) string {
	all := make([]string, 0, len(names))
	for _, n := range names {
		all = append(all, prefix+quoted(n))
	}
	return strings.Join(all, ", ")
}
