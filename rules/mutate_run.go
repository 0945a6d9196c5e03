package rules

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"go.yaml.in/yaml/v3"

	"nightshift/rules/market"
)

// Mutation is what the tests of one rule file notice of the edits made to it.
type Mutation struct {
	Site, File string
	Noticed    int       // edits with which some test fails
	Refused    int       // edits that do not compile, so that no test has to notice them
	Same       int       // edits that are proven to change no answer
	Equivalent []*Mutant // edits that a test file lists, with a reason, as not to be noticed
	Survivors  []*Mutant // edits that no test notices, in the order of the file
	Want       int       // percent of those to be noticed that a test file asks for; 0 where none does
	Rows       bool      // the rows of its table were left out: it is too large
	Problems   Problems  // a list of equivalents that is out of date, tests that fail without any edit
}

// Score is the part of the edits to be noticed that is, in percent, rounded down.
func (m *Mutation) Score() int {
	if all := m.Noticed + len(m.Survivors); all > 0 {
		return 100 * m.Noticed / all
	}
	return 100
}

// Total is how many edits were made.
func (m *Mutation) Total() int {
	return m.Noticed + m.Refused + m.Same + len(m.Equivalent) + len(m.Survivors)
}

// mutating is the work on one rule file.
type mutating struct {
	site    *Site
	policy  *Policy
	tests   []*caseFile
	cases   [][]*prepared // of each test file
	mutants []*Mutant
	became  []fate
	result  *Mutation
}

// fate is what became of a mutant.
type fate uint8

const (
	survived fate = iota
	noticed
	refused
	same
)

// MutateOptions say what Mutate does.
type MutateOptions struct {
	Files    []string // rule files, by their names in the directory; none: all
	Workers  int      // edits at a time; 1 at least
	Want     int      // percent of the edits that the tests have to notice, in place of what test files ask for; 0: theirs
	Progress func(done, total int64)
}

// Mutate edits rule files one small thing at a time and runs the tests beside them
// each time. What no test notices is held against proof: an edit that changes no
// answer is not counted, and for one that does it looks for facts that show it.
func (b *Book) Mutate(ctx context.Context, options MutateOptions) ([]*Mutation, error) {
	work, err := b.mutating(options)
	if err != nil {
		return nil, err
	}
	var jobs [][2]int
	first := &workshop{book: b}
	for i, w := range work {
		if len(w.result.Problems) > 0 {
			continue
		}
		rs, _ := first.ruleset(w)
		w.mutants = rs.mutants(w.site.Currency, w.policy)
		w.became = make([]fate, len(w.mutants))
		for n := range w.mutants {
			jobs = append(jobs, [2]int{i, n})
		}
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	var telling sync.Mutex
	done := int64(0)
	for range max(options.Workers, 1) {
		wait.Go(func() {
			shop := &workshop{book: b}
			for ctx.Err() == nil {
				at := int(next.Add(1)) - 1
				if at >= len(jobs) {
					return
				}
				w := work[jobs[at][0]]
				w.became[jobs[at][1]] = shop.try(w, jobs[at][1])
				telling.Lock()
				if done++; options.Progress != nil {
					options.Progress(done, int64(len(jobs)))
				}
				telling.Unlock()
			}
		})
	}
	wait.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("mutate the rule files: %w", err)
	}
	var out []*Mutation
	for _, w := range work {
		w.count()
		out = append(out, w.result)
	}
	return out, nil
}

// mutating are the rule files that are named, with their tests.
func (b *Book) mutating(options MutateOptions) ([]*mutating, error) {
	files := options.Files
	var out []*mutating
	var known []string
	for _, s := range b.sites {
		of := map[*Policy]*mutating{}
		for _, name := range s.Rulesets() {
			for _, p := range s.own(name) {
				known = append(known, p.File)
				if len(files) > 0 && !slices.Contains(files, p.File) {
					continue
				}
				of[p] = &mutating{site: s, policy: p, result: &Mutation{Site: s.Name, File: p.File, Rows: p.large()}}
				out = append(out, of[p])
			}
		}
		for _, d := range s.tests {
			f := readCases(&document{name: d.name, text: d.text, lines: d.lines, root: d.root}, s)
			if w := of[f.policy]; w != nil {
				w.take(f)
			}
		}
	}
	for _, name := range files {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("there is no rule file %s in the directory of the rules%s", clip(name), guessed(", ", name, known))
		}
	}
	slices.SortStableFunc(out, func(a, b *mutating) int { return cmp.Compare(a.site.Dir, b.site.Dir) })
	for _, w := range out {
		if options.Want > 0 {
			w.result.Want = options.Want
		}
		if len(w.tests) == 0 {
			w.result.Problems = append(w.result.Problems, w.policy.problem(1, "", "the rule file has no test", "write one beside it, in a file whose name ends in "+testSuffix))
		}
	}
	return out, nil
}

// take adds a test file, whose cases pass.
func (w *mutating) take(f *caseFile) {
	var cases []*prepared
	for _, n := range f.cases {
		if c := f.prepare(n); c != nil && c.expect != nil {
			f.compare(c)
			cases = append(cases, c)
		}
	}
	w.result.Problems = append(w.result.Problems, f.doc.problems...)
	w.tests, w.cases = append(w.tests, f), append(w.cases, cases)
	w.result.Want = max(w.result.Want, f.mutation)
}

