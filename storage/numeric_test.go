package storage

import (
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
	"pgregory.net/rapid"
)

// What is read in short is the number that pgx reads, with as many decimals.
func TestAShortNumberIsReadAsPgxReadsIt(t *testing.T) {
	write := pgtype.NumericCodec{}.PlanEncode(nil, pgtype.NumericOID, pgtype.BinaryFormatCode, pgtype.Numeric{})
	read := pgtype.NumericCodec{}.PlanScan(nil, pgtype.NumericOID, pgtype.BinaryFormatCode, &pgtype.Numeric{})
	short := 0
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,3}|[1-9][0-9]{0,18}|[1-9]0{0,9})(\.[0-9]{1,14})?`).Draw(r, "number")
		var n, want pgtype.Numeric
		if err := n.Scan(text); err != nil {
			r.Fatal(err)
		}
		sent, err := write.Encode(n, nil)
		if err != nil {
			r.Fatal(err)
		}
		if err := read.Scan(sent, &want); err != nil {
			r.Fatal(err)
		}
		got, exp, ok := readNumeric(sent)
		if !ok {
			return
		}
		short++
		if !want.Int.IsInt64() || want.Int.Int64() != got || want.Exp != exp {
			r.Errorf("%s was read as %d × 10^%d, pgx reads %s × 10^%d", text, got, exp, want.Int, want.Exp)
		}
	})
	if short == 0 {
		t.Error("no number was short")
	}
	if _, _, ok := readNumeric([]byte{0, 0, 0, 0, 0xC0, 0, 0, 0}); ok {
		t.Error("NaN is no number")
	}
}
