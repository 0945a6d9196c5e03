package rules

import (
	"os"
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
