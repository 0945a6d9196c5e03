package jobs_test

import (
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage"
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
	take("buyers", "code,month_end\nann,no\nbob,yes\ncat,yes\ndee,no\n")
	take("money", "code,buyer,kind,account,amount,at\nM-5,dee,top_up,,10.00 USD,2024-06-02 10:00:00\nM-1,ann,top_up,,10.00 USD,2024-06-02 10:00:00\nM-2,bob,repayment,month_end,100.00 CNY,2024-07-02 10:00:00\nM-4,bob,repayment,month_end,50.00 CNY,2024-08-02 10:00:00\nM-3,cat,repayment,month_end,70.00 CNY,2024-07-01 03:00:00\n")
	take("charges", "code,buyer,seller,amount,at\nC-1,ann,acme,1.004 USD,2024-06-10 10:00:00\nC-3,dee,acme,1.003 USD,2024-06-10 10:00:00\n")
	take("orders", "code,buyer,seller,access_type,charge_mode,placed_at,amount,auto_pay\nO-1,bob,acme,saas,PERIOD,2024-06-10 10:00:00,100.00 CNY,true\nO-3,cat,acme,saas,PERIOD,2024-06-10 10:00:00,70.00 CNY,true\n")
	e := engine(t, s)
	on := func(text string) jobs.Request { return jobs.Request{Job: "billing", Site: "cn", On: date(t, text)} }
	for _, night := range []string{"2024-06-10", "2024-06-30"} {
		mustRun(t, e, on(night))
	}
	take("charges", "code,buyer,seller,amount,at\nC-2,ann,acme,1.003 USD,2024-06-11 10:00:00\n")
	take("orders", "code,buyer,seller,access_type,charge_mode,placed_at,amount,auto_pay\nO-2,bob,acme,saas,PERIOD,2024-06-11 10:00:00,50.00 CNY,true\n")
	take("orders", "code,buyer,seller,access_type,charge_mode,placed_at,amount,auto_pay\nO-5,dee,acme,saas,PERIOD,2024-06-11 10:00:00,1.001 USD,true\n")
	for _, night := range []string{"2024-07-01", "2024-07-20", "2024-07-31", "2024-08-10", "2024-08-31"} {
		if night == "2024-08-10" { // nothing was owed at the end of July
			take("orders", "code,buyer,seller,access_type,charge_mode,placed_at,amount,auto_pay\nO-4,cat,acme,saas,PERIOD,2024-06-11 10:00:00,20.00 CNY,true\n")
		}
		mustRun(t, e, on(night))
		lawful(t, s, night)
	}
	wantLines(t, s, `SELECT concat_ws(' ', j.key, trim_scale(p.amount), p.to_account, j.at AT TIME ZONE 'Asia/Shanghai') FROM journals j JOIN postings p ON p.journal_id = j.id WHERE j.key LIKE 'rounding/%' ORDER BY j.key`,
		"rounding/cn/ann/202406/USD 0.004 buyer:ann:cash 2024-07-01 00:00:00",
		"rounding/cn/ann/202407/USD 0.003 buyer:ann:cash 2024-08-01 00:00:00",
		"rounding/cn/dee/202406/USD 0.003 buyer:dee:cash 2024-07-01 00:00:00",
		"rounding/cn/dee/202407/USD 0.001 buyer:dee:cash 2024-08-01 00:00:00")
	wantLines(t, s, `SELECT concat_ws(' ', u.code, m.month, trim_scale(m.owed)) FROM month_bills m JOIN buyers u ON u.id = m.buyer_id ORDER BY m.month, u.code`,
		"bob 2024-06-01 100", "cat 2024-06-01 70", "bob 2024-07-01 50", "cat 2024-08-01 20")
	wantLines(t, s, `SELECT key FROM notices WHERE key LIKE 'arrears%' ORDER BY key`)
}

