package jobs_test

import (
	"testing"

	"nightshift/jobs"
	"nightshift/storage/storagetest"
)

// A month that is shared out comes to the same lines whether its nights were run on
// time, with dry runs between, or all at once at its end.
func TestALateRunSharesAMonthOutAsPunctualOnesDo(t *testing.T) {
	t.Parallel()
	taken := newWorld(3, 16, worldNights).taken(t)
	punctual, late := anew(t, taken), anew(t, taken)
	e, l := engine(t, punctual), engine(t, late)
	e.Book = rounding(t, `"truncate each", places: 2, kept: 2`, `"largest remainder", places: 2, kept: 6`)
	e.ChunkSize, l.Book = 5, e.Book
	for _, night := range []int{4, 11, 19, worldNights - 2, worldNights - 1} {
		previewed(t, e, billingNight(night))
	}
	lawful(t, punctual, "in the end")
	mustRun(t, l, billingNight(worldNights-1))
	lawful(t, late, "late")
	if want, got := booksOf(t, punctual), booksOf(t, late); want != got {
		t.Errorf("the late run (+) left other books than punctual ones (-):\n%s", differs(want, got))
	}
	if n := count(t, punctual, `SELECT count(*) FROM rounded_lines WHERE due <> charged`); n == 0 {
		t.Error("no line of June was rounded")
	}
}

// Where the month's total is rounded renewals count to it, beside what billing
// deducts; a renewal whose night comes after its month was closed counts to the next.
func TestRenewalsCountToTheMonthsTotal(t *testing.T) {
	t.Parallel()
	s := storagetest.New(t)
	take := usageDesk(t, s)
	take("sellers", "code\nacme\n")
	take("buyers", "code\nann\nbob\n")
	take("products", "code,seller,product_class\npro,acme,service\n")
	take("money", "code,buyer,kind,amount,at\nM-1,ann,top_up,50.00 USD,2024-05-01 10:00:00\nM-2,bob,top_up,50.00 USD,2024-05-01 10:00:00\n")
	take("charges", "code,buyer,seller,amount,at\nC-1,ann,acme,0.004 USD,2024-05-10 10:00:00\n")
	take("subscriptions", "code,buyer,product,access_type,term_count,term_unit,term_start,term_end,policy,price\n"+
		"S-1,ann,pro,saas,1,month,2024-04-20 10:00:00,2024-05-20 23:59:59,auto,9.995 USD\n"+
		"S-2,ann,pro,saas,1,month,2024-05-07 10:00:00,2024-06-07 23:59:59,auto,3.333 USD\n"+
		"S-3,bob,pro,saas,1,month,2024-04-20 10:00:00,2024-05-20 23:59:59,auto,7.004 USD\n")
	e := engine(t, s)
	night := func(job, on string) { mustRun(t, e, jobs.Request{Job: job, Site: "cn", On: date(t, on)}) }
	night("renewal", "2024-05-13")
	previewed(t, e, jobs.Request{Job: "billing", Site: "cn", On: date(t, "2024-05-13")})
	previewed(t, e, jobs.Request{Job: "billing", Site: "cn", On: date(t, "2024-05-31")})
	const rounded = `SELECT concat_ws(' ', j.key, trim_scale(p.amount), p.from_account, p.to_account) FROM journals j JOIN postings p ON p.journal_id = j.id WHERE j.key LIKE 'rounding/%' ORDER BY j.key`
	may := []string{"rounding/cn/ann/202405/USD 0.001 buyer:ann:arrears platform:dropped", "rounding/cn/bob/202405/USD 0.004 platform:dropped buyer:bob:cash"}
	wantLines(t, s, rounded, may...)
	night("renewal", "2024-05-31") // S-2, late: May is closed for ann
	wantLines(t, s, `SELECT concat_ws(' ', key, month) FROM unrounded`, "renewal/cn/S-2/2024-06-07 2024-06-01")
	night("billing", "2024-06-03")
	night("billing", "2024-06-30")
	wantLines(t, s, rounded, may[0], "rounding/cn/ann/202406/USD 0.003 platform:dropped buyer:ann:cash", may[1])
	wantLines(t, s, `SELECT concat_ws(' ', name, trim_scale(balance)) FROM accounts WHERE name LIKE '%:cash' ORDER BY name`, "buyer:ann:cash 36.67", "buyer:bob:cash 43")
	wantLines(t, s, `SELECT key FROM unrounded`)
	lawful(t, s, "in the end")
}
