package jobs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nightshift/rules/market"
	"nightshift/storage"
)

// ErrArchive says that an archive is not what it was.
var ErrArchive = errors.New("the archive is not what it was")

// Manifest says what one archive of a month holds. It seals the manifest before it
// in its directory, and carries the heads of the ledgers as they were.
type Manifest struct {
	No       int               `json:"no"`
	Month    string            `json:"month"` // 202403
	At       time.Time         `json:"at"`
	Build    string            `json:"build"`
	Schema   int               `json:"schema"`
	Ledgers  map[string]string `json:"ledgers"` // the heads of their chains, by site
	Files    []ArchivedFile    `json:"files"`
	Previous string            `json:"previous,omitempty"` // SHA-256 of the manifest before it
}

// ArchivedFile is a month of one history: a row a line, as JSON, packed by gzip.
type ArchivedFile struct {
	Name    string `json:"name"`
	History string `json:"history"`
	Lines   int64  `json:"lines"`
	Digest  string `json:"digest"` // of the lines, as the database comes to it
	SHA256  string `json:"sha256"` // of the file
	Stayed  *int64 `json:"stayed,omitempty"`
}

func (m Manifest) name() string { return fmt.Sprintf("%04d-%s.json", m.No, m.Month) }

// Archiving asks for an archive of months.
type Archiving struct {
	Dir   string
	Month market.Date // any day of it
	Actor string
	Now   time.Time
	Leave bool // let the database go of what nobody stands on
}

// Archive writes every history of a month to files in a directory, reads them
// again, and has the database let go of those that leave it. What is there already
// is never written over.
func (e *Engine) Archive(ctx context.Context, ask Archiving) (m Manifest, err error) {
	month := market.Month(ask.Month)
	if ask.Leave && ask.Actor == "" {
		return m, fmt.Errorf("%w: nobody is named who lets go of %s: set USER", ErrBadRequest, month)
	}
	before, err := ReadArchive(ask.Dir)
	if err != nil {
		return m, err
	}
	m = Manifest{No: 1, Month: month.String(), At: ask.Now.UTC().Truncate(time.Second), Build: e.Build, Schema: storage.SchemaVersion()}
	if n := len(before); n > 0 {
		m.No, m.Previous = before[n-1].No+1, before[n-1].sum
	}
	if m.Ledgers, err = e.Store.ArchivedHeads(ctx); err != nil {
		return m, err
	}
	histories, err := e.Store.Histories(ctx)
	if err != nil {
		return m, err
	}
	for _, h := range histories {
		f := ArchivedFile{Name: fmt.Sprintf("%04d-%s-%s.jsonl.gz", m.No, m.Month, h.Name), History: h.Name}
		if err := e.writeMonth(ctx, ask.Dir, month.From, &f); err != nil {
			return m, err
		}
		if err := f.verify(ask.Dir); err != nil {
			return m, err
		}
		m.Files = append(m.Files, f)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, err
	}
	if err := keepFile(filepath.Join(ask.Dir, m.name()), append(text, '\n')); err != nil {
		return m, err
	}
	for i, h := range histories {
		if !ask.Leave || !h.Leaves || m.Files[i].Lines == 0 {
			continue
		}
		digest, err := hex.DecodeString(m.Files[i].Digest)
		if err != nil {
			return m, err
		}
		stayed, err := e.Store.LeaveMonth(ctx, h.Name, month.From, digest, ask.Actor)
		if err != nil {
			return m, err
		}
		m.Files[i].Stayed = &stayed
	}
	return m, nil
}

// keepFile writes a file to its end, or none, and over none.
func keepFile(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the archive: %w", err), os.Remove(path))
	}
	return nil
}

// sealed is a manifest as it was read, and its sum.
type sealed struct {
	Manifest
	sum string
}

