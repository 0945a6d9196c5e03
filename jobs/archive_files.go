package jobs

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"os"
	"path/filepath"

	"nightshift/rules/market"
)

// monthSum comes to the digest of a month's lines, as month_digest in the database
// does: SHA-256, line by line, each over the digest before it and that of the line.
type monthSum struct {
	lines  int64
	digest [sha256.Size]byte
}

func (s *monthSum) add(line []byte) {
	s.lines++
	of := sha256.Sum256(line)
	s.digest = sha256.Sum256(append(s.digest[:], of[:]...))
}

// writeMonth writes a month of a history to its file. A file is there to its end,
// or not at all.
func (e *Engine) writeMonth(ctx context.Context, dir string, month market.Date, f *ArchivedFile) error {
	path := filepath.Join(dir, f.Name)
	half, err := os.Create(path + ".part")
	if err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	defer os.Remove(half.Name()) // it was renamed, usually
	sum, file := &monthSum{}, sha256.New()
	packed := gzip.NewWriter(io.MultiWriter(half, file))
	err = e.Store.MonthLines(ctx, f.History, month, func(line []byte) error {
		sum.add(line)
		_, err := packed.Write(line)
		return errors.Join(err, newLine(packed))
	})
	if err = errors.Join(err, packed.Close(), half.Sync(), half.Close()); err != nil {
		return fmt.Errorf("archive %s: %w", f.History, err)
	}
	f.Lines, f.Digest, f.SHA256 = sum.lines, fmt.Sprintf("%x", sum.digest), fmt.Sprintf("%x", file.Sum(nil))
	if err := os.Rename(half.Name(), path); err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	return nil
}

// verify reads a file again.
func (f ArchivedFile) verify(dir string) error {
	sum, file := &monthSum{}, sha256.New()
	err := f.each(dir, file, func(line []byte) error {
		sum.add(line)
		return nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("%w: %s: %w", ErrArchive, f.Name, err)
	case fmt.Sprintf("%x", file.Sum(nil)) != f.SHA256, sum.lines != f.Lines, fmt.Sprintf("%x", sum.digest) != f.Digest:
		return fmt.Errorf("%w: %s was changed since it was written", ErrArchive, f.Name)
	}
	return nil
}

// each gives the lines of a file; file, which may be nil, sums up its bytes.
func (f ArchivedFile) each(dir string, file hash.Hash, give func(line []byte) error) error {
	opened, err := os.Open(filepath.Join(dir, f.Name))
	if err != nil {
		return err
	}
	defer opened.Close()
	var bytes io.Reader = opened
	if file != nil {
		bytes = io.TeeReader(opened, file)
	}
	unpacked, err := gzip.NewReader(bytes)
	if err != nil {
		return err
	}
	lines := bufio.NewReader(unpacked)
	for {
		line, err := lines.ReadBytes('\n')
		switch {
		case err == io.EOF && len(line) == 0:
			_, err := io.Copy(io.Discard, bytes) // what stands behind the packed lines counts, too
			return err
		case err != nil:
			return err
		}
		if err := give(line[:len(line)-1]); err != nil {
			return err
		}
	}
}

func newLine(w io.Writer) error {
	_, err := w.Write([]byte{'\n'})
	return err
}

var errEnough = errors.New("no more lines are wanted")

// lines are those of a file.
func (f ArchivedFile) lines(dir string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		err := f.each(dir, nil, func(line []byte) error {
			if !yield(string(line), nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield("", err)
		}
	}
}