// Who owes is listed with what is overdue of bills of the month, beside what is
// owed for use, and each night's list is the same whenever it is written.
func TestTheListOfWhoOwesNamesBillsThatAreOverdue(t *testing.T) {
	t.Parallel()
	s := storagetest.New(t)
	take := usageDesk(t, s)
	take("sellers", "code\nacme\n")
	take("buyers", "code,month_end\nann:b%,yes\nbob,no\n")
	take("orders", "code,buyer,seller,access_type,charge_mode,placed_at,amount,auto_pay\nO-1,ann:b%,acme,saas,PERIOD,2024-06-10 10:00:00,100.00 CNY,true\nO-2,ann:b%,acme,saas,PERIOD,2024-07-10 10:00:00,40.00 CNY,true\n")
	take("money", "code,buyer,kind,account,amount,at\nM-1,ann:b%,repayment,month_end,30.00 CNY,2024-07-20 10:00:00\nM-2,ann:b%,repayment,month_end,80.00 CNY,2024-08-20 10:00:00\n")
	take("charges", "code,buyer,seller,amount,at\nC-1,bob,acme,7.00 CNY,2024-07-17 10:00:00\n")
	e := engine(t, s)
	want := map[string][]string{
		"2024-06-30": nil,
		"2024-07-14": nil,
		"2024-07-17": {"ann:b% 0 - 100 202406 2024-07-16 grace", "bob 7 2024-07-17 0 - - grace"},
		"2024-07-20": {"ann:b% 0 - 70 202406 2024-07-16 grace", "bob 7 2024-07-17 0 - - grace"},
		"2024-08-01": {"ann:b% 0 - 70 202406 2024-07-16 freeze", "bob 7 2024-07-17 0 - - freeze"},
		"2024-08-17": {"ann:b% 0 - 110 202406 2024-07-16 release", "bob 7 2024-07-17 0 - - release"},
		"2024-08-20": {"bob 7 2024-07-17 0 - - release", "ann:b% 0 - 30 202407 2024-08-16 grace"},
	}
	var runs []market.Run
	for _, night := range slices.Sorted(maps.Keys(want)) {
		runs = append(runs, mustRun(t, e, jobs.Request{Job: "billing", Site: "cn", On: date(t, night)}).Run)
	}
	day := func(at time.Time) string {
		if at.IsZero() {
			return "-"
		}
		return at.In(shanghai(t)).Format(time.DateOnly)
	}
	for _, r := range runs {
		var got []string
		err := s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
			for o, err := range tx.OwingAt(ctx, r, "CNY") {
				month := "-"
				if o.Month != 0 {
					month = market.Month(o.Month).String()
				}
				got = append(got, strings.Join([]string{o.Buyer, o.Owed.String(), day(o.Since), o.Overdue.String(), month, day(o.DueAt), o.State}, " "))
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || !slices.Equal(got, want[r.On.String()]) {
			t.Errorf("on %s %q, %v, want %q", r.On, got, err, want[r.On.String()])
		}
		if _, err := e.KeepWorkbook(t.Context(), r); err != nil {
			t.Errorf("workbook of %s: %v", r.On, err)
		}
	}
}

// A database whose bills were made before overdue ones were followed is brought to
// what a new one has: the same clocks run, at the same instants.
func TestBillsFromBeforeOverdueOnesWereFollowedAreFollowed(t *testing.T) {
	t.Parallel()
	s := storagetest.New(t)
	take := usageDesk(t, s)
	take("sellers", "code\nacme\n")
	take("buyers", "code,month_end\nann:b%,yes\nbob,yes\ncat,yes\n")
	take("orders", "code,buyer,seller,access_type,charge_mode,placed_at,amount,auto_pay\n"+
		"O-1,ann:b%,acme,saas,PERIOD,2024-05-10 10:00:00,100.00 CNY,true\nO-2,bob,acme,saas,PERIOD,2024-05-10 10:00:00,100.00 CNY,true\nO-3,bob,acme,saas,PERIOD,2024-06-02 10:00:00,30.00 CNY,true\n"+
		"O-4,cat,acme,saas,PERIOD,2024-06-02 10:00:00,40.00 CNY,true\n")
	take("money", "code,buyer,kind,account,amount,at\nM-1,ann:b%,repayment,month_end,40.00 CNY,2024-06-03 10:00:00\nM-2,bob,repayment,month_end,100.00 CNY,2024-06-03 10:00:00\n")
	e := engine(t, s)
	on := func(text string) jobs.Request { return jobs.Request{Job: "billing", Site: "cn", On: date(t, text)} }
	mustRun(t, e, on("2024-05-31"))
	mustRun(t, e, on("2024-06-04"))
	const standing = `SELECT concat_ws(' ', b.code, d.look_at AT TIME ZONE 'UTC', convert_from(d.stands, 'UTF8')::jsonb->'Bills'->0->>'Owed') FROM due d JOIN buyers b ON b.id = d.subject WHERE d.job = 'billing' ORDER BY b.code`
	want := []string{"ann:b% 2024-06-15 16:00:00 100", "bob 2024-06-30 16:00:00", "cat 2024-06-30 16:00:00"}
	wantLines(t, s, standing, want...)
	storagetest.AsOwner(t, s, `UPDATE due SET look_at = '2024-06-30 16:00Z', stands = convert_to((convert_from(stands, 'UTF8')::jsonb - 'Bills')::text, 'UTF8') WHERE job = 'billing'`)
	migration, err := os.ReadFile("../storage/migrations/0034_overdue_bills.tx.up.sql")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // it changes nothing of what is followed
		storagetest.AsOwner(t, s, string(migration))
		wantLines(t, s, standing, want...)
	}
	mustRun(t, e, on("2024-07-01"))
	wantLines(t, s, `SELECT key FROM notices WHERE key LIKE 'arrears%' ORDER BY key`, "arrears_freeze/cn/ann:b%/2024-06-30T16:00:00Z", "arrears_grace/cn/ann:b%/2024-06-15T16:00:00Z")
	wantLines(t, s, `SELECT concat_ws(' ', u.code, m.month, trim_scale(m.owed)) FROM month_bills m JOIN buyers u ON u.id = m.buyer_id ORDER BY m.month, u.code`,
		"ann:b% 2024-05-01 100", "bob 2024-05-01 100", "ann:b% 2024-06-01 60", "bob 2024-06-01 30", "cat 2024-06-01 40")
	lawful(t, s, "in the end")
}
