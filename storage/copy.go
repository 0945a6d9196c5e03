package storage

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// CopyRows writes as many rows as n says; row puts the values of one of them.
// A night writes millions: each value goes straight into the bytes that the
// server reads, with nothing made for it on the way.
func (tx *Tx) CopyRows(ctx context.Context, table string, columns []string, n int, row func(i int, r *Row) error) error {
	if n == 0 {
		return nil
	}
	r := rowRoom.Get().(*copying)
	defer rowRoom.Put(r)
	*r = copying{Row: Row{columns: columns, bytes: append(r.bytes[:0], copyHeader...)}, n: n, row: row}
	err := tx.Raw(func(c *pgx.Conn) error {
		var err error
		if r.types, err = columnTypes(ctx, c, table, columns); err != nil {
			return err
		}
		read := &whileCopied{of: r}
		defer read.end()
		_, err = c.PgConn().CopyFrom(ctx, read, copyStatement(table, columns))
		return err
	})
	if err != nil && r.err != nil {
		err = r.err
	}
	if err != nil {
		return fmt.Errorf("copy into %s: %w", table, err)
	}
	return nil
}

// whileCopied reads until the copy has ended. The driver leaves a reader running where
// a connection breaks in the middle: it must not touch rows whose room another copy
// has by then.
type whileCopied struct {
	sync.Mutex
	of   io.Reader
	over bool
}

// Read belongs to io.Reader.
func (w *whileCopied) Read(p []byte) (int, error) {
	w.Lock()
	defer w.Unlock()
	if w.over {
		return 0, io.ErrClosedPipe
	}
	return w.of.Read(p)
}

// end waits for a read that is under way, and lets no other begin.
func (w *whileCopied) end() {
	w.Lock()
	defer w.Unlock()
	w.over = true
}

func copyStatement(table string, columns []string) string {
	var b strings.Builder
	b.WriteString("copy " + pgx.Identifier{table}.Sanitize() + " (")
	for i, column := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(pgx.Identifier{column}.Sanitize())
	}
	b.WriteString(") from stdin binary")
	return b.String()
}

// The binary form of COPY begins with a signature, no flags and no extension,
// and ends with a row of -1 fields.
const (
	copyHeader = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"
	copyEnd    = math.MaxUint16
)

// knownTypes are the types of columns that were written to before, by statement:
// a table never changes the type of a column.
var knownTypes sync.Map

func columnTypes(ctx context.Context, c *pgx.Conn, table string, columns []string) ([]uint32, error) {
	statement := copyStatement(table, columns)
	if known, ok := knownTypes.Load(statement); ok {
		return known.([]uint32), nil
	}
	rows, err := c.Query(ctx, `
		SELECT coalesce(a.atttypid, 0)
		FROM unnest($2::text[]) WITH ORDINALITY AS wanted (name, no)
		LEFT JOIN pg_attribute a ON a.attrelid = $1::regclass AND a.attname = wanted.name
		ORDER BY wanted.no`, table, columns)
	if err != nil {
		return nil, err
	}
	types, err := pgx.CollectRows(rows, pgx.RowTo[uint32])
	if err != nil {
		return nil, err
	}
	for i, oid := range types {
		if oid == 0 {
			return nil, fmt.Errorf("it has no column %s", columns[i])
		}
	}
	knownTypes.Store(statement, types)
	return types, nil
}

// rowRoom is the room of earlier copies for later ones.
var rowRoom = sync.Pool{New: func() any { return new(copying) }}

// copying is rows on their way, a block at a time.
type copying struct {
	Row
	n, i int
	row  func(i int, r *Row) error
	sent int  // bytes
	done bool // the end is written
	err  error
}

