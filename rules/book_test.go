package rules

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"nightshift/rules/market"
)

const trialSite = "site: cn\ncurrency: CNY\ntime_zone: Asia/Shanghai\njobs: {acceptance: {as_of: \"02:00\"}}\n"

// directory is a rule directory written out.
func directory(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// versionOf is a rule file of that version and date.
func versionOf(version int, effective string) string {
	text := strings.Replace(trialText("ready", ""), "version: 1", fmt.Sprintf("version: %d", version), 1)
	return strings.Replace(text, "2020-01-01", effective, 1)
}

func on(text string) market.Date {
	d, err := market.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

func TestVersionInForce(t *testing.T) {
	book, err := Load(directory(map[string]string{
		"site.yaml": trialSite, "trial.yaml": versionOf(3, "2024-03-01"), "trial.v1.yaml": versionOf(1, "2020-01-01"), "trial.v2.yaml": versionOf(2, "2022-02-02"),
		"br/site.yaml": "site: br\ncurrency: BRL\ntime_zone: America/Sao_Paulo\n", "br/trial.yaml": versionOf(1, "2017-01-01"),
		"br/orders.map.yaml": "not looked at", ".git/x.yaml": "neither",
	}))
	if err != nil {
		t.Fatal(err)
	}
	cn, err := book.Site("")
	if err != nil || cn.Name != "cn" || cn.Currency != "CNY" || cn.Zone.String() != "Asia/Shanghai" || cn.Jobs["acceptance"].At != (market.TimeOfDay{Hour: 2}) {
		t.Fatalf("%+v %v", cn, err)
	}
	for date, want := range map[string]int{"2020-01-01": 1, "2022-02-01": 1, "2022-02-02": 2, "2024-02-29": 2, "2024-03-01": 3, "2099-01-01": 3} {
		if p, err := cn.Policy("trial", on(date)); err != nil || p.Version != want {
			t.Errorf("on %s: %v %v, want version %d", date, p, err, want)
		}
	}
	if _, err := cn.Policy("trial", on("2019-12-31")); !errors.Is(err, ErrNoPolicy) || !strings.Contains(err.Error(), "2020-01-01") {
		t.Errorf("before the first version: %v", err)
	}
	if _, err := cn.Policy("trail", on("2020-01-01")); !errors.Is(err, ErrNoPolicy) || !strings.Contains(err.Error(), "did you mean trial?") {
		t.Errorf("a misspelt ruleset: %v", err)
	}
	if next, ok := cn.NextVersion("trial", on("2022-02-02")); !ok || next != on("2024-03-01") {
		t.Errorf("the version after 2022-02-02 begins on %s %v", next, ok)
	}
	if _, ok := cn.NextVersion("trial", on("2024-03-01")); ok {
		t.Error("there is a version after the last")
	}
	br, err := book.Site("br")
	if err != nil || br.Currency != "BRL" {
		t.Fatalf("%+v %v", br, err)
	}
	if _, err := book.Site("bz"); err == nil || !strings.Contains(err.Error(), "did you mean br?") {
		t.Errorf("a misspelt site: %v", err)
	}
	if sites := book.Sites(); len(sites) != 2 || sites[0] != cn {
		t.Errorf("the sites are %v", sites)
	}
}

// TestEverythingWrongAtOnce: the problems of all files are answered together.
func TestEverythingWrongAtOnce(t *testing.T) {
	_, err := Load(directory(map[string]string{
		"site.yaml":    "site: CN!\ncurrency: RMB\ntime_zone: Asia/Shanghigh\ncalendar: holidays.csv\njobs: {acceptance: {as_of: 2am}}\n",
		"a.yaml":       versionOf(1, "2020-01-01"),
		"b.yaml":       versionOf(1, "2021-01-01"),
		"c.yaml":       versionOf(2, "2021-01-01"),
		"d.yaml":       versionOf(3, "2019-01-01"),
		"e.yaml":       trialText("raedy", ""),
		"f.test.yaml":  "cases: [",
		"x/trial.yaml": versionOf(1, "2020-01-01"),
	}))
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	for _, want := range []string{
		`site.yaml:1:7: "CN!" is not a name`, `site.yaml:2:11: unknown currency "RMB"`, `site.yaml:3:12: unknown time zone "Asia/Shanghigh"`, "site.yaml:4:11: read calendar holidays.csv", "site.yaml:5:28: read time of day",
		"b.yaml:2:10: version 1 of trial is in a.yaml too", "c.yaml:3:12: b.yaml (version 1) is effective on the same date", "d.yaml:3:12: version 3 is effective before version 2, in c.yaml",
		`e.yaml:8:7: rule "it": unknown name raedy, did you mean ready?`, "f.test.yaml:1:1: not YAML", "x/trial.yaml:1:1: the directory of the file is no site",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing says %q in\n%v", want, err)
		}
	}
}

func TestNoDirectory(t *testing.T) {
	if _, err := Load(fstest.MapFS{}); err == nil || !strings.Contains(err.Error(), "site.yaml") {
		t.Errorf("an empty directory: %v", err)
	}
}

// TestHostileFiles: what is too large, too deep or explodes is refused with a
// reason, not computed.
func TestHostileFiles(t *testing.T) {
	deep := "ready"
	for range 60 {
		deep = "(" + deep + " ?: open)"
	}
	doubling := "let:\n  a0: count_of + 1\n"
	for i := range 60 {
		doubling += fmt.Sprintf("  a%d: a%d + a%d\n", i+1, i, i)
	}
	product := "let:\n  p0: 99999999999999999999999999.999999999999\n"
	for i := range 60 {
		product += fmt.Sprintf("  p%d: p%d * p%d\n", i+1, i, i)
	}
	for name, text := range map[string]string{
		"bytes, more than":        strings.Repeat("# padding\n", 200_000),
		"levels deep":             "a: " + strings.Repeat("[", 500) + strings.Repeat("]", 500),
		"characters, more than":   trialText("ready "+strings.Repeat("and ready ", 100_000), ""),
		"parts":                   trialText(strings.Repeat("not ", 1500)+"ready", ""),
		"computes too much":       trialText(deep, ""),
		"expression computes too": trialText("a60 > 1", doubling),
		"product of more than":    trialText("p60 > count_of", product),
		"invalid repeat count":    trialText(`note matches "(((a{1000}){1000}){1000})"`, ""),
		"invalid or unsupported":  trialText(`note matches "(?=a)"`, ""),
		"bytes, more than 1000":   trialText(`note matches "`+strings.Repeat("a", 2000)+`"`, ""),
		"more problems follow":    strings.Repeat("a: b\n", 200_000),
		"more than 2000 rules":    "ruleset: trial\nversion: 1\neffective: 2020-01-01\nhit: first\nrules:\n" + strings.Repeat("  - {}\n", 3000),
		"more than 1000 names":    trialText("ready", "let:\n"+manyLets(2000)),
		"is defined by itself":    trialText("a > 1", "let: {a: a}\n"),
		"control characters":      trialText("ready\x01", ""),
	} {
		_, err := compileText(text)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("no %q in %.300v", name, err)
		}
	}
}

