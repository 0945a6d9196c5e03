package storage_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// copied is what a table of every type holds after a copy of some rows.
func copied(t *testing.T, rows ...func(r *storage.Row) error) (texts []string, err error) {
	s := storagetest.New(t)
	err = s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `CREATE TEMPORARY TABLE every (b bool, i4 int, i8 bigint, n numeric, t text, y bytea, j jsonb, a text[], d date, z timestamptz)`); err != nil {
			return err
		}
		err := tx.CopyRows(ctx, "every", []string{"b", "i4", "i8", "n", "t", "y", "j", "a", "d", "z"}, len(rows), func(i int, r *storage.Row) error { return rows[i](r) })
		if err != nil {
			return err
		}
		return tx.NewRaw(`SELECT every::text FROM every`).Scan(ctx, &texts)
	})
	return texts, err
}

func TestACopyKeepsValuesOfEveryTypeAsTheyAre(t *testing.T) {
	long := strings.Repeat("9", 26) + "." + strings.Repeat("9", 12)
	row := func(values ...any) func(*storage.Row) error {
		return func(r *storage.Row) error { return r.Put(values...) }
	}
	now := time.Date(2024, 2, 29, 23, 59, 59, 123456000, time.FixedZone("", 8*3600))
	tests := []struct {
		name string
		row  func(*storage.Row) error
		want string
	}{
		{"nothing at all", row(nil, nil, nil, nil, nil, nil, nil, nil, nil, nil), `(,,,,,,,,,)`},
		{"what is usual", row(true, 7, int64(8), decimal(t, "-0.05"), "ann", []byte{1, 255}, []byte(`{"a": 1}`), []string{"buyer", "seller"}, market.NewDate(2024, 2, 29), now),
			`(t,7,8,-0.05,ann,"\\x01ff","{""a"": 1}","{buyer,seller}",2024-02-29,"2024-02-29 15:59:59.123456+00")`},
		{"what is empty", row(false, 0, int64(0), market.Decimal{}, "", []byte{}, `[]`, []string{}, market.NewDate(2000, 1, 1), time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)),
			`(f,0,0,0,"","\\x",[],{},2000-01-01,"2000-01-01 00:00:00+00")`},
		{"what is far away", row(nil, -2147483648, int64(-9223372036854775808), decimal(t, "-"+long), "云商店, \"\\", nil, `"\u0041"`, []string{"", "a,b"}, market.NewDate(1969, 12, 31), time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC)),
			`(,-2147483648,-9223372036854775808,-` + long + `,"云商店, ""\\","","""A""","{"""",""a,b""}",1969-12-31,"1969-12-31 23:59:59.999999+00")`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := copied(t, tt.row)
			want := strings.ReplaceAll(tt.want, `,"","""A"""`, `,,"""A"""`)
			if err != nil || len(got) != 1 || got[0] != want {
				t.Errorf("got %q, %v\nwant %q", got, err, want)
			}
		})
	}
}

func TestACopyOfManyRowsKeepsThemAll(t *testing.T) {
	const n = 20_000 // several blocks
	rows := make([]func(*storage.Row) error, n)
	for i := range rows {
		rows[i] = func(r *storage.Row) error {
			return r.Put(nil, i, nil, nil, strings.Repeat("x", i%50), nil, nil, nil, nil, nil)
		}
	}
	got, err := copied(t, rows...)
	if err != nil || len(got) != n {
		t.Errorf("kept %d of %d rows: %v", len(got), n, err)
	}
}

func TestACopyRefusesWhatDoesNotBelongInAColumn(t *testing.T) {
	wrong := func(at int, value any) func(*storage.Row) error {
		values := make([]any, 10)
		values[at] = value
		return func(r *storage.Row) error { return r.Put(values...) }
	}
	tests := []struct {
		name string
		row  func(*storage.Row) error
		want string
	}{
		{"a text among dates", wrong(8, "2024-02-29"), "copy into every: column d: a string does not belong there"},
		{"an instant among texts", wrong(4, time.Time{}), "copy into every: column t: a time.Time does not belong there"},
		{"a number too large", wrong(1, 1<<31), "copy into every: column i4: the number 2147483648 does not belong there"},
		{"a type that nobody writes", wrong(4, 1.5), "copy into every: column t: a float64 does not belong there"},
		{"a number that the books cannot hold", wrong(3, decimal(t, "1").Mul(decimal(t, "0.000000000001")).Mul(decimal(t, "0.1"))), "number out of range"},
		{"too few values", func(r *storage.Row) error { return r.Put(true) }, "copy into every: row 0 has 1 values for 10 columns"},
		{"too many values", func(r *storage.Row) error { return r.Put(make([]any, 11)...) }, "copy into every: there are more values than the 10 columns"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := copied(t, tt.row); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("kept %q, and answered %v, want %q", got, err, tt.want)
			}
		})
	}
}
