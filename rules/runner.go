package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Test runs the test files of every site.
func (b *Book) Test() *TestReport {
	total := &TestReport{}
	for _, s := range b.sites {
		r := s.Test()
		total.add(r)
		total.Sites = append(total.Sites, r)
	}
	return total
}

// Test runs the site's test files against its policies. A rule that no case
// hits is a problem: nobody has shown what it does. So is coverage below what a
// test file asks for.
func (s *Site) Test() *TestReport {
	r := &TestReport{Site: s.Name}
	files := make([]*caseFile, len(s.tests))
	inParallel(len(files), func(i int) {
		d := s.tests[i]
		files[i] = readCases(&document{name: d.name, text: d.text, lines: d.lines, root: d.root}, s)
	})
	byPolicy := map[*Policy][]*caseFile{}
	var policies []*Policy
	for _, name := range s.Rulesets() {
		policies = append(policies, s.own(name)...)
	}
	owned := len(policies)
	for _, f := range files {
		if f.policy == nil {
			r.Problems = append(r.Problems, f.doc.problems...)
			continue
		}
		if byPolicy[f.policy] == nil && !slices.Contains(policies[:owned], f.policy) {
			policies = append(policies, f.policy) // tested here, and covered where it comes from
		}
		byPolicy[f.policy] = append(byPolicy[f.policy], f)
	}
	reports := make([]*TestReport, len(policies))
	inParallel(len(policies), func(i int) { reports[i] = s.test(policies[i], byPolicy[policies[i]], i < owned) })
	for _, one := range reports {
		r.add(one)
	}
	r.Problems = r.Problems.sorted()
	return r
}

// test runs the test files of one policy, and tells what they cover of it.
func (s *Site) test(p *Policy, files []*caseFile, covers bool) *TestReport {
	r := &TestReport{}
	var all *seen
	for _, f := range files {
		if all == nil {
			all = newSeen()
		}
		if f.coverage > all.level {
			all.level, all.want = f.coverage, f.doc.at(f.asks["coverage"])
		}
		for _, n := range f.cases {
			f.run(n, r, all)
		}
		r.Problems = append(r.Problems, f.doc.problems...)
	}
	if covers {
		r.cover(s, p, all)
	}
	return r
}

// tested are the rules that a case has to hit: all, and otherwise, save beside a
// rule that always matches, where it never answers.
func (p *Policy) tested() []policyRule {
	all := p.rules[:len(p.rules):len(p.rules)]
	if !slices.ContainsFunc(all, func(rule policyRule) bool { return rule.condition.constant }) {
		all = append(all, p.otherwise)
	}
	return all
}

// cover counts the rules of a policy that were hit, and reports the others.
func (r *TestReport) cover(s *Site, p *Policy, seen *seen) {
	all := p.tested()
	r.Rules += len(all)
	if seen == nil {
		r.Problems = append(r.Problems, p.problem(1, "", "version "+fmt.Sprint(p.Version)+" of "+p.Ruleset+" has no test", "write one beside it, in a file whose name ends in "+testSuffix))
		r.shown = append(r.shown, shown{s, p, newSeen()})
		return
	}
	r.Hit += len(seen.hit)
	r.shown = append(r.shown, shown{s, p, seen})
	for i, rule := range all {
		if !seen.hit[i] && (len(p.rules) <= maxRowsTested || !rule.row) {
			r.Problems = append(r.Problems, p.ruleProblem(&rule, "no test hits the rule", "add a case for which it answers"))
		}
	}
	if seen.level > 0 {
		r.Problems = append(r.Problems, s.coverage(p, seen).short()...)
	}
}

// maxRowsTested is the size up to which every row of a table needs a case of its
// own. Of a larger one only otherwise does: nobody writes ten thousand cases.
const maxRowsTested = 100

// ruleProblem is one with a rule of the policy, wherever it stands.
func (p *Policy) ruleProblem(rule *policyRule, message, hint string) Problem {
	if rule.cell != "" {
		return Problem{File: p.sheet, Cell: rule.cell, Line: rule.line, Column: 1, Rule: rule.name, Message: message, Hint: hint}
	}
	return p.problem(rule.line, rule.name, message, hint)
}