func manyLets(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  a%d: %d\n", i, i)
	}
	return b.String()
}

// BenchmarkLoad1000 checks a thousand rule files.
func BenchmarkLoad1000(b *testing.B) {
	files := map[string]string{"site.yaml": trialSite}
	for i := range 1000 {
		effective := on("2020-01-01").AddDays(i).String()
		text := strings.Replace(twelveRules, "version: 1", fmt.Sprintf("version: %d", i+1), 1)
		files[fmt.Sprintf("acceptance.v%d.yaml", i+1)] = strings.Replace(text, "2020-01-01", effective, 1)
	}
	fsys := directory(files)
	for b.Loop() {
		if _, err := Load(fsys); err != nil {
			b.Fatal(err)
		}
	}
}

func TestFactsAreKeptByTheirAnchors(t *testing.T) {
	p := mustCompile(t, trialText("signed_for >= days(10)", ""))
	facts := trial()
	facts.Note = "a \"quoted\"\n\x01 line, 世界, \xff"
	facts.SignedFor = market.StartedAt(anchor).Without([]market.Span{{From: anchor.Add(day), To: anchor.Add(2 * day)}, {From: anchor.Add(3 * day)}})
	text := p.AppendFacts(nil, facts)
	back, err := p.ParseFacts(text)
	if err != nil {
		t.Fatal(err)
	}
	if again := p.AppendFacts(nil, back); string(again) != string(text) {
		t.Errorf("facts change on the way:\n%s\n%s", text, again)
	}
	for _, at := range []time.Time{anchor, anchor.Add(9 * day), anchor.Add(20 * day)} {
		a, _ := p.Decide(facts, at)
		b, _ := p.Decide(back, at)
		if !a.Same(b) {
			t.Errorf("at %s: %v, replayed %v", at, a, b)
		}
	}
	if _, err := p.ParseFacts([]byte(`{"redy": true}`)); err == nil {
		t.Error("facts of another ruleset are read")
	}
}

// TestDecideAllocatesNothing: a night decides millions.
func TestDecideAllocatesNothing(t *testing.T) {
	p := mustCompile(t, trialText(`product in ["hardware"] and signed_for >= days(window_days) and price >= 99.00 and price + 1 > 2 * balance - 500`, ""))
	facts := trial()
	if a, err := p.Decide(facts, noon); a.Outcome != "yes" || err != nil {
		t.Fatal(a, err)
	}
	if n := testing.AllocsPerRun(1000, func() { p.Decide(facts, noon) }); n > 1 {
		t.Errorf("%v allocations a decision", n)
	}
}

func TestExplain(t *testing.T) {
	p := mustCompile(t, `ruleset: trial
version: 1
effective: 2020-01-01
hit: first
let: {window: 20d}
rules:
  - {name: long ago, when: ready and (signed_for >= window or happened(placed_for)), then: yes, because: A.}
  - {name: cheap, when: price < 100.00, then: no, because: B.}
otherwise: maybe
`)
	e := p.Explain(trial(), noon)
	if e.Answer.Rule != "cheap" || e.Rules[0].Matched || !e.Rules[1].Matched {
		t.Fatalf("%+v", e)
	}
	if got, want := e.Rules[0].Failing, "signed_for >= window or happened(placed_for) (signed_for is 10d, window is 20d, placed_for is not started)"; got != want {
		t.Errorf("failing: %s\nwant     %s", got, want)
	}
	if got, want := treeText(e.Rules[1].Tree), "price < 100.00 = true [price = 99.00 CNY]"; got != want {
		t.Errorf("tree: %s, want %s", got, want)
	}
	if got, want := treeText(e.Rules[0].Tree), "ready and (signed_for >= window or happened(placed_for)) = false [ready = true, signed_for >= window or happened(placed_for) = false "+
		"[signed_for >= window = false [signed_for = 10d, window = 20d], happened(placed_for) = false [placed_for = not started]]]"; got != want {
		t.Errorf("tree: %s, want %s", got, want)
	}
}

// treeText is a tree on one line.
func treeText(p Part) string {
	text := p.Text + " = " + p.Value
	var parts []string
	for _, inner := range p.Parts {
		parts = append(parts, treeText(inner))
	}
	if len(parts) > 0 {
		text += " [" + strings.Join(parts, ", ") + "]"
	}
	return text
}
