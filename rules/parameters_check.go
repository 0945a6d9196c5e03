package rules

import (
	"slices"

	"nightshift/rules/market"
)

// readShared reads and checks the parameters that the rule files of a site
// share; nil where there are none.
func (l *loader) readShared(site *Site) *parameters {
	d := l.shared[site.Dir]
	if d == nil {
		return nil
	}
	p := readParameters(d)
	for _, b := range p.lets {
		p.clash(b)
	}
	p.check(site.Currency)
	return p
}

// clash reports a name that a rule file could not use.
func (p *parameters) clash(b Binding) {
	if ruleFunctions[b.Name] != nil {
		p.doc.problem(b.key, "", "parameter "+b.Name+" has the name of a function", "choose another")
	}
	for _, v := range vocabularies {
		if slices.ContainsFunc(v.Facts(), func(f Fact) bool { return f.Name == b.Name }) {
			p.doc.problem(b.key, "", "parameter "+b.Name+" has the name of a fact of "+v.Ruleset, "choose another")
		}
	}
}

// check compiles every value by itself: a parameter of several files asks no
// facts. Values that hold on different dates do not meet, so any date will do.
func (p *parameters) check(site market.Currency) {
	c := &compiler{
		doc: p.doc, vocabulary: &Vocabulary{}, currency: site, site: site,
		names: map[string]*operand{}, lets: map[string]*Binding{}, overrides: map[string][]choice{}, used: map[string]bool{}, crossed: map[comparedAt]bool{},
		codes: map[string]*operand{}, functions: ruleFunctions, grammar: grammarOf(ruleFunctions),
	}
	for _, fact := range bySpecificity {
		c.codes[fact] = &operand{kind: KindText, text: fact, fn: constant("")}
	}
	for i, b := range p.lets {
		c.lets[b.Name] = &p.lets[i]
	}
	for i := range p.overrides {
		o := &p.overrides[i]
		for j, b := range o.lets {
			c.overrides[b.Name] = append(c.overrides[b.Name], choice{o.fact, o.codes, &o.lets[j], true})
		}
	}
	for _, b := range p.lets {
		c.let(b.Name)
	}
}

// quiet are the same parameters, for a rule file that uses them: what is wrong
// with them has been said once.
func (p *parameters) quiet() *parameters {
	if p == nil {
		return nil
	}
	d := &document{name: p.doc.name, lines: p.doc.lines}
	of := func(lets []Binding) []Binding {
		out := slices.Clone(lets)
		for i := range out {
			out[i].doc = d
		}
		return out
	}
	q := &parameters{doc: d, lets: of(p.lets), overrides: slices.Clone(p.overrides)}
	for i := range q.overrides {
		q.overrides[i].lets = of(q.overrides[i].lets)
	}
	return q
}

// unused reports the parameters that no rule file of the site asks for.
func (p *parameters) unused(site *Site) {
	if p == nil || len(p.doc.problems) > 0 {
		return
	}
	used := map[string]bool{}
	for _, of := range []map[string][]*Policy{site.policies, site.shadows} {
		for _, versions := range of {
			for _, policy := range versions {
				for _, name := range policy.shares {
					used[name] = true
				}
			}
		}
	}
	for _, b := range p.lets {
		if !used[b.Name] {
			p.doc.problem(b.key, "", "no rule file uses "+b.Name, "leave it out")
		}
	}
}
