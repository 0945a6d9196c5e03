package storage

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ImportedBefore tells whether a file of these bytes was taken in as that kind.
func (tx *Tx) ImportedBefore(ctx context.Context, site, kind string, sha256 []byte) (bool, error) {
	var before bool
	_, err := tx.one(ctx, `SELECT EXISTS (SELECT FROM imports WHERE site = $1 AND kind = $2 AND sha256 = $3)`, []any{site, kind, sha256}, &before)
	if err != nil {
		return false, fmt.Errorf("look for an earlier import of the file: %w", err)
	}
	return before, nil
}

// Bundle is how many rows of a kind with the same text in a column there are, in the
// file that is taken in and in those before.
type Bundle struct {
	Name         string
	Rows, Before int64
}

// StagedBundles finds the staged rows of bundles that have more than most rows,
// counted with those that were taken in before of the same owners: rows with the
// same text in a column. Without a column of owners all have one. Rows without a text
// are in no bundle.
func (tx *Tx) StagedBundles(ctx context.Context, in Inbound, column, owner string, most int, each func(line int64, b Bundle) error) error {
	of, same := "''", ""
	if owner != "" {
		of, same = quoted(owner), "AND t."+quoted(owner)+" = ANY(g.owners)"
	}
	err := tx.Query(ctx, fmt.Sprintf(`
		SELECT s.at_line, s.%[1]s, n.rows, n.before
		FROM (SELECT name, rows, (SELECT count(*) FROM %[3]s t WHERE t.site = $2 AND t.%[1]s = g.name AND t.%[1]s <> '' %[4]s) AS before
		      FROM (SELECT name, sum(n)::bigint AS rows, array_agg(owner) AS owners
		            FROM (SELECT %[1]s AS name, %[2]s AS owner, count(*) AS n FROM staged WHERE %[1]s <> '' GROUP BY 1, 2) AS counted GROUP BY name) AS g) AS n
		JOIN staged s ON s.%[1]s = n.name
		WHERE n.rows + n.before > $1
		ORDER BY s.at_line`, quoted(column), of, quoted(in.Table), same), []any{most, in.Site}, func(rows pgx.Rows) error {
		var line int64
		var b Bundle
		if err := rows.Scan(&line, &b.Name, &b.Rows, &b.Before); err != nil {
			return err
		}
		return each(line, b)
	})
	if err != nil {
		return fmt.Errorf("count the staged rows by %s: %w", column, err)
	}
	return nil
}

// Append adds the staged rows to their table as they stand, in the order of
// their receipt and then of the file, and wakes whom they concern. It answers
// how many there are.
func (tx *Tx) Append(ctx context.Context, in Inbound) (int64, error) {
	if err := tx.prepareToWake(ctx, in); err != nil {
		return 0, err
	}
	var columns []string
	for _, c := range in.Columns {
		columns = append(columns, c.Target)
	}
	into, from := list("", columns), list("s.", columns)
	if in.Adds[0] != "" {
		into, from = into+", "+quoted(in.Adds[0]), from+", "+in.Adds[1]
	}
	added, err := tx.Exec(ctx, in.noted(fmt.Sprintf(`
		INSERT INTO %s AS t (site, %s)
		SELECT $1::text, %s FROM staged s ORDER BY s.received_at, s.at_line`, quoted(in.Table), into, from)), in.Site)
	if err != nil {
		return 0, fmt.Errorf("append to %s: %w", in.Table, err)
	}
	if added == 0 {
		return 0, nil
	}
	if len(in.Wakes) > 0 {
		if err := tx.wakeTouched(ctx, in); err != nil {
			return 0, err
		}
	}
	return added, tx.gatherStatistics(ctx, in.Table, added)
}

// SeenBefore tells of a staged record whether one of the same metering_sn was
// taken in before it, in an earlier file or earlier in the same.
const SeenBefore = `s.metering_sn <> '' AND (
	row_number() OVER (PARTITION BY s.metering_sn ORDER BY s.received_at, s.at_line) > 1
	OR EXISTS (SELECT FROM usage_records e WHERE e.site = $1::text AND e.metering_sn = s.metering_sn AND e.metering_sn <> '' AND NOT e.id_seen))`

// TakeBackMarks has records looked for that were received before their buyer's
// mark: a file may bring them later than others. It follows an import of usage.
const TakeBackMarks = `
	UPDATE usage_marks m SET received = late.first - interval '1 microsecond'
	FROM (SELECT coalesce(subject0, 0) AS buyer_id, min(at0) AS first FROM touched GROUP BY 1) late
	WHERE m.site = $1 AND m.buyer_id = late.buyer_id AND m.received >= late.first`

// WakeUnpriced gives back the buyers who are parked and use a product whose
// prices were reported. It follows an import of prices.
const WakeUnpriced = `
	WITH given AS (
		UPDATE parked p SET requeued_at = now(), requeued_by = '` + byImport + `'
		WHERE p.job = 'billing' AND p.site = $1 AND p.requeued_at IS NULL
		  AND EXISTS (SELECT FROM instances i JOIN products g ON g.id = i.product_id
		              WHERE i.buyer_id = p.subject AND i.site = $1 AND g.code IN (SELECT s.product FROM staged s))
		RETURNING p.subject)
	UPDATE due SET look_at = '-infinity' FROM given WHERE due.job = 'billing' AND due.subject = given.subject`

// TakeBackStrays does the same for records of instances that are reported only
// now. Those received before the mark of unknown instances are on the error
// list. It follows an import of instances.
const TakeBackStrays = `
	UPDATE usage_marks m SET received = late.first - interval '1 microsecond'
	FROM (SELECT i.buyer_id, min(u.received_at) AS first
	      FROM staged s
	      JOIN instances i ON i.site = $1 AND i.code = s.code
	      JOIN usage_records u ON u.site = $1 AND u.instance = i.code
	       AND u.received_at > (SELECT received FROM usage_marks WHERE site = $1 AND buyer_id = 0)
	      GROUP BY i.buyer_id) late
	WHERE m.site = $1 AND m.buyer_id = late.buyer_id AND m.received >= late.first`