// workshop is where one worker edits: it reads the files for itself, since an edit
// is made in what was read.
type workshop struct {
	book  *Book
	sites map[string][]*Ruleset // by directory
	known map[*mutating][]*Mutant
	until map[*mutating]market.Date
	of    map[*mutating]*Ruleset
}

// ruleset is the rule file as this worker has read it, and until when it holds.
func (s *workshop) ruleset(w *mutating) (*Ruleset, market.Date) {
	if s.sites == nil {
		s.sites, s.known = map[string][]*Ruleset{}, map[*mutating][]*Mutant{}
		s.until, s.of = map[*mutating]market.Date{}, map[*mutating]*Ruleset{}
		l := loader{fsys: s.book.fsys, sites: map[string]*Site{}, documents: map[string][]*document{}, shared: map[string]*document{}}
		if l.read() != nil {
			return nil, 0
		}
		for dir, documents := range l.documents {
			s.sites[dir] = parseAll(documents, l.readShared(l.sites[dir]), l.beside(dir))
		}
	}
	if s.of[w] == nil {
		for _, rs := range s.sites[path.Dir(w.policy.File)] {
			if rs.File == w.policy.File {
				s.of[w], s.until[w] = rs, nextOf(rs, s.sites[path.Dir(w.policy.File)])
			}
		}
	}
	return s.of[w], s.until[w]
}

// try makes one edit and runs the tests.
func (s *workshop) try(w *mutating, n int) fate {
	rs, until := s.ruleset(w)
	if rs == nil {
		return refused // the file is gone since it was read
	}
	if s.known[w] == nil {
		s.known[w] = rs.mutants(w.site.Currency, w.policy)
	}
	if len(s.known[w]) != len(w.mutants) {
		return refused // it was changed since it was read
	}
	for _, change := range s.known[w][n].tries {
		change.do()
		p := rs.recompile(w.site.Currency, until)
		change.undo()
		if p == nil {
			continue
		}
		if w.notices(p) {
			return noticed
		}
		return w.mutants[n].prove(w.policy, p)
	}
	return refused
}

// recompile is the policy of a ruleset that was edited; nil where it has none.
func (rs *Ruleset) recompile(site market.Currency, until market.Date) *Policy {
	d := rs.doc
	before, found := len(d.problems), d.found
	p := compilePhases(rs, site, until)
	wrong := len(d.problems) > before
	d.problems, d.found = d.problems[:before], found
	if wrong {
		return nil
	}
	return p
}

// notices tells whether some case fails.
func (w *mutating) notices(p *Policy) bool {
	for i, f := range w.tests {
		for _, c := range w.cases[i] {
			g := *f
			g.policy, g.terse = p, true
			g.doc = &document{name: f.doc.name, lines: f.doc.lines}
			if g.compare(c); g.doc.found > 0 {
				return true
			}
		}
	}
	return false
}

// prove looks for facts that show what no test has noticed.
func (m *Mutant) prove(was, is *Policy) fate {
	before, after := was.Phases(), is.Phases()
	if len(before) != len(after) {
		return survived
	}
	proved := true
	for i := range before {
		found, equal := tellApart(before[i], after[i], m.in)
		if found != nil {
			m.Given, m.Was, m.Is = found.given, found.was, found.is
			return survived
		}
		proved = proved && equal
	}
	if proved {
		return same
	}
	return survived
}

// count adds up what became of the mutants, and holds the survivors against the
// lists of equivalents.
func (w *mutating) count() {
	r := w.result
	listed := map[*yaml.Node]bool{}
	for i, m := range w.mutants {
		switch w.became[i] {
		case noticed:
			r.Noticed++
			continue
		case refused:
			r.Refused++
			continue
		}
		found := false
		for _, f := range w.tests {
			for _, e := range f.equivalent {
				if e.rule == m.Rule && strings.Join(strings.Fields(e.edit), " ") == m.Edit {
					listed[e.node], found = true, true
				}
			}
		}
		switch {
		case w.became[i] == same:
			r.Same++
		case found:
			r.Equivalent = append(r.Equivalent, m)
		default:
			r.Survivors = append(r.Survivors, m)
		}
	}
	slices.SortStableFunc(r.Survivors, func(a, b *Mutant) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
	for _, f := range w.tests {
		for _, e := range f.equivalent {
			if w.became != nil && !listed[e.node] {
				p := f.doc.at(e.node)
				p.Message, p.Hint = fmt.Sprintf("no edit of rule %q that the tests do not notice is %s", e.rule, clip(e.edit)), "take the entry out"
				r.Problems = append(r.Problems, p)
			}
		}
	}
	if r.Score() < r.Want {
		p := w.tests[0].doc.at(w.tests[0].asks["ruleset"])
		for _, f := range w.tests {
			if f.mutation == r.Want {
				p = f.doc.at(f.asks["mutation"])
			}
		}
		p.Message, p.Hint = fmt.Sprintf("the tests notice %d %% of the edits of %s, %d %% are asked for", r.Score(), r.File, r.Want), "nightshift rules mutate lists those that they do not"
		r.Problems = append(r.Problems, p)
	}
}
