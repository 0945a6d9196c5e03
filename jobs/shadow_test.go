package jobs_test

import (
	"bytes"
	"testing"
	"testing/fstest"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// withShadows are the default rules with shadows beside them: seven days instead
// of ten, and one that cannot decide about any order.
func withShadows(t testing.TB) *rules.Book {
	t.Helper()
	files := without(t, rules.Defaults(), []string{"br/orders.map.yaml"}).(fstest.MapFS) // a copy
	files["seven.yaml"] = &fstest.MapFile{Data: []byte(edited(t, "acceptance.yaml", "ruleset: acceptance\n", "ruleset: acceptance\nshadow: true\n"))}
	files["seven.yaml"].Data = bytes.Replace(files["seven.yaml"].Data, []byte(window), []byte("acceptance_window: 7d"), 1)
	files["broken.yaml"] = &fstest.MapFile{Data: []byte(`
ruleset: acceptance
shadow: true
version: 9
effective: 2017-01-01
hit: first
rules:
  - name: dear in another currency
    when: amount > money("1.00 USD")
    then: hold
    because: It is dear.
otherwise: wait
`)}
	book, err := rules.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func TestANightIsTheSameNightWithShadowsBesideIt(t *testing.T) {
	plain, beside := storagetest.New(t), storagetest.New(t)
	var runs [2]jobs.Result
	for i, s := range []*storage.Store{plain, beside} {
		marketplace(t, s, 600)
		e := engine(t, s)
		e.ChunkSize = 50
		if i == 1 {
			e.Book = withShadows(t)
		}
		for _, on := range []string{"2024-02-25", "2024-03-05"} {
			var err error
			if runs[i], err = e.Run(t.Context(), jobs.Request{Job: "acceptance", Site: "cn", On: date(t, on)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if runs[1].Run.Parked != 0 || !bytes.Equal(runs[0].Run.ResultHash, runs[1].Run.ResultHash) {
		t.Errorf("without shadows %v, with them %v, %d parked", runs[0].Run.Outcomes, runs[1].Run.Outcomes, runs[1].Run.Parked)
	}
	for _, table := range []string{"decisions", "completions", "notices", "event_keys"} {
		if a, b := count(t, plain, "SELECT count(*) FROM "+table), count(t, beside, "SELECT count(*) FROM "+table); a != b {
			t.Errorf("%s: %d rows without shadows, %d with them", table, a, b)
		}
	}
	const due = `SELECT count(*) FROM due WHERE look_at < 'infinity'`
	if a, b := count(t, plain, due), count(t, beside, due); a != b {
		t.Errorf("%d are to be looked at again without shadows, %d with them", a, b)
	}
	if n := count(t, beside, `SELECT count(*) FROM shadow_differences WHERE trouble LIKE '%currenc%'`); n < 600 {
		t.Errorf("%d differences say that the broken shadow cannot decide", n)
	}
	if n := count(t, beside, `SELECT count(*) FROM shadow_differences WHERE was = 'accept' AND would = 'accept' AND was_due - would_due = interval '3 days'`); n == 0 {
		t.Error("no order would have been accepted three days earlier")
	}
	if len(runs[1].Shadows) == 0 || runs[0].Shadows != nil {
		t.Errorf("the run tells of shadows %+v", runs[1].Shadows)
	}
}

func TestADryRunShowsItsShadows(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 200)
	e := engine(t, s)
	e.Book = withShadows(t)
	ask := jobs.Request{Job: "acceptance", Site: "cn", On: date(t, "2024-03-05"), DryRun: true}
	preview, err := e.Run(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	ask.DryRun = false
	real, err := e.Run(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	if len(preview.Shadows) != len(real.Shadows) || len(real.Shadows) == 0 {
		t.Fatalf("the preview's shadows are %+v, the run's %+v", preview.Shadows, real.Shadows)
	}
	for i, tally := range real.Shadows {
		if p := preview.Shadows[i]; p.Orders != tally.Orders || p.Was != tally.Was || p.Would != tally.Would {
			t.Errorf("previewed %+v, it came to %+v", p, tally)
		}
	}
}
