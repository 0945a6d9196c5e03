package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// sloppy writes rule files as people in a hurry do.
type sloppy struct {
	writer
	comments []string
}

func (s *sloppy) gap() string { return s.pick("", "", "", "\n", "\n\n") }

// comment is now and then a comment behind a value.
func (s *sloppy) comment() string {
	if s.pick("y", "n", "n") == "n" {
		return ""
	}
	s.comments = append(s.comments, fmt.Sprintf("# note %d: \"quoted\", it's", len(s.comments)))
	return s.pick(" ", "   ") + s.comments[len(s.comments)-1]
}

// above is now and then a comment on a line of its own, at some indentation.
func (s *sloppy) above(indent string) string {
	text := strings.TrimSpace(s.comment())
	if text == "" {
		return s.gap()
	}
	return s.gap() + indent + text + "\n" + s.gap()
}

// squeezed leaves out, or adds, the spaces of an expression where it can.
func (s *sloppy) squeezed(expression string) string {
	for _, operator := range []string{" == ", " <= ", " >= ", " < ", " + ", " * ", ", ", " && "} {
		if s.pick("y", "n") == "y" {
			expression = strings.ReplaceAll(expression, operator, s.pick(strings.TrimSpace(operator), " "+operator+" "))
		}
	}
	return expression
}

// condition is an expression as a YAML value behind a key at that indentation.
func (s *sloppy) condition(expression, indent string) string {
	switch s.pick("plain", "single", "double", "literal", "folded", "broken") {
	case "single":
		return "'" + strings.ReplaceAll(expression, "'", "''") + "'" + s.comment()
	case "double":
		return quoteDouble(expression) + s.comment()
	case "literal":
		return "|-" + s.comment() + "\n" + indent + "    " + expression
	case "folded":
		return ">" + s.comment() + "\n" + indent + "   " + expression
	case "broken":
		if plain := strings.Replace(expression, " and ", " and\n"+indent+"   ", 1); isPlain(expression, false) {
			return plain + s.comment()
		}
	}
	if !isPlain(expression, false) {
		return quoteDouble(expression)
	}
	return expression + s.comment()
}

func quoteDouble(text string) string { return string(appendText(nil, text)) }

func (s *sloppy) rule(name, indent string) string {
	when := s.squeezed(s.yes(rapid.IntRange(0, 3).Draw(s.t, "depth")))
	keys := rapid.Permutation([]string{
		"name: " + s.pick(name, `"`+name+`"`, "'"+name+"'") + s.comment(),
		"when: " + s.condition(when, indent),
		"then: " + s.pick("yes", `"yes"`) + s.comment(),
		"because: " + s.pick("So.", `"So: it is."`, "It's\n"+indent+"    so.") + s.comment(),
	}).Draw(s.t, "keys")
	var b strings.Builder
	for i, key := range keys {
		if i > 0 {
			b.WriteString("\n" + s.above(indent+"  ") + indent + "  ")
		}
		b.WriteString(key)
	}
	return indent + "- " + b.String() + "\n"
}

func (s *sloppy) file() string {
	indent := s.pick("", "  ", "    ")
	rules := s.above(indent)
	for i := range rapid.IntRange(1, 4).Draw(s.t, "rules") {
		rules += s.rule(fmt.Sprint("rule ", i), indent) + s.above(indent)
	}
	parts := rapid.Permutation([]string{
		"ruleset: trial" + s.comment() + "\n", "version:   1\n", "effective: 2020-01-01" + s.comment() + "\n", "hit: 'first'" + s.comment() + "\n",
		"rules:" + s.comment() + "\n" + rules,
		"otherwise:" + s.pick(" no", "\n   then: no"+s.comment()+"\n   because:   So it is.", " {then: no, because: So.}") + "\n",
		"let:\n" + s.above("   ") + "   small:   3" + s.comment() + "\n" + s.above("   ") + "   words: [\"a\"  ,'b c',\n     \"d\"]" + s.comment() + "\n",
	}).Draw(s.t, "parts")
	var b strings.Builder
	for _, part := range parts {
		b.WriteString(s.above("") + part)
	}
	return b.String() + s.above("")
}

// TestFormatKeepsWhatAFileSays formats sloppy files: they decide as before, no
// comment is lost, and the second time changes nothing.
func TestFormatKeepsWhatAFileSays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := &sloppy{writer: writer{t: rt}}
		text := s.file()
		before, err := compileText(text)
		if err != nil && (strings.Contains(err.Error(), "never") || strings.Contains(err.Error(), "always") || strings.Contains(err.Error(), "same")) {
			rt.Skip(err)
		}
		if err != nil {
			rt.Fatalf("%v\nof\n%s", err, text)
		}
		tidy, err := Format("trial.yaml", []byte(text))
		if err != nil {
			rt.Fatalf("%v\nof\n%s", err, text)
		}
		if again, err := Format("trial.yaml", tidy); err != nil || string(again) != string(tidy) {
			rt.Fatalf("the second time %v:\n%s\nthe first:\n%s\nof\n%s", err, again, tidy, text)
		}
		for _, comment := range s.comments {
			if strings.Count(string(tidy), comment+"\n") != strings.Count(text, comment+"\n") { // some were drawn and not used
				rt.Fatalf("%s is lost in\n%s\nof\n%s", comment, tidy, text)
			}
		}
		after, err := compileText(string(tidy))
		if err != nil {
			rt.Fatalf("%v\nof\n%s", err, tidy)
		}
		facts := trial()
		facts.Ready, facts.Open = rapid.Bool().Draw(rt, "ready"), rapid.Bool().Draw(rt, "open")
		facts.Count, facts.Days = rapid.Int64Range(-5, 9).Draw(rt, "count_of"), rapid.Int64Range(-5, 9).Draw(rt, "window_days")
		x, failed := before.Decide(facts, noon)
		y, failedToo := after.Decide(facts, noon)
		if x.Outcome != y.Outcome || x.Rule != y.Rule || x.Because != y.Because || (failed == nil) != (failedToo == nil) {
			rt.Fatalf("%v %v, formatted %v %v\n%s\nof\n%s", x, failed, y, failedToo, tidy, text)
		}
	})
}

// FuzzFormat: any text is formatted or refused; what is formatted stays so.
func FuzzFormat(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*")
	defaults, _ := filepath.Glob("defaults/*")
	for _, file := range append(files, defaults...) {
		if text, err := os.ReadFile(file); err == nil {
			f.Add(string(text), strings.Contains(file, ".csv"))
		}
	}
	f.Fuzz(func(t *testing.T, text string, table bool) {
		name := "x.yaml"
		if table {
			name = "x.csv"
		}
		once, err := Format(name, []byte(text))
		if err != nil {
			return
		}
		twice, err := Format(name, once)
		if err != nil || string(twice) != string(once) {
			t.Fatalf("%v: once\n%s\ntwice\n%s", err, once, twice)
		}
	})
}
