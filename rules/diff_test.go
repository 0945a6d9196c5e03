package rules

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// saidOf is a difference as people read it.
func saidOf(changes []Change) string {
	var b strings.Builder
	for _, c := range changes {
		b.WriteString(strings.Join(c.Lines(), "\n    ") + "\n")
	}
	return b.String()
}

func parsed(t testing.TB, text string) *Ruleset {
	t.Helper()
	rs, problems := Parse("acceptance.yaml", []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return rs
}

const tenDayFile = `ruleset: acceptance
version: 1
effective: 2020-01-01
hit: first
let:
  window: 10d
  large: 500000.00 CNY
  doubled: large * 2
  old: 3
  fee: {2020-01-01: 5.00 CNY, 2022-01-01: 6.00 CNY}
overrides:
  - seller: [acme, bolt]
    because: A contract.
    let: {window: 14d}
rules:
  - {name: cancelled, when: cancelled, then: unsupervised, because: Cancelled.}
  - {name: silence, when: "access_type == \"hardware\" and phone_matches and signed_for >= window", then: accept, because: Silence.}
  - {name: large, when: amount >= doubled, then: hold, with: {waits_for: "platform"}, because: Large.}
  - {name: sent back, when: happened(sent_back_for), then: wait, with: {waits_for: "seller"}, because: Sent back.}
  - {name: gone, when: invoiced, then: accept, because: Gone.}
otherwise: wait
`

const sevenDayFile = `ruleset: acceptance
version: 2
effective: 2026-01-01
hit: first
let:
  window: 7d
  large: 600000.00 CNY
  doubled: large * 2
  fresh: "x"
  fee: {2020-01-01: 5.00 CNY, 2022-01-01: 7.00 CNY, 2026-01-01: 8.00 CNY}
overrides:
  - {seller: acme, because: Another contract., let: {window: 20d}}
rules:
  - {name: sent back, when: happened(sent_back_for), then: wait, with: {waits_for: "seller"}, because: Sent back.}
  - {name: cancelled, when: cancelled, then: unsupervised, because: Cancelled.}
  - {name: silence, when: "access_type == \"hardware\" and signed_for > window and not invoiced", then: accept, because: Silence.}
  - {name: very large, when: amount >= doubled, then: hold, with: {waits_for: "buyer"}, because: Very large.}
  - {name: reviewed, when: happened(reviewed_for), then: accept, because: Reviewed.}
otherwise: {then: hold, because: A person looks.}
`

// TestDiffSpeaksOfRules compares what is said of two files with how a colleague
// would say it.
func TestDiffSpeaksOfRules(t *testing.T) {
	d := Diff(parsed(t, tenDayFile), parsed(t, sevenDayFile))
	if d.From != "acceptance@1" || d.To != "acceptance@2" {
		t.Errorf("from %s to %s", d.From, d.To)
	}
	want := `version: 1 → 2
effective: 2020-01-01 → 2026-01-01
window: 10d → 7d (asked by silence)
large: 500000.00 CNY → 600000.00 CNY (asked by very large)
old is gone: 3
fee from 2022-01-01: 6.00 CNY → 7.00 CNY
fee from 2026-01-01: nothing → 8.00 CNY
fresh is new: "x"
window of seller acme: 14d → 20d
seller acme: the reason
    was  A contract.
    is   Another contract.
window of seller bolt is gone: 14d
rule "gone" is gone
    when invoiced then accept
rule "sent back" stands first, no longer behind "large"
rule "silence": the condition
    asks no more phone_matches
    signed_for >= window → signed_for > window
    asks besides not invoiced
    was  access_type == "hardware" and »phone_matches« and »signed_for >= window«
    is   access_type == "hardware" and »signed_for > window« and »not invoiced«
rule "very large" was called "large"
rule "very large": waits_for: "platform" → "buyer"
rule "very large": the reason
    was  Large.
    is   Very large.
rule "reviewed" is new
    when happened(reviewed_for) then accept
otherwise: outcome: wait → hold
otherwise: the reason
    was  No rule matched.
    is   A person looks.
`
	if diff := cmp.Diff(want, saidOf(d.Changes)); diff != "" {
		t.Errorf("(-want +said):\n%s", diff)
	}
	if same := Diff(parsed(t, tenDayFile), parsed(t, tenDayFile)); len(same.Changes) > 0 {
		t.Errorf("a file differs from itself: %s", saidOf(same.Changes))
	}
}

// TestDiffOfConditions names the parts that differ, and no others.
func TestDiffOfConditions(t *testing.T) {
	for _, tt := range []struct{ a, b, want string }{
		{"ready and open", "(ready) and  open", ""},
		{"ready and open", "open and ready", ""},
		{"ready", "not ready", "ready → not ready"},
		{"ready and count_of > 1", "ready and count_of >= 1", "count_of > 1 → count_of >= 1"},
		{"ready", "ready and open", "+open"},
		{"ready or open", "ready", "-open"},
		{"ready and (open or count_of > 1)", "ready and (open or count_of > 2)", "count_of > 1 → count_of > 2"},
		{"not (ready and count_of > 1)", "not (ready and count_of > 2)", "count_of > 1 → count_of > 2"},
		{"ready and open", "ready or open", "ready and open → ready or open"},
		{"ready and open", "ready and open or count_of > 1", "+count_of > 1"},
		{`product not in ["a"]`, `product not in ["a", "b"]`, `product not in ["a"] → product not in ["a", "b"]`},
		{"days(10) <= signed_for and ready", "days(7) <= signed_for and ready", "days(10) <= signed_for → days(7) <= signed_for"},
	} {
		var parts []string
		for _, p := range outlineOf(tt.a).compare(outlineOf(tt.b)) {
			switch {
			case p.Before == "":
				parts = append(parts, "+"+p.After)
			case p.After == "":
				parts = append(parts, "-"+p.Before)
			default:
				parts = append(parts, p.Before+" → "+p.After)
			}
		}
		if got := strings.Join(parts, ", "); got != tt.want {
			t.Errorf("%s against %s: %s, want %s", tt.a, tt.b, got, tt.want)
		}
	}
}

// TestDiffOfTables names rows and cells.
func TestDiffOfTables(t *testing.T) {
	table := func(rows string) *Ruleset {
		return parsed(t, "ruleset: acceptance\nversion: 1\neffective: 2020-01-01\nhit: first\ntable:\n"+rows+"otherwise: wait\n")
	}
	a := table(`  - [name, amount, signed_for, then, waits_for, because]
  - [large, ">= 500000", ">= 10d", hold, '"platform"', A.]
  - [small, "< 500000", "-", accept, "-", B.]
  - [gone, "-", "< 1d", wait, "-", C.]
`)
	b := table(`  - [name, signed_for, track, amount, then, waits_for, because]
  - [large, ">= 7d", "-", ">= 500000", hold, '"buyer"', A.]
  - [small, "-", '"base"', "<500000", accept, "-", B.]
  - [new, "< 2d", "-", "-", wait, "-", D.]
`)
	want := `column "track" is new
row "gone" is gone
    when signed_for: < 1d then wait
row "large": signed_for: >= 10d → >= 7d
row "large": waits_for: "platform" → "buyer"
row "small": track: nothing → "base"
row "new" is new
    when signed_for: < 2d then wait
`
	if diff := cmp.Diff(want, saidOf(Diff(a, b).Changes)); diff != "" {
		t.Errorf("(-want +said):\n%s", diff)
	}
	unnamed := func(rows ...string) *Ruleset {
		text := "  - [amount, then, because]\n"
		for _, row := range rows {
			text += "  - [" + row + "]\n"
		}
		return table(text)
	}
	want = `row "row 2" is new
    when amount: > 9 then hold
row "row 4": outcome: hold → accept
`
	x, y := unnamed(`"> 5", hold, A.`, `"> 4", accept, B.`, `"> 3", hold, C.`), unnamed(`"> 9", hold, N.`, `"> 5", hold, A.`, `"> 4", accept, B.`, `"> 3", accept, C.`)
	y.Rules[0].Name, y.Rules[3].Name = "row 2", "row 4"
	if diff := cmp.Diff(want, saidOf(Diff(x, y).Changes)); diff != "" {
		t.Errorf("a row was inserted (-want +said):\n%s", diff)
	}
}

// TestDiffOfFormattedIsNothing: what fmt changes is no change of the rules.
func TestDiffOfFormattedIsNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := &sloppy{writer: writer{t: rt}}
		text := s.file()
		tidy, err := Format("trial.yaml", []byte(text))
		if err != nil {
			rt.Fatal(err)
		}
		a, _ := Parse("a.yaml", []byte(text))
		b, _ := Parse("b.yaml", tidy)
		if d := Diff(a, b); len(d.Changes) > 0 {
			rt.Fatalf("%s\nof\n%s\nand\n%s", saidOf(d.Changes), text, tidy)
		}
	})
}

