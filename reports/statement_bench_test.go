package reports

import (
	"fmt"
	"io"
	"testing"
)

// BenchmarkStatement writes a statement of a hundred lines.
func BenchmarkStatement(b *testing.B) {
	var rows []StatementLineRow
	r := owing()
	settled, billable, fee := r.zero(), r.zero(), r.zero()
	for i := range 100 {
		row := lineOf(fmt.Sprint("A-", i), fmt.Sprint("product-", i%5), "software", "100.00", "0.05", "0", "5.00", "95.00")
		rows = append(rows, row)
		settled.Amount, billable.Amount, fee.Amount = settled.Amount.Add(row.Settled.Amount), billable.Amount.Add(row.Billable.Amount), fee.Amount.Add(row.Fee.Amount)
	}
	r.Lines = list(rows...)
	r.Totals = StatementTotals{Lines: 100, Billable: billable, Fee: fee, Settled: settled, Payout: settled}
	r.Journal = StatementJournal{Fees: fee, Payable: settled}
	for b.Loop() {
		if err := Statement(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
}
