package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// The house's limits.
const (
	mostFunctionLines = 70
	mostFileLines     = 400
)

// topLevel is all that lies at the top of the repository, dotfiles aside.
var topLevel = []string{"Dockerfile", "LICENSE", "README.md", "cmd", "go.mod", "go.sum", "jobs", "reports", "rules", "storage"}

// star says which of our packages a package may import: down the page only.
var star = map[string][]string{
	"cmd/nightshift":          {"cmd/nightshift/console", "cmd/nightshift/watching", "jobs", "jobs/intake", "jobs/signing", "rules", "rules/market", "rules/table", "reports", "storage", "storage/cluster"},
	"cmd/nightshift/console":  {"jobs", "rules", "rules/market", "reports", "storage"},
	"cmd/nightshift/watching": {"jobs", "rules", "rules/market", "storage"},

	"jobs":           {"jobs/bank", "jobs/metering", "jobs/settling", "jobs/waterfall", "rules", "rules/market", "rules/table", "reports", "storage"},
	"jobs/bank":      {"rules/market"},
	"jobs/waterfall": {"rules", "rules/market"},
	"jobs/metering":  {"rules", "rules/market"},
	"jobs/settling":  {"rules", "rules/market"},
	"jobs/signing":   {},
	"jobs/intake":    {"rules", "rules/market", "rules/table", "storage"},

	"rules":               {"rules/market", "rules/table"},
	"rules/table":         {},
	"reports":             {"rules/market"},
	"storage":             {"rules/market", "storage/cluster"},
	"storage/cluster":     {},
	"storage/storagetest": {"rules/market", "storage", "storage/cluster"},

	"rules/market": {},
}

// starOfTests says what the tests of a package may import besides: a database
// for each test, and what brings their records in.
var starOfTests = map[string][]string{
	"cmd/nightshift":          {"storage/storagetest"},
	"cmd/nightshift/console":  {"storage/storagetest", "rules/table", "jobs/intake"},
	"cmd/nightshift/watching": {"storage/storagetest"},
	"jobs":                    {"storage/storagetest", "storage/cluster", "jobs/intake"},
	"jobs/intake":             {"storage/storagetest"},
	"storage":                 {"storage/storagetest"},
	"storage/storagetest":     {},
}

// library is code of others: where it is imported, and where its tests alone
// need it. A library that is not here is one that nobody has agreed on.
type library struct {
	module string
	in     []string // files, as patterns; a pattern ending in /... is a whole tree
	tests  []string // test files beside those
}

