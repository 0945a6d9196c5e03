package reports

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"

	"github.com/klauspost/compress/flate"
)

// compression weighs time against size: level 5 of this library packs nearly
// as small as the standard library's default, in about half the time.
const compression = 5

// zipVersion 2.0 is what files with deflated parts need to be read.
const zipVersion = 20

// archive is the zip file of a workbook. The library hands over the sheets in
// no fixed order; archive packs each part into one scratch file as it comes
// and, at the end, writes them in order of their names and without a clock, so
// that the same parts give the same bytes. Memory does not grow with the parts.
type archive struct {
	to      io.Writer
	scratch *os.File
	packed  counter // what has gone into scratch
	deflate *flate.Writer
	parts   []part
	sum     hash.Hash32 // of the part that is being packed
}

// part is a file inside the workbook.
type part struct {
	name         string
	offset, size int64 // packed, in the scratch file
	length       int64 // unpacked
	sum          uint32
}

// counter counts what goes through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

func newArchive(to io.Writer) (*archive, error) {
	scratch, err := os.CreateTemp("", "nightshift-workbook-")
	if err != nil {
		return nil, fmt.Errorf("make a scratch file (set TMPDIR to a writable directory): %w", err)
	}
	a := &archive{to: to, scratch: scratch, sum: crc32.NewIEEE()}
	a.packed.w = scratch
	if a.deflate, err = flate.NewWriter(&a.packed, compression); err != nil {
		return nil, errors.Join(err, scratch.Close(), os.Remove(scratch.Name()))
	}
	return a, nil
}

// Create begins a part and ends the one before it.
func (a *archive) Create(name string) (io.Writer, error) {
	if err := a.endPart(); err != nil {
		return nil, err
	}
	a.parts = append(a.parts, part{name: name, offset: a.packed.n})
	a.deflate.Reset(&a.packed)
	a.sum.Reset()
	return partWriter{a}, nil
}

// partWriter packs into the newest part.
type partWriter struct{ a *archive }

func (p partWriter) Write(b []byte) (int, error) {
	n, err := p.a.deflate.Write(b)
	p.a.sum.Write(b[:n])
	p.a.parts[len(p.a.parts)-1].length += int64(n)
	return n, err
}

func (a *archive) endPart() error {
	if len(a.parts) == 0 {
		return nil
	}
	p := &a.parts[len(a.parts)-1]
	if err := a.deflate.Close(); err != nil {
		return fmt.Errorf("pack %s: %w", p.name, err)
	}
	p.size, p.sum = a.packed.n-p.offset, a.sum.Sum32()
	// Spreadsheets want a special form from 4 GiB on; a sheet of a million rows
	// has a tenth of that, so what is larger is refused instead of risked.
	if p.length > math.MaxUint32 {
		return fmt.Errorf("pack %s: it has %d bytes, a sheet holds at most 4 GiB: report fewer rows, or shorter texts", p.name, p.length)
	}
	return nil
}

// AddFS is part of what the library wants; workbooks have no such files.
func (a *archive) AddFS(fs.FS) error { return errors.ErrUnsupported }

// Close writes the zip file.
func (a *archive) Close() error {
	if err := a.endPart(); err != nil {
		return err
	}
	slices.SortFunc(a.parts, func(x, y part) int { return cmp.Compare(order(x.name), order(y.name)) })
	out := zip.NewWriter(a.to)
	for _, p := range a.parts {
		header := &zip.FileHeader{
			Name: p.name, Method: zip.Deflate, CRC32: p.sum, CreatorVersion: zipVersion, ReaderVersion: zipVersion,
			CompressedSize64: uint64(p.size), UncompressedSize64: uint64(p.length),
			//lint:ignore SA1019 a raw header takes the date as it is; 1980-01-01 is what spreadsheets write.
			ModifiedDate: 1<<5 | 1,
		}
		w, err := out.CreateRaw(header)
		if err != nil {
			return err
		}
		if _, err := io.Copy(w, io.NewSectionReader(a.scratch, p.offset, p.size)); err != nil {
			return fmt.Errorf("write %s: %w", p.name, err)
		}
	}
	return out.Close()
}

// order puts the list of contents first, where programs that guess a file's
// kind look for it.
func order(name string) string {
	if name == "[Content_Types].xml" {
		return ""
	}
	return name
}

// discard removes the scratch file.
func (a *archive) discard() {
	_ = a.scratch.Close()
	_ = os.Remove(a.scratch.Name())
}
