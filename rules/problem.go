package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/width"
)

// Problem is one thing that is wrong with a file, said so that its author can
// find it, understand it and mend it.
type Problem struct {
	File    string
	Line    int    // from 1
	Column  int    // from 1, in characters
	Cell    string // of a table beside the rule file, such as B7; the column is then in the cell
	Rule    string // the rule it is in, if any
	Message string
	Hint    string // what to do
	Source  string // the line as it stands in the file
}

// Error is the problem in one line: file:line:column: rule "name": message,
// hint. In a table it begins with sheet and cell, as in fees.xlsx#2026!B7.
func (p Problem) Error() string {
	var b strings.Builder
	if p.Cell != "" {
		fmt.Fprintf(&b, "%s!%s: ", p.File, p.Cell)
	} else {
		fmt.Fprintf(&b, "%s:%d:%d: ", p.File, p.Line, p.Column)
	}
	if p.Rule != "" {
		fmt.Fprintf(&b, "rule %q: ", p.Rule)
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString(", " + p.Hint)
	}
	return b.String()
}

// String is Error, the source line, and a caret below the place.
func (p Problem) String() string {
	if strings.TrimSpace(p.Source) == "" {
		return p.Error()
	}
	source, caret := excerpt(p.Source, p.Column)
	return p.Error() + "\n    " + source + "\n    " + caret
}

// excerpt clips a long line around the column and places the caret below it.
// Chinese characters take two cells on a terminal, so the caret is padded with
// as many.
func excerpt(source string, column int) (line, caret string) {
	const before, widest = 60, 120
	runes := []rune(source)
	at := min(max(column-1, 0), len(runes))
	from := 0
	if len(runes) > widest {
		from = max(at-before, 0)
	}
	to := min(from+widest, len(runes))
	var pad strings.Builder
	for _, r := range runes[from:min(at, to)] {
		switch k := width.LookupRune(r).Kind(); {
		case r == '\t':
			pad.WriteByte('\t')
		case k == width.EastAsianWide || k == width.EastAsianFullwidth:
			pad.WriteString("  ")
		default:
			pad.WriteByte(' ')
		}
	}
	return string(runes[from:to]), pad.String() + "^"
}

// Problems are all that is wrong with some files. They are an error when there
// is at least one.
type Problems []Problem

// Error lists every problem, each with its source line and caret.
func (ps Problems) Error() string {
	parts := make([]string, len(ps))
	for i, p := range ps {
		parts[i] = p.String()
	}
	return strings.Join(parts, "\n")
}

// sorted orders problems by file and place, and says each once.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(len(a.Cell), len(b.Cell)), cmp.Compare(a.Cell, b.Cell), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(ps)
}

// err is the problems as an error, nil where there is none.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps.sorted()
}
