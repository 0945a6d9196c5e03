package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"nightshift/rules/table"
	"nightshift/storage"
)

// Rows travel from the reader to COPY in batches, so that parsing and the
// database work side by side. A batch is full at either limit, which bounds the
// memory in between whatever the length of a row.
const (
	batchRows         = 256
	batchBytes        = 1 << 20
	batchesOnTheirWay = 4
)

type batch struct {
	rows     [][]any
	rejected [][]Reject // the reasons by row
	leftOut  int64      // rows that the mapping leaves out
	err      error      // the reader's last word
}

// stage reads the whole file into the staging table and answers how many rows
// are there.
func (m *importer) stage(ctx context.Context, tx *storage.Tx, r *table.Reader, conv *converter) (int64, error) {
	reading, stop := context.WithCancel(ctx)
	batches := make(chan batch, batchesOnTheirWay)
	go func() {
		defer close(batches)
		read(reading, r, conv, batches)
	}()
	defer func() {
		stop()
		for range batches { // until the reader has let go of the file
		}
	}()
	var now batch
	var rows int64
	next := func() ([]any, error) {
		for len(now.rows) == 0 {
			if now.err != nil {
				return nil, now.err
			}
			var more bool
			if now, more = <-batches; !more {
				return nil, ctx.Err()
			}
			for _, why := range now.rejected {
				if err := m.rejects.row(why); err != nil {
					return nil, err
				}
			}
			m.res.LeftOut += now.leftOut
			rows += int64(len(now.rows)+len(now.rejected)) + now.leftOut
			m.progress(r, rows)
		}
		row := now.rows[0]
		now.rows = now.rows[1:]
		return row, nil
	}
	return tx.Stage(ctx, m.in, next)
}

func (m *importer) progress(r *table.Reader, rows int64) {
	if m.req.Progress == nil {
		return
	}
	p := Progress{File: m.res.File, Rows: rows}
	p.Read, p.Size = r.Progress()
	m.req.Progress(p)
}

// read sends all rows of the table, converted, until its end or an error.
func read(ctx context.Context, r *table.Reader, conv *converter, to chan<- batch) {
	for {
		b := readBatch(r, conv)
		select {
		case to <- b:
		case <-ctx.Done():
			return
		}
		if b.err != nil {
			return
		}
	}
}

func readBatch(r *table.Reader, conv *converter) (b batch) {
	size := 0
	for b.leftOut < batchRows && len(b.rows)+len(b.rejected) < batchRows && size < batchBytes {
		row, err := r.Next()
		var bad *table.RowError
		if errors.As(err, &bad) {
			b.rejected = append(b.rejected, []Reject{rejectOf(bad.Line, bad)})
			continue
		}
		if err != nil {
			b.err = err
			return b
		}
		for _, c := range row.Cells {
			size += len(c)
		}
		values, why := conv.row(row)
		switch {
		case len(why) > 0:
			b.rejected = append(b.rejected, why)
		case values != nil:
			b.rows = append(b.rows, values)
		default:
			b.leftOut++
		}
	}
	return b
}

// check rejects the staged rows that cannot be kept and takes them off the
// stage, together with the repetitions of a row, whose number it answers.
func (m *importer) check(ctx context.Context, tx *storage.Tx) (same int64, err error) {
	err = tx.UnknownReferences(ctx, m.in, func(line int64, column, value string) error {
		kind := m.kind.column(column).Refers
		return m.rejects.line(line, column, value, "there is none of the "+kind+" with this code: import "+kind+" first, or mend the code")
	})
	if err != nil {
		return 0, err
	}
	off, err := m.checkTwice(ctx, tx)
	if err != nil {
		return 0, err
	}
	if err := m.checkAlone(ctx, tx); err != nil {
		return 0, err
	}
	if err := m.checkBundles(ctx, tx); err != nil {
		return 0, err
	}
	if len(m.kind.Once) > 0 {
		err := tx.StagedAgain(ctx, m.in, func(line int64, code, before string) error {
			if m.rejects.has(line) {
				return nil
			}
			return m.rejects.line(line, m.kind.Key[0], code, m.kind.again(before))
		})
		if err != nil {
			return 0, err
		}
	}
	off, same = m.withoutRejected(off)
	return same, tx.Unstage(ctx, append(off, m.rejects.lines()...))
}

