//go:build !race

// Nobody measures under the race detector, and without this file the other
// engine need not be built for it a second time.

package rules

import (
	"fmt"
	"strings"
	"testing"

	"cel.dev/cel-go/cel"
)

// plainRules say the same to both engines: no money, time as whole days.
var plainRules = []struct{ ours, theirs string }{
	{"open", "open"},
	{`product == "image"`, `product == "image"`},
	{`product in ["license", "image"]`, `product in ["license", "image"]`},
	{"not ready", "!ready"},
	{"count_of > 100", "count_of > 100"},
	{"count_of == 30 and window_days > 3", "count_of == 30 && window_days > 3"},
	{`note == "accepted"`, `note == "accepted"`},
	{`note == "sent back"`, `note == "sent back"`},
	{"count_of > 50 and window_days < 3", "count_of > 50 && window_days < 3"},
	{`product == "hardware" and count_of < 0`, `product == "hardware" && count_of < 0`},
	{`product == "hardware" and window_days >= 10 and count_of > 0`, `product == "hardware" && window_days >= 10 && count_of > 0`},
	{"window_days >= 180", "window_days >= 180"},
}

// BenchmarkDecideVsCEL decides by the same twelve rules without money, here and
// in cel-go with a program a rule and its activation reused.
func BenchmarkDecideVsCEL(b *testing.B) {
	b.Run("nightshift", func(b *testing.B) {
		var text strings.Builder
		text.WriteString("ruleset: trial\nversion: 1\neffective: 2020-01-01\nhit: first\nrules:\n")
		for i, r := range plainRules {
			fmt.Fprintf(&text, "  - {name: r%d, when: '%s', then: yes, because: A.}\n", i, r.ours)
		}
		p, err := compileText(text.String() + "otherwise: no\n")
		if err != nil {
			b.Fatal(err)
		}
		facts := trial()
		b.ReportAllocs()
		for b.Loop() {
			if a, _ := p.Decide(facts, noon); a.RuleIndex != 10 {
				b.Fatal(a)
			}
		}
	})
	b.Run("cel-go", func(b *testing.B) {
		programs := celPrograms(b)
		f := trial()
		vars, err := cel.NewActivation(map[string]any{"ready": f.Ready, "open": f.Open, "count_of": f.Count, "window_days": f.Days, "product": f.Kind, "note": f.Note})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			hit := -1
			for i, p := range programs {
				if v, _, err := p.Eval(vars); err == nil && v.Value() == true {
					hit = i
					break
				}
			}
			if hit != 10 {
				b.Fatal(hit)
			}
		}
	})
}

func celPrograms(b *testing.B) []cel.Program {
	env, err := cel.NewEnv(cel.Variable("ready", cel.BoolType), cel.Variable("open", cel.BoolType), cel.Variable("count_of", cel.IntType),
		cel.Variable("window_days", cel.IntType), cel.Variable("product", cel.StringType), cel.Variable("note", cel.StringType))
	if err != nil {
		b.Fatal(err)
	}
	var programs []cel.Program
	for _, r := range plainRules {
		ast, issues := env.Compile(r.theirs)
		if issues.Err() != nil {
			b.Fatal(issues.Err())
		}
		p, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
		if err != nil {
			b.Fatal(err)
		}
		programs = append(programs, p)
	}
	return programs
}
