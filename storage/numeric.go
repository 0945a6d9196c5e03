package storage

import (
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// registerTypes teaches a connection our words: market.Decimal travels as
// binary numeric, market.Date as binary date, also in arrays and in COPY, and
// instants come back in UTC wherever the process runs.
func registerTypes(m *pgtype.Map) {
	utc := &pgtype.Type{Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC}}
	numeric := &pgtype.Type{Name: "numeric", OID: pgtype.NumericOID, Codec: numericCodec{}}
	date := &pgtype.Type{Name: "date", OID: pgtype.DateOID, Codec: dateCodec{}}
	for element, array := range map[*pgtype.Type]uint32{utc: pgtype.TimestamptzArrayOID, numeric: pgtype.NumericArrayOID, date: pgtype.DateArrayOID} {
		m.RegisterType(element)
		m.RegisterType(&pgtype.Type{Name: "_" + element.Name, OID: array, Codec: &pgtype.ArrayCodec{ElementType: element}})
	}
}

// numericCodec is pgx's own, which also knows market.Decimal.
type numericCodec struct{ pgtype.NumericCodec }

// PlanEncode belongs to pgtype.Codec.
func (c numericCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	switch value.(type) {
	case market.Decimal:
	case exactly:
		return encodeExactly{c.NumericCodec.PlanEncode(m, oid, format, pgtype.Numeric{}), format == pgtype.BinaryFormatCode}
	default:
		return c.NumericCodec.PlanEncode(m, oid, format, value)
	}
	return encodeDecimal{c.NumericCodec.PlanEncode(m, oid, format, pgtype.Numeric{}), format == pgtype.BinaryFormatCode}
}

// PlanScan belongs to pgtype.Codec.
func (c numericCodec) PlanScan(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	if _, ok := target.(*market.Decimal); !ok {
		return c.NumericCodec.PlanScan(m, oid, format, target)
	}
	return scanDecimal{c.NumericCodec.PlanScan(m, oid, format, &pgtype.Numeric{}), format == pgtype.BinaryFormatCode}
}

type encodeDecimal struct {
	next   pgtype.EncodePlan
	binary bool
}

// Encode refuses what numeric(38,12) would round without a word.
func (p encodeDecimal) Encode(value any, buf []byte) ([]byte, error) {
	d := value.(market.Decimal)
	if err := d.Fits(); err != nil {
		return nil, err
	}
	return encodeNumeric(d, buf, p.binary, p.next)
}

// encodeNumeric leaves to pgx what does not fit in 64 bits.
func encodeNumeric(d market.Decimal, buf []byte, binary bool, next pgtype.EncodePlan) ([]byte, error) {
	if n, ok := d.Int64(); ok && binary {
		if longer, ok := appendNumeric(buf, n, d.Exponent()); ok {
			return longer, nil
		}
	}
	return next.Encode(pgtype.Numeric{Int: d.Coefficient(), Exp: d.Exponent(), Valid: true}, buf)
}

// exactly is a number for a column without a scale: an amount that has not been
// rounded yet may have more decimals than one that can be charged.
type exactly struct{ market.Decimal }

type encodeExactly struct {
	next   pgtype.EncodePlan
	binary bool
}

// Encode belongs to pgtype.EncodePlan.
func (p encodeExactly) Encode(value any, buf []byte) ([]byte, error) {
	return encodeNumeric(value.(exactly).Decimal, buf, p.binary, p.next)
}

// appendNumeric writes n × 10^exp as Postgres sends a numeric: how many groups
// of four digits, the weight of the first, the sign, the decimals shown, the
// groups. It leaves to pgx what does not fit in 64 bits or has no decimals to
// align; for the amounts of daily life it is several times faster.
func appendNumeric(buf []byte, n int64, exp int32) ([]byte, bool) {
	const group, negative = 10_000, 0x4000
	if exp > 0 || exp < -market.MaxFractionDigits || n == math.MinInt64 {
		return buf, false
	}
	var sign uint16
	if n < 0 {
		n, sign = -n, negative
	}
	// Decimals fill whole groups from the point on.
	for align := (4 + exp%4) % 4; align > 0; align-- {
		if n > math.MaxInt64/10 {
			return buf, false
		}
		n *= 10
	}
	var groups [5]uint16 // the last first: 64 bits are 19 digits
	count := 0
	for ; n > 0; n /= group {
		groups[count] = uint16(n % group)
		count++
	}
	decimals := (int(-exp) + 3) / 4
	for _, field := range []uint16{uint16(count), uint16(int16(count - 1 - decimals)), sign, uint16(-exp)} {
		buf = binary.BigEndian.AppendUint16(buf, field)
	}
	for i := count - 1; i >= 0; i-- {
		buf = binary.BigEndian.AppendUint16(buf, groups[i])
	}
	return buf, true
}