var libraries = []library{
	{"github.com/expr-lang/expr", []string{"rules/compile*.go", "rules/decide*.go"}, []string{"rules/*"}},
	{"github.com/go-co-op/gocron/v2", []string{"jobs/schedule*.go"}, []string{"jobs/schedule*"}},
	{"github.com/prometheus/client_golang", []string{"cmd/nightshift/watching/*"}, nil},
	{"github.com/prometheus/common", nil, []string{"cmd/nightshift/watching/*"}},
	{"go.opentelemetry.io/otel", []string{"jobs/*.go", "cmd/nightshift/watching/traces.go", "cmd/nightshift/*.go"}, nil},
	{"go.opentelemetry.io/proto/otlp", nil, []string{"cmd/nightshift/watching/*"}},
	{"google.golang.org/protobuf", nil, []string{"cmd/nightshift/watching/*"}},
	{"github.com/wneessen/go-mail", []string{"cmd/nightshift/watching/*"}, nil},
	{"github.com/emersion/go-smtp", nil, []string{"cmd/nightshift/watching/*"}},
	{"github.com/riverqueue/river", []string{"storage/helpers.go"}, nil},
	{"github.com/google/uuid", []string{"jobs/schedule*.go"}, nil}, // gocron's name of a wake
	{"github.com/robfig/cron/v3", []string{"rules/timetable*.go"}, nil},
	{"github.com/jonboulle/clockwork", []string{"jobs/schedule*.go", "cmd/nightshift/serve*.go"}, []string{"jobs/schedule*"}},
	{"github.com/xuri/excelize/v2", []string{"reports/*", "rules/table/*"}, []string{"jobs/...", "cmd/..."}},
	{"github.com/klauspost/compress", []string{"reports/*", "rules/table/*"}, nil},
	{"github.com/uptrace/bun", []string{"storage/..."}, nil},
	{"github.com/jackc/pgx/v5", []string{"storage/..."}, []string{"jobs/..."}},
	{"github.com/gofrs/flock", []string{"storage/cluster/*"}, nil},
	{"golang.org/x/sys", []string{"storage/..."}, []string{"cmd/nightshift/*", "jobs/*"}},
	{"github.com/cockroachdb/apd/v3", []string{"rules/market/*"}, nil},
	{"golang.org/x/text", []string{"rules/...", "reports/*", "jobs/bank/*", "cmd/..."}, nil},
	{"go.yaml.in/yaml/v3", []string{"rules/*"}, nil},
	{"github.com/agnivade/levenshtein", []string{"rules/*", "jobs/intake/*"}, nil},
	{"github.com/spf13/cobra", []string{"cmd/nightshift/*"}, nil},
	{"github.com/spf13/pflag", []string{"cmd/nightshift/*"}, nil},
	{"github.com/caarlos0/env/v11", []string{"cmd/nightshift/*"}, nil},
	{"github.com/schollz/progressbar/v3", []string{"cmd/nightshift/*"}, nil},
	{"golang.org/x/term", []string{"cmd/nightshift/*"}, nil},
	{"golang.org/x/sync", []string{"cmd/...", "jobs/...", "storage/...", "reports/*"}, nil},
	{"github.com/rogpeppe/go-internal", []string{"cmd/nightshift/rules_fmt.go"}, []string{"cmd/nightshift/*", "jobs/*"}},
	{"github.com/google/go-cmp", nil, []string{"cmd/...", "jobs/...", "reports/...", "rules/...", "storage/..."}},
	{"pgregory.net/rapid", nil, []string{"cmd/...", "jobs/...", "reports/...", "rules/...", "storage/..."}},
	{"github.com/santhosh-tekuri/jsonschema/v6", nil, []string{"rules/*"}},
	{"cel.dev/cel-go", nil, []string{"rules/*"}},
}

// clocks are the calls that read the wall clock or wait on it, and who may
// make them. A business date and an as-of are arguments everywhere else.
var clocks = map[string][]string{
	"time.Now":   {"cmd/nightshift/*.go", "cmd/nightshift/console/*.go", "cmd/nightshift/watching/*.go"},
	"time.Since": {"cmd/nightshift/*.go", "cmd/nightshift/console/*.go"},
	"time.Until": {"cmd/nightshift/*.go"},
	"time.Sleep": {"storage/cluster/guard.go", "storage/cluster/*_test.go"}, // killed processes tell nobody when they are gone
}

// clocksOfTests are the tests that measure how long something took: limits of
// waiting on another process, and benchmarks that interleave what they compare.
var clocksOfTests = []string{"jobs/intake/bench*_test.go", "*/bench*_test.go", "*/*bench*_test.go", "storage/cluster/*_test.go", "storage/embedded_test.go", "cmd/nightshift/*_test.go"}

// words that promise what is not there. They are put together here, so that
// this file may be read by its own test.
var unfinished = regexp.MustCompile(`(?i)\b(TO` + `DO|FIX` + `ME|X` + `XX|not imple` + `mented|for n` + `ow|place` + `holder|simpli` + `fied)\b([^=]|$)`)

// excused are words of the trade that only look like promises: ISO 4217 calls
// an amount without a currency so.
var excused = map[string]string{"rules/market/money.go": "X" + "XX", "storage/month.go": "X" + "XX", "storage/statements.go": "X" + "XX"}

// elsewhere are places on one machine, and papers that are not in the repository.
var elsewhere = regexp.MustCompile(`(/wo` + `rk/|/ho` + `me/[a-z]|/ro` + `ot/|/Us` + `ers/|/tm` + `p/[a-z]|[A-Z]:\\Us` + `ers|\b(do` + `main|de` + `sign|house-st` + `yle|perfor` + `mance|CONT` + `RACT|NO` + `TES[-a-z]*)\.m` + `d\b)`)

