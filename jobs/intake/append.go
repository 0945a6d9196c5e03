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
	if err := m.refuseBundles(ctx, tx); err != nil {
		return err
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

// refuseBundles rejects the rows of bundles that would have more than they may with
// them. What earlier files brought of one stays.
func (m *importer) refuseBundles(ctx context.Context, tx *storage.Tx) error {
	staged := func(name string) bool {
		return slices.ContainsFunc(m.in.Columns, func(c storage.InboundColumn) bool { return c.Name == name })
	}
	if !staged(m.kind.Bundle) {
		return nil
	}
	owner := m.kind.bundles
	if !staged(owner) {
		owner = ""
	}
	return tx.StagedBundles(ctx, m.in, m.kind.Bundle, owner, m.kind.most, func(line int64, b storage.Bundle) error {
		reason := fmt.Sprintf("is an upload of %d records: one has at most %d, and is refused as a whole", b.Rows, m.kind.most)
		if b.Before > 0 {
			reason = fmt.Sprintf("is an upload of %d records, %d of them taken in before: one has at most %d, and these %d are refused as a whole", b.Rows+b.Before, b.Before, m.kind.most, b.Rows)
		}
		return m.rejects.line(line, m.kind.Bundle, b.Name, reason)
	})
}
