package rules

import (
	"fmt"
	"slices"
)

// difference is facts of which two policies answer differently.
type difference struct {
	given   string
	was, is string
}

// editedPart is where an edit was made.
type editedPart uint8

const (
	editedRule editedPart = iota
	editedLet
	editedValue
)

// tellApart looks for facts of which a policy and an edited one answer differently.
// Without any it says whether that is proven, so that no test can tell them apart.
// in says what was edited: values that are computed are only the same where it is
// neither a let nor a value that is carried.
func tellApart(p, q *Policy, in editedPart) (found *difference, proved bool) {
	d := &differing{world: newWorld(p, q), p: p, q: q, computed: in == editedRule}
	d.pair()
	_, proved = d.world.search(mostProof, d.judge, func(in domains) bool {
		facts, given := d.world.example(in)
		was, is := inOneLine(p.DecideAll(facts, proofInstant)), inOneLine(q.DecideAll(facts, proofInstant))
		if was == is {
			return false
		}
		found = &difference{given, was, is}
		return true
	})
	return found, proved
}

// inOneLine is what was answered, in one line.
func inOneLine(answers []Answer, err error) string {
	if err != nil {
		return "set aside"
	}
	text := ""
	for i, a := range answers {
		if i > 0 {
			text += "; "
		}
		text += fmt.Sprintf("%s, by rule %q", a.Outcome, a.Rule)
		for _, v := range a.Values {
			text += ", " + v.Name + ": " + v.String()
		}
	}
	return text
}

// differing is the search for a difference.
type differing struct {
	world *world
	p, q  *Policy
	pairs []pairOf

	computed bool // values that are computed from facts are the same in both
}

// pairOf is two conditions: where they come out alike, the policies answer alike
// as far as it depends on them.
type pairOf struct{ was, is *formula }

var neverHolds = &formula{fixed: no}

// pair lists where the policies can differ at all: a condition that is another, a
// rule that is gone or answers something else, two rules in the other order.
func (d *differing) pair() {
	w := d.world
	at := map[string]int{}
	for i, rule := range d.q.rules {
		at[rule.name] = i
	}
	places := make([]int, 0, len(d.p.rules))
	for _, rule := range d.p.rules {
		was := w.formula(rule.condition)
		j, kept := at[rule.name]
		switch {
		case !kept || !d.answersLike(&rule, &d.q.rules[j]) || !slices.Equal(d.p.priority(), d.q.priority()):
			d.pairs = append(d.pairs, pairOf{was, neverHolds})
		case d.q.rules[j].condition.fingerprint() != rule.condition.fingerprint():
			d.pairs = append(d.pairs, pairOf{was, w.formula(d.q.rules[j].condition)})
		}
		for before, place := range places {
			if kept && place > j {
				both := &formula{joint: AllOf, parts: []*formula{w.formula(d.p.rules[before].condition), was}}
				d.pairs = append(d.pairs, pairOf{both, neverHolds})
			}
		}
		if kept {
			places = append(places, j)
		} else {
			places = append(places, -1)
		}
	}
	if !d.answersLike(&d.p.otherwise, &d.q.otherwise) {
		d.pairs = append(d.pairs, pairOf{&formula{fixed: yes}, neverHolds})
	}
}

// priority is the rank of each rule.
func (p *Policy) priority() []int {
	ranks := map[string]int{}
	var out []int
	for _, rule := range p.rules {
		ranks[rule.outcome] = rule.rank
	}
	for _, outcome := range p.vocabulary.Outcomes {
		out = append(out, ranks[outcome.Name])
	}
	return out
}

// answersLike tells whether two rules of one name answer the same wherever they do.
func (d *differing) answersLike(r, s *policyRule) bool {
	computed := len(r.values)+len(s.values) > 0
	return r.outcome == s.outcome && slices.EqualFunc(r.fixed, s.fixed, Value.Equal) && (!computed || d.computed && len(r.values) == len(s.values))
}

// judge first finds where some condition differs, and then what both answer there.
func (d *differing) judge(in domains) (verdict, *formula) {
	var first *formula
	apart := false
	for _, pair := range d.pairs {
		was, leaf := d.world.ask(pair.was, in)
		is, other := d.world.ask(pair.is, in)
		switch {
		case was != open && is != open:
			apart = apart || was != is
		case first == nil && was == open:
			first = leaf
		case first == nil:
			first = other
		}
	}
	switch {
	case apart:
		return d.answers(in)
	case first != nil:
		return open, first
	}
	return no, nil
}

// answers compares which rules match, as far as they count.
func (d *differing) answers(in domains) (verdict, *formula) {
	was, leaf := d.world.matches(d.p, in)
	if leaf != nil {
		return open, leaf
	}
	is, leaf := d.world.matches(d.q, in)
	if leaf != nil {
		return open, leaf
	}
	if d.p.Hit == HitFirst && slices.EqualFunc(was, is, func(a, b *policyRule) bool { return a.name == b.name && d.answersLike(a, b) }) {
		return no, nil
	}
	return yes, nil
}

// matches are the rules of a policy that match within the domains, the first alone
// where it settles the answer, otherwise where none does; or a leaf that is open.
func (w *world) matches(p *Policy, in domains) ([]*policyRule, *formula) {
	var out []*policyRule
	for i := range p.rules {
		v, leaf := w.ask(w.formula(p.rules[i].condition), in)
		switch {
		case v == open:
			return nil, leaf
		case v == yes:
			if out = append(out, &p.rules[i]); len(out) == p.enough && p.Hit == HitFirst {
				return out, nil
			}
		}
	}
	if len(out) == 0 {
		out = append(out, &p.otherwise)
	}
	return out, nil
}
