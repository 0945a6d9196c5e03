package reports

import (
	"strconv"
	"unicode/utf8"
)

// cell is a value as the file keeps it, in a style of the workbook.
type cell struct {
	style   int
	formula string // without its equals sign; empty where there is none
	value   any    // a string, an int64, a float64, or nil for an empty cell
}

// appendRow appends a row in the form of the file (ECMA-376, part 1, 18.3.1.73).
// We write the rows ourselves and leave the rest of a sheet to the library,
// because its stream writer holds 16 MiB and more of every sheet until the
// workbook is packed. Its height is in points; zero leaves it to the spreadsheet.
func appendRow(b []byte, no int, height float64, cells []cell) []byte {
	b = append(b, `<row r="`...)
	b = strconv.AppendInt(b, int64(no), 10)
	if height > 0 {
		b = append(b, `" ht="`...)
		b = strconv.AppendFloat(b, height, 'f', -1, 64)
		b = append(b, `" customHeight="1`...)
	}
	b = append(b, `">`...)
	for i := range cells {
		b = append(b, `<c r="`...)
		b = appendColumn(b, i)
		b = strconv.AppendInt(b, int64(no), 10)
		b = append(b, `" s="`...)
		b = strconv.AppendInt(b, int64(cells[i].style), 10)
		b = append(b, '"')
		b = appendValue(b, &cells[i])
	}
	return append(b, `</row>`...)
}

// appendColumn appends the letters of a column, counted from zero.
func appendColumn(b []byte, i int) []byte {
	const letters = 26
	if i < letters {
		return append(b, 'A'+byte(i))
	}
	return append(b, column26(i)...)
}

// appendValue ends a cell that has begun: its type, its formula, its value.
func appendValue(b []byte, c *cell) []byte {
	text, isText := c.value.(string)
	switch {
	case c.value == nil && c.formula == "":
		return append(b, `/>`...)
	case isText && c.formula == "":
		b = append(b, ` t="inlineStr"><is><t`...)
		if blank(text[0]) || blank(text[len(text)-1]) {
			b = append(b, ` xml:space="preserve"`...)
		}
		b = append(b, '>')
		return append(appendText(b, text), `</t></is></c>`...)
	case isText:
		b = append(b, ` t="str"`...)
	}
	b = append(b, '>')
	if c.formula != "" {
		b = append(b, `<f>`...)
		b = append(appendText(b, c.formula), `</f>`...)
	}
	b = append(b, `<v>`...)
	switch v := c.value.(type) {
	case string:
		b = appendText(b, v)
	case int64:
		b = strconv.AppendInt(b, v, 10)
	case float64:
		b = strconv.AppendFloat(b, v, 'f', -1, 64)
	}
	return append(b, `</v></c>`...)
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// appendText appends s as XML. Characters that XML cannot hold become U+FFFD;
// what looks like the file's own escape of a character, _x0041_, gets its
// underscore escaped, so that it stays text.
func appendText(b []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); {
		r, width := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, width = utf8.DecodeRuneInString(s[i:])
		}
		if instead := escaped(r, width, s[i:]); instead != "" {
			b = append(append(b, s[from:i]...), instead...)
			from = i + width
		}
		i += width
	}
	return append(b, s[from:]...)
}

// escaped is what stands in the file for r, the first character of rest;
// empty where that is the character itself.
func escaped(r rune, width int, rest string) string {
	switch {
	case r == '&':
		return "&amp;"
	case r == '<':
		return "&lt;"
	case r == '>':
		return "&gt;"
	case r == '\r':
		return "&#xD;"
	case r == '_' && looksEscaped(rest):
		return "_x005F_"
	case r < ' ' && r != '\t' && r != '\n', r == 0xFFFE, r == 0xFFFF, r == utf8.RuneError && width == 1:
		return string(utf8.RuneError)
	}
	return ""
}

// looksEscaped tells whether s begins like _x0041_.
func looksEscaped(s string) bool {
	const length = len("_x0041_")
	if len(s) < length || s[1] != 'x' || s[length-1] != '_' {
		return false
	}
	_, err := strconv.ParseUint(s[2:length-1], 16, 16)
	return err == nil
}
