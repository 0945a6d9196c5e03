package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Coverage is how far the tests show what the rules of one file do: of each rule
// that it answers, of each leaf of its conditions (what is not made of others by
// and, or, not, ?:) that it is once true and once false where it is asked. A leaf
// that is never asked, because another settles the condition before it, counts as
// neither.
type Coverage struct {
	Site, File string
	Ruleset    string
	Version    int
	Rules, Hit int // otherwise included
	Leaves     int
	Both       int      // of these, seen true and false, or not possible otherwise
	Want       int      // percent of the leaves that a test file asks for; 0 where none does
	Unhit      []string // the rules that no case hits
	Gaps       []Leaf   // what is not covered, in the order of the file
	Measured   bool     // false of a table too large to ask each row for cases

	all    []Leaf
	policy *Policy
	wanted Problem // at the test file's coverage
}

// Leaf is one leaf of a condition and what the tests have seen of it.
type Leaf struct {
	Problem               // where it stands, and what is missing; the hint says why it matters
	Text                  string
	True, False           bool // seen
	NeverTrue, NeverFalse bool // proven: no facts make it so where it is asked

	key leafKey
	at  place
	row bool
}

// leafKey tells the leaves apart: cells that say the same are compiled once, and
// each row counts for itself.
type leafKey struct {
	row  int
	leaf *operand
}

// Percent is the part of the leaves that is covered, rounded down; 100 where
// there is none.
func (c *Coverage) Percent() int {
	if c.Leaves == 0 {
		return 100
	}
	return 100 * c.Both / c.Leaves
}

// short is a problem where less is covered than a test file asks for.
func (c *Coverage) short() Problems {
	if c.Percent() >= c.Want || !c.Measured {
		return nil
	}
	p := c.wanted
	p.Message = fmt.Sprintf("%d %% of the leaves of %s are covered, %d %% are asked for", c.Percent(), c.File, c.Want)
	p.Hint = "nightshift rules test lists what no case shows"
	return Problems{p}
}

// seen is what the cases of the tests have shown of one policy.
type seen struct {
	hit    map[int]bool
	leaves map[leafKey][2]bool // false, true
	want   Problem             // the test file's coverage: the highest, where several ask
	level  int
	cases  []*prepared
}

func newSeen() *seen { return &seen{hit: map[int]bool{}, leaves: map[leafKey][2]bool{}} }

// watch notes what deciding about the facts comes to ask, in a phase of the
// policy: its leaves count as those of the first.
func (s *seen) watch(p, phase *Policy, c *prepared) {
	s.cases = append(s.cases, c)
	if p.large() {
		return
	}
	phase.observe(c.facts, c.asOf, func(rule int, leaf *operand, yes bool) {
		key := p.leafKey(rule, p.sameLeaf(phase, rule, leaf))
		both := s.leaves[key]
		if yes {
			both[1] = true
		} else {
			both[0] = true
		}
		s.leaves[key] = both
	})
}

// sameLeaf is the leaf of the policy that a leaf of a phase stands for: the same
// file, with other values.
func (p *Policy) sameLeaf(phase *Policy, rule int, leaf *operand) *operand {
	if p == phase {
		return leaf
	}
	own, its := p.rules[rule].condition.leaves(), phase.rules[rule].condition.leaves()
	if len(own) != len(its) {
		return leaf // a let that is for some sellers only on some dates: its question is another
	}
	return own[slices.Index(its, leaf)]
}

// large is a table of which nobody writes a case for every row.
func (p *Policy) large() bool {
	return len(p.rules) > maxRowsTested && p.rules[0].row
}

func (p *Policy) leafKey(rule int, leaf *operand) leafKey {
	if p.rules[rule].row {
		return leafKey{rule, leaf}
	}
	return leafKey{-1, leaf}
}

// coverage is what was seen of a policy. The leaves are in the order of the
// file's rules, those of a let where it is first used.
func (s *Site) coverage(p *Policy, seen *seen) *Coverage {
	c := &Coverage{Site: s.Name, File: p.File, Ruleset: p.Ruleset, Version: p.Version, policy: p, Measured: !p.large(), Want: seen.level, wanted: seen.want}
	for i, rule := range p.tested() {
		c.Rules++
		if seen.hit[i] {
			c.Hit++
		} else {
			c.Unhit = append(c.Unhit, rule.name)
		}
	}
	if !c.Measured {
		return c
	}
	proof := &proof{phases: p.Phases()}
	lines := strings.Split(p.source, "\n")
	known := map[leafKey]bool{}
	for i, rule := range p.rules {
		for n, leaf := range rule.condition.leaves() {
			key := p.leafKey(i, leaf)
			if leaf.constant || known[key] {
				continue
			}
			known[key] = true
			l := Leaf{Text: leaf.text, key: key, at: leaf.at, row: rule.row, Problem: p.leafProblem(i, leaf, lines)}
			both := seen.leaves[key]
			l.False, l.True = both[0], both[1]
			l.NeverTrue = !l.True && proof.never(i, n, yes)
			l.NeverFalse = !l.False && proof.never(i, n, no)
			c.add(l)
		}
	}
	slices.SortStableFunc(c.Gaps, func(a, b Leaf) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) })
	return c
}

