package rules

import (
	"fmt"
	"slices"
	"strings"
)

// hitPolicy checks what the hit policy asks of the ruleset and of its rules, and
// that a shadow is one of a ruleset that can have one.
func (c *compiler) hitPolicy(rs *Ruleset, p *Policy) {
	c.rule = ""
	if rs.top == nil {
		return
	}
	at := rs.top.fields["hit"]
	if rs.Shadow && !c.vocabulary.Alone {
		c.doc.problem(rs.top.fields["shadow"], "", c.vocabulary.Ruleset+" cannot have a shadow: each of its answers changes what the next is asked about", "try it in a dry run: nightshift run JOB --date DATE --dry-run, with NIGHTSHIFT_RULES naming a copy of the rules")
	}
	switch {
	case rs.Hit.Several() && !c.vocabulary.Several:
		c.doc.problem(at, "", fmt.Sprintf("hit policy %s gives several answers, and %s takes one", rs.Hit, c.vocabulary.Ruleset), "use first, unique, any or priority")
	case rs.Hit.ranks():
		c.ranks(rs, p)
	case rs.Hit.aggregates():
		c.aggregate(rs, p)
	}
}

// ranks gives each rule the place of its outcome in the declared order.
func (c *compiler) ranks(rs *Ruleset, p *Policy) {
	for i, word := range rs.Priority {
		if c.vocabulary.outcome(word) == nil {
			c.doc.problem(rs.top.fields["priority"].Content[i], "", fmt.Sprintf("unknown outcome %s of %s", clip(word), c.vocabulary.Ruleset), didYouMean(word, c.vocabulary.outcomeNames()))
		}
	}
	for i := range p.rules {
		rule := &p.rules[i]
		rule.rank = slices.Index(rs.Priority, rule.outcome)
		if rule.rank < 0 && len(rs.Priority) > 0 && c.vocabulary.outcome(rule.outcome) != nil {
			c.doc.problem(rs.Rules[i].then, rule.name, "outcome "+rule.outcome+" has no priority", "add it to priority:")
		}
	}
}

// counted is the value that collect count fills in.
const counted = "count"

// aggregate checks that there is one thing to add up, compare or count: all
// rules give one outcome, and one value, a size, to it.
func (c *compiler) aggregate(rs *Ruleset, p *Policy) {
	if len(p.rules) == 0 {
		return
	}
	outcome := c.vocabulary.outcome(p.rules[0].outcome)
	for i, rule := range p.rules {
		if outcome != nil && rule.outcome != outcome.Name && c.vocabulary.outcome(rule.outcome) != nil {
			c.doc.problem(rs.Rules[i].then, rule.name, fmt.Sprintf("outcome %s beside %s: %s makes one answer of all", rule.outcome, outcome.Name, rs.Hit), "give all rules one outcome")
		}
	}
	if outcome == nil {
		return
	}
	if rs.Hit == HitCount {
		c.counts(rs, outcome)
		return
	}
	name := ""
	for i, rule := range rs.Rules {
		if len(rule.With) == 1 && name == "" {
			name = rule.With[0].Name
		}
		c.size(rs, p.rules[i], rule, outcome, name)
	}
}

// size checks that a rule carries the one value that is added up or compared.
func (c *compiler) size(rs *Ruleset, compiled policyRule, rule Rule, outcome *Outcome, name string) {
	var names []string
	for _, b := range rule.With {
		names = append(names, b.Name)
	}
	if len(names) != 1 || names[0] != name {
		said := "no value"
		if len(names) > 0 {
			said = strings.Join(names, ", ")
		}
		want := name
		if want == "" {
			want = "one number or amount"
		}
		c.doc.problem(rule.node, rule.Name, fmt.Sprintf("the rule carries %s, and %s needs %s of each rule", said, rs.Hit, want), "let every rule carry the same one value")
		return
	}
	known := outcome.carried(name)
	if known != nil && !isNumeric(known.Kind) {
		c.doc.problem(rule.With[0].key, compiled.name, fmt.Sprintf("%s is %s, which has no size", name, known.Kind), "carry a number, an amount or a duration")
	}
}

func (c *compiler) counts(rs *Ruleset, outcome *Outcome) {
	known := outcome.carried(counted)
	if known == nil || known.Kind != KindInt {
		c.doc.problem(rs.Rules[0].then, rs.Rules[0].Name, fmt.Sprintf("outcome %s carries no whole number called %s, which %s fills in", outcome.Name, counted, rs.Hit), "use another hit policy")
	}
	for _, rule := range rs.Rules {
		if len(rule.With) > 0 {
			c.doc.problem(rule.With[0].key, rule.Name, string(rs.Hit)+" counts rules: what they carry would be lost", "leave with out")
		}
	}
}
