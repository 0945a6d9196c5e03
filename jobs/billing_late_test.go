package jobs_test

import (
	"testing"

	"nightshift/jobs"
	"nightshift/storage/storagetest"
)

// What happened in a month that was closed for its buyer, and is reported only
// now, belongs to the next month: neither is a total rounded nor a bill made
// twice, and a bill that was paid stays paid.
func TestWhatIsReportedAfterItsMonthBelongsToTheNext(t *testing.T) {
	t.Parallel()
	s := storagetest.New(t)
	take := usageDesk(t, s)
	take("sellers", "code\nacme\n")
	take("buyers", "code,month_end\nann,no\nbob,yes\ncat,yes\n")
	take("money", "code,buyer,kind,account,amount,at\nM-1,ann,top_up,,10.00 USD,2024-06-02 10:00:00\nM-2,bob,repayment,month_end,100.00 CNY,2024-07-02 10:00:00\nM-4,bob,repayment,month_end,50.00 CNY,2024-08-02 10:00:00\nM-3,cat,repayment,month_end,70.00 CNY,2024-07-01 03:00:00\n")
	take("charges", "code,buyer,seller,amount,at\nC-1,ann,acme,1.004 USD,2024-06-10 10:00:00\n")
	take("orders", "code,buyer,seller,access_type,charge_mode,placed_at,amount,auto_pay\nO-1,bob,acme,saas,PERIOD,2024-06-10 10:00:00,100.00 CNY,true\nO-3,cat,acme,saas,PERIOD,2024-06-10 10:00:00,70.00 CNY,true\n")
	e := engine(t, s)
	on := func(text string) jobs.Request { return jobs.Request{Job: "billing", Site: "cn", On: date(t, text)} }
	for _, night := range []string{"2024-06-10", "2024-06-30"} {
		mustRun(t, e, on(night))
	}
	take("charges", "code,buyer,seller,amount,at\nC-2,ann,acme,1.003 USD,2024-06-11 10:00:00\n")
	take("orders", "code,buyer,seller,access_type,charge_mode,placed_at,amount,auto_pay\nO-2,bob,acme,saas,PERIOD,2024-06-11 10:00:00,50.00 CNY,true\n")
	for _, night := range []string{"2024-07-01", "2024-07-20", "2024-07-31", "2024-08-10", "2024-08-31"} {
		if night == "2024-08-10" { // nothing was owed at the end of July
			take("orders", "code,buyer,seller,access_type,charge_mode,placed_at,amount,auto_pay\nO-4,cat,acme,saas,PERIOD,2024-06-11 10:00:00,20.00 CNY,true\n")
		}
		mustRun(t, e, on(night))
		lawful(t, s, night)
	}
	wantLines(t, s, `SELECT concat_ws(' ', j.key, trim_scale(p.amount), p.to_account, j.at AT TIME ZONE 'Asia/Shanghai') FROM journals j JOIN postings p ON p.journal_id = j.id WHERE j.key LIKE 'rounding/%' ORDER BY j.key`,
		"rounding/cn/ann/202406/USD 0.004 buyer:ann:cash 2024-07-01 00:00:00",
		"rounding/cn/ann/202407/USD 0.003 buyer:ann:cash 2024-08-01 00:00:00")
	wantLines(t, s, `SELECT concat_ws(' ', u.code, m.month, trim_scale(m.owed)) FROM month_bills m JOIN buyers u ON u.id = m.buyer_id ORDER BY m.month, u.code`,
		"bob 2024-06-01 100", "cat 2024-06-01 70", "bob 2024-07-01 50", "cat 2024-08-01 20")
	wantLines(t, s, `SELECT key FROM notices WHERE key LIKE 'arrears%' ORDER BY key`)
}