// problem is one at a line of the policy's file.
func (p *Policy) problem(line int, rule, message, hint string) Problem {
	problem := Problem{File: p.File, Line: line, Column: 1, Rule: rule, Message: message, Hint: hint}
	if lines := strings.Split(p.source, "\n"); line >= 1 && line <= len(lines) {
		problem.Source = lines[line-1]
		problem.Column = 1 + len(problem.Source) - len(strings.TrimLeft(problem.Source, " -"))
	}
	return problem
}

// prepared is a case that was read: facts, and what is expected of them.
type prepared struct {
	name   string
	facts  any
	asOf   time.Time
	expect *section
}

// prepare reads a case; nil where it cannot be decided.
func (f *caseFile) prepare(n *yaml.Node) *prepared {
	d, before := f.doc, f.doc.found
	s := d.section(n, "the case", caseKeys...)
	if s == nil {
		return nil
	}
	c := &prepared{name: s.word("name"), asOf: f.asOf}
	c.expect = d.section(s.need("expect"), "expect", expectKeys...)
	if s.fields["as_of"] != nil {
		c.asOf = f.instant(s.fields["as_of"], "", f.asOf)
	}
	c.facts = f.emptyFacts()
	f.fill(c.facts, f.facts, c.asOf)
	f.fill(c.facts, s.fields["given"], c.asOf)
	if c.expect == nil || d.found > before {
		c.expect = nil
	}
	return c
}

// run decides one case and compares the answer with what is expected.
func (f *caseFile) run(n *yaml.Node, r *TestReport, seen *seen) {
	d := f.doc
	before, said := d.found, len(d.problems)
	c := f.prepare(n)
	if c == nil {
		return
	}
	r.Cases++
	if c.expect != nil {
		for _, i := range f.compare(c) {
			seen.hit[i] = true
		}
		seen.watch(f.policy, f.policy.phaseFor(c.facts, c.asOf, f.site.Zone), c)
	}
	if d.found > before {
		r.Failed++
	}
	for i := said; i < len(d.problems); i++ {
		d.problems[i].Message = fmt.Sprintf("case %q: %s", c.name, d.problems[i].Message)
	}
}

// compare decides a case, reports what is not as expected, and answers the rules
// that it shows at work.
func (f *caseFile) compare(p *prepared) []int {
	f = f.in(f.policy.phaseFor(p.facts, p.asOf, f.site.Zone))
	answers, err := f.policy.DecideAll(p.facts, p.asOf)
	c := comparison{file: f, expect: p.expect, facts: p.facts, asOf: p.asOf, answers: answers, err: err}
	var hit []int
	if err == nil {
		c.answer = answers[0]
		hit = f.policy.asked(p.facts, p.asOf, answers)
	}
	c.compare()
	return hit
}

// in is the same file, for a phase of its policy.
func (f *caseFile) in(phase *Policy) *caseFile {
	g := *f
	g.policy = phase
	return &g
}

// comparison holds an answer against what a case expects of it.
type comparison struct {
	file    *caseFile
	expect  *section
	facts   any
	asOf    time.Time
	answers []Answer
	answer  Answer // the one that is looked at
	err     error
}

func (c *comparison) compare() {
	d, fields := c.file.doc, c.expect.fields
	if n := fields["error"]; n != nil || c.err != nil {
		c.compareError(n)
		return
	}
	if len(fields) == 0 {
		d.problem(c.expect.node, "", "nothing is expected", "name at least the outcome and the rule")
	}
	if c.file.policy.Hit.Several() {
		c.compareAll()
		return
	}
	if n := fields["answers"]; n != nil {
		d.problem(n, "", "hit policy "+string(c.file.policy.Hit)+" gives one answer", "expect its outcome and its rule")
	}
	c.compareOne()
}