// readNumeric reads what appendNumeric writes, and leaves to pgx what has more
// than four groups of digits. It answers the same number of decimals as pgx.
func readNumeric(src []byte) (n int64, exp int32, ok bool) {
	const group, negative, groups, decimals = 10_000, 0x4000, 4, 16
	if len(src) < 8 {
		return 0, 0, false
	}
	count, weight := int(binary.BigEndian.Uint16(src)), int32(int16(binary.BigEndian.Uint16(src[2:])))
	sign, shown := binary.BigEndian.Uint16(src[4:]), int32(binary.BigEndian.Uint16(src[6:]))
	if count == 0 || count > groups || len(src) != 8+2*count || sign != 0 && sign != negative || shown > decimals {
		return 0, 0, false
	}
	for i := range count {
		n = n*group + int64(binary.BigEndian.Uint16(src[8+2*i:]))
	}
	exp = (weight - int32(count) + 1) * 4
	for ; shown > 0 && -exp < shown; exp-- {
		if n > math.MaxInt64/10 {
			return 0, 0, false
		}
		n *= 10
	}
	for ; shown > 0 && -exp > shown; exp++ {
		n /= 10
	}
	for exp >= 0 && n != 0 && n%10 == 0 {
		n, exp = n/10, exp+1
	}
	if sign == negative {
		n = -n
	}
	return n, exp, true
}

type scanDecimal struct {
	next   pgtype.ScanPlan
	binary bool
}

func (p scanDecimal) Scan(src []byte, target any) error {
	if short, exp, ok := readNumeric(src); ok && p.binary {
		*target.(*market.Decimal) = market.ShortDecimal(short, exp)
		return nil
	}
	var n pgtype.Numeric
	if err := p.next.Scan(src, &n); err != nil {
		return err
	}
	if !n.Valid || n.NaN || n.InfinityModifier != pgtype.Finite {
		return fmt.Errorf("read a number: it is null, NaN or infinite")
	}
	*target.(*market.Decimal) = market.DecimalFrom(n.Int, n.Exp)
	return nil
}

// dateCodec is pgx's own, which also knows market.Date.
type dateCodec struct{ pgtype.DateCodec }

// PlanEncode belongs to pgtype.Codec.
func (c dateCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(market.Date); !ok {
		return c.DateCodec.PlanEncode(m, oid, format, value)
	}
	return encodeDate{c.DateCodec.PlanEncode(m, oid, format, pgtype.Date{})}
}

// PlanScan belongs to pgtype.Codec.
func (c dateCodec) PlanScan(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	if _, ok := target.(*market.Date); !ok {
		return c.DateCodec.PlanScan(m, oid, format, target)
	}
	return scanDate{c.DateCodec.PlanScan(m, oid, format, &pgtype.Date{})}
}

type encodeDate struct{ next pgtype.EncodePlan }

func (p encodeDate) Encode(value any, buf []byte) ([]byte, error) {
	return p.next.Encode(pgtype.Date{Time: midnight(value.(market.Date)), Valid: true}, buf)
}

type scanDate struct{ next pgtype.ScanPlan }

func (p scanDate) Scan(src []byte, target any) error {
	var d pgtype.Date
	if err := p.next.Scan(src, &d); err != nil {
		return err
	}
	if !d.Valid || d.InfinityModifier != pgtype.Finite {
		return fmt.Errorf("read a date: it is null or infinite")
	}
	*target.(*market.Date) = market.DateOf(d.Time, time.UTC)
	return nil
}

func midnight(d market.Date) time.Time { return d.At(market.TimeOfDay{}, time.UTC) }

// Numeric is a market.Decimal in bun's models and query arguments, which bun
// writes and reads as text. A column that may be null is a *Numeric.
type Numeric struct{ market.Decimal }

// Value belongs to driver.Valuer.
func (n Numeric) Value() (driver.Value, error) {
	if err := n.Fits(); err != nil {
		return nil, err
	}
	return n.String(), nil
}

// Scan belongs to sql.Scanner.
func (n *Numeric) Scan(src any) error {
	switch v := src.(type) {
	case string:
		return n.UnmarshalText([]byte(v))
	case []byte:
		return n.UnmarshalText(v)
	}
	return fmt.Errorf("read a number: it came as %T", src)
}

// Day is a market.Date in bun's models and query arguments. A column that may
// be null is a *Day.
type Day struct{ market.Date }

// Value belongs to driver.Valuer.
func (d Day) Value() (driver.Value, error) { return d.String(), nil }

// Scan belongs to sql.Scanner.
func (d *Day) Scan(src any) error {
	switch v := src.(type) {
	case time.Time:
		d.Date = market.DateOf(v, time.UTC)
		return nil
	case string:
		return d.UnmarshalText([]byte(v))
	case []byte:
		return d.UnmarshalText(v)
	}
	return fmt.Errorf("read a date: it came as %T", src)
}
