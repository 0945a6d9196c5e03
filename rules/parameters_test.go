package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"nightshift/rules/market"
)

// windowed is a rule file about how long a signature may stay unanswered; top
// is what stands in it besides.
func windowed(version int, effective, top string) string {
	return fmt.Sprintf(`ruleset: acceptance
version: %d
effective: %s
hit: first
%s
rules:
  - name: silence
    when: signed_for >= window
    then: accept
    because: Nobody answered.
otherwise: wait
`, version, effective, top)
}

// withParameters is a rule directory of one site.
func withParameters(files map[string]string) fstest.MapFS {
	files["site.yaml"] = trialSite
	return directory(files)
}

func loaded(t interface {
	Helper()
	Fatal(...any)
}, files map[string]string) *Site {
	t.Helper()
	book, err := Load(withParameters(files))
	if err != nil {
		t.Fatal(err)
	}
	return book.Sites()[0]
}

// signed is an order of a seller and a product whose parcel was signed then.
func signed(seller, product string, ago time.Duration) *AcceptanceFacts {
	return &AcceptanceFacts{Seller: seller, Product: product, SignedFor: market.StartedAt(noon.Add(-ago)), PlacedFor: market.StartedAt(noon.Add(-ago))}
}

// windowOf is after how many days the policy of a date accepts.
func windowOf(t testing.TB, p *Policy, seller, product string) int {
	t.Helper()
	for days := range 100 {
		a, err := p.Decide(signed(seller, product, time.Duration(days)*24*time.Hour), noon)
		if err != nil {
			t.Fatal(err)
		}
		if a.Outcome == "accept" {
			return days
		}
	}
	return -1
}

