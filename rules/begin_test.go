package rules

import (
	"strings"
	"testing"
)

// TestBegin: of every ruleset a file can be begun that compiles, is formatted,
// and has one case that fails until it is given what the comment says.
func TestBegin(t *testing.T) {
	for _, v := range Vocabularies() {
		text, test, err := Begin(v.Ruleset, 1, on("2026-04-01"))
		if err != nil {
			t.Fatal(err)
		}
		for name, written := range map[string]string{"x.yaml": text, "x.test.yaml": test} {
			if formatted(t, name, written) != written {
				t.Errorf("%s of %s is not formatted:\n%s", name, v.Ruleset, written)
			}
		}
		check := func(test string) *TestReport {
			book, err := Load(directory(map[string]string{"site.yaml": trialSite, v.Ruleset + ".yaml": text, v.Ruleset + ".test.yaml": test}))
			if err != nil {
				t.Fatalf("%s: %v\n%s", v.Ruleset, err, text)
			}
			return book.Test()
		}
		if r := check(test); r.Cases != 2 || r.Failed != 1 || !strings.Contains(r.Err().Error(), "not so: ") {
			t.Errorf("%s: %d of %d cases fail: %v", v.Ruleset, r.Failed, r.Cases, r.Err())
		}
		_, given, _ := strings.Cut(test, "such as {")
		given, _, _ = strings.Cut(given, "}")
		if r := check(strings.Replace(test, "given: {}", "given: {"+given+"}", 1)); r.Err() != nil {
			t.Errorf("%s with %s: %v", v.Ruleset, given, r.Err())
		}
	}
	if _, _, err := Begin("aceptance", 1, 0); err == nil || !strings.Contains(err.Error(), "did you mean acceptance?") {
		t.Error(err)
	}
}
