package jobs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"nightshift/jobs"
	"nightshift/reports"
	"nightshift/rules"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// defaultsWith are the default rules with one file's text changed.
func defaultsWith(t testing.TB, file, was, is string) *rules.Book {
	t.Helper()
	files := without(t, rules.Defaults(), []string{"br/orders.map.yaml"}).(fstest.MapFS) // a copy
	files[file] = &fstest.MapFile{Data: []byte(edited(t, file, was, is))}
	book, err := rules.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// rightAgain are the default rules, of which acceptance has another number.
func rightAgain(t testing.TB) *rules.Book {
	t.Helper()
	files := without(t, rules.Defaults(), []string{"br/orders.map.yaml"}).(fstest.MapFS) // a copy
	for name, file := range files {
		if strings.HasPrefix(name, "acceptance") && !strings.HasPrefix(name, "acceptance.v1") {
			file.Data = bytes.Replace(file.Data, []byte("version: 2\n"), []byte("version: 3\n"), 1)
		}
	}
	book, err := rules.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// edited is the text of a default rule file with some of it changed.
func edited(t testing.TB, file, was, is string) string {
	t.Helper()
	text, err := fs.ReadFile(rules.Defaults(), file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), was) {
		t.Fatalf("%s does not say %q", file, was)
	}
	return strings.ReplaceAll(string(text), was, is)
}

// candidate is a default rule file with some of its text changed.
func candidate(t testing.TB, file, was, is string) *rules.Policy {
	t.Helper()
	site, err := engine(t, nil).Book.Site("cn")
	if err != nil {
		t.Fatal(err)
	}
	policy, err := rules.LoadFile(fstest.MapFS{file: &fstest.MapFile{Data: []byte(edited(t, file, was, is))}}, file, site)
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

// fewNights runs every fourth night from one date to another: how often a night
// comes by changes no answer and no instant.
func fewNights(t testing.TB, e *jobs.Engine, from, to string) {
	t.Helper()
	for on := date(t, to) - (date(t, to)-date(t, from))/4*4; on <= date(t, to); on += 4 {
		if _, err := e.Run(t.Context(), jobs.Request{Job: "acceptance", Site: "cn", On: on}); err != nil {
			t.Fatal(err)
		}
	}
}

const window = "acceptance_window: 10d"

func TestHistoryDecidedAgainByTheSameRulesChangesNothing(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 2000)
	e := engine(t, s)
	fewNights(t, e, "2024-02-20", "2024-03-15")
	rows := count(t, s, `SELECT count(*) FROM decisions`)
	var same []*rules.Policy
	for _, file := range []string{"acceptance.yaml", "reminders.yaml"} {
		same = append(same, candidate(t, file, "hit: first", "hit: first"))
	}
	var book bytes.Buffer
	got, err := e.Backtest(t.Context(), jobs.Backtest{Site: "cn", From: date(t, "2024-02-20"), To: date(t, "2024-03-15"), Candidates: same}, &book)
	if err != nil {
		t.Fatal(err)
	}
	if n := got.Counts.Kinds[reports.ChangeNone].Rows; n != 4000 || len(got.Counts.Kinds) != 1 || got.Counts.Rows != rows {
		t.Errorf("%d of 4000 answers are unchanged, %d of %d rows were read: %+v", n, got.Counts.Rows, rows, got.Counts.Kinds)
	}
	for key, total := range got.Counts.Sellers {
		if total.Before != total.After {
			t.Errorf("%+v: %+v", key, total)
		}
	}
	if now := count(t, s, `SELECT count(*) FROM decisions`); now != rows {
		t.Errorf("there were %d decisions, now there are %d", rows, now)
	}
}

// A backtest must say what punctual nights under the candidate would have come
// to, wherever the facts are known.
func TestABacktestSaysWhatTheNightsWouldHaveSaid(t *testing.T) {
	for _, tt := range []struct{ name, is string }{
		{"seven days instead of ten", "acceptance_window: 7d"},
		{"twelve days instead of ten", "acceptance_window: 12d"},
		{"a day and a second", "acceptance_window: 1d1s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			live, other := storagetest.New(t), storagetest.New(t)
			for _, s := range []*storage.Store{live, other} {
				marketplace(t, s, 1000)
			}
			e := engine(t, live)
			fewNights(t, e, "2024-02-14", "2024-03-15")
			e.Store, e.Book = other, defaultsWith(t, "acceptance.yaml", window, tt.is)
			fewNights(t, e, "2024-02-14", "2024-03-15")

			e = engine(t, live)
			e.Workers = 3
			var book bytes.Buffer
			got, err := e.Backtest(t.Context(), jobs.Backtest{Site: "cn", From: date(t, "2024-02-14"), To: date(t, "2024-03-15"),
				Candidates: []*rules.Policy{candidate(t, "acceptance.yaml", window, tt.is)}}, &book)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]int64{}
			for _, outcome := range []string{"accept", "refund", "wait", "hold", "unsupervised"} {
				want[outcome] = count(t, other, `
					SELECT count(*) FROM (SELECT DISTINCT ON (subject) outcome FROM decisions WHERE ruleset = 'acceptance'
					ORDER BY subject, business_date DESC, no DESC) d WHERE outcome = ?`, outcome)
			}
			after := map[string]int64{}
			for k, total := range got.Counts.Outcomes {
				after[k.Outcome] = total.After.Rows
			}
			maps.DeleteFunc(want, func(_ string, n int64) bool { return n == 0 })
			if diff := cmp.Diff(want, after); diff != "" {
				t.Errorf("-the nights +the backtest\n%s", diff)
			}
			compareInstants(t, other, book.Bytes())
		})
	}
}