// checkAlone rejects rows that say of themselves what belongs to another fact:
// one of the file, and then both are rejected, or one that is kept.
func (m *importer) checkAlone(ctx context.Context, tx *storage.Tx) error {
	for _, column := range m.kind.Alone {
		err := tx.StagedShared(ctx, m.in, column, func(line int64, value, other string) error {
			reason := fmt.Sprintf("is that of %s too: of the %s one alone can have it; end the other or mend the %s", other, m.kind.Name, column)
			return m.rejects.line(line, column, value, reason)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// checkBundles rejects the packages that a purchase has no room for.
func (m *importer) checkBundles(ctx context.Context, tx *storage.Tx) error {
	if m.kind.Bundle == "" {
		return nil
	}
	return tx.StagedPurchases(ctx, m.in, m.kind.most, func(p storage.StagedPack) error {
		if p.No > int64(m.kind.most) {
			reason := fmt.Sprintf("the package is number %d of the purchase, which may have %d that stop when they are used up: name the purchase that it came with, or ask for the rest as another one", p.No, m.kind.most)
			return m.rejects.line(p.Line, m.kind.Bundle, p.Purchase, reason)
		}
		reason := fmt.Sprintf("is that of the package %s too: each package of the purchase %s that stops when it is used up has an instance of its own; name the one it was bought for", p.First, p.Purchase)
		return m.rejects.line(p.Line, "instance", p.Instance, reason)
	})
}

// withoutRejected counts the repeated lines that nothing else is wrong with: a
// row is unchanged or rejected, never both.
func (m *importer) withoutRejected(repeated []int64) ([]int64, int64) {
	kept := repeated[:0]
	for _, line := range repeated {
		if !m.rejects.has(line) {
			kept = append(kept, line)
		}
	}
	return kept, int64(len(kept))
}

// checkTwice finds rows that speak of the same fact. Where they agree, all but
// one are repetitions. Where they contradict each other nobody knows which is
// right, and all are rejected; of a fact that happens once the first counts.
func (m *importer) checkTwice(ctx context.Context, tx *storage.Tx) (repeated []int64, err error) {
	var group []storage.Twin // all but the first of one fact
	settle := func() error {
		if i := slices.IndexFunc(group, contradicts); i >= 0 && len(m.kind.Once) == 0 {
			return m.rejectAll(group, group[i])
		}
		for _, t := range group {
			if !contradicts(t) {
				repeated = append(repeated, t.Line)
			}
		}
		return m.rejectLater(group)
	}
	err = tx.StagedTwice(ctx, m.in, func(t storage.Twin) error {
		if len(group) > 0 && group[0].First != t.First {
			if err := settle(); err != nil {
				return err
			}
			group = group[:0]
		}
		group = append(group, t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return repeated, settle()
}

func contradicts(t storage.Twin) bool { return t.Differs != "" }

// rejectLater rejects the rows of a fact that had happened already.
func (m *importer) rejectLater(group []storage.Twin) error {
	for _, t := range group {
		if !contradicts(t) {
			continue
		}
		if err := m.rejects.line(t.Line, m.kind.Key[0], t.Key, m.kind.later(t.First)); err != nil {
			return err
		}
	}
	return nil
}

// rejectAll rejects all rows of a fact about which the first of them and other
// disagree. Each names a row that says something else.
func (m *importer) rejectAll(group []storage.Twin, other storage.Twin) error {
	reject := func(line, against int64, differs string) error {
		reason := fmt.Sprintf("line %d says something else of the same fact in the column %s: keep one of the two", against, differs)
		return m.rejects.line(line, strings.Join(m.kind.Key, "/"), other.Key, reason)
	}
	if err := reject(other.First, other.Line, other.Differs); err != nil {
		return err
	}
	for _, t := range group {
		against, differs := t.First, t.Differs
		if !contradicts(t) {
			against, differs = other.Line, other.Differs
		}
		if err := reject(t.Line, against, differs); err != nil {
			return err
		}
	}
	return nil
}
