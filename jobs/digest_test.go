package jobs_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage/storagetest"
)

// A digest says what ran and what came of it, by which other rules than before, what
// was made up for, and what needs a person.
func TestADigestSaysWhatRanWhatChangedAndWhatNeedsAPerson(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 100)
	graph := graph + `  openings: {as_of: "02:00"}` + "\n"
	e := timetabled(t, s, graph)
	now, err := s.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	today := market.DateOf(now, shanghai(t))
	for ago := 3; ago > 0; ago-- { // as if since midnight
		mustRun(t, e, jobs.Request{Job: "acceptance", Site: "cn", On: today.AddDays(-ago)})
	}
	e.Book = changedDefaults(t, func(files fstest.MapFS) {
		files["site.yaml"].Data = []byte("site: cn\ncurrency: CNY\ntime_zone: Asia/Shanghai\ncalendar: calendar.csv\njobs:\n" + graph)
		files["acceptance.yaml"].Data = append(files["acceptance.yaml"].Data, "\n# for another reason\n"...)
	})
	exec(t, s, `UPDATE orders SET amount = 900000, currency = 'CNY' WHERE id <= 5`)
	exec(t, s, `INSERT INTO due (job, site, subject, look_at) SELECT 'acceptance', 'cn', id, '-infinity' FROM orders WHERE id <= 5 ON CONFLICT (job, subject) DO UPDATE SET look_at = '-infinity'`)
	const open = `(SELECT min(subject) FROM due d WHERE job = 'acceptance' AND subject > 5 AND NOT EXISTS (SELECT FROM deliveries v WHERE v.order_id = subject AND v.accepted_at IS NOT NULL))`
	exec(t, s, `INSERT INTO calls (order_id, activity, called_at, code) SELECT `+open+`, 'newInstance', '2024-03-01T10:00:00+08:00'::timestamptz + n * interval '1 hour', CASE n WHEN 4 THEN '000000' END FROM generate_series(0, 4) n`)
	exec(t, s, `INSERT INTO due (job, site, subject, look_at) VALUES ('openings', 'cn', `+open+`, '-infinity')`)
	for job, on := range map[string]market.Date{"acceptance": today, "renewal": today, "billing": today - 1, "openings": today} {
		mustRun(t, e, jobs.Request{Job: job, Site: "cn", On: on})
	}
	exec(t, s, `INSERT INTO parked (job, site, subject, run_id, business_date, reason) VALUES ('renewal', 'cn', 1, 99, '2024-03-15', 'two currencies')`)
	if now, err = s.Now(t.Context()); err != nil {
		t.Fatal(err)
	}
	messages, err := e.Messages(t.Context(), "cn", now)
	if err != nil || len(messages) != 1 {
		t.Fatal(messages, err)
	}
	m := messages[0]
	for _, want := range []string{
		fmt.Sprintf("Nightshift cn, night of %s: 4 runs, a person is needed\n\n", today), fmt.Sprintf("acceptance of %s: completed, run ", today),
		"\n  its rules are not those of the run before: acceptance\n",
		"\n  opened_late, a person sees to it: 1, `nightshift standing openings --outcome opened_late --site cn`\n",
		"\n  set aside until a person mends it: 1 of renewal, `nightshift runs parked renewal --site cn`\n",
		fmt.Sprintf("\nacceptance of 3 dates was made up for since midnight, %s to %s\n", today-3, today-1),
	} {
		if !strings.Contains(m.Text(), want) {
			t.Errorf("the digest does not say %q:\n%s", want, m.Text())
		}
	}
	if held := m.Runs[1].Outcomes["hold"]; held == 0 || !strings.Contains(m.Text(), fmt.Sprintf("\n  on hold until a person decides: %d,", held)) {
		t.Errorf("%d are on hold:\n%s", held, m.Text())
	}
	e.Language = "zh"
	if messages, err = e.Messages(t.Context(), "cn", now); err != nil || len(messages) != 1 {
		t.Fatal(messages, err)
	}
	for _, want := range []string{
		fmt.Sprintf("Nightshift cn，%s 之夜：4 次运行，需要人工处理\n\n", today), fmt.Sprintf("acceptance %s：完成，运行 ", today), " 个订单: 验收 ", "\n  规则与上次运行不同：acceptance\n",
		"\n  已搁置，待人工修正：1（renewal），`nightshift runs parked renewal --site cn`\n", fmt.Sprintf("\n零点后补跑：acceptance 共 3 个业务日期，%s 至 %s\n", today-3, today-1),
	} {
		if !strings.Contains(messages[0].Text(), want) {
			t.Errorf("the digest does not say %q:\n%s", want, messages[0].Text())
		}
	}
}
