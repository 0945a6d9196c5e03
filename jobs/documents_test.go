package jobs_test

import (
	"testing"

	"nightshift/jobs"
	"nightshift/storage/storagetest"
)

func TestTheWorkbookOfARunTiesAndIsTheSameWheneverItIsWritten(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 600)
	e := engine(t, s)
	run := func(on string) jobs.Result {
		t.Helper()
		result, err := e.Run(t.Context(), jobs.Request{Job: "acceptance", Site: "cn", On: date(t, on)})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	exec(t, s, `UPDATE orders SET amount = NULL, currency = NULL WHERE id % 7 = 0`) // nobody said what they cost
	first := run("2024-03-15")
	document, err := e.KeepWorkbook(t.Context(), first.Run)
	if err != nil {
		t.Fatal(err)
	}
	if document.Size < 10_000 {
		t.Errorf("the workbook has %d bytes", document.Size)
	}
	// The orders are reported anew: another buyer, another seller, another price.
	exec(t, s, `UPDATE orders SET buyer_id = 1 + buyer_id % 1000, seller_id = (SELECT id FROM sellers WHERE id <> orders.seller_id ORDER BY id LIMIT 1), amount = 7, currency = 'CNY', access_type = 'saas'`)
	run("2024-09-01") // half a year later more is accepted, and everything is overdue
	if _, difference, err := e.VerifyWorkbook(t.Context(), first.Run); err != nil || difference != "" {
		t.Errorf("written again after another night the workbook is not the same: %s %v", difference, err)
	}
}
