package jobs_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"nightshift/jobs"
	"nightshift/jobs/intake"
	"nightshift/reports"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

var update = flag.Bool("update", false, "rewrite what the stories expect; read the difference against the rule book before you commit it")

// TestStories tells the golden stories of testdata/stories. The parts of one:
//
//	-- site --                  whose story it is; cn unless it says so
//	-- without --               rule files that are not there
//	-- rules/acceptance.yaml -- a rule file in place of the one that ships, or besides
//	-- orders.csv --            records of a kind, taken in before the first night
//	-- 2024-03-20/orders.csv -- records taken in just before that night
//	-- jobs --                  those that run each night; acceptance unless it says so
//	-- days --                  the nights: a date, a range from..to, date@as-of, or a month such as 202405, its last day
//	-- rejects --               records that were refused, where the story speaks of any
//	-- parked --                what was set aside, where the story speaks of any
//	-- stops --                 nights that stopped with an error and kept nothing, where it speaks of any
//	-- decisions --             what was decided, where it changed
//	-- completions --           what is accepted or refunded, and for how long it may be used
//	-- notices --               who was told
//	-- answers --               what small jobs decided, where it changed, and what ended
//	-- waiting --               what waits after the last night, for whom and since when
//	-- explained --             what the decisions were taken by, and why, where the story speaks of it
//
// Every night is run twice. What is not listed must not have happened.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories in testdata/stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := newStory(t, archive)
			s.run()
			for _, part := range s.outcome() {
				s.compare(file, part)
			}
			if slices.Contains(s.jobs, "acceptance") {
				s.decidedAgain()
			}
			s.writtenAgain()
		})
	}
}

// story is one golden story being told.
type story struct {
	*testing.T
	archive *txtar.Archive
	site    *rules.Site
	engine  *jobs.Engine
	store   *storage.Store
	jobs    []string
	nights  []night
	rejects []string
	stops   []string
	books   []market.Run // of billing, whose workbook was kept
}

type night struct {
	on   market.Date
	asOf time.Time // zero: the scheduled time
}

func newStory(t *testing.T, archive *txtar.Archive) *story {
	s := &story{T: t, archive: archive, store: storagetest.New(t)}
	dir := without(t, rules.Defaults(), strings.Fields(s.part("without")))
	if own := s.rules(); len(own) > 0 {
		dir = without(t, dir, []string{"none"})
		maps.Copy(dir.(fstest.MapFS), own)
	}
	book, err := rules.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if s.site, err = book.Site(strings.TrimSpace(s.part("site"))); err != nil {
		t.Fatal(err)
	}
	if s.jobs = strings.Fields(s.part("jobs")); len(s.jobs) == 0 {
		s.jobs = []string{"acceptance"}
	}
	s.engine = &jobs.Engine{Store: s.store, Book: book, Workers: 1, Build: "test"}
	for _, word := range strings.Fields(s.part("days")) {
		s.nights = append(s.nights, s.parseNights(word)...)
	}
	return s
}