// house is every file of the repository, by its path from the top.
type house struct {
	files map[string][]byte
	trees map[string]*ast.File // of the Go files
	set   *token.FileSet
}

func (h *house) paths() []string {
	paths := make([]string, 0, len(h.files))
	for p := range h.files {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	return paths
}

func (h *house) goPaths() []string {
	return slices.DeleteFunc(h.paths(), func(p string) bool { return h.trees[p] == nil })
}

func (h *house) line(pos token.Pos) int { return h.set.Position(pos).Line }

func TestTidy(t *testing.T) {
	h := visit(t)
	for _, check := range []struct {
		law   string
		check func(h *house, found func(where, what string))
	}{
		{"the top level holds what it holds", topLevelStays},
		{"imports go down the star", importsGoDown},
		{"a library is imported in its place alone", librariesStay},
		{"code is formatted", codeIsFormatted},
		{"functions and files have a limit", sizesAreLimited},
		{"only cmd reads the clock and nobody sleeps", clocksStay},
		{"a package says what it owns", packagesSayWhatTheyOwn},
		{"nothing is promised in the place of work", nothingIsPromised},
		{"nothing points out of the repository", nothingPointsElsewhere},
		{"the change log keeps its form", changeLogKeepsItsForm},
	} {
		t.Run(check.law, func(t *testing.T) {
			check.check(h, func(where, what string) { t.Errorf("%s: %s", where, what) })
		})
	}
}

// visit reads every file that is in the repository or about to be.
func visit(t *testing.T) *house {
	t.Helper()
	top := filepath.Join("..", "..")
	h := &house{files: map[string][]byte{}, trees: map[string]*ast.File{}, set: token.NewFileSet()}
	for _, p := range listed(t, top) {
		text, err := os.ReadFile(filepath.Join(top, p))
		if os.IsNotExist(err) { // deleted, and not committed yet
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		h.files[p] = text
		if path.Ext(p) == ".go" && !strings.Contains(p, "testdata/") {
			if h.trees[p], err = parser.ParseFile(h.set, p, text, parser.ParseComments); err != nil {
				t.Error(err)
				delete(h.trees, p)
			}
		}
	}
	return h
}

// listed asks git for the files, or walks where there is no git.
func listed(t *testing.T, top string) []string {
	t.Helper()
	out, err := exec.Command("git", "-C", top, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate").Output()
	if err == nil {
		return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	}
	var paths []string
	err = filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == ".git" {
			return filepath.SkipDir
		}
		if err == nil && d.Type().IsRegular() {
			p, err = filepath.Rel(top, p)
			paths = append(paths, filepath.ToSlash(p))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func topLevelStays(h *house, found func(where, what string)) {
	there := map[string]bool{}
	for p := range h.files {
		first, _, _ := strings.Cut(p, "/")
		there[first] = true
	}
	for name := range there {
		if !strings.HasPrefix(name, ".") && !slices.Contains(topLevel, name) {
			found(name, "does not belong at the top level")
		}
	}
	for _, name := range topLevel {
		if !there[name] {
			found(name, "is missing at the top level")
		}
	}
}

func importsGoDown(h *house, found func(where, what string)) {
	for _, p := range h.goPaths() {
		pkg := path.Dir(p)
		allowed, known := star[pkg]
		if !known {
			found(p, "package "+pkg+" has no place in the star")
			continue
		}
		if isTest(p) {
			allowed = append(append(slices.Clone(allowed), starOfTests[pkg]...), pkg)
		}
		for _, spec := range h.trees[p].Imports {
			ours, ok := strings.CutPrefix(imported(spec), "nightshift/")
			if ok && !slices.Contains(allowed, ours) {
				found(fmt.Sprintf("%s:%d", p, h.line(spec.Pos())), pkg+" may not import "+ours)
			}
		}
	}
}

func librariesStay(h *house, found func(where, what string)) {
	for _, p := range h.goPaths() {
		for _, spec := range h.trees[p].Imports {
			name := imported(spec)
			if first, _, _ := strings.Cut(name, "/"); !strings.Contains(first, ".") {
				continue
			}
			where := fmt.Sprintf("%s:%d", p, h.line(spec.Pos()))
			i := slices.IndexFunc(libraries, func(l library) bool { return name == l.module || strings.HasPrefix(name, l.module+"/") })
			if i < 0 {
				found(where, name+" is a library that the table of libraries does not know")
				continue
			}
			l := libraries[i]
			if !matchesAny(l.in, p) && !(isTest(p) && matchesAny(l.tests, p)) {
				found(where, name+" is imported in "+strings.Join(append(slices.Clone(l.in), l.tests...), ", ")+" alone")
			}
		}
	}
}

func codeIsFormatted(h *house, found func(where, what string)) {
	for _, p := range h.goPaths() {
		tidy, err := format.Source(h.files[p])
		if err != nil || !bytes.Equal(tidy, h.files[p]) {
			found(p, "is not formatted: run gofmt -w "+p)
		}
	}
}

func sizesAreLimited(h *house, found func(where, what string)) {
	for _, p := range h.goPaths() {
		if isTest(p) {
			continue
		}
		if n := bytes.Count(h.files[p], []byte("\n")); n > mostFileLines {
			found(p, fmt.Sprintf("has %d lines, at most %d", n, mostFileLines))
		}
		ast.Inspect(h.trees[p], func(n ast.Node) bool {
			if f, ok := n.(*ast.FuncDecl); ok {
				if lines := h.line(f.End()) - h.line(f.Pos()) + 1; lines > mostFunctionLines {
					found(fmt.Sprintf("%s:%d", p, h.line(f.Pos())), fmt.Sprintf("%s has %d lines, at most %d", f.Name.Name, lines, mostFunctionLines))
				}
			}
			return true
		})
	}
}

func clocksStay(h *house, found func(where, what string)) {
	for _, p := range h.goPaths() {
		ast.Inspect(h.trees[p], func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := s.X.(*ast.Ident)
			if !ok || pkg.Obj != nil {
				return true
			}
			call := pkg.Name + "." + s.Sel.Name
			allowed, watched := clocks[call]
			if watched && !matchesAny(allowed, p) && !(call != "time.Sleep" && isTest(p) && matchesAny(clocksOfTests, p)) {
				found(fmt.Sprintf("%s:%d", p, h.line(s.Pos())), call+" is not called here: take the instant as an argument, or wait for what is awaited")
			}
			return true
		})
	}
}

func packagesSayWhatTheyOwn(h *house, found func(where, what string)) {
	docs := map[string]string{}
	for _, p := range h.goPaths() {
		if !isTest(p) {
			docs[path.Dir(p)] += h.trees[p].Doc.Text()
		}
	}
	for pkg, doc := range docs {
		for _, says := range []string{"Owns:", "Does not own:", "Always:"} {
			if !strings.Contains(doc, says) {
				found(pkg, "its package doc does not say “"+says+"”")
			}
		}
	}
}

func nothingIsPromised(h *house, found func(where, what string)) {
	h.search(unfinished, found, "says %q: do it, or leave it out")
}

func nothingPointsElsewhere(h *house, found func(where, what string)) {
	h.search(elsewhere, found, "names %q, which a clone does not have")
}

// search looks through the lines of every text file.
func (h *house) search(wanted *regexp.Regexp, found func(where, what string), says string) {
	for _, p := range h.paths() {
		text := h.files[p]
		if p == "go.sum" || !utf8.Valid(text) {
			continue
		}
		for i, line := range bytes.Split(text, []byte("\n")) {
			if m := wanted.FindSubmatch(line); m != nil && excused[p] != string(m[1]) {
				found(fmt.Sprintf("%s:%d", p, i+1), fmt.Sprintf(says, m[1]))
			}
		}
	}
}

func changeLogKeepsItsForm(h *house, found func(where, what string)) {
	const log = "cmd/CHANGELOG.md"
	entry := regexp.MustCompile(`^- (CHANGE|FEATURE|FIX|RULE|MIGRATION): [^ ].*\.$`)
	heading := regexp.MustCompile(`^#{1,2} [^ ]`)
	for i, line := range strings.Split(string(h.files[log]), "\n") {
		if line != "" && !entry.MatchString(line) && !heading.MatchString(line) {
			found(fmt.Sprintf("%s:%d", log, i+1), "is neither a heading nor one line like “- FEATURE: ….”, beginning with CHANGE, FEATURE, FIX, RULE or MIGRATION")
		}
	}
}

func isTest(p string) bool {
	return strings.HasSuffix(p, "_test.go") || strings.HasPrefix(p, "storage/storagetest/")
}

func imported(spec *ast.ImportSpec) string {
	name, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		panic(err)
	}
	return name
}

func matchesAny(patterns []string, p string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if tree, whole := strings.CutSuffix(pattern, "..."); whole {
			return strings.HasPrefix(p, tree)
		}
		ok, err := path.Match(pattern, p)
		if err != nil {
			panic(err)
		}
		return ok
	})
}

// TestTidyFindsWhatIsWrong breaks each law once, so that a law that no longer
// looks is noticed.
func TestTidyFindsWhatIsWrong(t *testing.T) {
	long := "package x\n\nfunc f() {\n" + strings.Repeat("\tf()\n", mostFileLines) + "}\n"
	for _, tt := range []struct {
		file, text string
		check      func(h *house, found func(where, what string))
		want       []string
	}{
		{"notes/plan.txt", "", topLevelStays, []string{"notes: does not belong"}},
		{"reports/x.go", "package reports\n\nimport _ \"nightshift/storage\"\n", importsGoDown, []string{"reports/x.go:3: reports may not import storage"}},
		{"rules/facts.go", "package rules\n\nimport _ \"github.com/expr-lang/expr/ast\"\n", librariesStay, []string{"rules/facts.go:3: github.com/expr-lang/expr/ast is imported in"}},
		{"jobs/x.go", "package jobs\n\nimport _ \"example.org/y\"\n", librariesStay, []string{"jobs/x.go:3: example.org/y is a library"}},
		{"jobs/x.go", "package jobs\nvar  x int\n", codeIsFormatted, []string{"jobs/x.go: is not formatted"}},
		{"jobs/x.go", long, sizesAreLimited, []string{"jobs/x.go: has 404 lines", "jobs/x.go:3: f has 402 lines"}},
		{"jobs/x.go", "package jobs\n\nimport \"time\"\n\nvar _ = time.Now()\n", clocksStay, []string{"jobs/x.go:5: time.Now"}},
		{"jobs/x.go", "// Package jobs is.\n//\n// Owns: it. Always: so.\npackage jobs\n", packagesSayWhatTheyOwn, []string{"jobs: its package doc does not say “Does not own:”"}},
		{"rules/x.yaml", "# to" + "do\n", nothingIsPromised, []string{`rules/x.yaml:1: says "to` + `do"`}},
		{"README.md", "x\nsee /ro" + "ot/papers\n", nothingPointsElsewhere, []string{"README.md:2: names"}},
		{"cmd/CHANGELOG.md", "# x\n- Something else.\n", changeLogKeepsItsForm, []string{"cmd/CHANGELOG.md:2: is neither"}},
	} {
		h := &house{files: map[string][]byte{}, trees: map[string]*ast.File{}, set: token.NewFileSet()}
		for _, name := range topLevel {
			h.files[name] = nil
		}
		h.files[tt.file] = []byte(tt.text)
		if path.Ext(tt.file) == ".go" {
			tree, err := parser.ParseFile(h.set, tt.file, tt.text, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			h.trees[tt.file] = tree
		}
		var found []string
		tt.check(h, func(where, what string) { found = append(found, where+": "+what) })
		if len(found) != len(tt.want) {
			t.Errorf("%s: found %q, want %q", tt.file, found, tt.want)
			continue
		}
		for i, want := range tt.want {
			if !strings.HasPrefix(found[i], want) {
				t.Errorf("%s: found %q, want %q", tt.file, found[i], want)
			}
		}
	}
}
