package rules

import (
	"context"
	"os"
	"runtime"
	"testing"
)

// TestDefaults compiles the rule files that ship and runs the tests beside them.
func TestDefaults(t *testing.T) {
	book, err := Load(os.DirFS("defaults"))
	if err != nil {
		t.Fatalf("the default rules do not compile:\n%v", err)
	}
	report := book.Test()
	if err := report.Err(); err != nil {
		t.Errorf("the default rules fail their tests:\n%v", err)
	}
	t.Logf("%d cases, %d of %d rules hit", report.Cases, report.Hit, report.Rules)
}

// TestDefaultsAreCovered: the cases show every rule that ships at work, and every
// leaf of its conditions both true and false where it is asked.
func TestDefaultsAreCovered(t *testing.T) {
	for _, c := range defaultBook(t).Test().Coverage() {
		if !c.Measured || c.Percent() < 100 || len(c.Unhit) > 0 {
			t.Errorf("%s: %d of %d leaves, no case for the rules %q", c.File, c.Both, c.Leaves, c.Unhit)
		}
		for _, l := range c.Gaps {
			t.Error(l.Problem.Error())
		}
	}
}

// TestDefaultsAreMutated: of a hundred small edits of the rules that ship the cases
// notice at least ninety-five, in every file.
func TestDefaultsAreMutated(t *testing.T) {
	const wanted = 95
	all, err := defaultBook(t).Mutate(context.Background(), MutateOptions{Workers: runtime.GOMAXPROCS(0), Want: wanted})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		t.Logf("%s: %d edits, %d noticed, %d do not compile, %d change nothing, %d need not be noticed, score %d", m.File, m.Total(), m.Noticed, m.Refused, m.Same, len(m.Equivalent), m.Score())
		for _, k := range m.Problems {
			t.Error(k)
		}
		for _, k := range m.Survivors {
			t.Logf("%s:%d: rule %q: %s, with %s it would be %s", k.File, k.Line, k.Rule, k.Edit, k.Given, k.Is)
		}
	}
}

func defaultBook(t *testing.T) *Book {
	t.Helper()
	book, err := Load(Defaults())
	if err != nil {
		t.Fatalf("the default rules do not compile:\n%v", err)
	}
	return book
}
