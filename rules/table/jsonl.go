package table

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// jsonRows reads one JSON object a line. The keys of all objects are the
// columns, in the order in which they first appear: the file is read once for
// its keys and once for its rows, so that a key of the last line is known to the
// header as well.
type jsonRows struct {
	r     *Reader
	text  *bufio.Reader
	line  int
	keys  []string
	index map[string]int
	named bool // the header was taken
}

func (r *Reader) openJSONLines(src io.ReadSeeker) error {
	j := &jsonRows{r: r, index: map[string]int{}}
	var err error
	if j.text, err = r.text(src); err != nil {
		return err
	}
	if err := j.gatherKeys(); err != nil {
		return err
	}
	if j.text, err = r.text(src); err != nil {
		return err
	}
	j.line = 0
	r.rows = j
	return nil
}

func (j *jsonRows) close() error { return nil }

// header is line 0: the names stand in every line and in none.
func (j *jsonRows) header() (Row, error) {
	if j.named || len(j.keys) == 0 {
		return Row{}, io.EOF
	}
	j.named = true
	return Row{Cells: j.keys}, nil
}

// gatherKeys leaves bad lines to the second reading, which reports them.
func (j *jsonRows) gatherKeys() error {
	for first := 0; ; {
		line, err := j.readLine()
		if err == io.EOF && first > 0 && len(j.keys) == 0 {
			return &FileError{Name: j.r.name, Line: first, Reason: "holds no row: write each one as {\"column\": value} on a line of its own"}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		first = cmp.Or(first, j.line)
		object(line, func(key string, _ json.RawMessage) error {
			_, known := j.index[key]
			if !known && len(j.keys) <= maxColumns { // one more than allowed: the header is refused
				j.index[key] = len(j.keys)
				j.keys = append(j.keys, key)
			}
			return nil
		})
	}
}

func (j *jsonRows) next() (Row, error) {
	line, err := j.readLine()
	if err != nil {
		return Row{}, err
	}
	row := Row{Line: j.line, Cells: make([]string, len(j.keys))}
	seen := make([]bool, len(j.keys))
	err = object(line, func(key string, value json.RawMessage) error {
		i := j.index[key]
		if seen[i] {
			return fmt.Errorf("the key %s stands twice: keep one", key)
		}
		seen[i] = true
		cell, err := cellText(value)
		row.Cells[i] = cell
		return err
	})
	if err != nil {
		return row, &RowError{Line: j.line, Value: excerpt(string(line)), Reason: err.Error()}
	}
	return row, nil
}

// readLine reads the next line that is not blank, up to the limit of a row.
func (j *jsonRows) readLine() ([]byte, error) {
	for {
		var line []byte
		for {
			part, err := j.text.ReadSlice('\n')
			line = append(line, part...)
			if len(line) > maxRecord {
				return nil, &FileError{Name: j.r.name, Line: j.line + 1, Reason: fmt.Sprintf(
					"the row is longer than %d MB: write one object a line", maxRecord>>20)}
			}
			if err == nil || err == io.EOF && len(line) > 0 {
				break
			}
			if err != bufio.ErrBufferFull {
				return nil, err
			}
		}
		j.line++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if !utf8.Valid(line) {
			return nil, j.r.notUTF8(j.line, "the line", string(line))
		}
		return line, nil
	}
}

// object calls each for every member of the JSON object in line.
func object(line []byte, each func(key string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(line))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("is not a JSON object: write each row as {\"column\": value}")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return badJSON(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return badJSON(err)
		}
		if err := each(key.(string), value); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return badJSON(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("something follows the object: write one object a line")
	}
	return nil
}

func badJSON(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("the object is not closed: write one whole object a line")
	}
	return fmt.Errorf("is not valid JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
}

// cellText is the text of a JSON value: a string without its quotes, null as
// nothing, and a number as it is written, for no float comes between.
func cellText(value json.RawMessage) (string, error) {
	switch value[0] {
	case '"':
		var s string
		err := json.Unmarshal(value, &s)
		return s, err
	case 'n':
		return "", nil
	}
	return string(value), nil
}
