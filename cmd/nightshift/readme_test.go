package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/spf13/cobra"

	"nightshift/rules"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fenced are the blocks of the README in one language, in order.
func fenced(text, language string) []string {
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)\n```"+language+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// TestReadmeTeachesRulesThatHold checks the rule file and its test that
// newcomers are shown, and the error they are told to expect.
func TestReadmeTeachesRulesThatHold(t *testing.T) {
	text := readme(t)
	files, printed := fenced(text, "yaml"), fenced(text, "text")
	if len(files) != 3 || len(printed) != 1 {
		t.Fatalf("README.md shows %d yaml and %d text blocks, want a rule file, its test, parameters and an error", len(files), len(printed))
	}
	site := fstest.MapFS{"acceptance.yaml": {Data: []byte(files[0])}, "acceptance.test.yaml": {Data: []byte(files[1])}}
	for _, name := range []string{"site.yaml", "calendar.csv"} {
		shipped, err := fs.ReadFile(rules.Defaults(), name)
		if err != nil {
			t.Fatal(err)
		}
		site[name] = &fstest.MapFile{Data: shipped}
	}
	book, err := rules.Load(site)
	if err != nil {
		t.Fatal(err)
	}
	if report := book.Test(); len(report.Problems) > 0 || report.Cases != 3 {
		t.Errorf("%d cases: %v", report.Cases, report.Problems)
	}

	own := site["acceptance.yaml"].Data
	site["acceptance.yaml"].Data = []byte(strings.Replace(files[0], "  acceptance_window: 10d\n", "", 1))
	site["parameters.yaml"] = &fstest.MapFile{Data: []byte(files[2])}
	if _, err := rules.Load(site); err != nil {
		t.Errorf("the parameters of README.md: %v", err)
	}
	delete(site, "parameters.yaml")
	site["acceptance.yaml"].Data = own

	site["acceptance.yaml"].Data = []byte(strings.Replace(files[0], "when: signed_for", "when: singed_for", 1))
	if _, err := rules.Load(site); err == nil || strings.TrimSpace(err.Error()) != strings.TrimSpace(printed[0]) {
		t.Errorf("README.md says\n%s\nbut what is printed is\n%v", printed[0], err)
	}
}

// TestReadmeShowsATableThatHolds loads the decision table that newcomers are shown.
func TestReadmeShowsATableThatHolds(t *testing.T) {
	tables := fenced(readme(t), "csv")
	if len(tables) != 1 {
		t.Fatalf("README.md shows %d tables", len(tables))
	}
	_, err := rules.Load(fstest.MapFS{
		"site.yaml":       {Data: []byte("site: cn\ncurrency: CNY\ntime_zone: Asia/Shanghai\n")},
		"windows.csv":     {Data: []byte(tables[0])},
		"acceptance.yaml": {Data: []byte("ruleset: acceptance\nversion: 1\neffective: 2026-01-01\nhit: unique\ntable: windows.csv\notherwise: wait\n")},
	})
	if err != nil {
		t.Error(err)
	}
}

func TestReadmeNamesEverySetting(t *testing.T) {
	text := readme(t)
	fields := reflect.TypeFor[settings]()
	for i := range fields.NumField() {
		if name := fields.Field(i).Tag.Get("env"); !strings.Contains(text, "`"+name+"`") {
			t.Errorf("README.md does not say what %s means", name)
		}
	}
}

func TestReadmeNamesEveryCommand(t *testing.T) {
	text := readme(t)
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, below := range cmd.Commands() {
			visit(below)
		}
		name, _ := strings.CutPrefix(cmd.CommandPath(), "nightshift ")
		if cmd.Runnable() && !cmd.HasSubCommands() && !strings.Contains(text, "`"+name) {
			t.Errorf("README.md does not name the command %q", name)
		}
	}
	visit((&program{env: func(string) string { return "" }}).root())
}

// TestReadmePointsAtWhatIsThere looks for the files and directories that the
// README names.
func TestReadmePointsAtWhatIsThere(t *testing.T) {
	for _, m := range regexp.MustCompile("`((?:cmd|jobs|reports|rules|storage|\\.ci)/[^` ]*)`").FindAllStringSubmatch(readme(t), -1) {
		if _, err := os.Stat(filepath.Join("..", "..", m[1])); err != nil {
			t.Errorf("README.md: %v", err)
		}
	}
}
