package rules

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"nightshift/rules/market"
)

// Mutant is a rule file with one small edit that should make some test fail.
type Mutant struct {
	Problem        // where the edit is; its rule, or the let it is in
	Edit    string // before → after
	Given   string // facts of which the edited file answers otherwise, where some were found
	Was, Is string // and the two answers

	in    editedPart
	tries []change // of which the first that compiles is made
}

// change makes an edit in a ruleset that was read, and undoes it.
type change struct {
	do, undo func()
}

// mutator collects the mutants of one rule file.
type mutator struct {
	rs      *Ruleset
	c       *compiler
	doc     *document // that of the file, or of the parameters that it shares
	in      editedPart
	mutants []*Mutant
}

// mutants are all edits of a rule file that compiled to the policy, one at a time: operators, bounds by their
// smallest step, words, lists, outcomes and what they carry, a rule left out, two
// neighbours in the other order where that counts; and the parameters of the site
// that it uses. Of a large table only what is not in its rows.
func (rs *Ruleset) mutants(site market.Currency, p *Policy) []*Mutant {
	m := &mutator{rs: rs, c: rs.compiler(site), doc: rs.doc}
	m.lets(rs.Lets, rs.overrides)
	if own := m.c.currency; len(p.shares) > 0 {
		m.doc, m.c.currency = rs.shared.doc, site
		unused := func(b Binding) bool { return !slices.Contains(p.shares, b.Name) }
		overrides := slices.Clone(rs.shared.overrides)
		for i, o := range overrides {
			overrides[i].lets = slices.DeleteFunc(slices.Clone(o.lets), unused)
		}
		m.lets(slices.DeleteFunc(slices.Clone(rs.shared.lets), unused), overrides)
		m.doc, m.c.currency = rs.doc, own
	}
	if !p.large() {
		for i := range rs.Rules {
			m.rule(&rs.Rules[i], i)
		}
	}
	m.outcome(&rs.Otherwise)
	m.carried(&rs.Otherwise)
	for i := range rs.Priority[:max(0, len(rs.Priority)-1)] {
		m.note(rs.top.fields["priority"], 0, "priority", fmt.Sprintf("%s before %s → after it", rs.Priority[i], rs.Priority[i+1]), swap(rs.Priority, i))
	}
	return m.mutants
}

// compiler is one that knows the names of a ruleset that compiled.
func (rs *Ruleset) compiler(site market.Currency) *compiler {
	currency := rs.Currency
	if currency == "" {
		currency = site
	}
	vocabulary, err := VocabularyOf(rs.Name)
	if err != nil {
		panic(err) // it compiled
	}
	c := newCompiler(rs, vocabulary, currency)
	c.on, c.site = rs.Effective, site
	c.declare(rs)
	for _, let := range rs.Lets {
		c.let(let.Name)
	}
	c.headers(rs)
	return c
}

func swap[T any](list []T, i int) change {
	do := func() { list[i], list[i+1] = list[i+1], list[i] }
	return change{do, do}
}

// note adds a mutant whose edit stands at a character of a node.
func (m *mutator) note(n *yaml.Node, from int, rule, edit string, tries ...change) {
	d := &document{name: m.doc.name, lines: m.doc.lines, sheet: m.doc.sheet, cells: m.doc.cells}
	d.problemAt(n, from, rule, "", "")
	m.mutants = append(m.mutants, &Mutant{Problem: d.problems[0], Edit: strings.Join(strings.Fields(edit), " "), in: m.in, tries: tries})
}

// spell is a scalar written otherwise.
func spell(n *yaml.Node, text string) change {
	before := n.Value
	return change{func() { n.Value = text }, func() { n.Value = before }}
}

// lets edits the values of lets, and those that some sellers and products have.
func (m *mutator) lets(bindings []Binding, overrides []override) {
	m.in = editedLet
	defer func() { m.in = editedRule }()
	bindings = slices.Clone(bindings)
	for _, o := range overrides {
		bindings = append(bindings, o.lets...)
	}
	for _, b := range bindings {
		for _, n := range b.nodes() {
			m.value(n, "let "+b.Name, nil)
		}
	}
}

// nodes are the values of a binding, one or one of each date.
func (b *Binding) nodes() []*yaml.Node {
	if b.dated == nil {
		return []*yaml.Node{b.Value}
	}
	var out []*yaml.Node
	for _, v := range b.dated {
		out = append(out, v.value)
	}
	return out
}

// value edits a value: one, or a list of them. words are those it may be, where
// that is known.
func (m *mutator) value(n *yaml.Node, rule string, words []string) {
	if n.Kind == yaml.SequenceNode {
		m.items(n, rule, words)
		return
	}
	if n.Kind != yaml.ScalarNode {
		return
	}
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		m.word(n, rule, words, nil)
		return
	}
	if texts, ok := editsOfWritten(n.Value); ok {
		for _, text := range texts {
			m.note(n, 0, rule, n.Value+" → "+text, spell(n, text))
		}
		return
	}
	m.expression(n, rule, m.c.expression(n), words)
}

