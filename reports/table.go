package reports

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"nightshift/rules/market"
)

// table says how a list of rows is shown, as a sheet and as CSV.
type table[R any] struct {
	name    string // of its tab, and of its CSV twin in lower case
	title   label
	tab     string
	columns []column[R]
	wide    int // sheets of paper side by side; 0 is one
}

// column is one column of a list.
type column[R any] struct {
	label
	width  float64
	figure bool // it has figures, on the right
	money  bool // it has a total
	of     func(R) any
}

func texts[R any](chinese, english string, width float64, of func(R) string) column[R] {
	return column[R]{label: label{chinese, english}, width: width, of: func(r R) any { return of(r) }}
}

// counts answers nil for an empty cell.
func counts[R any](chinese, english string, width float64, of func(R) (int64, bool)) column[R] {
	return column[R]{label: label{chinese, english}, width: width, figure: true, of: func(r R) any {
		if n, ok := of(r); ok {
			return n
		}
		return nil
	}}
}

func amounts[R any](chinese, english string, width float64, of func(R) market.Money) column[R] {
	return column[R]{label: label{chinese, english}, width: width, figure: true, money: true, of: func(r R) any { return of(r) }}
}

// rates answers nil for an empty cell.
func rates[R any](chinese, english string, width float64, of func(R) (market.Decimal, bool)) column[R] {
	return column[R]{label: label{chinese, english}, width: width, figure: true, of: func(r R) any {
		if d, ok := of(r); ok {
			return rate(d)
		}
		return nil
	}}
}

func instants[R any](chinese, english string, of func(R) time.Time) column[R] {
	return column[R]{label: label{chinese, english}, width: 19.5, of: func(r R) any { return of(r) }}
}

// listed is a list after it was written: where it stands and what it holds.
type listed struct {
	parts []stretch
	rows  int64
	sums  []sum // by column
}

// stretch is the rows of a list in one sheet.
type stretch struct {
	sheet       string
	first, last int
}

// sum is the exact total of a column of money.
type sum struct {
	amount market.Money
	places int32 // decimals of the amounts and of the currency
	inText bool  // some amount, or the sum, is more than a cell's number holds
}

// add counts m in. Amounts of two currencies are an error.
func (s *sum) add(m market.Money) error {
	digits := m.Amount.String()
	return s.join(sum{m, max(m.Currency.Places(), decimals(digits)), significant(digits) > exactDigits})
}

// join counts another sum in.
func (s *sum) join(o sum) error {
	if o.amount.Currency == "" && o.amount.IsZero() {
		return nil
	}
	if s.amount.Currency == "" {
		s.amount.Currency = o.amount.Currency
	}
	total, err := s.amount.Add(o.amount)
	if err != nil {
		return err
	}
	s.amount, s.places, s.inText = total, max(s.places, o.places), s.inText || o.inText
	return nil
}

// writeTable writes the list into as many sheets as it needs. See, where
// given, is shown each row.
func writeTable[R any](b *book, t table[R], rows iter.Seq2[R, error], see func(R)) (listed, error) {
	w := tableWriter[R]{book: b, table: t, list: listed{sums: make([]sum, len(t.columns))}}
	if err := w.begin(); err != nil {
		return w.list, err
	}
	for row, err := range sequence(rows) {
		if err != nil {
			return w.list, fmt.Errorf("read the rows of %s: %w", t.name, err)
		}
		if see != nil {
			see(row)
		}
		if err := w.add(row); err != nil {
			return w.list, fmt.Errorf("write row %d of %s: %w", w.list.rows+1, t.name, err)
		}
	}
	return w.list, w.end()
}

// sequence is rows, or no rows where there is no sequence.
func sequence[R any](rows iter.Seq2[R, error]) iter.Seq2[R, error] {
	if rows == nil {
		return func(func(R, error) bool) {}
	}
	return rows
}

// tableWriter writes a list sheet by sheet.
type tableWriter[R any] struct {
	book  *book
	table table[R]
	sheet *sheet
	list  listed
	here  []sum // of this sheet, by column
	cells []cell
}

// begin opens the next sheet: "Accepted", "Accepted (2)" …
func (w *tableWriter[R]) begin() error {
	name := w.table.name
	if n := len(w.list.parts); n > 0 {
		name += " (" + strconv.Itoa(n+1) + ")"
	}
	if err := w.book.addTab(name); err != nil {
		return fmt.Errorf("add sheet %s: %w", name, err)
	}
	p := page{name: name, title: w.table.title, tab: w.table.tab, frozen: true, gridless: true, wide: w.table.wide}
	for _, c := range w.table.columns {
		p.widths = append(p.widths, c.width)
	}
	var err error
	if w.sheet, err = w.book.open(p); err != nil {
		return err
	}
	w.here = make([]sum, len(w.table.columns))
	w.list.parts = append(w.list.parts, stretch{sheet: name, first: 2, last: 2})
	w.cells = w.cells[:0]
	for _, c := range w.table.columns {
		l := heading
		if c.figure {
			l = headingRight
		}
		made, err := w.book.cell(c.stacked(), l)
		if err != nil {
			return err
		}
		w.cells = append(w.cells, made)
	}
	return w.sheet.put(headingHeight, w.cells...)
}