// add counts a leaf and says what is missing of it.
func (c *Coverage) add(l Leaf) {
	c.Leaves++
	switch yes, no := l.True || l.NeverTrue, l.False || l.NeverFalse; {
	case yes && no:
		c.Both++
		c.all = append(c.all, l)
		return
	case yes:
		l.Message = "never false"
	case no:
		l.Message = "never true"
	default:
		l.Message = "never asked"
	}
	l.Message += " in any test: " + l.Text
	c.all = append(c.all, l)
	c.Gaps = append(c.Gaps, l)
}

// leafProblem is the place of a leaf in the lines of the file: of a row of a table
// beside it the cell, of any other row where that begins.
func (p *Policy) leafProblem(rule int, leaf *operand, lines []string) Problem {
	r := &p.rules[rule]
	if r.row {
		at := p.ruleProblem(r, "", "")
		for i, cell := range r.cells {
			if i < len(r.places) && slices.Contains(cell.leaves(), leaf) {
				at.Cell = r.places[i]
			}
		}
		return at
	}
	d := &document{name: p.File, lines: lines}
	d.problemAt(leaf.at.node, leaf.at.from, r.name, "", "")
	return d.problems[0]
}

// mostProof is how many parts of conditions one proof may ask: far more than a
// rule file of people needs, and some milliseconds.
const mostProof = 200_000

// proof is that of one rule file, with the values of each of its phases.
type proof struct {
	phases []*Policy
	worlds []*world
}

// never tells whether it is proven that a leaf of a rule never comes out so, with
// whatever values the file has.
func (p *proof) never(rule, leaf int, want verdict) bool {
	if p.worlds == nil {
		for _, phase := range p.phases {
			p.worlds = append(p.worlds, newWorld(phase))
		}
	}
	for i, phase := range p.phases {
		leaves := phase.rules[rule].condition.leaves()
		if leaf >= len(leaves) || leaves[leaf].constant || !p.worlds[i].impossible(phase, phase.leafKey(rule, leaves[leaf]), want) {
			return false
		}
	}
	return true
}

// impossible tells whether it is proven that the leaf never comes out so where it
// is asked: of a let, in every rule that uses it.
func (w *world) impossible(p *Policy, key leafKey, want verdict) bool {
	for i, rule := range p.rules {
		if key.row >= 0 && key.row != i {
			continue
		}
		for _, way := range w.ways(rule.condition, key.leaf, want, nil) {
			if _, proved := w.search(mostProof, w.all(append(way, w.before(p, i)...)), nil); !proved {
				return false
			}
		}
	}
	return true
}

// before is that no rule before the i-th has answered, where the first answers.
func (w *world) before(p *Policy, i int) []wish {
	if p.Hit != HitFirst {
		return nil
	}
	var out []wish
	for _, rule := range p.rules[:i] {
		out = append(out, wish{w.formula(rule.condition), no})
	}
	return out
}

// ways are how a condition comes to ask the leaf, and the leaf comes out as wanted.
func (w *world) ways(o, leaf *operand, want verdict, path []wish) [][]wish {
	if o == leaf {
		return [][]wish{append(slices.Clone(path), wish{w.formula(o), want})}
	}
	after := func(part int, came verdict, next int) [][]wish {
		return w.ways(o.parts[next], leaf, want, append(slices.Clone(path), wish{w.formula(o.parts[part]), came}))
	}
	switch o.joint() {
	case AllOf:
		return append(w.ways(o.parts[0], leaf, want, path), after(0, yes, 1)...)
	case AnyOf:
		return append(w.ways(o.parts[0], leaf, want, path), after(0, no, 1)...)
	case NotThis, NamedBy:
		return w.ways(o.parts[0], leaf, want, path)
	case OneOrOther:
		return slices.Concat(w.ways(o.parts[0], leaf, want, path), after(0, yes, 1), after(0, no, 2))
	}
	return nil
}

// level reads the percentage that a key of a test file asks for.
func (s *section) level(key string) int {
	n := s.fields[key]
	if n == nil {
		return 0
	}
	text, _ := s.doc.scalar(n, key)
	v, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(text, "%")))
	if err != nil || v < 1 || v > 100 {
		s.doc.problem(n, "", key+" "+strconv.Quote(clip(text))+" is not a percentage", "write a whole number from 1 to 100")
	}
	return v
}
