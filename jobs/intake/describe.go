package intake

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Describe writes the kinds of files, for the help of import.
func Describe(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := range Kinds {
		k := &Kinds[i]
		fmt.Fprintf(tw, "  %s\t%s\n  \t%s\n", k.Name, k.About, strings.Join(k.ColumnNames(), ", "))
	}
	return tw.Flush()
}

// Describe writes the columns of the kind and what they hold.
func (k *Kind) Describe(w io.Writer) error {
	fmt.Fprintf(w, "%s: %s\nThe same fact is known by: %s.\n\n", k.Name, k.About, strings.Join(k.Key, ", "))
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "  column\ttype\t\twhat stands there")
	money := false
	for i := range k.Columns {
		c := &k.Columns[i]
		money = money || c.Type == Money
		required := ""
		if c.Required {
			required = "required"
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\n", c.Name, c.Type, required, c.says())
	}
	if money {
		fmt.Fprintf(tw, "  %s\ttext\t\tthe ISO 4217 code of a bare amount\n", CurrencyColumn)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n"+conventions)
	return err
}

// says is all there is to know of a column besides its type.
func (c *Column) says() string {
	var parts []string
	if c.About != "" {
		parts = append(parts, c.About)
	}
	if c.Refers != "" {
		parts = append(parts, "the code of one of the "+c.Refers)
	}
	if c.Type == Word {
		parts = append(parts, "one of "+strings.Join(c.Words, ", "))
	}
	if c.Default != "" {
		parts = append(parts, "empty means "+c.Default)
	}
	return strings.Join(parts, "; ")
}

const conventions = `A column that is not in the file leaves what is known of it as it is; an empty cell empties it.
  code     at most 200 bytes; white space around cells is dropped
  instant  2024-04-01T10:00:00+08:00, or 2024-04-01 10:00:00 in the site's time zone: a time that the clocks skipped in
           spring is the instant at which they went forward, one that came twice in autumn the first of the two;
           in a workbook, a date cell
  money    99.00 CNY, or 99.00 with CNY in the column currency; at most 26 digits before the point and 12 after
  number   1234.56, of the same size; no commas, no exponents
  count    a whole number from 1
  bool     true or false, yes or no, 1 or 0
`