// TestDiffOfDirectories: each file against its counterpart, a new version
// against the one before.
func TestDiffOfDirectories(t *testing.T) {
	shelf := func(files map[string]string) *Shelf {
		s, err := ReadShelf(directory(files))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a := map[string]string{"site.yaml": trialSite, "parameters.yaml": "let: {share: 3}\n", "acceptance.yaml": tenDayFile, "old/site.yaml": "site: old\ncurrency: CNY\ntime_zone: UTC\n"}
	b := map[string]string{"site.yaml": strings.Replace(trialSite, "CNY", "USD", 1), "parameters.yaml": "let: {share: 4}\n", "acceptance.v1.yaml": tenDayFile, "acceptance.yaml": sevenDayFile,
		"br/site.yaml": "site: br\ncurrency: BRL\ntime_zone: UTC\n", "reminders.yaml": "ruleset: reminders\nversion: 1\neffective: 2020-01-01\nhit: first\nrules:\n  - {name: a, when: cancelled, then: quiet, because: So.}\notherwise: quiet\n"}
	var got []string
	for _, d := range shelf(a).Diff(shelf(b)) {
		got = append(got, fmt.Sprintf("%s %s → %s: %s", d.Site, d.From, d.To, d.Changes[0].Lines()[0]))
	}
	want := []string{
		`cn site.yaml → site.yaml: site "cn": currency: CNY → USD`, "cn parameters.yaml → parameters.yaml: share: 3 → 4", "cn acceptance@1 → acceptance@2: version: 1 → 2",
		`cn  → reminders@1: file "reminders.yaml" is new`, `br  → site br: site "br" is new`, `old site old → : site "old" is gone`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if d := shelf(b).Diff(shelf(b)); len(d) > 0 {
		t.Errorf("a directory differs from itself: %v", d)
	}
	if _, err := ReadRuleset(os.DirFS("defaults"), "acceptance.yaml"); err != nil {
		t.Error(err)
	}
}
