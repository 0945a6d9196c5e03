// Package intake takes files of facts from outside into the database.
//
// Owns: the kinds of files and their columns, what a cell means, which rows are
// rejected and why, when a subject is woken.
// Does not own: file formats (rules/table), mappings (rules), the SQL (storage),
// or any state of Nightshift's own: no file can write a decision.
// Always: a file is taken in as a whole or, with Partial, without its rejected
// rows, in one transaction; the same file twice changes nothing; the order of
// its rows does not matter; a row is added, changed, unchanged or rejected, and
// their sum is the number of rows.
//
// The way of a row:
//
//	table.Row -mapping-> cells -convert-> values -COPY-> staged -checks-> merged into the facts; their orders woken
//	                        '- reject ------------------------'
package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nightshift/rules"
	"nightshift/rules/table"
	"nightshift/storage"
)

// Request says what to take in.
type Request struct {
	Kind        string
	Site        string
	Zone        *time.Location // of instants without an offset
	Files       []string       // "book.xlsx#Sheet" names a sheet
	Mapping     *rules.Mapping // from the files' columns to the kind's; nil where they are the same
	Partial     bool           // keep the good rows of a file that has bad ones
	RejectsPath string         // csv of the rejected rows of all files; empty: none is written
	Progress    func(Progress) // may be nil; called from one goroutine at a time
}

// Progress is how far the file being read has come.
type Progress struct {
	File       string
	Rows       int64
	Read, Size int64 // bytes; a workbook is read as a whole before its first row
}

// Result says what became of the rows of each file that was read.
type Result struct {
	Files   []FileResult
	Rejects []Reject // the first few; the rejects file has all
}

// FileResult counts the rows of one file: their sum is its rows. Kept is false
// where nothing was kept.
type FileResult struct {
	File                                string
	SHA256                              [32]byte
	Added, Changed, Unchanged, Rejected int64
	LeftOut                             int64 // by the mapping's where
	Kept                                bool
}

// Rejected is how many rows were rejected in all files.
func (r Result) Rejected() int64 {
	var n int64
	for _, f := range r.Files {
		n += f.Rejected
	}
	return n
}

// InputError says what is wrong with what was asked for or with a file, as
// opposed to the database or the machine.
type InputError struct {
	Doing  string
	Reason string
	Err    error
}

func (e *InputError) Error() string {
	if e.Err != nil {
		return e.Doing + ": " + e.Err.Error()
	}
	return e.Doing + ": " + e.Reason
}

func (e *InputError) Unwrap() error { return e.Err }

// Import takes in the files one after the other, each in a transaction of its
// own. A file with bad rows (unless Partial), a wrong column or no readable
// table is an *InputError and the files after it are tried all the same; the
// errors are joined. Any other trouble ends the import at once, and what was
// taken in before stays. Importing again is always safe.
func Import(ctx context.Context, store *storage.Store, req Request) (res Result, err error) {
	kind, err := KindNamed(req.Kind)
	if err != nil {
		return res, err
	}
	out, err := newRejects(req.RejectsPath)
	if err != nil {
		return res, err
	}
	defer func() {
		res.Rejects = out.first
		err = errors.Join(err, out.close())
	}()
	var bad []error
	for _, file := range req.Files {
		one, err := (&importer{store: store, req: req, kind: kind, rejects: out}).file(ctx, file)
		if one.File != "" {
			res.Files = append(res.Files, one)
		}
		var input *InputError
		if err != nil && !errors.As(err, &input) {
			return res, errors.Join(append(bad, err)...)
		}
		if err != nil {
			bad = append(bad, err)
		}
	}
	return res, errors.Join(bad...)
}

// importer takes in one file.
type importer struct {
	store   *storage.Store
	req     Request
	kind    *Kind
	rejects *rejects
	in      storage.Inbound
	res     FileResult
}

// errNotKept rolls the transaction of a file with rejected rows back.
var errNotKept = errors.New("rejected rows")