// compareInstants holds every changed row that tells of an end against the end
// that the nights came to.
func compareInstants(t *testing.T, s *storage.Store, workbook []byte) {
	t.Helper()
	checked := 0
	for _, row := range workbookRows(t, workbook, "Changed") {
		if len(row) < 12 || row[9] != "accept" && row[9] != "refund" {
			continue
		}
		checked++
		var at string
		if err := s.DB().QueryRowContext(t.Context(), `
			SELECT to_char(c.completed_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS') FROM completions c JOIN orders o ON o.id = c.order_id WHERE o.code = ?`,
			row[0]).Scan(&at); err != nil {
			t.Errorf("order %s ends in the backtest: %v", row[0], err)
			continue
		}
		if at != row[11] {
			t.Errorf("order %s ends at %s in the backtest, and ended at %s", row[0], row[11], at)
		}
	}
	if checked == 0 {
		t.Error("nothing was compared")
	}
}

func TestBacktestsThatAreRefused(t *testing.T) {
	s := storagetest.New(t)
	e := engine(t, s)
	for _, tt := range []struct {
		from, to   string
		candidates []*rules.Policy
		want       string
	}{
		{"2024-03-02", "2024-03-01", []*rules.Policy{candidate(t, "acceptance.yaml", window, window)}, "the first date is after the last"},
		{"2024-03-01", "2024-03-02", nil, "there is no candidate"},
		{"2024-03-01", "2024-03-02", []*rules.Policy{candidate(t, "acceptance.yaml", window, window), candidate(t, "acceptance.v1.yaml", "hit: first", "hit: first")}, "are both candidates for acceptance"},
	} {
		_, err := e.Backtest(t.Context(), jobs.Backtest{Site: "cn", From: date(t, tt.from), To: date(t, tt.to), Candidates: tt.candidates}, io.Discard)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("from %s to %s with %d candidates: %v, want %q", tt.from, tt.to, len(tt.candidates), err, tt.want)
		}
	}
}

// workbookRows are the texts of a sheet.
func workbookRows(t testing.TB, workbook []byte, sheet string) [][]string {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(workbook))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows(sheet)
	if err != nil {
		t.Fatal(fmt.Errorf("sheet %s: %w", sheet, err))
	}
	return rows
}

func TestABacktestEndsWithTheLastNight(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 300)
	e := engine(t, s)
	ask := jobs.Backtest{Site: "cn", From: date(t, "2024-02-20"), To: date(t, "2024-03-31"), Candidates: []*rules.Policy{candidate(t, "acceptance.yaml", "hit: first", "hit: first")}}
	if _, err := e.Backtest(t.Context(), ask, io.Discard); err == nil || !strings.Contains(err.Error(), "no acceptance run at cn has decided anything up to 2024-03-31") {
		t.Errorf("a backtest of nothing: %v", err)
	}
	fewNights(t, e, "2024-02-25", "2024-02-25")
	got, err := e.Backtest(t.Context(), ask, io.Discard)
	if err != nil || len(got.Counts.Kinds) != 1 || got.Counts.Kinds[reports.ChangeNone].Rows != 300 {
		t.Errorf("the same rules change what no night has decided yet: %+v, %v", got.Counts.Kinds, err)
	}
	exec(t, s, `UPDATE runs SET state = 'failed', result_hash = NULL, failure = 'so'`)
	if _, err := e.Backtest(t.Context(), ask, io.Discard); err == nil || !strings.Contains(err.Error(), "is not completed") {
		t.Errorf("a backtest of half a night: %v", err)
	}
}

// TestBacktestIsOfAnswersThatStandAlone: history cannot be decided again where an
// answer changes what the next one is asked about.
func TestBacktestIsOfAnswersThatStandAlone(t *testing.T) {
	book, err := defaults()
	if err != nil {
		t.Fatal(err)
	}
	site, err := book.Site("cn")
	if err != nil {
		t.Fatal(err)
	}
	e := jobs.Engine{Book: book}
	for _, words := range rules.Vocabularies() {
		if words.Alone {
			continue
		}
		versions := site.Versions(words.Ruleset)
		_, err := e.Backtest(t.Context(), jobs.Backtest{Site: "cn", Candidates: versions[:1]}, io.Discard)
		why := regexp.MustCompile("each answer of " + words.Ruleset + " changes what the next is asked about|no job asks ruleset " + words.Ruleset + "$")
		if !errors.Is(err, jobs.ErrBadRequest) || !why.MatchString(err.Error()) {
			t.Errorf("%s: %v", words.Ruleset, err)
		}
	}
}
