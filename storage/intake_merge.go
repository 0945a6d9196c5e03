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
// report of a fact stays as it is. The orders behind them are woken.
//
// Every staged row must have a key of its own and known references by now.
// Updating before inserting, under the stage's lock, costs half of what
// ON CONFLICT does and leaves rows alone that did not change.
func (tx *Tx) Merge(ctx context.Context, in Inbound) (added, changed int64, err error) {
	if err := tx.prepareToWake(ctx, in); err != nil {
		return 0, 0, err
	}
	if in.mayChange() {
		if changed, err = tx.Exec(ctx, in.noted(in.update()), in.Site); err != nil {
			return 0, 0, fmt.Errorf("update %s: %w", in.Table, err)
		}
	}
	if added, err = tx.Exec(ctx, in.noted(in.insert()), in.Site); err != nil {
		return 0, 0, fmt.Errorf("insert %s: %w", in.Table, err)
	}
	if added+changed == 0 {
		return 0, 0, nil
	}
	if len(in.Wakes) > 0 || in.Then != "" {
		if err := tx.wakeTouched(ctx, in); err != nil {
			return 0, 0, err
		}
	}
	return added, changed, tx.gatherStatistics(ctx, in.Table, added+changed)
}

func (tx *Tx) prepareToWake(ctx context.Context, in Inbound) error {
	if len(in.Wakes) == 0 {
		return nil
	}
	var columns []string
	for i := range in.Wakes {
		columns = append(columns, fmt.Sprintf("subject%[1]d bigint, at%[1]d timestamptz", i))
	}
	if _, err := tx.Exec(ctx, `CREATE TEMP TABLE touched (`+strings.Join(columns, ", ")+`) ON COMMIT DROP`); err != nil {
		return fmt.Errorf("prepare to wake the subjects of %s: %w", in.Table, err)
	}
	return nil
}

// noted notes the subjects behind the facts that a statement touches. It
// touches as many rows as the statement alone.
func (in Inbound) noted(statement string) string {
	if len(in.Wakes) == 0 {
		return statement
	}
	var returned []string
	for _, w := range in.Wakes {
		at := w.At
		if at == "" {
			at = "NULL::timestamptz"
		}
		returned = append(returned, fmt.Sprintf("%s AS subject%d, %s AS at%d", w.Subject, len(returned), at, len(returned)))
	}
	return `WITH facts AS (` + statement + ` RETURNING ` + strings.Join(returned, ", ") + `) INSERT INTO touched SELECT * FROM facts`
}

// wakeTouched has the subjects that were touched looked at again. What was parked
// of them is given back: perhaps it is mended.
func (tx *Tx) wakeTouched(ctx context.Context, in Inbound) error {
	if err := tx.ChangeFacts(ctx, in.Site); err != nil {
		return err
	}
	if len(in.Wakes) > 0 {
		if _, err := tx.Exec(ctx, `ANALYZE touched`); err != nil {
			return fmt.Errorf("wake the subjects of %s: %w", in.Table, err)
		}
	}
	var asleep int64
	for i, w := range in.Wakes {
		if _, err := tx.Exec(ctx, fmt.Sprintf(giveBack, i), w.Job, in.Site); err != nil {
			return fmt.Errorf("give back what was parked of %s: %w", in.Table, err)
		}
		query := wakeFrom
		if w.At == "" {
			query = wakeOrders
		}
		n, err := tx.Exec(ctx, fmt.Sprintf(query, i), w.Job, in.Site)
		if err != nil {
			return fmt.Errorf("wake the subjects of %s: %w", in.Table, err)
		}
		asleep += n
	}
	if in.Then != "" {
		if _, err := tx.Exec(ctx, in.Then, in.Site); err != nil {
			return fmt.Errorf("settle what %s change: %w", in.Table, err)
		}
	}
	return tx.gatherStatistics(ctx, "due", asleep)
}

// giveBack requeues what was parked of the subjects that were touched.
const giveBack = `
	WITH given AS (
		UPDATE parked p SET requeued_at = now(), requeued_by = '` + byImport + `'
		FROM subjects o
		WHERE p.job = $1 AND p.site = $2 AND p.requeued_at IS NULL AND p.subject IN (SELECT subject%[1]d FROM touched)
		  AND o.job = p.job AND o.subject = p.subject
		RETURNING p.job, p.subject, o.begins)
	UPDATE due SET look_at = given.begins FROM given WHERE due.job = given.job AND due.subject = given.subject`

// wakeOrders has orders looked at from the instant they were placed, unless
// they are completed.
const wakeOrders = `
	WITH woken AS MATERIALIZED (
		SELECT o.id, o.placed_at, d.look_at
		FROM (SELECT DISTINCT subject%[1]d AS subject FROM touched) t
		JOIN orders o ON o.id = t.subject
		LEFT JOIN due d ON d.job = $1 AND d.subject = o.id
		WHERE d.look_at IS NULL OR d.look_at > o.placed_at),
	earlier AS (
		UPDATE due d SET look_at = w.placed_at
		FROM woken w
		WHERE d.job = $1 AND d.subject = w.id)
	INSERT INTO due (job, site, subject, look_at)
	SELECT $1, $2, w.id, w.placed_at
	FROM woken w
	WHERE w.look_at IS NULL
	  AND NOT EXISTS (SELECT FROM completions c WHERE c.order_id = w.id AND NOT EXISTS (SELECT FROM reversals r WHERE r.order_id = c.order_id AND r.no = c.no))
	ORDER BY w.id`

// wakeFrom has subjects looked at from the instants of what was touched.
const wakeFrom = `
	WITH woken AS MATERIALIZED (
		SELECT subject%[1]d AS subject, min(at%[1]d) AS at
		FROM touched
		WHERE subject%[1]d IS NOT NULL AND at%[1]d IS NOT NULL
		GROUP BY 1),
	earlier AS (
		UPDATE due d SET look_at = w.at
		FROM woken w
		WHERE d.job = $1 AND d.subject = w.subject AND d.look_at > w.at)
	INSERT INTO due (job, site, subject, look_at)
	SELECT $1, $2, w.subject, w.at
	FROM woken w
	WHERE NOT EXISTS (SELECT FROM due d WHERE d.job = $1 AND d.subject = w.subject)
	ORDER BY w.subject`

// gatherStatistics keeps what Postgres plans by in step with what was written.
// It comes last: it waits for others who gather, and must not be waited for.
func (tx *Tx) gatherStatistics(ctx context.Context, table string, touched int64) error {
	if _, err := tx.Exec(ctx, `SELECT gather_statistics($1, $2)`, table, touched); err != nil {
		return fmt.Errorf("gather statistics of %s: %w", table, err)
	}
	return nil
}

func (in Inbound) update() string {
	var set []string
	for _, target := range in.values() {
		set = append(set, fmt.Sprintf(`%[1]s = n.%[1]s`, quoted(target)))
	}
	return fmt.Sprintf(`
		UPDATE %s t SET %s
		FROM (%s) n
		WHERE %s AND %s`, quoted(in.Table), strings.Join(set, ", "), in.resolved(), in.sameFact(), in.changed())
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
		WHERE NOT EXISTS (SELECT FROM %[1]s t WHERE %[5]s)`, quoted(in.Table), into, from, in.resolved(), in.sameFact())
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
