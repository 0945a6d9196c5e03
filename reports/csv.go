package reports

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"nightshift/rules/market"
)

// byteOrderMark tells spreadsheets that a CSV file is UTF-8.
const byteOrderMark = "\ufeff"

// writeCSV writes a list as its sheet has it: instants as RFC 3339 in the
// zone, an amount as the exact number with its currency in a column after it.
func writeCSV[R any](w io.Writer, t table[R], zone *time.Location, rows iter.Seq2[R, error]) error {
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return fmt.Errorf("write %s as CSV: %w", t.name, err)
	}
	if zone == nil {
		zone = time.UTC
	}
	out := csv.NewWriter(w)
	record := make([]string, 0, 2*len(t.columns))
	for _, c := range t.columns {
		record = append(record, c.String())
		if c.money {
			record = append(record, label{"币种", "Currency"}.String())
		}
	}
	err := out.Write(record)
	for row, rowErr := range sequence(rows) {
		if rowErr != nil {
			return fmt.Errorf("read the rows of %s: %w", t.name, rowErr)
		}
		if err != nil {
			break
		}
		record = record[:0]
		for _, c := range t.columns {
			record = appendFields(record, c.of(row), zone)
		}
		err = out.Write(record)
	}
	if err == nil {
		out.Flush()
		err = out.Error()
	}
	if err != nil {
		return fmt.Errorf("write %s as CSV: %w", t.name, err)
	}
	return nil
}

// appendFields appends the fields of a value.
func appendFields(record []string, v any, zone *time.Location) []string {
	switch v := v.(type) {
	case string:
		return append(record, guarded(v))
	case int64:
		return append(record, strconv.FormatInt(v, 10))
	case market.Money:
		if v.Currency == "" && v.IsZero() {
			return append(record, "", "")
		}
		return append(record, v.Amount.Fixed(v.Currency.Places()), string(v.Currency))
	case time.Time:
		if v.IsZero() {
			return append(record, "")
		}
		return append(record, v.In(zone).Format(time.RFC3339))
	case rate:
		return append(record, market.Decimal(v).String())
	case formula:
		return appendFields(record, v.value, zone)
	case nil:
		return append(record, "")
	}
	panic(fmt.Sprintf("a CSV field cannot hold a %T", v))
}

// guarded keeps a spreadsheet from running a text as a formula when it opens
// the file: what begins like one gets an apostrophe before it. The list of
// beginnings is OWASP's page on CSV injection, full-width forms included.
func guarded(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", firstRune(text)) {
		return "'" + text
	}
	return text
}

func firstRune(text string) rune {
	for _, r := range text {
		return r
	}
	return 0
}
