package intake

import (
	"context"
	"fmt"
	"slices"

	"nightshift/storage"
)

// add appends the staged rows of a kind whose rows are facts by themselves:
// nothing says that two of them are the same, so a file that was taken in
// before, byte for byte, is left alone as a whole. A bundle with more rows than
// it may have is rejected with all of its rows.
func (m *importer) add(ctx context.Context, tx *storage.Tx, staged int64) error {
	again, err := tx.ImportedBefore(ctx, m.req.Site, m.kind.Name, m.res.SHA256[:])
	if err != nil {
		return err
	}
	if again {
		m.res.Unchanged = staged
		return m.log(ctx, tx)
	}
	if slices.ContainsFunc(m.in.Columns, func(c storage.InboundColumn) bool { return c.Name == m.kind.Bundle }) {
		err := tx.StagedBundles(ctx, m.kind.Bundle, m.kind.most, func(line int64, bundle string, rows int64) error {
			return m.rejects.line(line, m.kind.Bundle, bundle, fmt.Sprintf("is an upload of %d records: one has at most %d, and is refused as a whole", rows, m.kind.most))
		})
		if err != nil {
			return err
		}
	}
	if m.rejects.rows() > 0 && !m.req.Partial {
		return errNotKept
	}
	if err := tx.Unstage(ctx, m.rejects.lines()); err != nil {
		return err
	}
	if m.res.Added, err = tx.Append(ctx, m.in); err != nil {
		return err
	}
	return m.log(ctx, tx)
}