// ReadArchive reads the manifests of a directory in their order, and checks that
// each seals the one before it.
func ReadArchive(dir string) (list []sealed, err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("read the archive: %w", err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "[0-9][0-9][0-9][0-9]-*.json"))
	if err != nil {
		return nil, fmt.Errorf("read the archive: %w", err)
	}
	slices.Sort(names)
	previous := ""
	for i, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read the archive: %w", err)
		}
		var m sealed
		if err := json.NewDecoder(bytes.NewReader(text)).Decode(&m.Manifest); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrArchive, name, err)
		}
		if m.No != i+1 || m.Previous != previous {
			return nil, fmt.Errorf("%w: %s does not seal the manifest before it: one was changed, or is gone", ErrArchive, name)
		}
		previous = fmt.Sprintf("%x", sha256.Sum256(text))
		m.sum = previous
		list = append(list, m)
	}
	return list, nil
}

// VerifyArchive reads a whole archive again, and compares it with what the database
// knows to have left. It answers the number of lines, and the head: the sum of the
// newest manifest, to be kept somewhere else.
func (e *Engine) VerifyArchive(ctx context.Context, dir string) (lines int64, head string, err error) {
	list, err := ReadArchive(dir)
	if err != nil {
		return 0, "", err
	}
	there := map[string]bool{}
	for _, m := range list {
		head = m.sum
		for _, f := range m.Files {
			if err := f.verify(dir); err != nil {
				return lines, head, err
			}
			lines += f.Lines
			there[f.History+"/"+m.Month+"/"+f.Digest] = true
		}
	}
	away, err := e.Store.Away(ctx)
	if err != nil {
		return lines, head, err
	}
	for _, l := range away {
		if month := market.Month(l.Month).String(); !there[fmt.Sprintf("%s/%s/%x", l.History, month, l.Digest)] {
			return lines, head, fmt.Errorf("%w: %s of %s has left the database and is not in %s: name the directory that it is in", ErrArchive, l.History, month, dir)
		}
	}
	return lines, head, nil
}

// RestoreArchive brings what has left of a month back into the database.
func (e *Engine) RestoreArchive(ctx context.Context, dir string, month market.Date, actor string) (back []storage.Left, err error) {
	list, err := ReadArchive(dir)
	if err != nil {
		return nil, err
	}
	away, err := e.Store.Away(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range away {
		if l.Month != market.Month(month).From {
			continue
		}
		f, found := fileOf(list, l)
		if !found {
			return back, fmt.Errorf("%w: %s of %s is not in %s: name the directory that it is in", ErrArchive, l.History, market.Month(month), dir)
		}
		if err := f.verify(dir); err != nil {
			return back, err
		}
		if err := e.Store.ReturnMonth(ctx, l.History, l.Month, f.lines(dir), actor); err != nil {
			return back, err
		}
		back = append(back, l)
	}
	if len(back) == 0 {
		return nil, fmt.Errorf("%w: nothing of %s has left the database", ErrBadRequest, market.Month(month))
	}
	return back, nil
}

func fileOf(list []sealed, l storage.Left) (f ArchivedFile, found bool) {
	for _, m := range slices.Backward(list) {
		for _, f := range m.Files {
			if f.History == l.History && f.Digest == hex.EncodeToString(l.Digest) {
				return f, true
			}
		}
	}
	return f, false
}

// awayFrom refuses to tell a run of which history has left.
func awayFrom(ctx context.Context, tx *storage.Tx, on market.Date) error {
	month, away, err := tx.HistoryAway(ctx, on)
	if err != nil || !away {
		return err
	}
	return fmt.Errorf("%w: history of %s has left for the archive: bring it back with `nightshift archive restore %s`", ErrBadRequest, market.Month(month), market.Month(month))
}

// allThere refuses to judge decisions of a time of which some have left.
func allThere(ctx context.Context, tx *storage.Tx, what string, from, to market.Date) error {
	away, err := tx.MonthsAway(ctx, from, to)
	if err != nil || len(away) == 0 {
		return err
	}
	var restore []string
	for _, month := range away {
		restore = append(restore, fmt.Sprintf("`nightshift archive restore %s`", market.Month(month)))
	}
	return fmt.Errorf("%w: %s: decisions from %s to %s are needed, and some have left for the archive: bring them back first with %s",
		ErrBadRequest, what, from, to, strings.Join(restore, ", "))
}