func policyOn(t testing.TB, s *Site, date string) *Policy {
	t.Helper()
	p, err := s.Policy("acceptance", on(date))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const (
	sharedText = `
let:
  window: {2020-01-01: 10d, 2026-07-01: 7d}
  grace: 2d
overrides:
  - seller: [acme, "0012"]
    because: Their contract of 2019 says so.
    until: 2027-01-01
    let: {window: 14d}
  - product: P-1
    because: It takes long to try out.
    from: 2021-01-01
    let: {window: {2022-01-01: 30d, 2026-09-01: "20d"}}
`
)

func TestAParameterChangesOnItsDate(t *testing.T) {
	s := loaded(t, map[string]string{"acceptance.yaml": windowed(1, "2020-01-01", "let: {window: {2020-01-01: 10d, 2026-07-01: 7d}}")})
	for date, want := range map[string]int{"2020-01-01": 10, "2026-06-30": 10, "2026-07-01": 7, "2030-01-01": 7} {
		if got := windowOf(t, policyOn(t, s, date), "", ""); got != want {
			t.Errorf("on %s the window has %d days, want %d", date, got, want)
		}
	}
	if next, ok := s.NextVersion("acceptance", on("2026-01-01")); !ok || next != on("2026-07-01") {
		t.Errorf("after New Year of 2026 the rules change on %s", next)
	}
	if next, ok := s.NextVersion("acceptance", on("2026-07-01")); ok {
		t.Errorf("they change once more, on %s", next)
	}
	before, after := policyOn(t, s, "2026-06-30"), policyOn(t, s, "2026-07-01")
	if before.Hash == after.Hash || before.Version != after.Version || after.From != on("2026-07-01") {
		t.Errorf("%v from %s and %v from %s: one version, two hashes", before, before.From, after, after.From)
	}
}

func TestTheMostSpecificValueHolds(t *testing.T) {
	text := strings.Replace(sharedText, `"20d"`, "20d", 1)
	text = strings.Replace(text, "  grace: 2d\n", "", 1)
	s := loaded(t, map[string]string{"acceptance.yaml": windowed(1, "2020-01-01", ""), "parameters.yaml": text})
	for _, tt := range []struct {
		date, seller, product string
		want                  int
	}{
		{"2020-06-01", "", "", 10},
		{"2020-06-01", "bolt", "P-2", 10},
		{"2020-06-01", "acme", "P-2", 14},
		{"2020-06-01", "0012", "", 14},
		{"2020-06-01", "acme", "P-1", 14},
		{"2022-06-01", "acme", "P-1", 30},
		{"2022-06-01", "bolt", "P-1", 30},
		{"2026-08-01", "acme", "", 14},
		{"2026-08-01", "bolt", "", 7},
		{"2026-09-01", "bolt", "P-1", 20},
		{"2027-01-01", "acme", "", 7},
	} {
		if got := windowOf(t, policyOn(t, s, tt.date), tt.seller, tt.product); got != tt.want {
			t.Errorf("on %s for seller %q and product %q the window has %d days, want %d", tt.date, tt.seller, tt.product, got, tt.want)
		}
	}
}

func TestAPolicyIsRestoredFromItsText(t *testing.T) {
	csv := "access_type,signed_for,then,because\n\"\"\"saas\"\"\",>= window,accept,Nobody answered.\n-,>= window,accept,Nobody answered.\n"
	tabled := "ruleset: acceptance\nversion: 1\neffective: 2020-01-01\nhit: first\ntable: windows.csv\nlet: {twice: window * 2}\noverrides:\n  - {seller: bolt, because: A test., let: {twice: window}}\notherwise: wait # nobody knows"
	text := strings.Replace(sharedText, `"20d"`, "20d", 1)
	for name, files := range map[string]map[string]string{
		"own dates":          {"acceptance.yaml": windowed(1, "2020-01-01", "let: {window: {2020-01-01: 10d, 2026-07-01: 7d}}")},
		"shared":             {"acceptance.yaml": windowed(1, "2020-01-01", "let: {more: grace}"), "parameters.yaml": text},
		"with a table":       {"acceptance.yaml": tabled, "windows.csv": csv, "parameters.yaml": strings.Replace(text, "  grace: 2d\n", "", 1)},
		"expression, quoted": {"acceptance.yaml": windowed(1, "2020-01-01", ""), "parameters.yaml": "let:\n  window: {2020-01-01: \"half * 2\", 2021-01-01: half}   # said twice\n  half: days(5) # half of it\n"},
	} {
		t.Run(strings.ReplaceAll(name, `"`, ""), func(t *testing.T) {
			if name == "expression, quoted" {
				files["parameters.yaml"] = strings.ReplaceAll(files["parameters.yaml"], `"half * 2"`, "half * 2")
			}
			s := loaded(t, files)
			for _, p := range s.Versions("acceptance")[0].Phases() {
				rs, problems := Parse(p.File, []byte(p.Text))
				if len(problems) > 0 {
					t.Fatalf("%s\n%s", problems, p.Text)
				}
				again, problems := Compile(rs, s.Currency)
				if len(problems) > 0 {
					t.Fatalf("%s\n%s", problems, p.Text)
				}
				if again.Hash != p.Hash || again.From != p.From || again.Text != p.Text || again.Effective != p.Effective {
					t.Errorf("from %s: restored it is another one, from %s\n%s", p.From, again.From, cmp.Diff(p.Text, again.Text))
				}
				for _, seller := range []string{"", "acme", "bolt"} {
					for _, product := range []string{"", "P-1"} {
						if got, want := windowOf(t, again, seller, product), windowOf(t, p, seller, product); got != want {
							t.Errorf("from %s, for %q and %q: restored %d days, before %d", p.From, seller, product, got, want)
						}
					}
				}
			}
		})
	}
}

func TestParametersDoNotTouchTheHashOfWhoDoesNotUseThem(t *testing.T) {
	own := windowed(1, "2020-01-01", "let: {window: 10d}")
	reminders := strings.Replace(windowed(1, "2020-01-01", ""), "ruleset: acceptance", "ruleset: reminders", 1)
	reminders = strings.NewReplacer("then: accept", `then: remind`, "otherwise: wait", "otherwise: quiet").Replace(reminders)
	alone := policyOn(t, loaded(t, map[string]string{"acceptance.yaml": own}), "2024-01-01")
	beside := policyOn(t, loaded(t, map[string]string{"acceptance.yaml": strings.Replace(own, "window", "wait_for", 2), "reminders.yaml": reminders, "parameters.yaml": "let: {window: 10d}\n"}), "2024-01-01")
	if alone.Text != own || len(alone.Phases()) != 1 || strings.Contains(beside.Text, keptKey) {
		t.Errorf("the text of a file without such parameters is no longer its own:\n%s", beside.Text)
	}
	of := func(parameters string) *Policy {
		return policyOn(t, loaded(t, map[string]string{"acceptance.yaml": windowed(1, "2020-01-01", ""), "parameters.yaml": parameters}), "2024-01-01")
	}
	usual := of("let: {window: 10d}\n")
	if later := of("let: {window: {2020-01-01: 10d, 2030-01-01: 7d}} # from 2030 on it is a week\n"); later.Hash != usual.Hash {
		t.Error("a value of a later date changes the policy of today")
	}
	if other := of("let: {window: 9d}\n"); other.Hash == usual.Hash {
		t.Error("another value leaves the hash as it was")
	}
}

func TestAnOverrideCostsNothingElsewhere(t *testing.T) {
	files := map[string]string{"acceptance.yaml": windowed(1, "2020-01-01", ""), "parameters.yaml": "let: {window: 10d}\noverrides:\n  - {seller: acme, because: A test., let: {window: 14d}}\n"}
	p := policyOn(t, loaded(t, files), "2024-01-01")
	facts := signed("bolt", "P-1", 10*24*time.Hour)
	if n := testing.AllocsPerRun(100, func() { p.Decide(facts, noon) }); n != 0 {
		t.Errorf("a decision allocates %v times", n)
	}
}

func TestAnOverrideIsExplained(t *testing.T) {
	files := map[string]string{"acceptance.yaml": windowed(1, "2020-01-01", ""), "parameters.yaml": "let: {window: 10d}\noverrides:\n  - {seller: acme, because: A test., let: {window: 14d}}\n"}
	p := policyOn(t, loaded(t, files), "2024-01-01")
	facts := signed("acme", "P-1", 10*24*time.Hour)
	if got, want := p.Explain(facts, noon).Rules[0].Failing, `signed_for >= window (signed_for is 10d, window is 14d, seller is "acme")`; got != want {
		t.Errorf("it fails because of %s\nwant %s", got, want)
	}
	a, _ := p.Decide(facts, noon)
	if at, ok := p.Next(facts, noon, a); !ok || !at.Equal(noon.Add(4*24*time.Hour)) {
		t.Errorf("it turns at %s, want four days later", at)
	}
}

func TestListsAndWordsAreOverridden(t *testing.T) {
	text := `ruleset: acceptance
version: 1
effective: 2020-01-01
hit: first
let:
  quick: ["saas", "image"]
  sizes: [10d, 20d]
  mode: "instant"
  sure: true
  least: 1
overrides:
  - seller: acme
    because: A test.
    let: {quick: ["api"], sizes: [30d], mode: "offline", sure: false, least: 0.5}
rules:
  - {name: quick, when: access_type in quick and delivery_mode == mode and sure == (seller != "acme"), then: accept, because: It is quick.}
  - {name: large, when: amount >= least, then: hold, because: It is large.}
otherwise: wait
`
	text = strings.Replace(text, "  sizes: [10d, 20d]\n", "", 1)
	text = strings.Replace(text, "sizes: [30d], ", "", 1)
	text = strings.NewReplacer("least: 1\n", "least: 1.00 CNY\n", "least: 0.5}", "least: 0.50 CNY}").Replace(text)
	p := policyOn(t, loaded(t, map[string]string{"acceptance.yaml": text}), "2024-01-01")
	for _, tt := range []struct{ seller, access, mode, amount, want string }{
		{"", "saas", "instant", "0 CNY", "accept"},
		{"", "api", "instant", "0 CNY", "wait"},
		{"acme", "saas", "offline", "0 CNY", "wait"},
		{"acme", "api", "offline", "0 CNY", "accept"},
		{"acme", "api", "instant", "0 CNY", "wait"},
		{"acme", "api", "", "0.50 CNY", "hold"},
		{"bolt", "api", "", "0.50 CNY", "wait"},
	} {
		facts := &AcceptanceFacts{Seller: tt.seller, AccessType: tt.access, DeliveryMode: tt.mode, Amount: money(tt.amount)}
		if a, err := p.Decide(facts, noon); err != nil || a.Outcome != tt.want {
			t.Errorf("%+v: %s %v", tt, a.Outcome, err)
		}
		p.Explain(facts, noon)
	}
}

func TestOrdersStayPinnedToWhatHeldWhenTheyWerePlaced(t *testing.T) {
	s := loaded(t, map[string]string{
		"acceptance.v1.yaml": windowed(1, "2020-01-01", "let: {window: {2020-01-01: 30d, 2021-01-01: 20d}}"),
		"acceptance.v2.yaml": windowed(2, "2022-01-01", "pin: order\nlet: {window: {2022-01-01: 10d, 2023-01-01: 9d}}"),
		"acceptance.v3.yaml": windowed(3, "2024-01-01", "pin: order\nlet: {window: 8d}"),
		"acceptance.yaml":    windowed(4, "2025-01-01", "let: {window: 5d}"),
	})
	placed := func(at string) *AcceptanceFacts {
		return &AcceptanceFacts{PlacedFor: market.StartedAt(on(at).At(market.TimeOfDay{}, s.Zone))}
	}
	for _, tt := range []struct{ night, placed, from string }{
		{"2021-06-01", "2020-05-01", "2021-01-01"},
		{"2023-06-01", "2019-05-01", "2020-01-01"},
		{"2023-06-01", "2020-12-31", "2020-01-01"},
		{"2023-06-01", "2021-01-01", "2021-01-01"},
		{"2023-06-01", "2022-12-31", "2022-01-01"},
		{"2024-06-01", "2022-12-31", "2022-01-01"},
		{"2024-06-01", "2024-05-31", "2024-01-01"},
		{"2024-06-01", "2025-05-31", "2024-01-01"},
		{"2025-06-01", "2022-12-31", "2025-01-01"},
	} {
		f, err := s.InForce("acceptance", on(tt.night))
		if err != nil {
			t.Fatal(err)
		}
		if got := f.For(placed(tt.placed)); got.From != on(tt.from) {
			t.Errorf("on %s an order placed on %s is decided by what held from %s, want %s", tt.night, tt.placed, got.From, tt.from)
		}
	}
	for night, want := range map[string]string{"2020-06-01": "2021-01-01", "2021-06-01": "2022-01-01", "2022-06-01": "2025-01-01", "2024-06-01": "2025-01-01"} {
		if next, _ := s.NextVersion("acceptance", on(night)); next != on(want) {
			t.Errorf("after %s waiting orders are looked at again on %s, want %s", night, next, want)
		}
	}
}

// TestTestsSeeTheValuesOfTheirDate: that of the as_of, or of the day on which the
// order was placed where orders are pinned. The rules of all phases count as one.
func TestTestsSeeTheValuesOfTheirDate(t *testing.T) {
	for _, tt := range []struct{ top, cases string }{
		{"let: {window: {2020-01-01: 10d, 2026-07-01: 7d}}", `
  - {name: ten days at first, as_of: 2026-06-30T00:00:00, given: {signed_for: 9d23h}, expect: {outcome: wait, rule: otherwise}}
  - {name: a week afterwards, as_of: 2026-07-01T00:00:00, given: {signed_for: 7d}, expect: {outcome: accept, rule: silence}}
`},
		{"pin: order\nlet: {window: {2020-01-01: 10d, 2026-07-01: 7d}}", `
  - {name: placed before it changed, as_of: 2026-07-09T00:00:00, given: {placed_for: 9d, signed_for: 8d}, expect: {outcome: wait, rule: otherwise}}
  - {name: placed on the day it changed, as_of: 2026-07-09T00:00:00, given: {placed_for: 8d, signed_for: 7d}, expect: {outcome: accept, rule: silence}}
`},
	} {
		s := loaded(t, map[string]string{"acceptance.yaml": windowed(1, "2020-01-01", tt.top), "acceptance.test.yaml": "ruleset: acceptance\ncases:" + tt.cases})
		if r := s.Test(); r.Err() != nil || r.Cases != 2 || r.Hit != 2 {
			t.Errorf("%s: %d cases, %d rules hit\n%v", tt.top, r.Cases, r.Hit, r.Err())
		}
	}
}

// TestBadParameters: everything that is wrong is said once, where it stands.
func TestBadParameters(t *testing.T) {
	good := windowed(1, "2020-01-01", "")
	for name, tt := range map[string]struct {
		file, parameters string
		want             []string
	}{
		"a cycle": {good, "let:\n  window: other\n  other: {2020-01-01: 1d, 2021-01-01: window}\n",
			[]string{"parameters.yaml:2:3: let window is defined by itself: window → other → window"}},
		"a cycle through an override": {good, "let:\n  window: 1d\noverrides:\n  - {seller: a, because: b, let: {window: window * 2}}\n",
			[]string{"parameters.yaml:2:3: let window is defined by itself: window → window"}},
		"a large cycle": {good, largeCycle(maxBindings), []string{"parameters.yaml:2:3: let window is defined by itself: window → p1 → p2 → p3 → … → p999 → window"}},
		"unused":        {good, "let: {window: 1d, spare: 2d}\n", []string{"parameters.yaml:1:19: no rule file uses spare, leave it out"}},
		"the name of a fact": {good, "let: {window: 1d, signed_for: 2d}\n",
			[]string{"parameters.yaml:1:19: parameter signed_for has the name of a fact of acceptance", "parameters.yaml:1:19: parameter signed_for has the name of a fact of reminders"}},
		"the name of a function":   {good, "let: {window: 1d, days: 2d}\n", []string{"parameter days has the name of a function"}},
		"the name of an own let":   {windowed(1, "2020-01-01", "let: {window: 1d}"), "let: {window: 1d}\n", []string{"acceptance.yaml:5:7: let window is in parameters.yaml too"}},
		"it asks facts":            {good, "let: {window: placed_for}\n", []string{"parameters.yaml:1:15: unknown name placed_for"}},
		"kinds":                    {good, "let: {window: {2020-01-01: 10d, 2021-01-01: 10.00 CNY}}\n", []string{"parameters.yaml:1:45: let window is money here and a duration elsewhere"}},
		"kinds of an override":     {good, "let: {window: 10d}\noverrides: [{seller: a, because: b, let: {window: 3}}]\n", []string{"parameters.yaml:2:51: window is a whole number here and a duration elsewhere"}},
		"currencies":               {good, "let: {window: 10d, x: {2020-01-01: 1.00 CNY, 2021-01-01: 1.00 USD}}\n", []string{"let x is in USD here and in CNY elsewhere"}},
		"an unknown name":          {good, "let: {window: 10d}\noverrides: [{seller: a, because: b, let: {windows: 3d}}]\n", []string{"parameters.yaml:2:43: no parameter of the file is called windows, did you mean window?"}},
		"nobody":                   {good, "let: {window: 10d}\noverrides: [{because: b, let: {window: 3d}}, {seller: [], because: b, let: {window: 3d}}]\n", []string{"the override is for nobody", "seller names nobody"}},
		"no reason":                {good, "let: {window: 10d}\noverrides: [{seller: a, let: {window: 3d}}]\n", []string{"the override has no because"}},
		"twice":                    {good, "let: {window: 10d}\noverrides: [{seller: a, because: b, let: {window: 3d}}, {seller: [c, a], because: b, from: 2022-01-01, let: {window: 3d}}]\n", []string{"seller a has two values of window at a time"}},
		"dates out of order":       {good, "let: {window: {2021-01-01: 10d, 2020-01-01: 3d}}\n", []string{"parameters.yaml:1:33: let window: 2020-01-01 stands behind 2021-01-01"}},
		"no date":                  {good, "let: {window: {from: 10d}}\n", []string{`let window: "from" is not a date`}},
		"a gap before":             {good, "let: {window: {2021-01-01: 10d}}\n", []string{"acceptance.yaml:3:12: parameters.yaml has no value of window before 2021-01-01"}},
		"a gap before an own":      {windowed(1, "2020-01-01", "let: {window: {2021-01-01: 10d}}"), "", []string{"acceptance.yaml:5:16: let window has no value before 2021-01-01, and the file holds from 2020-01-01"}},
		"ends before it begins":    {good, "let: {window: 10d}\noverrides: [{seller: a, because: b, from: 2022-01-01, until: 2021-01-01, let: {window: 3d}}]\n", []string{"the override ends on 2021-01-01, before it begins"}},
		"an unknown pin":           {windowed(1, "2020-01-01", "pin: orders\nlet: {window: 1d}"), "", []string{`acceptance.yaml:5:6: unknown pin "orders"`}},
		"kept values by hand":      {windowed(1, "2020-01-01", "parameters: {on: 2021-01-01}\nlet: {window: 1d}"), "", []string{"the rule file has no key parameters"}},
		"a stopwatch":              {windowed(1, "2020-01-01", "let: {window: 1d, x: signed_for}\noverrides: [{seller: a, because: b, let: {x: placed_for}}]"), "", []string{"a stopwatch cannot be overridden"}},
		"wrong on one date only":   {windowed(1, "2020-01-01", "let: {window: 1d, kind: {2020-01-01: \"saas\", 2021-01-01: \"sass\"}, asked: access_type == kind}"), "", []string{`with the values of 2021-01-01: `, "did you mean saas?"}},
		"facts that do not say it": {strings.NewReplacer("acceptance", "trial", "window", "days(1)", "accept", "yes", "wait", "maybe").Replace(windowed(1, "2020-01-01", "pin: order")), "", []string{"the facts of trial do not say when an order was placed"}},
		"no seller in the facts":   {strings.NewReplacer("acceptance", "trial", "then: accept", "then: yes", "otherwise: wait", "otherwise: maybe").Replace(good), "let: {window: 10d}\noverrides: [{seller: a, because: b, let: {window: 3d}}]\n", []string{"window has another value for some sellers, and trial does not know the seller"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"acceptance.yaml": tt.file}
			if tt.parameters != "" {
				files["parameters.yaml"] = tt.parameters
			}
			_, err := Load(withParameters(files))
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tt.want {
				if strings.Count(err.Error(), want) != 1 {
					t.Errorf("want once: %s\ngot:\n%s", want, err)
				}
			}
			if problems := err.(Problems); len(problems) > len(tt.want)+1 {
				t.Errorf("%d problems:\n%s", len(problems), err)
			}
		})
	}
}

