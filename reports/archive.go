package reports

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"slices"
	"sync"

	"github.com/klauspost/compress/flate"
)

// compression weighs time against size: level 5 of this library packs nearly
// as small as the standard library's default, in about half the time.
const compression = 5

// zipVersion 2.0 is what files with deflated parts need to be read.
const zipVersion = 20

// archive is the zip file of a workbook. Rows are packed into a scratch file
// as they are made. The library hands over the other parts at the end, the
// sheets among them with room for their rows and in no fixed order; archive
// puts the rows into their sheets, and writes the parts in order of their names
// and without a clock, so that the same parts give the same bytes. Memory does
// not grow with rows.
type archive struct {
	scratch scratch
	written counter // what has gone into scratch
	deflate *flate.Writer
	now     packed      // what is being packed
	sum     hash.Hash32 // of it
	rows    map[string]packed
	frame   *bytes.Buffer // the sheet that the library is handing over, without its rows
	parts   []part
	to      io.Writer
}

// part is a file inside the workbook.
type part struct {
	name   string
	pieces []packed
}

// packed is a piece of a part. Pieces are packed each for itself and end at a
// byte, so that they can be put together in any order.
type packed struct {
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

// deflaters are kept for the next workbook: each has tables of a megabyte,
// more than most statements of sellers unpack to.
var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(io.Discard, compression)
	if err != nil {
		panic(err) // the level is ours
	}
	return w
}}

func newArchive() *archive {
	a := &archive{sum: crc32.NewIEEE(), rows: map[string]packed{}, deflate: deflaters.Get().(*flate.Writer)}
	a.written.w = &a.scratch
	return a
}

// begin begins a piece.
func (a *archive) begin() {
	a.now = packed{offset: a.written.n}
	a.deflate.Reset(&a.written)
	a.sum.Reset()
}

// Write packs b into the piece that has begun.
func (a *archive) Write(b []byte) (int, error) {
	n, err := a.deflate.Write(b)
	a.sum.Write(b[:n])
	a.now.length += int64(n)
	return n, err
}

// end ends the piece. The last one of a part says so to whoever unpacks it.
func (a *archive) end(last bool) (packed, error) {
	stop := a.deflate.Flush
	if last {
		stop = a.deflate.Close
	}
	if err := stop(); err != nil {
		return packed{}, err
	}
	a.now.size, a.now.sum = a.written.n-a.now.offset, a.sum.Sum32()
	return a.now, nil
}

// piece packs what is whole in memory.
func (a *archive) piece(b []byte, last bool) (packed, error) {
	a.begin()
	if _, err := a.Write(b); err != nil {
		return packed{}, err
	}
	return a.end(last)
}

// endRows keeps the piece for the sheet that lies at a path.
func (a *archive) endRows(path string) error {
	p, err := a.end(false)
	a.rows[path] = p
	return err
}

// Create begins a part and ends the one before it.
func (a *archive) Create(name string) (io.Writer, error) {
	if err := a.endPart(); err != nil {
		return nil, err
	}
	a.parts = append(a.parts, part{name: name})
	if _, sheet := a.rows[name]; sheet {
		a.frame = new(bytes.Buffer)
		return a.frame, nil
	}
	a.begin()
	return a, nil
}

// endOfRows is where the rows of a sheet belong: before it.
const endOfRows = "</sheetData>"

func (a *archive) endPart() error {
	if len(a.parts) == 0 {
		return nil
	}
	p := &a.parts[len(a.parts)-1]
	var err error
	if a.frame != nil {
		err = a.endSheet(p)
	} else {
		p.pieces = make([]packed, 1)
		p.pieces[0], err = a.end(true)
	}
	if err != nil {
		return fmt.Errorf("pack %s: %w", p.name, err)
	}
	// Spreadsheets want a special form from 4 GiB on; a sheet of a million rows
	// has a tenth of that, so what is larger is refused instead of risked.
	if n := p.whole().length; n > math.MaxUint32 {
		return fmt.Errorf("pack %s: it has %d bytes, a sheet holds at most 4 GiB: report fewer rows, or shorter texts", p.name, n)
	}
	return nil
}

// endSheet packs the frame of a sheet around its rows.
func (a *archive) endSheet(p *part) error {
	before, after, found := bytes.Cut(a.frame.Bytes(), []byte(endOfRows))
	if !found {
		return fmt.Errorf("there is no %s in it", endOfRows)
	}
	head, err := a.piece(before, false)
	if err != nil {
		return err
	}
	tail, err := a.piece(append([]byte(endOfRows), after...), true)
	p.pieces = []packed{head, a.rows[p.name], tail}
	delete(a.rows, p.name)
	a.frame = nil
	return err
}

// whole is what the pieces are together.
func (p part) whole() packed {
	all := p.pieces[0]
	for _, next := range p.pieces[1:] {
		all = packed{size: all.size + next.size, length: all.length + next.length, sum: joined(all.sum, next.sum, next.length)}
	}
	return all
}

// AddFS is part of what the library wants; workbooks have no such files.
func (a *archive) AddFS(fs.FS) error { return errors.ErrUnsupported }

// Close writes the zip file.
func (a *archive) Close() error {
	if err := a.endPart(); err != nil {
		return err
	}
	for path := range a.rows {
		return fmt.Errorf("pack %s: the library made no such sheet", path)
	}
	slices.SortFunc(a.parts, func(x, y part) int { return cmp.Compare(order(x.name), order(y.name)) })
	out := zip.NewWriter(a.to)
	room := make([]byte, 32<<10) // for all parts: a small workbook has some twenty
	for _, p := range a.parts {
		all := p.whole()
		header := &zip.FileHeader{
			Name: p.name, Method: zip.Deflate, CRC32: all.sum, CreatorVersion: zipVersion, ReaderVersion: zipVersion,
			CompressedSize64: uint64(all.size), UncompressedSize64: uint64(all.length),
			//lint:ignore SA1019 a raw header takes the date as it is; 1980-01-01 is what spreadsheets write.
			ModifiedDate: 1<<5 | 1,
		}
		w, err := out.CreateRaw(header)
		if err != nil {
			return err
		}
		for _, piece := range p.pieces {
			if _, err := io.CopyBuffer(w, io.NewSectionReader(&a.scratch, piece.offset, piece.size), room); err != nil {
				return fmt.Errorf("write %s: %w", p.name, err)
			}
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
	a.scratch.discard()
	if a.deflate != nil {
		deflaters.Put(a.deflate)
		a.deflate = nil
	}
}

// joined is the CRC-32 of two pieces, one behind the other, of which the
// second has n bytes. A CRC is a remainder of polynomials: each byte that
// follows multiplies what stands by x to the eighth.
func joined(first, second uint32, n int64) uint32 {
	power, square := uint32(1)<<31, uint32(1)<<23 // x to the power of zero, and of eight; the highest bit comes first
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			power = product(power, square)
		}
		square = product(square, square)
	}
	return product(first, power) ^ second
}

// product multiplies two polynomials modulo that of the CRC.
func product(a, b uint32) uint32 {
	var p uint32
	for bit := uint32(1) << 31; bit != 0; bit >>= 1 {
		if a&bit != 0 {
			p ^= b
		}
		carry := b & 1
		b >>= 1
		if carry != 0 {
			b ^= crc32.IEEE
		}
	}
	return p
}