// without is a rule directory less some of its files.
func without(t testing.TB, dir fs.FS, names []string) fs.FS {
	t.Helper()
	if len(names) == 0 {
		return dir
	}
	left := fstest.MapFS{}
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || slices.Contains(names, name) {
			return err
		}
		text, err := fs.ReadFile(dir, name)
		left[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return left
}

// rules are the rule files of the story itself.
func (s *story) rules() fstest.MapFS {
	own := fstest.MapFS{}
	for _, f := range s.archive.Files {
		if name, ok := strings.CutPrefix(f.Name, "rules/"); ok {
			own[name] = &fstest.MapFile{Data: f.Data}
		}
	}
	return own
}

func (s *story) part(name string) string {
	for _, f := range s.archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

// has tells whether the story speaks of a part, be it of nothing in it.
func (s *story) has(name string) bool {
	return slices.ContainsFunc(s.archive.Files, func(f txtar.File) bool { return f.Name == name })
}

// parseNights reads 2024-03-01, 2024-03-01..2024-03-09 or
// 2024-03-10@2024-03-11T09:59:59.
func (s *story) parseNights(word string) []night {
	s.Helper()
	if on, instant, ok := strings.Cut(word, "@"); ok {
		at, err := time.ParseInLocation("2006-01-02T15:04:05", instant, s.site.Zone)
		if err != nil {
			s.Fatal(err)
		}
		return []night{{date(s, on), at}}
	}
	if period, err := market.ParsePeriod(word); err == nil {
		return []night{{on: period.Last()}}
	}
	from, to, isRange := strings.Cut(word, "..")
	if !isRange {
		to = from
	}
	var nights []night
	for d := date(s, from); d <= date(s, to); d++ {
		nights = append(nights, night{on: d})
	}
	return nights
}

// run takes the records in and carries out the nights.
func (s *story) run() {
	s.Helper()
	s.takeIn("")
	for _, n := range s.nights {
		s.takeIn(n.on.String())
		for _, job := range s.jobs {
			if s.site.Jobs[job].Monthly && n.on != market.Month(n.on).Last() {
				continue
			}
			s.night(jobs.Request{Job: job, Site: s.site.Name, On: n.on, AsOf: n.asOf})
		}
	}
}

// night runs a job twice: the second time nothing happens.
func (s *story) night(request jobs.Request) {
	s.Helper()
	before := s.rowsKept()
	first, err := s.engine.Run(s.Context(), request)
	if err != nil && s.part("stops") != "" {
		s.stops = append(s.stops, request.On.String()+"  "+err.Error())
		if now := s.rowsKept(); now != before {
			s.Fatalf("night of %s stopped and left %d rows instead of %d", request.On, now, before)
		}
		return
	}
	if err != nil || first.Run.Parked > 0 && !s.has("parked") {
		s.Fatalf("night of %s: %d parked, %v, %v", request.On, first.Run.Parked, s.parked(), err)
	}
	s.keepWorkbook(first.Run)
	kept := s.rowsKept()
	again, err := s.engine.Run(s.Context(), request)
	if err != nil || !again.Already || string(again.Run.ResultHash) != string(first.Run.ResultHash) {
		s.Fatalf("night of %s, started again: already %t, %v", request.On, again.Already, err)
	}
	if now := s.rowsKept(); now != kept {
		s.Fatalf("night of %s, started again, left %d rows instead of %d", request.On, now, kept)
	}
}

// decidedAgain holds the backtest of the rules that decided the story against
// the story: where one version decided all of it, and no night stopped, nothing
// may change.
func (s *story) decidedAgain() {
	s.Helper()
	if !slices.Contains(s.jobs, jobs.Acceptance.Name) || s.part("stops") != "" || count(s, s.store, `SELECT count(DISTINCT policies) FROM runs`) > 1 {
		return
	}
	ask := jobs.Backtest{Site: s.site.Name, From: s.nights[0].on, To: s.nights[len(s.nights)-1].on}
	for _, ruleset := range jobs.Acceptance.Rulesets {
		policy, err := s.site.Policy(ruleset.Name, ask.To)
		if err != nil {
			s.Fatal(err)
		}
		ask.Candidates = append(ask.Candidates, policy)
	}
	got, err := s.engine.Backtest(s.Context(), ask, io.Discard)
	if err != nil {
		s.Fatal(err)
	}
	for kind, n := range got.Counts.Kinds {
		if kind != reports.ChangeNone {
			s.Errorf("decided again by its own rules the story changes: %q %+v", kind, n)
		}
	}
}

func (s *story) rowsKept() int64 {
	s.Helper()
	return count(s, s.store, `SELECT (SELECT count(*) FROM decisions) + (SELECT count(*) FROM completions) + (SELECT count(*) FROM notices) + (SELECT count(*) FROM event_keys) + (SELECT count(*) FROM deductions) + (SELECT count(*) FROM postings) + (SELECT count(*) FROM usage_results) + (SELECT count(*) FROM terms) + (SELECT count(*) FROM statements) + (SELECT count(*) FROM statement_lines) + (SELECT count(*) FROM waiting_lines) + (SELECT count(*) FROM outbox) + (SELECT count(*) FROM policy_results) + (SELECT count(*) FROM unsubscription_results) + (SELECT count(*) FROM endings)`)
}

// takeIn imports the records of a folder of the story through the importer,
// each kind after those it refers to.
func (s *story) takeIn(folder string) {
	s.Helper()
	for _, kind := range intake.Kinds {
		name := path.Join(folder, kind.Name+".csv")
		text := s.part(name)
		if text == "" {
			continue
		}
		file := filepath.Join(s.TempDir(), kind.Name+".csv")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			s.Fatal(err)
		}
		result, err := intake.Import(s.Context(), s.store, intake.Request{Kind: kind.Name, Site: s.site.Name, Zone: s.site.Zone, Files: []string{file}, Partial: true})
		var input *intake.InputError
		if err != nil && !errors.As(err, &input) {
			s.Fatal(err)
		}
		for _, r := range result.Rejects {
			s.rejects = append(s.rejects, fmt.Sprintf("%s:%d  %s %s  %s", name, r.Line, r.Column, r.Value, r.Reason))
		}
		if result.Rejected() > 0 && !s.has("rejects") {
			s.Fatalf("%s: %v", name, result.Rejects)
		}
	}
}

// A year that the calendar lacked is added to it, and the run goes on.
func TestARunGoesOnWithALongerCalendar(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/stories/the_calendar_ends.txtar")
	if err != nil {
		t.Fatal(err)
	}
	s := newStory(t, archive)
	s.run()
	calendar, err := fs.ReadFile(rules.Defaults(), "calendar.csv")
	if err != nil {
		t.Fatal(err)
	}
	dir := without(t, rules.Defaults(), []string{"calendar.csv"}).(fstest.MapFS)
	dir["calendar.csv"] = &fstest.MapFile{Data: append(calendar, "2027-01-01,holiday,New Year\n"...)}
	if s.engine.Book, err = rules.Load(dir); err != nil {
		t.Fatal(err)
	}
	for _, on := range []string{"2027-01-03", "2027-01-04", "2027-01-05", "2027-01-06"} {
		if r, err := s.engine.Run(t.Context(), jobs.Request{Job: "acceptance", Site: "cn", On: date(t, on)}); err != nil || r.Run.Parked > 0 {
			t.Fatalf("night of %s: %d parked, %v", on, r.Run.Parked, err)
		}
	}
	const want = "2027-01-06  appeal_overdue/cn/Y-2  platform  2027-01-06T00:00:00+08:00"
	if notices := s.notices(); !slices.Contains(notices, want) {
		t.Errorf("%q is not among %q", want, notices)
	}
}

// part of a story that the run fills in.
type part struct {
	name  string
	lines []string
}

// outcome is what became of everything.
func (s *story) outcome() []part {
	s.Helper()
	var parts []part
	if s.has("rejects") {
		parts = append(parts, part{"rejects", s.rejects})
	}
	if s.part("stops") != "" {
		parts = append(parts, part{"stops", s.stops})
	}
	if s.has("parked") {
		parts = append(parts, part{"parked", s.parked()})
	}
	if s.has("focus") {
		parts = append(parts, part{"focus", s.focus()})
	}
	if slices.ContainsFunc(s.jobs, small) {
		parts = append(parts, part{"answers", s.answers()})
		if !slices.ContainsFunc(s.jobs, func(job string) bool { return !small(job) }) {
			return append(parts, part{"calls", s.calls()}, part{"notices", s.notices()})
		}
	}
	if slices.Contains(s.jobs, "settlement") {
		return append(parts, part{"statements", s.statements()}, part{"lines", s.statementLines()}, part{"waiting", s.waitingLines()}, part{"settled", s.settledLedger()}, part{"sellers", s.sellerBalances()})
	}
	if s.has("month lines") {
		parts = append(parts, part{"month lines", s.monthLines()})
	}
	if slices.Contains(s.jobs, "renewal") {
		return append(parts, part{"decisions", s.renewals()}, part{"asked", s.asked()}, part{"terms", s.terms()}, part{"calls", s.calls()}, part{"deductions", s.deductions()}, part{"ledger", s.ledger()}, part{"balances", s.balances()}, part{"notices", s.notices()})
	}
	if s.has("month bills") {
		parts = append(parts, part{"month bills", s.monthBills()})
	}
	if slices.Contains(s.jobs, "billing") && s.has("calls") {
		parts = append(parts, part{"calls", s.calls()})
	}
	if slices.Contains(s.jobs, "billing") {
		return append(parts, part{"decisions", s.payments()}, part{"usage", s.usage()}, part{"deductions", s.deductions()}, part{"refunds", s.refunds()}, part{"ledger", s.ledger()}, part{"balances", s.balances()}, part{"notices", s.notices()})
	}
	parts = append(parts, part{"decisions", s.decisions()}, part{"completions", s.completions()}, part{"notices", s.notices()}, part{"waiting", s.waiting()})
	if slices.ContainsFunc(s.archive.Files, func(f txtar.File) bool { return f.Name == "explained" }) {
		parts = append(parts, part{"explained", s.explained()})
	}
	return parts
}

// compare holds a part against what the file expects, or rewrites it there.
func (s *story) compare(file string, p part) {
	s.Helper()
	got := ""
	if len(p.lines) > 0 {
		got = strings.Join(p.lines, "\n") + "\n"
	}
	if !*update {
		if diff := cmp.Diff(strings.Split(s.part(p.name), "\n"), strings.Split(got, "\n")); diff != "" {
			s.Errorf("%s, %s (-expected +happened):\n%s", file, p.name, diff)
		}
		return
	}
	i := slices.IndexFunc(s.archive.Files, func(f txtar.File) bool { return f.Name == p.name })
	if i < 0 {
		s.archive.Files = append(s.archive.Files, txtar.File{Name: p.name})
		i = len(s.archive.Files) - 1
	}
	s.archive.Files[i].Data = []byte(got)
	if err := os.WriteFile(file, txtar.Format(s.archive), 0o644); err != nil {
		s.Error(err)
	}
}

// rows answers a query; visit scans a row and says how it reads.
func (s *story) rows(query string, visit func(scan func(...any) error) (string, error), args ...any) []string {
	s.Helper()
	rows, err := s.store.DB().QueryContext(context.Background(), query, args...)
	if err != nil {
		s.Fatalf("%v\n%s", err, query)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		line, err := visit(rows.Scan)
		if err != nil {
			s.Fatalf("%v\n%s", err, query)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil {
		s.Fatal(err)
	}
	return lines
}

func (s *story) instant(t time.Time) string { return t.In(s.site.Zone).Format(time.RFC3339Nano) }

func (s *story) decisions() []string {
	s.Helper()
	return s.rows(`
		SELECT d.business_date::text, o.code, d.outcome, d.rule, coalesce(d.carried->>'waits_for', ''), d.due_at
		FROM decisions d JOIN orders o ON o.id = d.subject
		WHERE d.ruleset = 'acceptance'
		ORDER BY d.business_date, o.code COLLATE "C", d.no`,
		func(scan func(...any) error) (string, error) {
			var on, code, outcome, rule, whom string
			var at time.Time
			if err := scan(&on, &code, &outcome, &rule, &whom, &at); err != nil {
				return "", err
			}
			return on + "  " + s.sentence(code, outcome, rule, whom, at), nil
		})
}

// explained replays every decision from the facts and the rule texts that were
// kept: the files of the directory are no longer there.
func (s *story) explained() []string {
	s.Helper()
	empty := without(s.T, rules.Defaults(), []string{"acceptance.v1.yaml", "parameters.yaml"})
	book, err := rules.Load(empty)
	if err != nil {
		s.Fatal(err)
	}
	engine := *s.engine
	engine.Book = book
	var codes, lines []string
	if err := s.store.DB().NewRaw(`SELECT DISTINCT o.code FROM decisions d JOIN orders o ON o.id = d.subject`).Scan(s.Context(), &codes); err != nil {
		s.Fatal(err)
	}
	slices.Sort(codes)
	for _, code := range codes {
		story, err := engine.Explain(s.Context(), s.site.Name, code, 0)
		if err != nil {
			s.Fatal(err)
		}
		for _, x := range story.Decisions {
			if x.Decision.Ruleset == "acceptance" {
				lines = append(lines, strings.Join([]string{code, x.Decision.On.String(), x.Policy.String(), x.Reason}, "  "))
			}
		}
	}
	return lines
}

// sentence is a decision in words.
func (s *story) sentence(code, outcome, rule, whom string, at time.Time) string {
	words := []string{code, outcome, rule}
	if whom != "" {
		words = append(words, whom)
	}
	when := "since "
	if outcome == market.Accept || outcome == market.Refund {
		when = "due "
	}
	return strings.Join(append(words, when+s.instant(at)), "  ")
}

func (s *story) completions() []string {
	s.Helper()
	return s.rows(`
		SELECT o.code, c.outcome, c.completed_at, c.business_date::text, c.valid_from, c.valid_until
		FROM completions c JOIN orders o ON o.id = c.order_id
		ORDER BY o.code COLLATE "C"`,
		func(scan func(...any) error) (string, error) {
			var code, outcome, on string
			var at time.Time
			var from, until *time.Time
			if err := scan(&code, &outcome, &at, &on, &from, &until); err != nil {
				return "", err
			}
			term := "no term"
			if from != nil && until != nil {
				term = "valid " + s.instant(*from) + " to " + s.instant(*until)
			}
			return strings.Join([]string{code, outcome, s.instant(at), "night " + on, term}, "  "), nil
		})
}

func (s *story) notices() []string {
	s.Helper()
	return s.rows(`
		SELECT business_date::text, key, array_to_string(recipients, ' '), at
		FROM notices
		ORDER BY business_date, key COLLATE "C"`,
		func(scan func(...any) error) (string, error) {
			var on, key, recipients string
			var at time.Time
			if err := scan(&on, &key, &recipients, &at); err != nil {
				return "", err
			}
			return strings.Join([]string{on, key, recipients, s.instant(at)}, "  "), nil
		})
}

// waiting is the list by age: what stands as wait or hold after the last night.
func (s *story) waiting() []string {
	s.Helper()
	var asOf time.Time
	if err := s.store.DB().QueryRowContext(context.Background(), `SELECT max(as_of) FROM runs`).Scan(&asOf); err != nil {
		s.Fatal(err)
	}
	return s.rows(`
		SELECT code, outcome, rule, whom, due_at
		FROM (SELECT DISTINCT ON (d.subject) o.code, d.outcome, d.rule, coalesce(d.carried->>'waits_for', '') AS whom, d.due_at
		      FROM decisions d JOIN orders o ON o.id = d.subject
		      WHERE d.ruleset = 'acceptance'
		      ORDER BY d.subject, d.business_date DESC, d.no DESC) standing
		WHERE outcome IN ('wait', 'hold')
		ORDER BY code COLLATE "C"`,
		func(scan func(...any) error) (string, error) {
			var code, outcome, rule, whom string
			var at time.Time
			if err := scan(&code, &outcome, &rule, &whom, &at); err != nil {
				return "", err
			}
			const day = 24 * time.Hour
			return fmt.Sprintf("%s  %d days", s.sentence(code, outcome, rule, whom, at), asOf.Sub(at)/day), nil
		})
}