// Read belongs to io.Reader.
func (c *copying) Read(p []byte) (int, error) {
	if c.sent > 0 { // what is left is less than a row: it goes first, and the room does not grow
		c.bytes, c.sent = c.bytes[:copy(c.bytes, c.bytes[c.sent:])], 0
	}
	for ; c.i < c.n && len(c.bytes)-c.sent < len(p); c.i++ {
		c.bytes = binary.BigEndian.AppendUint16(c.bytes, uint16(len(c.columns)))
		c.at = 0
		if c.err = c.row(c.i, &c.Row); c.err == nil && c.at != len(c.columns) {
			c.err = fmt.Errorf("row %d has %d values for %d columns", c.i, c.at, len(c.columns))
		}
		if c.err != nil {
			return 0, c.err
		}
	}
	if c.i == c.n && !c.done {
		c.bytes, c.done = binary.BigEndian.AppendUint16(c.bytes, copyEnd), true
	}
	n := copy(p, c.bytes[c.sent:])
	c.sent += n
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Row is one row on its way into a table.
type Row struct {
	columns []string
	types   []uint32
	at      int // the column that comes next
	bytes   []byte
}

// Put writes the values of all columns, in their order. Nothing holds on to
// them: they are made where they are put together.
func (r *Row) Put(values ...any) error {
	for _, v := range values {
		if r.at == len(r.columns) {
			return fmt.Errorf("there are more values than the %d columns", len(r.columns))
		}
		if err := r.put(v); err != nil {
			return fmt.Errorf("column %s: %w", r.columns[r.at], err)
		}
		r.at++
	}
	return nil
}

// put writes one value after its length.
func (r *Row) put(value any) error {
	oid := r.types[r.at]
	switch v := value.(type) {
	case nil:
		r.bytes = binary.BigEndian.AppendUint32(r.bytes, math.MaxUint32) // null: a length of -1
	case string:
		if oid != pgtype.TextOID && oid != pgtype.JSONBOID {
			return errWrongType(value)
		}
		r.length(len(v), oid == pgtype.JSONBOID)
		r.bytes = append(r.bytes, v...)
	case []byte:
		if oid != pgtype.ByteaOID && oid != pgtype.JSONBOID {
			return errWrongType(value)
		}
		r.length(len(v), oid == pgtype.JSONBOID)
		r.bytes = append(r.bytes, v...)
	case int64:
		return r.integer(v, oid)
	case int32:
		return r.integer(int64(v), oid)
	case int:
		return r.integer(int64(v), oid)
	case bool:
		if oid != pgtype.BoolOID {
			return errWrongType(value)
		}
		r.length(1, false)
		r.bytes = append(r.bytes, flag(v))
	case time.Time:
		if oid != pgtype.TimestamptzOID {
			return errWrongType(value)
		}
		r.length(8, false)
		r.bytes = binary.BigEndian.AppendUint64(r.bytes, uint64(v.UnixMicro()-epoch.UnixMicro()))
	case market.Date:
		if oid != pgtype.DateOID {
			return errWrongType(value)
		}
		r.length(4, false)
		r.bytes = binary.BigEndian.AppendUint32(r.bytes, uint32(int32(v-epochDate)))
	case market.Decimal:
		if err := v.Fits(); err != nil {
			return err
		}
		return r.numeric(v, oid)
	case exactly:
		return r.numeric(v.Decimal, oid)
	case []string:
		if oid != pgtype.TextArrayOID {
			return errWrongType(value)
		}
		r.texts(v)
	default:
		return errWrongType(value)
	}
	return nil
}

// Postgres counts from here.
var (
	epoch     = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	epochDate = market.NewDate(2000, 1, 1)
)

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func errWrongType(v any) error {
	return fmt.Errorf("a %s does not belong there", reflect.TypeOf(v).String())
}

// length begins a value; a jsonb has the version of its form before its text.
func (r *Row) length(n int, json bool) {
	if json {
		n++
	}
	r.bytes = binary.BigEndian.AppendUint32(r.bytes, uint32(n))
	if json {
		r.bytes = append(r.bytes, 1)
	}
}

func (r *Row) integer(n int64, oid uint32) error {
	switch {
	case oid == pgtype.Int8OID:
		r.length(8, false)
		r.bytes = binary.BigEndian.AppendUint64(r.bytes, uint64(n))
	case oid == pgtype.Int4OID && n == int64(int32(n)):
		r.length(4, false)
		r.bytes = binary.BigEndian.AppendUint32(r.bytes, uint32(n))
	default:
		return fmt.Errorf("the number %d does not belong there", n)
	}
	return nil
}

func (r *Row) numeric(d market.Decimal, oid uint32) error {
	if oid != pgtype.NumericOID {
		return fmt.Errorf("the number %s does not belong there", d)
	}
	start := len(r.bytes)
	r.length(0, false)
	if n, ok := d.Int64(); ok {
		r.bytes, ok = appendNumeric(r.bytes, n, d.Exponent())
		if ok {
			r.close(start)
			return nil
		}
	}
	return r.longNumeric(d, start)
}

// longNumeric is the rare number that does not fit in 64 bits.
func (r *Row) longNumeric(d market.Decimal, start int) (err error) {
	plan := pgtype.NumericCodec{}.PlanEncode(nil, pgtype.NumericOID, pgtype.BinaryFormatCode, pgtype.Numeric{})
	if r.bytes, err = plan.Encode(pgtype.Numeric{Int: d.Coefficient(), Exp: d.Exponent(), Valid: true}, r.bytes); err != nil {
		return err
	}
	r.close(start)
	return nil
}

// close notes the length of what was written since start, where it is kept.
func (r *Row) close(start int) {
	binary.BigEndian.PutUint32(r.bytes[start:], uint32(len(r.bytes)-start-4))
}

// texts writes an array of one dimension: how many there are, none null, and
// their type, then how many again and the number of the first.
func (r *Row) texts(list []string) {
	start := len(r.bytes)
	r.length(0, false)
	dimensions := uint32(1)
	if len(list) == 0 {
		dimensions = 0
	}
	for _, word := range []uint32{dimensions, 0, pgtype.TextOID} {
		r.bytes = binary.BigEndian.AppendUint32(r.bytes, word)
	}
	if dimensions == 1 {
		r.bytes = binary.BigEndian.AppendUint32(r.bytes, uint32(len(list)))
		r.bytes = binary.BigEndian.AppendUint32(r.bytes, 1)
	}
	for _, text := range list {
		r.length(len(text), false)
		r.bytes = append(r.bytes, text...)
	}
	r.close(start)
}