// word puts another word in place of a text.
func (m *mutator) word(n *yaml.Node, rule string, words, beside []string) {
	if len(words) == 0 {
		words = m.wordsWith(n.Value)
	}
	other := anotherWord(n.Value, words, beside)
	m.note(n, 0, rule, fmt.Sprintf("%q → %q", n.Value, other), spell(n, other))
}

// wordsWith are the words of a fact that may be that text.
func (m *mutator) wordsWith(text string) []string {
	for _, fact := range m.c.vocabulary.Facts() {
		if slices.Contains(fact.Words, text) {
			return fact.Words
		}
	}
	return nil
}

// items takes away each item of a list, and edits it.
func (m *mutator) items(n *yaml.Node, rule string, words []string) {
	whole := n.Content
	var beside []string
	for _, item := range whole {
		beside = append(beside, item.Value)
	}
	for i, item := range whole {
		m.note(item, 0, rule, fmt.Sprintf("%s → without it", item.Value),
			change{func() { n.Content = slices.Delete(slices.Clone(whole), i, i+1) }, func() { n.Content = whole }})
		if item.Kind == yaml.ScalarNode && item.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			m.word(item, rule, words, beside)
		} else {
			m.value(item, rule, words)
		}
	}
}

// expression edits an expression that was compiled from the scalar.
func (m *mutator) expression(n *yaml.Node, rule string, o *operand, words []string) {
	if o == nil {
		return
	}
	text := []rune(n.Value)
	for _, e := range editsOf(o, n.Value, m.c.currency, words) {
		scope := e.scope
		changed := string(text[:e.from]) + e.with + string(text[e.to:])
		before := string(text[scope.from:scope.to])
		after := string(text[scope.from:e.from]) + e.with + string(text[e.to:scope.to])
		m.note(n, e.from, rule, before+" → "+after, spell(n, changed))
	}
}

// rule edits one rule and its place.
func (m *mutator) rule(rule *Rule, i int) {
	rs := m.rs
	if rule.When != nil {
		m.expression(rule.When, rule.Name, m.c.expression(rule.When), nil)
	}
	for column, cell := range rule.cells {
		m.cell(m.c.columns[column], cell, rule.Name)
	}
	m.outcome(rule)
	m.carried(rule)
	all := rs.Rules
	if len(all) > 1 {
		m.note(rule.node, 0, rule.Name, "rule "+rule.Name+" → without it",
			change{func() { rs.Rules = slices.Delete(slices.Clone(all), i, i+1) }, func() { rs.Rules = all }})
	}
	if i+1 < len(all) && rs.Hit == HitFirst {
		m.note(rule.node, 0, rule.Name, fmt.Sprintf("%s before %s → after it", rule.Name, all[i+1].Name), swap(rs.Rules, i))
	}
}

// outcome answers with another word: the next that takes what the rule carries,
// or else the next without it.
func (m *mutator) outcome(rule *Rule) {
	names := m.c.vocabulary.outcomeNames()
	at := slices.Index(names, rule.Then)
	var tries []change
	then, with := rule.Then, rule.With
	for _, kept := range [][]Binding{with, nil} {
		for step := 1; step < len(names); step++ {
			other := names[(at+step)%len(names)]
			tries = append(tries, change{func() { rule.Then, rule.With = other, kept }, func() { rule.Then, rule.With = then, with }})
		}
	}
	if len(tries) == 0 {
		return // there is only one
	}
	n := rule.then
	if n == nil || n.Kind != yaml.ScalarNode {
		n = rule.node
	}
	m.note(n, 0, rule.Name, "then: "+then+" → another outcome", tries...)
}

// carried edits the values that an outcome carries.
func (m *mutator) carried(rule *Rule) {
	m.in = editedValue
	defer func() { m.in = editedRule }()
	outcome := m.c.vocabulary.outcome(rule.Then)
	for _, b := range rule.With {
		known := outcome.carried(b.Name)
		m.c.rule = rule.Name
		if !b.cell {
			m.value(b.Value, rule.Name, known.Words)
		} else if texts, ok := editsOfWritten(b.Value.Value); ok {
			for _, text := range texts {
				m.note(b.Value, 0, rule.Name, b.Value.Value+" → "+text, spell(b.Value, text))
			}
		} else if yes, ok := yesOrNo(b.Value.Value); ok && known.Kind == KindBool {
			m.note(b.Value, 0, rule.Name, b.Value.Value+" → "+fmt.Sprint(!yes), spell(b.Value, fmt.Sprint(!yes)))
		} else {
			m.expression(b.Value, rule.Name, m.c.bound(b, known), known.Words)
		}
	}
}
