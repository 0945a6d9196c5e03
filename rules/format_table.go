package rules

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
)

const byteOrderMark = "\ufeff"

// formatTable writes a decision table in a CSV file: conditions with the spaces
// that expressions have, quotation marks only where they are needed. The rows
// and the columns stay where they are. A CSV file that is no decision table, such
// as a calendar, is answered as it is.
func formatTable(name string, text []byte) ([]byte, error) {
	body, marked := bytes.CutPrefix(text, []byte(byteOrderMark)) // Excel writes one, and needs it to read Chinese
	rows, err := readCSV(body)
	if len(rows) == 0 || !slices.Contains(rows[0], "then") || !slices.Contains(rows[0], "because") {
		return text, nil
	}
	if err != nil {
		p := Problem{File: name, Line: 1, Column: 1, Message: err.Error()}
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			p.Line, p.Column, p.Message = syntax.Line, syntax.Column, syntax.Err.Error()
		}
		return nil, Problems{p}
	}
	var out bytes.Buffer
	if marked {
		out.WriteString(byteOrderMark)
	}
	w := csv.NewWriter(&out)
	then := slices.Index(rows[0], "then")
	for i, row := range rows {
		for at := range row {
			row[at] = tableCell(rows[0], then, i, at, row[at])
		}
		if err := w.Write(row); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

// readCSV reads all rows, the cells without white space around them. With an
// error it answers those before it.
func readCSV(text []byte) ([][]string, error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	var rows [][]string
	for {
		row, err := r.Read()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		rows = append(rows, row)
	}
}

// tableCell is a cell as it is written: the columns before then ask, those
// behind it are values.
func tableCell(header []string, then, row, at int, text string) string {
	switch {
	case at >= len(header) || slices.Contains([]string{"name", "then", "because"}, header[at]):
		return text
	case row == 0:
		return spaced(text)
	case at < then:
		return spacedCell(text)
	case durationLiteral.MatchString(text) || moneyLiteral.MatchString(text):
		return text
	}
	return spaced(text)
}
