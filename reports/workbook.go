// Package reports writes what finance and operations read: one workbook a run,
// and the same lists as CSV.
//
// Owns: how a workbook looks, is printed, adds up and is packed; what each
// report shows and how its control sheet ties it to the database.
// Does not own: the figures. Callers hand them over as plain rows, streamed.
// Always: the same report gives the same bytes; a list is never held in
// memory; a total is a live formula beside the exact figure it must give;
// an amount is written exactly or, where a spreadsheet cannot hold it, as text;
// text that looks like a formula stays text.
package reports

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"nightshift/rules/market"
)

// maxRows is how many rows of a list go into one sheet. Spreadsheets end at
// 1,048,576; a round number leaves room for headings and totals.
const maxRows = 1_000_000

// label is a heading in the two languages of every report.
type label struct{ chinese, english string }

func (l label) String() string { return l.chinese + " " + l.english }

// stacked is l as a column heading has it, one language above the other.
func (l label) stacked() string { return l.chinese + "\n" + l.english }

// cover is what a workbook says of itself in its properties and on paper.
type cover struct {
	title    label
	subject  string // site and date or period
	zone     *time.Location
	currency market.Currency // of totals over nothing
	dated    time.Time       // the as-of: when the document counts as made
}

// book is a workbook while it is written.
type book struct {
	cover
	file   *excelize.File
	packed *archive
	styles map[styleKey]int
	limit  int   // rows of a list in one sheet
	asText int64 // amounts that were written as text
	cut    int64 // texts that were cut
	first  bool  // the file's own first sheet has been given away
}

func newBook(c cover) (*book, error) {
	if c.zone == nil {
		c.zone = time.UTC
	}
	b := &book{cover: c, file: excelize.NewFile(), packed: newArchive(), styles: map[styleKey]int{}, limit: maxRows}
	dated := c.dated.UTC().Format(time.RFC3339)
	err := errors.Join(
		b.file.SetDefaultFont(fontName),
		b.file.SetDocProps(&excelize.DocProperties{
			Creator: "Nightshift", LastModifiedBy: "Nightshift", Created: dated, Modified: dated,
			Title: c.title.String(), Subject: c.subject, Language: "zh-CN",
		}),
		b.file.SetAppProps(&excelize.AppProperties{Application: "Nightshift"}),
	)
	if err != nil {
		b.close()
		return nil, fmt.Errorf("begin workbook %s: %w", c.subject, err)
	}
	return b, nil
}

// publish writes a whole workbook: its cover, and what write puts into it, ending
// with the control sheet. Where that does not tie the workbook is written all the
// same, red, and the error is ErrDoesNotTie.
func publish(w io.Writer, what string, c cover, write func(*book) (*control, error)) error {
	b, err := newBook(c)
	if err != nil {
		return err
	}
	defer b.close()
	tied, err := write(b)
	if err != nil {
		return err
	}
	if err := b.writeTo(w); err != nil {
		return err
	}
	if err := tied.err(); err != nil {
		return fmt.Errorf("%s of %s: %w", what, b.subject, err)
	}
	return nil
}

// writeTo packs the workbook. Nothing can be added after it.
func (b *book) writeTo(w io.Writer) error {
	// A chart makes the library list kinds of pictures in no fixed order.
	kinds := b.file.ContentTypes.Defaults
	sort.Slice(kinds, func(i, j int) bool { return kinds[i].Extension < kinds[j].Extension })
	// The library would hold the packed file in memory; what it hands to its
	// own writer stays empty, ours has gone to w.
	b.packed.to = w
	b.file.SetZipWriter(func(io.Writer) excelize.ZipWriter { return b.packed })
	if err := b.file.Write(io.Discard); err != nil {
		return fmt.Errorf("pack workbook %s: %w", b.subject, err)
	}
	return nil
}

// close removes what the workbook kept on disk while it was written.
func (b *book) close() {
	_ = b.file.Close()
	b.packed.discard()
}

// addTab makes room for a sheet, behind those there are.
func (b *book) addTab(name string) error {
	if !b.first {
		b.first = true
		return b.file.SetSheetName("Sheet1", name)
	}
	_, err := b.file.NewSheet(name)
	return err
}

// page says how a sheet looks on screen and on paper.
type page struct {
	name     string // of its tab
	title    label
	tab      string // its colour
	widths   []float64
	gridless bool
	portrait bool
	single   bool // all of it fits on one page of paper
	frozen   bool // the first row and the first column stay in sight and are printed on each page
	wide     int  // sheets of paper side by side; 0 is one
}

// sheet is one sheet while its rows are streamed. One at a time is open: what
// the library knows of it is its frame, its rows are packed as they come.
type sheet struct {
	book  *book
	page  page
	frame *excelize.StreamWriter
	path  string // of its part in the file
	row   int    // the last one written
	rows  []byte // those that were not packed yet
}

// rowsAtOnce is how many bytes of rows are packed together.
const rowsAtOnce = 64 << 10