func (m *importer) file(ctx context.Context, path string) (FileResult, error) {
	doing := fmt.Sprintf("import %s from %s", m.kind.Name, path)
	r, err := table.Open(path)
	if err != nil {
		return m.res, &InputError{Doing: doing, Err: err}
	}
	defer r.Close()
	conv, err := newConverter(m.kind, m.req, r)
	if err != nil {
		return m.res, &InputError{Doing: doing, Err: err}
	}
	m.res.File = path
	if m.res.SHA256, err = r.SHA256(); err != nil {
		return m.res, fmt.Errorf("%s: %w", doing, err)
	}
	m.in = inbound(m.kind, m.req.Site, conv.staged)
	m.rejects.begin(path)
	err = m.store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error { return m.take(ctx, tx, r, conv) })
	m.res.Rejected = m.rejects.rows()
	var unreadable *table.FileError
	switch {
	case err == nil:
		m.res.Kept = true
	case errors.Is(err, errNotKept):
		m.res.Added, m.res.Changed, m.res.Unchanged = 0, 0, 0
		err = &InputError{Doing: doing, Reason: m.rejects.summary()}
	case errors.As(err, &unreadable):
		err = &InputError{Doing: doing, Err: unreadable}
	default:
		err = fmt.Errorf("%s: %w", doing, err)
	}
	return m.res, err
}

// take stages the rows, rejects what cannot be kept, and merges the rest. A
// reader after it sees all of the file or nothing.
func (m *importer) take(ctx context.Context, tx *storage.Tx, r *table.Reader, conv *converter) error {
	staged, err := m.stage(ctx, tx, r, conv)
	if err != nil {
		return err
	}
	if m.kind.Append {
		return m.add(ctx, tx, staged)
	}
	same, err := m.check(ctx, tx)
	if err != nil {
		return err
	}
	if m.rejects.rows() > 0 && !m.req.Partial {
		return errNotKept
	}
	kept := staged - same - m.rejects.staged()
	if m.res.Added, m.res.Changed, err = tx.Merge(ctx, m.in); err != nil {
		return err
	}
	m.res.Unchanged = kept - m.res.Added - m.res.Changed + same
	return m.log(ctx, tx)
}

func (m *importer) log(ctx context.Context, tx *storage.Tx) error {
	return tx.LogImport(ctx, storage.Import{Site: m.req.Site, Kind: m.kind.Name, File: m.res.File, SHA256: m.res.SHA256[:],
		Added: m.res.Added, Changed: m.res.Changed, Unchanged: m.res.Unchanged, Rejected: m.rejects.rows()})
}

// inbound tells storage how the staged columns of a kind are kept.
func inbound(k *Kind, site string, staged []string) storage.Inbound {
	in := storage.Inbound{Table: k.table, Site: site, Key: k.Key, Once: k.Once, Wakes: k.Wakes, Then: k.then}
	if slices.Contains(staged, k.adds[2]) {
		in.Adds = [2]string{k.adds[0], k.adds[1]}
	}
	for _, name := range staged {
		c := storage.InboundColumn{Name: name, Target: name, Type: "text"}
		col := k.column(name)
		if col != nil {
			c.Type = sqlTypes[col.Type]
		}
		if col != nil && col.Refers != "" {
			refers, _ := KindNamed(col.Refers)
			c.Refers, c.Target = refers.table, name+"_id"
		}
		in.Columns = append(in.Columns, c)
	}
	return in
}

// sqlTypes are the types in which cells are staged; the currency of an amount is text.
var sqlTypes = map[Type]string{Code: "text", Text: "text", Word: "text", Instant: "timestamptz",
	Money: "numeric(38,12)", Number: "numeric(38,12)", Count: "int", Bool: "boolean"}

// suggestion is what to write in the place of a word that is not known.
func suggestion(word string, known []string) string {
	if near, ok := nearest(word, known); ok {
		return "did you mean " + near + "?"
	}
	return "use one of " + strings.Join(known, ", ")
}
