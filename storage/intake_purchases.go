package storage

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// StagedPack is a staged package, stopping when it is used up, of a purchase.
type StagedPack struct {
	Line     int64
	Purchase string
	No       int64  // among those of the purchase: what is kept comes first, then what is staged, by line
	Instance string // by code; empty: none is named
	First    string // the package of the purchase that names the instance first, by code; empty: this one
}

// StagedPurchases finds staged packages that their purchase has no room for: they
// are behind the first most of it, or name the instance of another one.
func (tx *Tx) StagedPurchases(ctx context.Context, in Inbound, most int, each func(StagedPack) error) error {
	said := func(column, kept string) string { // what a file does not report stays as it is
		if slices.ContainsFunc(in.Columns, func(c InboundColumn) bool { return c.Name == column }) {
			return "s." + quoted(column)
		}
		return kept
	}
	query := fmt.Sprintf(`
		WITH told AS (
			SELECT DISTINCT ON (s.code) s.at_line, s.code, %[1]s AS purchase, coalesce(%[2]s, false) AS stops, %[3]s AS instance,
			       t.purchase IS NOT DISTINCT FROM %[1]s AND t.stop_when_used_up AS kept
			FROM staged s LEFT JOIN packs t ON t.site = $1 AND t.code = s.code LEFT JOIN instances i ON i.id = t.instance_id
			ORDER BY s.code, s.at_line),
		every AS (
			SELECT at_line, code, purchase, instance, coalesce(kept, false) AS kept FROM told WHERE stops AND purchase IS NOT NULL
			UNION ALL
			SELECT NULL, t.code, t.purchase, i.code, true
			FROM packs t LEFT JOIN instances i ON i.id = t.instance_id
			WHERE t.site = $1 AND t.stop_when_used_up AND t.purchase IN (SELECT purchase FROM told) AND NOT EXISTS (SELECT FROM told WHERE told.code = t.code)),
		numbered AS (
			SELECT *, row_number() OVER (PARTITION BY purchase ORDER BY NOT kept, at_line, code) AS no,
			       first_value(code) OVER (PARTITION BY purchase, instance ORDER BY NOT kept, at_line, code) AS first
			FROM every)
		SELECT at_line, purchase, no, coalesce(instance, ''), CASE WHEN instance IS NULL OR first = code THEN '' ELSE first END
		FROM numbered
		WHERE at_line IS NOT NULL AND (no > $2 OR instance IS NOT NULL AND first <> code)
		ORDER BY at_line`, said("purchase", "t.purchase"), said("stop_when_used_up", "t.stop_when_used_up"), said("instance", "i.code"))
	err := tx.Query(ctx, query, []any{in.Site, most}, func(rows pgx.Rows) error {
		var p StagedPack
		if err := rows.Scan(&p.Line, &p.Purchase, &p.No, &p.Instance, &p.First); err != nil {
			return err
		}
		return each(p)
	})
	if err != nil {
		return fmt.Errorf("count the staged packages of purchases: %w", err)
	}
	return nil
}