// compareAll compares several answers, one by one and in their order.
func (c *comparison) compareAll() {
	d := c.file.doc
	items := d.items(c.expect.need("answers"), "answers")
	for _, key := range []string{"outcome", "rule", "because", "values", "due"} {
		if n := c.expect.fields[key]; n != nil {
			d.problem(n, "", key+" of which answer?", "write it in the list under answers:")
		}
	}
	if c.expect.fields["answers"] != nil && len(items) != len(c.answers) {
		var rules []string
		for _, a := range c.answers {
			rules = append(rules, fmt.Sprintf("%q", a.Rule))
		}
		d.problem(c.expect.fields["answers"], "", fmt.Sprintf("there are %d answers, expected %d: %s", len(c.answers), len(items), strings.Join(rules, ", ")), "")
		return
	}
	for i, item := range items {
		one := *c
		one.answer = c.answers[i]
		if one.expect = d.section(item, "the answer", answerKeys...); one.expect != nil {
			one.compareOne()
		}
	}
	c.instant("next", func() time.Time {
		next, _ := c.file.policy.NextAll(c.facts, c.asOf, c.answers)
		return next
	})
}

func (c *comparison) compareOne() {
	c.text("outcome", c.answer.Outcome)
	c.text("rule", c.answer.Rule)
	c.text("because", c.answer.Because)
	c.values(c.expect.fields["values"])
	c.instant("due", func() time.Time { return c.file.policy.Since(c.facts, c.asOf, c.answer) })
	c.instant("next", func() time.Time {
		next, _ := c.file.policy.Next(c.facts, c.asOf, c.answer)
		return next
	})
}

func (c *comparison) compareError(n *yaml.Node) {
	d := c.file.doc
	switch {
	case n == nil:
		d.problem(c.expect.node, "", "it cannot be decided: "+c.err.Error(), "")
	case c.err == nil:
		d.problem(n, "", fmt.Sprintf("it is decided, by rule %q: %s", c.answer.Rule, c.answer.Outcome), "")
	case !strings.Contains(c.err.Error(), n.Value):
		d.problem(n, "", "the error is: "+c.err.Error(), "")
	}
}

// text compares one word, and says on a difference which rule answered and why
// the expected one did not.
func (c *comparison) text(key, got string) {
	n := c.expect.fields[key]
	if n == nil || strings.TrimSpace(n.Value) == got {
		return
	}
	hint := ""
	if key == "rule" && !c.file.terse {
		hint = c.whyNot(strings.TrimSpace(n.Value))
	}
	c.file.doc.problem(n, "", fmt.Sprintf("the %s is %q, expected %q", key, got, n.Value), hint)
}

func (c *comparison) whyNot(rule string) string {
	p := c.file.policy
	var names []string
	for _, r := range p.Explain(c.facts, c.asOf).Rules {
		names = append(names, r.Name)
		switch {
		case r.Name == rule && r.Failing != "":
			return "not so: " + r.Failing
		case r.Name == rule:
			return "it matches too, but rule \"" + c.answer.Rule + "\" answers"
		}
	}
	if rule == Otherwise {
		return ""
	}
	return "there is no such rule" + guessed(": ", rule, names)
}

// values compares what the answer carries, written as text.
func (c *comparison) values(n *yaml.Node) {
	for _, p := range c.file.doc.pairs(n, "values") {
		v, ok := c.answer.Value(p.key.Value)
		want := p.value.Value
		if p.value.Kind == yaml.SequenceNode {
			var items []string
			for _, item := range p.value.Content {
				items = append(items, item.Value)
			}
			want = strings.Join(items, ", ")
		}
		switch {
		case !ok:
			c.file.doc.problem(p.key, "", "the answer carries no "+clip(p.key.Value), "")
		case v.String() != want:
			c.file.doc.problem(p.value, "", fmt.Sprintf("%s is %q, expected %q", v.Name, v.String(), want), "")
		}
	}
}

func (c *comparison) instant(key string, compute func() time.Time) {
	n := c.expect.fields[key]
	if n == nil {
		return
	}
	var want time.Time
	if n.Value != "none" {
		want = c.file.instant(n, "", c.asOf)
	}
	if got := compute(); !got.Equal(want) {
		c.file.doc.problem(n, "", fmt.Sprintf("%s is %s, expected %s", key, c.written(got), c.written(want)), "")
	}
}

func (c *comparison) written(t time.Time) string {
	if t.IsZero() {
		return "none"
	}
	return t.In(c.file.site.Zone).Format("2006-01-02T15:04:05.999999")
}
