package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// reachable reports the rules that can never answer: their condition is never
// true, or an earlier rule has always answered already.
//
// Where every match counts, or an outcome's rank, no rule hides another.
func (c *compiler) reachable(rs *Ruleset, p *Policy) {
	c.shared = map[string]int{}
	hides := rs.Hit == HitFirst || rs.Hit == HitUnique
	earlier := map[string][]branch{}
	always := ""
	for _, rule := range p.rules {
		if rule.condition != nil && hides {
			for _, b := range branchesOf(rule) {
				for _, part := range b.parts {
					c.shared[part]++
				}
			}
		}
	}
	for i, rule := range p.rules {
		if rule.condition == nil {
			continue
		}
		c.rule, c.at, c.text, c.shift = rule.name, rs.Rules[i].When, nil, 0
		if c.at == nil {
			c.at = rs.Rules[i].node
		}
		if always != "" && hides {
			c.refuseAt(0, "the rule can never answer: rule \""+always+"\" before it is always true", "give that one a condition, or make it otherwise")
			continue
		}
		if rule.condition.constant {
			if !rule.when(nil) {
				c.refuseAt(0, "the rule can never answer: its condition is never true", "leave the rule out")
				continue
			}
			always = rule.name
			if i == len(p.rules)-1 && hides {
				c.refuseAt(0, "the condition is always true, so that otherwise can never answer", "make this rule otherwise")
			}
			continue
		}
		if hides {
			c.shadowed(earlier, rule)
		}
	}
}

// branch is one way in which a rule matches: all its parts hold.
type branch struct {
	rule  string
	parts []string // sorted
}

// shadowed reports a rule each branch of which asks at least what a branch of
// an earlier rule asks.
func (c *compiler) shadowed(earlier map[string][]branch, rule policyRule) {
	branches := branchesOf(rule)
	by := ""
	for _, b := range branches {
		found := covering(earlier, b)
		if found == "" {
			by = ""
			break
		}
		by = found
	}
	if by != "" {
		c.refuseAt(0, "the rule can never answer: whenever it matches, rule \""+by+"\" before it does", "move it up, or ask more in rule \""+by+"\"")
	}
	for _, b := range branches {
		key := c.rarest(b.parts)
		earlier[key] = append(earlier[key], b)
	}
}

// covering is the earlier rule with a branch that asks no more than b.
func covering(earlier map[string][]branch, b branch) string {
	for _, part := range b.parts {
		for _, e := range earlier[part] {
			if e.rule != b.rule && subset(e.parts, b.parts) {
				return e.rule
			}
		}
	}
	return ""
}

func subset(small, large []string) bool {
	for _, s := range small {
		if _, found := slices.BinarySearch(large, s); !found {
			return false
		}
	}
	return true
}

// rarest is the part that the fewest rules share: a table of ten thousand rows
// asks the same of most of them.
func (c *compiler) rarest(parts []string) string {
	return slices.MinFunc(parts, func(a, b string) int { return cmp.Or(c.shared[a]-c.shared[b], len(b)-len(a)) })
}

func branchesOf(rule policyRule) []branch {
	var out []branch
	for _, o := range flatten(rule.condition, "or", "||") {
		b := branch{rule: rule.name}
		for _, part := range flatten(o, "and", "&&") {
			b.parts = append(b.parts, normal(part))
		}
		slices.Sort(b.parts)
		b.parts = slices.Compact(b.parts)
		out = append(out, b)
	}
	return out
}

// flatten is the operands of a chain of one operator.
func flatten(o *operand, operators ...string) []*operand {
	if n, ok := o.node.(*ast.BinaryNode); ok && slices.Contains(operators, n.Operator) && len(o.parts) == 2 {
		return append(flatten(o.parts[0], operators...), flatten(o.parts[1], operators...)...)
	}
	return []*operand{o}
}

// normal is a part in one spelling, so that spacing makes no difference.
func normal(o *operand) string {
	if n, ok := o.node.(*ast.BinaryNode); ok && len(o.parts) == 2 {
		return fmt.Sprintf("(%s %s %s)", normal(o.parts[0]), n.Operator, normal(o.parts[1]))
	}
	return strings.Join(strings.Fields(o.text), " ")
}