// largeCycle is a file of n parameters, each defined by the next.
func largeCycle(n int) string {
	text := "let:\n  window: p1\n"
	for i := 1; i < n-1; i++ {
		text += fmt.Sprintf("  p%d: p%d\n", i, i+1)
	}
	return text + fmt.Sprintf("  p%d: window\n", n-1)
}

// FuzzParameters: whatever a parameter file holds, it is read or refused.
func FuzzParameters(f *testing.F) {
	f.Add(sharedText)
	f.Add(largeCycle(9))
	f.Add("let: {window: {2020-01-01: [1d, 2d], 2021-01-01: []}, a: {x: 1}}\noverrides: [{product: [], seller: {}, let: {window: 1}}]")
	f.Fuzz(func(t *testing.T, text string) {
		for _, file := range []string{windowed(1, "2020-01-01", ""), windowed(1, "2020-01-01", strings.ReplaceAll(text, "\n\n", "\n"))} {
			book, err := Load(withParameters(map[string]string{"acceptance.yaml": file, "parameters.yaml": text}))
			if err != nil {
				continue
			}
			for _, p := range book.Sites()[0].Versions("acceptance")[0].Phases() {
				rs, problems := Parse(p.File, []byte(p.Text))
				if again, more := Compile(rs, "CNY"); len(problems)+len(more) > 0 || again.Hash != p.Hash {
					t.Fatalf("it is not restored from what is kept of it: %v %v\n%s", problems, more, p.Text)
				}
			}
		}
	})
}

