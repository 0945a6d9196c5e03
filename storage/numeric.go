package storage

import (
	"database/sql/driver"
	"fmt"
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
	if _, ok := value.(market.Decimal); !ok {
		return c.NumericCodec.PlanEncode(m, oid, format, value)
	}
	return encodeDecimal{c.NumericCodec.PlanEncode(m, oid, format, pgtype.Numeric{})}
}

// PlanScan belongs to pgtype.Codec.
func (c numericCodec) PlanScan(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	if _, ok := target.(*market.Decimal); !ok {
		return c.NumericCodec.PlanScan(m, oid, format, target)
	}
	return scanDecimal{c.NumericCodec.PlanScan(m, oid, format, &pgtype.Numeric{})}
}

type encodeDecimal struct{ next pgtype.EncodePlan }

// Encode refuses what numeric(38,12) would round without a word.
func (p encodeDecimal) Encode(value any, buf []byte) ([]byte, error) {
	d := value.(market.Decimal)
	if err := d.Fits(); err != nil {
		return nil, err
	}
	return p.next.Encode(pgtype.Numeric{Int: d.Coefficient(), Exp: d.Exponent(), Valid: true}, buf)
}

type scanDecimal struct{ next pgtype.ScanPlan }

func (p scanDecimal) Scan(src []byte, target any) error {
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
