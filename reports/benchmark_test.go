package reports

import (
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"nightshift/rules/market"
)

const (
	benchmarkRows    = 1_000_000
	benchmarkColumns = 12
)

// wide is a row like finance's: four texts, a long number, four amounts, two
// instants, a count.
type wide struct {
	texts    [4]string
	serial   int64
	amounts  [4]market.Money
	instants [2]time.Time
	count    int64
}

func wideRow(i int) wide {
	at := time.Unix(1_775_000_000+int64(i%2_000_000)*37, 0)
	r := wide{serial: 100_000_000_000 + int64(i)*7919, count: int64(i % 365), instants: [2]time.Time{at, at.Add(240 * time.Hour)}}
	r.texts = [4]string{
		"A-2026-" + strconv.Itoa(1_000_000+i), "buyer-" + strconv.Itoa(i%50_000),
		"seller-" + strconv.Itoa(i%3_000), "hardware, ten days after the signature",
	}
	for k := range r.amounts {
		cents := market.DecimalOf(int64(i*(k+3)) % 9_999_999)
		r.amounts[k] = market.NewMoney(market.DecimalFrom(cents.Coefficient(), -2), "CNY")
	}
	return r
}

func wideRows(n int) iter.Seq2[wide, error] {
	return func(yield func(wide, error) bool) {
		for i := range n {
			if !yield(wideRow(i), nil) {
				return
			}
		}
	}
}

var wideTable = table[wide]{name: "Wide", title: label{"宽表", "Wide"}, tab: navy, columns: wideColumns()}

func wideColumns() []column[wide] {
	var columns []column[wide]
	for k := range 4 {
		columns = append(columns, texts("文字", fmt.Sprint("Text ", k), 20, func(r wide) string { return r.texts[k] }))
	}
	columns = append(columns, counts("序号", "Serial", 16, func(r wide) (int64, bool) { return r.serial, true }))
	for k := range 4 {
		columns = append(columns, amounts("金额", fmt.Sprint("Amount ", k), 18, func(r wide) market.Money { return r.amounts[k] }))
	}
	for k := range 2 {
		columns = append(columns, instants("时间", fmt.Sprint("At ", k), func(r wide) time.Time { return r.instants[k] }))
	}
	return append(columns, counts("天数", "Days", 8, func(r wide) (int64, bool) { return r.count, true }))
}

// writeWide writes n rows with all that a workbook of ours has.
func writeWide(w io.Writer, n int) error {
	b, err := newBook(cover{title: label{"宽表", "Wide"}, subject: "benchmark", zone: shanghai, currency: "CNY", dated: time.Unix(1_775_000_000, 0)})
	if err != nil {
		return err
	}
	defer b.close()
	if _, err := writeTable(b, wideTable, wideRows(n), nil); err != nil {
		return err
	}
	return b.writeTo(w)
}

// writeBare writes the same rows with the bare stream writer at its defaults:
// no styles, no totals, no filter, amounts as the floats that they never are.
func writeBare(w io.Writer, n int) error {
	f := excelize.NewFile()
	defer f.Close()
	out, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	cells := make([]any, benchmarkColumns)
	for i := range n {
		r := wideRow(i)
		for k, t := range r.texts {
			cells[k] = t
		}
		cells[4] = r.serial
		for k, m := range r.amounts {
			cells[5+k] = float64(m.Amount.Coefficient().Int64()) / 100
		}
		for k, at := range r.instants {
			cells[9+k] = at
		}
		cells[11] = r.count
		at, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			return err
		}
		if err := out.SetRow(at, cells); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return f.Write(w)
}

// The two benchmarks are to be run together for their rows/s:
//
//	go test ./reports -run '^$' -bench 'Workbook|BareStream' -benchtime 1x -count 3
//
// and the first one alone for the peak of the process's memory:
//
//	go test ./reports -run '^$' -bench Workbook -benchtime 1x
func BenchmarkWorkbook(b *testing.B) {
	benchmarkWriter(b, writeWide)
}

func BenchmarkBareStream(b *testing.B) {
	benchmarkWriter(b, writeBare)
}

func benchmarkWriter(b *testing.B, write func(io.Writer, int) error) {
	for b.Loop() {
		if err := write(io.Discard, benchmarkRows); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(benchmarkRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(0, "ns/op")
	if mb, ok := peakMemory(); ok {
		b.ReportMetric(mb, "peak-MB")
	}
}

// peakMemory is the most memory this process has held, where Linux tells.
func peakMemory() (mb float64, ok bool) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, false
	}
	_, rest, ok := strings.Cut(string(status), "VmHWM:")
	if !ok {
		return 0, false
	}
	kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	return kb / 1024, err == nil
}
