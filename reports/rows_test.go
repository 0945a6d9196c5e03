package reports

import (
	"hash/crc32"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestATextComesBackAsItWas(t *testing.T) {
	letters := rapid.SliceOf(rapid.OneOf(
		rapid.SampledFrom([]rune("_x0041_x005F_&<>\"' \t\n\r汉=")),
		rapid.Rune().Filter(func(r rune) bool { return r >= ' ' && r != 0xFFFE && r != 0xFFFF }),
	))
	rapid.Check(t, func(draw *rapid.T) {
		var rows []item
		for range 20 {
			rows = append(rows, item{name: string(letters.Draw(draw, "text"))})
		}
		f, _, _ := items(t, maxRows, list(rows...))
		for i, cells := range rowsOf(t, f, "Items")[1 : 1+len(rows)] {
			want := rows[i].name
			if want == "" {
				want = nothing
			}
			if cells[0] != want {
				draw.Errorf("%q became %q", want, cells[0])
			}
		}
	})
}

func TestWhatXMLCannotHoldIsReplaced(t *testing.T) {
	for text, want := range map[string]string{"a\x00b": "a�b", "\x1b[1m": "�[1m", "\xff": "�", "\uFFFE": "�", "�": "�"} {
		f, _, _ := items(t, maxRows, list(item{name: text}))
		if got := rowsOf(t, f, "Items")[1][0]; got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestRowsAreAsTheFileFormatHasThem(t *testing.T) {
	cells := []cell{{style: 1, value: "a"}, {style: 2, value: int64(-7)}, {style: 3}, {value: 0.1}, {style: 4, formula: `A1&" "`, value: "a "}, {style: 5, formula: "B2", value: int64(1)}}
	const want = `<row r="7" ht="34.5" customHeight="1"><c r="A7" s="1" t="inlineStr"><is><t>a</t></is></c><c r="B7" s="2"><v>-7</v></c><c r="C7" s="3"/>` +
		`<c r="D7" s="0"><v>0.1</v></c><c r="E7" s="4" t="str"><f>A1&amp;" "</f><v>a </v></c><c r="F7" s="5"><f>B2</f><v>1</v></c></row>`
	if got := string(appendRow(nil, 7, 34.5, cells)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(appendColumn(appendColumn(nil, 26), 701)); got != "AAZZ" {
		t.Errorf("columns %s", got)
	}
}

func TestTheSumOfPiecesIsTheSumOfTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SliceOf(rapid.Byte()).Draw(t, "a"), rapid.SliceOf(rapid.Byte()).Draw(t, "b")
		whole := append(append([]byte(nil), a...), b...)
		if got, want := joined(crc32.ChecksumIEEE(a), crc32.ChecksumIEEE(b), int64(len(b))), crc32.ChecksumIEEE(whole); got != want {
			t.Errorf("%x, want %x", got, want)
		}
	})
}

func TestALongSheetIsPackedInPieces(t *testing.T) {
	const rows = 5_000
	f, done, _ := items(t, maxRows, func(yield func(item, error) bool) {
		for range rows {
			if !yield(item{name: strings.Repeat("x", 40), amount: yuan("0.10")}, nil) {
				return
			}
		}
	})
	got := rowsOf(t, f, "Items")
	if len(got) != rows+2 || utf8.RuneCountInString(got[rows][0]) != 40 || got[rows+1][1] != "500" || done.rows != rows {
		t.Errorf("%d rows, %q", len(got), got[len(got)-1])
	}
}
