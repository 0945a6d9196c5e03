package storage

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Inbound says how one kind of facts from outside is kept, as far as a file
// reports it. The names in it are our own, never a file's.
type Inbound struct {
	Table   string
	Site    string
	Columns []InboundColumn // of the file, in the order in which they are staged
	Key     []string        // the names of the columns that identify a fact in its site
	Once    []string        // such facts never change; of several staged ones the first by these columns counts
	Wakes   []Wake          // whom a changed fact concerns
	Adds    [2]string       // of appended facts, a column that no file reports, and the SQL over the staged row s that it follows from
	Then    string          // SQL of the site that follows, while nobody decides on its facts; empty for none
}

// Wake is a job that has to look at a subject again because of a fact.
type Wake struct {
	Job     string
	Subject string // SQL over the fact t: the subject's key, or NULL where the fact does not concern it
	At      string // SQL over the fact t: from when on to look; empty: from the subject's beginning
}

// InboundColumn is a column on the stage, and the table's column it becomes.
type InboundColumn struct {
	Name   string
	Type   string // Postgres's
	Target string
	Refers string // the table whose code is staged; its id becomes the target
}

// The stage is a temporary table with a row for each row of the file, in the
// types of the facts; codes are not resolved yet. It lives as long as the
// transaction. lineColumn is the row's line, which no file can have as a column.
const (
	stage      = "staged"
	lineColumn = "at_line"
)

// manyRows is from how many staged rows on nothing is looked up one by one. A
// table that was analysed while it was empty looks to the planner as if it
// stayed so, and would be read from its beginning for each row.
const manyRows = 10_000