// open starts a sheet whose tab there is.
func (b *book) open(p page) (*sheet, error) {
	if err := b.layOut(p); err != nil {
		return nil, fmt.Errorf("lay out sheet %s: %w", p.name, err)
	}
	frame, err := b.file.NewStreamWriter(p.name)
	if err != nil {
		return nil, fmt.Errorf("open sheet %s: %w", p.name, err)
	}
	for i, width := range p.widths {
		err = errors.Join(err, frame.SetColWidth(i+1, i+1, width))
	}
	if p.frozen {
		err = errors.Join(err, frame.SetPanes(&excelize.Panes{
			Freeze: true, XSplit: 1, YSplit: 1, TopLeftCell: "B2", ActivePane: "bottomRight",
			Selection: []excelize.Selection{{SQRef: "B2", ActiveCell: "B2", Pane: "bottomRight"}},
		}))
	}
	if err != nil {
		return nil, fmt.Errorf("open sheet %s: %w", p.name, err)
	}
	b.packed.begin()
	return &sheet{book: b, page: p, frame: frame, path: b.path(p.name)}, nil
}

// path is where the part of a sheet lies in the file.
func (b *book) path(name string) string {
	for id, tab := range b.file.GetSheetMap() {
		if tab == name {
			return "xl/worksheets/sheet" + strconv.Itoa(id) + ".xml"
		}
	}
	panic("there is no sheet " + name)
}

// layOut sets what the library wants to know before the first row.
func (b *book) layOut(p page) error {
	orientation, fit, tall, a4, lines := "landscape", true, 0, 9, !p.gridless
	if p.portrait {
		orientation = "portrait"
	}
	if p.single {
		tall = 1
	}
	wide, zoom := max(1, p.wide), 100.0
	heading := func(s string) string { return strings.ReplaceAll(s, "&", "&&") }
	err := errors.Join(
		b.file.SetSheetProps(p.name, &excelize.SheetPropsOptions{FitToPage: &fit, TabColorRGB: &p.tab}),
		b.file.SetSheetView(p.name, 0, &excelize.ViewOptions{ShowGridLines: &lines, ZoomScale: &zoom}),
		b.file.SetPageLayout(p.name, &excelize.PageLayoutOptions{
			Size: &a4, Orientation: &orientation, FitToWidth: &wide, FitToHeight: &tall,
		}),
		b.file.SetPageMargins(p.name, &excelize.PageLayoutMarginsOptions{
			Left: inches(0.4), Right: inches(0.4), Top: inches(0.75), Bottom: inches(0.6), Header: inches(0.3), Footer: inches(0.3),
		}),
		b.file.SetHeaderFooter(p.name, &excelize.HeaderFooterOptions{
			OddHeader: "&L&B" + heading(p.title.String()) + "&R" + heading(b.subject),
			OddFooter: "&LNightshift&C第 &P 页，共 &N 页   Page &P of &N&R" + heading(b.dated.In(b.zone).Format(time.DateTime)+" "+b.zone.String()),
		}),
	)
	if err == nil && p.frozen {
		titles := quoted(p.name) + "!$1:$1"
		if wide > 1 {
			titles = quoted(p.name) + "!$A:$A," + titles
		}
		err = b.file.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: titles, Scope: p.name})
	}
	return err
}

func inches(n float64) *float64 { return &n }

// put writes a row. Its height is in points; zero leaves it to the spreadsheet.
func (s *sheet) put(height float64, cells ...cell) error {
	s.row++
	if s.rows = appendRow(s.rows, s.row, height, cells); len(s.rows) < rowsAtOnce {
		return nil
	}
	return s.pack()
}

func (s *sheet) pack() error {
	if _, err := s.book.packed.Write(s.rows); err != nil {
		return fmt.Errorf("write sheet %s, row %d: %w", s.page.name, s.row, err)
	}
	s.rows = s.rows[:0]
	return nil
}

// styled is a value and the part it plays.
type styled struct {
	value any
	look  look
}

// line writes a row of a page that is laid out by hand.
func (s *sheet) line(height float64, values ...styled) error {
	cells := make([]cell, len(values))
	for i, v := range values {
		var err error
		if cells[i], err = s.book.cell(v.value, v.look); err != nil {
			return err
		}
	}
	return s.put(height, cells...)
}

// across is a row in which one value, from the given column on, takes all the
// page's width.
func (s *sheet) across(height float64, l look, before []styled, value any) error {
	values := append(before[:len(before):len(before)], styled{value, l})
	from, to := column26(len(before)), column26(len(s.page.widths)-1)
	for len(values) < len(s.page.widths) {
		values = append(values, styled{nil, l})
	}
	if err := s.line(height, values...); err != nil {
		return err
	}
	row := strconv.Itoa(s.row)
	return s.frame.MergeCell(from+row, to+row)
}

// skip leaves n rows empty.
func (s *sheet) skip(n int) { s.row += n }

// close ends the sheet.
func (s *sheet) close() error {
	if err := errors.Join(s.pack(), s.book.packed.endRows(s.path), s.frame.Flush()); err != nil {
		return fmt.Errorf("end sheet %s: %w", s.page.name, err)
	}
	return nil
}

// quoted is a sheet's name as formulas write it.
func quoted(name string) string { return "'" + strings.ReplaceAll(name, "'", "''") + "'" }
