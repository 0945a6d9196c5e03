package jobs_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/storage/storagetest"
)

const (
	changedSite = "site: cn\ncurrency: CNY\ntime_zone: Asia/Shanghai\njobs:\n  acceptance: {as_of: \"02:00\"}\n"

	changedReminders = "ruleset: reminders\nversion: 1\neffective: 2020-01-01\nhit: first\nrules:\n" +
		"  - {name: overdue, when: placed_for >= days(180), then: remind, with: {notices: [\"overdue\"], recipients: [\"seller\"]}, because: Old.}\notherwise: quiet\n"

	changedAcceptance = "ruleset: acceptance\nversion: 1\neffective: 2020-01-01\nhit: first\nlet: {window: 10d}\nrules:\n" +
		"  - {name: silence, when: signed_for >= window, then: accept, because: Nobody answered.}\notherwise: wait\n"
)

// TestChangedRulesLookAtAllThatWaits: an order that waits for the tenth day is
// accepted by rules that ask for seven days, on the first night they hold, though
// nobody knew of them when it was put back. Nights of unchanged rules look at
// what is due alone.
func TestChangedRulesLookAtAllThatWaits(t *testing.T) {
	seven := strings.NewReplacer("version: 1", "version: 2", "2020-01-01", "2024-03-04", "10d", "7d").Replace(changedAcceptance)
	pinned := strings.NewReplacer("hit: first", "hit: first\npin: order").Replace
	for name, tt := range map[string]struct {
		before, after []string // rule files
		due, accepted int64    // on 2024-03-04
	}{
		"the same rules":                                    {[]string{changedAcceptance}, []string{changedAcceptance}, 0, 0},
		"another version from that date on":                 {[]string{changedAcceptance}, []string{changedAcceptance, seven}, 1, 1},
		"another text of the same version":                  {[]string{changedAcceptance}, []string{strings.Replace(changedAcceptance, "10d", "7d", 1)}, 1, 1},
		"a version that orders placed before are not under": {[]string{pinned(changedAcceptance)}, []string{pinned(changedAcceptance), pinned(seven)}, 0, 0},
		"another text of the one that they are under":       {[]string{pinned(changedAcceptance)}, []string{pinned(strings.Replace(changedAcceptance, "10d", "7d", 1))}, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := storagetest.New(t)
			exec(t, s, `INSERT INTO buyers (site, code) VALUES ('cn', 'ann')`)
			exec(t, s, `INSERT INTO orders (site, code, buyer_id, access_type, placed_at, paid_at) VALUES ('cn', 'A-1', 1, 'hardware', '2024-02-20 10:00+08', '2024-02-20 10:00+08')`)
			exec(t, s, `INSERT INTO shipments (order_id, shipped_at, signed_at) VALUES (1, '2024-02-21 10:00+08', '2024-02-25 10:00+08')`)
			exec(t, s, `INSERT INTO due (job, site, subject, look_at) VALUES ('acceptance', 'cn', 1, '2024-02-20 10:00+08')`)
			e := engine(t, s)
			e.Book = changedBook(t, tt.before)
			for _, on := range []string{"2024-03-02", "2024-03-03"} {
				mustRun(t, e, request(t, on))
			}
			e.Book = changedBook(t, tt.after)
			for _, dry := range []bool{true, false} {
				r := mustRun(t, e, jobs.Request{Job: "acceptance", Site: "cn", On: date(t, "2024-03-04"), DryRun: dry}).Run
				if r.Due != tt.due || r.Outcomes["accept"] != tt.accepted {
					t.Errorf("dry run %v: %d due, %v", dry, r.Due, r.Outcomes)
				}
			}
			if got := count(t, s, `SELECT count(*) FROM completions WHERE completed_at = '2024-03-03 10:00+08'`); got != tt.accepted {
				t.Errorf("%d accepted at the seventh day", got)
			}
			if r := mustRun(t, e, request(t, "2024-03-05")).Run; r.Due != 0 {
				t.Errorf("the night after looked at %d", r.Due)
			}
		})
	}
}

func changedBook(t *testing.T, acceptance []string) *rules.Book {
	t.Helper()
	files := fstest.MapFS{"site.yaml": {Data: []byte(changedSite)}, "reminders.yaml": {Data: []byte(changedReminders)}}
	for i, text := range acceptance {
		files[strings.Repeat("a", i+1)+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	book, err := rules.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return book
}
