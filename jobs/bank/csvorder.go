package bank

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// orderColumns head the payment file as CSV.
var orderColumns = []string{"reference", "seller", "holder", "country", "iban", "account", "bic", "bank_number", "amount", "currency", "execute_on", "remittance"}

// WriteCSV writes the order as CSV, one transfer a line. Its last line is the
// control: the word TOTAL, how many transfers there are, and what they come to.
// A text that a spreadsheet would run as a formula gets an apostrophe before it.
func WriteCSV(w io.Writer, o Order) error {
	if err := o.Check(); err != nil {
		return err
	}
	count, sum := o.Sum()
	out := csv.NewWriter(w)
	out.UseCRLF = false
	err := out.Write(orderColumns)
	for _, t := range o.Transfers {
		if err != nil {
			break
		}
		err = out.Write([]string{t.Reference, guarded(t.Seller), guarded(t.To.Holder), t.To.Country, t.To.IBAN, guarded(t.To.Number), t.To.BIC, guarded(t.To.Branch),
			t.Amount.Amount.Fixed(t.Amount.Currency.Places()), string(t.Amount.Currency), o.ExecuteOn.String(), guarded(t.Remittance)})
	}
	if err == nil {
		err = out.Write([]string{"TOTAL", strconv.Itoa(count), o.ID, "", "", "", "", "", sum.Amount.Fixed(sum.Currency.Places()), string(sum.Currency), o.ExecuteOn.String(), ""})
	}
	if err == nil {
		out.Flush()
		err = out.Error()
	}
	if err != nil {
		return fmt.Errorf("write payment order %s as CSV: %w", o.ID, err)
	}
	return nil
}

// guarded is a text that no spreadsheet takes for a formula.
func guarded(text string) string {
	if strings.HasPrefix(text, " ") || text == "" {
		return text
	}
	if strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(text)[0]) {
		return "'" + text
	}
	return text
}