// headingHeight, in points, is two lines.
const headingHeight = 34

func (w *tableWriter[R]) add(row R) error {
	if w.sheet.row > w.book.limit {
		if err := w.end(); err != nil {
			return err
		}
		if err := w.begin(); err != nil {
			return err
		}
	}
	w.cells = w.cells[:0]
	for i, c := range w.table.columns {
		v := c.of(row)
		if c.money {
			if err := w.here[i].add(value(v).(market.Money)); err != nil {
				return err
			}
		}
		// The first column is what rows are counted by: it is never empty.
		if i == 0 && v == "" {
			v = nothing
		}
		l := words
		if c.figure {
			l = plain
		}
		made, err := w.book.cell(v, l)
		if err != nil {
			return err
		}
		w.cells = append(w.cells, made)
	}
	w.list.rows++
	w.list.parts[len(w.list.parts)-1].last = w.sheet.row + 1
	return w.sheet.put(0, w.cells...)
}

// nothing stands where a text is missing that should be there.
const nothing = "—"

// end writes the totals of the sheet, sets its filter and closes it.
func (w *tableWriter[R]) end() error {
	here := w.list.parts[len(w.list.parts)-1]
	for i := range w.here {
		if err := w.list.sums[i].join(w.here[i]); err != nil {
			return err
		}
	}
	hasMoney := slices.ContainsFunc(w.table.columns, func(c column[R]) bool { return c.money })
	if hasMoney && w.sheet.row > 1 {
		if err := w.totals(here); err != nil {
			return err
		}
	}
	corner, err := excelize.CoordinatesToCellName(len(w.table.columns), here.last)
	if err != nil {
		return err
	}
	if err := w.book.file.AutoFilter(here.sheet, "A1:"+corner, nil); err != nil {
		return fmt.Errorf("set the filter of sheet %s: %w", here.sheet, err)
	}
	return w.sheet.close()
}

// totals adds up what the filter leaves to be seen.
func (w *tableWriter[R]) totals(here stretch) error {
	w.cells = w.cells[:0]
	for i, c := range w.table.columns {
		var v any
		switch {
		case c.money:
			v = w.here[i].formula("SUBTOTAL(109,%s)", column26(i)+strconv.Itoa(here.first)+":"+column26(i)+strconv.Itoa(here.last))
		case i == 0:
			v = label{"合计", "Total"}.String()
		}
		l := totalWords
		if c.figure {
			l = total
		}
		made, err := w.book.cell(v, l)
		if err != nil {
			return err
		}
		w.cells = append(w.cells, made)
	}
	return w.sheet.put(20, w.cells...)
}

// column26 is the letter of a column, counted from zero.
func column26(i int) string {
	name, err := excelize.ColumnNumberToName(i + 1)
	if err != nil {
		panic(fmt.Sprintf("column %d: %v", i+1, err))
	}
	return name
}

// formula is the sum as a cell value: live where the spreadsheet can compute
// it exactly, rounded to the amounts' own decimals because it adds in binary;
// the exact figure alone where it cannot.
func (s sum) formula(expression string, over ...any) any {
	if s.inText || !exactly(s.amount) {
		return s.amount
	}
	if s.amount.Currency == "" {
		return nil
	}
	return formula{"ROUND(" + fmt.Sprintf(expression, over...) + "," + strconv.Itoa(int(s.places)) + ")", s.amount}
}

// each joins a formula over every stretch of a column with plus signs.
func (l listed) each(function string, column int) string {
	out := ""
	for i, p := range l.parts {
		if i > 0 {
			out += "+"
		}
		out += function + "(" + p.ref(column) + ")"
	}
	return out
}

// ref is the cells of a column, counted from zero, in the stretch.
func (p stretch) ref(column int) string {
	c := column26(column)
	return fmt.Sprintf("%s!$%s$%d:$%s$%d", quoted(p.sheet), c, p.first, c, p.last)
}

// amount is the total of a column of money over all sheets, live; c is the
// currency of a total over nothing.
func (l listed) amount(column int, c market.Currency) any {
	s := l.sums[column]
	if s.amount.Currency == "" {
		s.amount.Currency, s.places = c, c.Places()
	}
	return s.formula("%s", l.each("SUM", column))
}

// count is how many rows the list has, live.
func (l listed) count() formula { return formula{l.each("COUNTA", 0), l.rows} }