// TestManyDatesAndNames: the value on any date is the last one that began, and
// the phases of a file begin where one of its values does.
func TestManyDatesAndNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := on("2020-01-01")
		dates := rapid.SliceOfNDistinct(rapid.IntRange(1, 400), 0, 6, func(n int) int { return n }).Draw(t, "dates")
		slices.Sort(dates)
		windows := []int{rapid.IntRange(1, 40).Draw(t, "first")}
		text := fmt.Sprintf("window: {%s: %dd", first, windows[0])
		for _, n := range dates {
			windows = append(windows, rapid.IntRange(1, 40).Draw(t, "next"))
			text += fmt.Sprintf(", %s: %dd", first+market.Date(n), windows[len(windows)-1])
		}
		s := loaded(t, map[string]string{"acceptance.yaml": windowed(1, first.String(), ""), "parameters.yaml": "let:\n  " + text + "}\n"})
		if got := len(s.Versions("acceptance")[0].Phases()); got != 1+len(dates) {
			t.Fatalf("%d phases, want %d", got, 1+len(dates))
		}
		day := rapid.IntRange(0, 500).Draw(t, "day")
		want := windows[0]
		for i, n := range dates {
			if n <= day {
				want = windows[i+1]
			}
		}
		p, err := s.Policy("acceptance", first+market.Date(day))
		if err != nil {
			t.Fatal(err)
		}
		for _, ago := range []int{want - 1, want} {
			a, err := p.Decide(signed("", "", time.Duration(ago)*24*time.Hour), noon)
			if err != nil || (a.Outcome == "accept") != (ago == want) {
				t.Fatalf("day %d: after %d days it is %s, the window is %d: %v", day, ago, a.Outcome, want, err)
			}
		}
	})
}