// Stage puts rows on the stage, by COPY, until next answers io.EOF, and answers
// how many there are. A row is the values of the columns and, last, its line.
// Then it waits for other imports into the same table and site to end, so that
// what is checked afterwards stays true.
func (tx *Tx) Stage(ctx context.Context, in Inbound, next func() ([]any, error)) (int64, error) {
	var columns, names []string
	for _, c := range in.Columns {
		columns = append(columns, quoted(c.Name)+" "+c.Type)
		names = append(names, c.Name)
	}
	for _, statement := range []string{
		// Every import sorts and joins what it stages once; a plan compiled for that never pays.
		`SET LOCAL work_mem = '128MB'; SET LOCAL jit = off`,
		`CREATE TEMP TABLE ` + stage + ` (` + strings.Join(columns, ", ") + `, ` + lineColumn + ` bigint NOT NULL) ON COMMIT DROP`,
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return 0, fmt.Errorf("prepare the stage for %s: %w", in.Table, err)
		}
	}
	rows := &arriving{next: next}
	n, err := tx.CopyFrom(ctx, stage, append(names, lineColumn), rows)
	if rows.err != nil {
		return 0, rows.err // what the server says of it is only that the copy ended early
	}
	if err != nil {
		return 0, fmt.Errorf("stage %s: %w", in.Table, err)
	}
	settled := `ANALYZE ` + stage
	if n >= manyRows {
		settled += `; SET LOCAL enable_nestloop = off`
	}
	if _, err := tx.Exec(ctx, settled); err != nil {
		return 0, fmt.Errorf("stage %s: %w", in.Table, err)
	}
	_, err = tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('import/' || $1 || '/' || $2, 0))`, in.Table, in.Site)
	if err != nil {
		return 0, fmt.Errorf("wait for other imports of %s: %w", in.Table, err)
	}
	return n, nil
}

// arriving is a CopySource over a function that answers io.EOF at the end.
type arriving struct {
	next func() ([]any, error)
	row  []any
	err  error
}

func (a *arriving) Next() bool {
	if a.row, a.err = a.next(); a.err == nil {
		return true
	}
	if a.err == io.EOF {
		a.err = nil
	}
	return false
}

func (a *arriving) Values() ([]any, error) { return a.row, nil }
func (a *arriving) Err() error             { return a.err }

// UnknownReferences finds the staged codes that nothing has.
func (tx *Tx) UnknownReferences(ctx context.Context, in Inbound, each func(line int64, column, code string) error) error {
	for _, c := range in.Columns {
		if c.Refers == "" {
			continue
		}
		query := fmt.Sprintf(`
			SELECT s.at_line, s.%[1]s
			FROM staged s
			WHERE s.%[1]s IS NOT NULL
			  AND NOT EXISTS (SELECT FROM %[2]s r WHERE r.site = $1 AND r.code = s.%[1]s)
			ORDER BY s.at_line`, quoted(c.Name), quoted(c.Refers))
		err := tx.Query(ctx, query, []any{in.Site}, func(rows pgx.Rows) error {
			var line int64
			var code string
			if err := rows.Scan(&line, &code); err != nil {
				return err
			}
			return each(line, c.Name, code)
		})
		if err != nil {
			return fmt.Errorf("look up the %s of staged %s: %w", c.Name, in.Table, err)
		}
	}
	return nil
}

// Twin is a staged row that speaks of the same fact as the one on line First.
type Twin struct {
	Line    int64
	First   int64
	Key     string // what both are called
	Differs string // the first column in which they contradict each other; empty if in none
}

// StagedTwice finds the facts that several staged rows speak of, fact by fact.
func (tx *Tx) StagedTwice(ctx context.Context, in Inbound, each func(Twin) error) error {
	var differs, order strings.Builder
	for _, c := range in.Columns {
		if !slices.Contains(in.Key, c.Name) {
			fmt.Fprintf(&differs, " WHEN s.%[1]s IS DISTINCT FROM f.%[1]s THEN '%[2]s'", quoted(c.Name), c.Name)
		}
	}
	if differs.Len() == 0 {
		differs.WriteString(" WHEN false THEN ''")
	}
	for _, name := range in.Once {
		order.WriteString("s." + quoted(name) + ", ")
	}
	query := fmt.Sprintf(`
		WITH twice AS (
			SELECT %[1]s FROM staged s GROUP BY %[1]s HAVING count(*) > 1),
		ranked AS (
			SELECT s.*, first_value(s.at_line) OVER (PARTITION BY %[1]s ORDER BY %[2]s s.at_line) AS first_line
			FROM staged s JOIN twice t ON (%[1]s) = (%[3]s))
		SELECT s.at_line, s.first_line, concat_ws('/', %[1]s), CASE%[4]s ELSE '' END
		FROM ranked s JOIN staged f ON f.at_line = s.first_line
		WHERE s.at_line <> s.first_line
		ORDER BY s.first_line, s.at_line`,
		list("s.", in.Key), order.String(), list("t.", in.Key), differs.String())
	err := tx.Query(ctx, query, nil, func(rows pgx.Rows) error {
		var t Twin
		if err := rows.Scan(&t.Line, &t.First, &t.Key, &t.Differs); err != nil {
			return err
		}
		return each(t)
	})
	if err != nil {
		return fmt.Errorf("compare the staged %s with each other: %w", in.Table, err)
	}
	return nil
}

// StagedAgain finds the staged facts that happen once, are kept already, and
// are reported differently now. before is what is kept.
func (tx *Tx) StagedAgain(ctx context.Context, in Inbound, each func(line int64, key, before string) error) error {
	var before []string
	for _, c := range in.Columns {
		switch {
		case slices.Contains(in.Key, c.Name):
		case c.Refers != "":
			before = append(before, fmt.Sprintf(`'%s ' || (SELECT r.code FROM %s r WHERE r.id = t.%s)`, c.Name, quoted(c.Refers), quoted(c.Target)))
		default:
			before = append(before, fmt.Sprintf(`'%s ' || t.%s`, c.Name, quoted(c.Target)))
		}
	}
	query := fmt.Sprintf(`
		SELECT n.at_line, concat_ws('/', %s), concat_ws(', ', %s)
		FROM (%s) n JOIN %s t ON %s
		WHERE %s
		ORDER BY n.at_line`,
		list("n.", in.keyTargets()), strings.Join(before, ", "), in.resolved(), quoted(in.Table), in.sameFact(), in.changed())
	err := tx.Query(ctx, query, []any{in.Site}, func(rows pgx.Rows) error {
		var line int64
		var key, before string
		if err := rows.Scan(&line, &key, &before); err != nil {
			return err
		}
		return each(line, key, before)
	})
	if err != nil {
		return fmt.Errorf("compare the staged %s with those kept: %w", in.Table, err)
	}
	return nil
}

// StagedShared finds staged facts with a value in a column that another fact has:
// a staged one, or one that is kept and not staged. other is what that is called.
func (tx *Tx) StagedShared(ctx context.Context, in Inbound, column string, each func(line int64, value, other string) error) error {
	if !slices.ContainsFunc(in.Columns, func(c InboundColumn) bool { return c.Name == column }) {
		return nil // the file says nothing of it
	}
	query := fmt.Sprintf(`
		SELECT DISTINCT ON (line) line, value, other FROM (
			SELECT s.at_line, s.%[1]s::text, concat_ws('/', %[3]s)
			FROM staged s JOIN staged o ON o.%[1]s = s.%[1]s AND (%[2]s) IS DISTINCT FROM (%[3]s)
			UNION ALL
			SELECT n.at_line, n.%[1]s::text, concat_ws('/', %[4]s)
			FROM (%[6]s) n JOIN %[5]s t ON t.site = $1::text AND t.%[1]s = n.%[1]s AND (%[4]s) IS DISTINCT FROM (%[7]s)
			WHERE NOT EXISTS (SELECT FROM (%[6]s) o WHERE (%[8]s) = (%[4]s))) shared (line, value, other)
		ORDER BY line, other COLLATE "C"`,
		quoted(column), list("s.", in.Key), list("o.", in.Key), list("t.", in.keyTargets()), quoted(in.Table), in.resolved(), list("n.", in.keyTargets()), list("o.", in.keyTargets()))
	err := tx.Query(ctx, query, []any{in.Site}, func(rows pgx.Rows) error {
		var line int64
		var value, other string
		if err := rows.Scan(&line, &value, &other); err != nil {
			return err
		}
		return each(line, value, other)
	})
	if err != nil {
		return fmt.Errorf("look for staged %s that share a %s: %w", in.Table, column, err)
	}
	return nil
}

// Unstage takes the rows of these lines off the stage.
func (tx *Tx) Unstage(ctx context.Context, lines []int64) error {
	if len(lines) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, `DELETE FROM staged WHERE at_line = ANY($1)`, lines); err != nil {
		return fmt.Errorf("take rows off the stage: %w", err)
	}
	return nil
}

// Import is what is remembered of a file that was taken in.
type Import struct {
	Site, Kind, File                    string
	SHA256                              []byte
	Added, Changed, Unchanged, Rejected int64
}

// LogImport remembers a file that was taken in.
func (tx *Tx) LogImport(ctx context.Context, i Import) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO imports (site, kind, file, sha256, added, changed, unchanged, rejected)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		i.Site, i.Kind, i.File, i.SHA256, i.Added, i.Changed, i.Unchanged, i.Rejected)
	if err != nil {
		return fmt.Errorf("log the import of %s: %w", i.File, err)
	}
	return nil
}
