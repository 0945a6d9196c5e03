package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// DecideAll answers about one candidate all that the hit policy lets through:
// in its order, at least one, otherwise's where no rule matches. Of a policy
// with one answer it is that one.
func (p *Policy) DecideAll(facts any, asOf time.Time) ([]Answer, error) {
	f := p.frame(facts, asOf)
	defer f.release()
	return p.decideAll(f)
}

func (p *Policy) decideAll(f *frame) ([]Answer, error) {
	if !p.Hit.Several() {
		a, err := p.decide(f)
		if err != nil {
			return nil, err
		}
		return []Answer{a}, nil
	}
	hits, err := p.hits(f, nil)
	if err != nil {
		return nil, err
	}
	if p.Hit == HitOutputOrder {
		slices.SortStableFunc(hits, func(a, b int32) int { return cmp.Compare(p.rules[a].rank, p.rules[b].rank) })
	}
	answers := make([]Answer, 0, max(len(hits), 1))
	for _, i := range hits {
		a, err := p.answer(f, int(i), &p.rules[i])
		if err != nil {
			return nil, err
		}
		answers = append(answers, a)
	}
	if len(answers) > 0 {
		return answers, nil
	}
	a, err := p.answer(f, len(p.rules), &p.otherwise)
	if err != nil {
		return nil, err
	}
	return append(answers, a), nil
}

// combine makes one answer of several matches, or of one that is counted.
func (p *Policy) combine(f *frame, hits []int32) (Answer, error) {
	switch p.Hit {
	case HitAny:
		return p.agreed(f, hits)
	case HitPriority:
		best := hits[0]
		for _, i := range hits[1:] {
			if p.rules[i].rank < p.rules[best].rank {
				best = i
			}
		}
		return p.answer(f, int(best), &p.rules[best])
	case HitSum:
		return p.total(f, hits)
	case HitMin, HitMax:
		return p.extreme(f, hits)
	case HitCount:
		return p.joined(hits, []Value{{Name: counted, Kind: KindInt, whole: int64(len(hits))}}), nil
	}
	first, second := &p.rules[hits[0]], &p.rules[hits[1]]
	return Answer{}, p.trouble(int(hits[1]), fmt.Errorf("%w: %q and %q, where at most one may", ErrTwoRules, first.name, second.name))
}

// agreed is the answer of the first match, if all others give the same.
func (p *Policy) agreed(f *frame, hits []int32) (Answer, error) {
	first, err := p.answer(f, int(hits[0]), &p.rules[hits[0]])
	if err != nil {
		return Answer{}, err
	}
	for _, i := range hits[1:] {
		a, err := p.answer(f, int(i), &p.rules[i])
		if err != nil {
			return Answer{}, err
		}
		if a.Outcome != first.Outcome || !slices.EqualFunc(a.Values, first.Values, Value.Equal) {
			return Answer{}, p.trouble(int(i), fmt.Errorf("%w: %q and %q, and they answer differently", ErrTwoRules, first.Rule, a.Rule))
		}
	}
	return first, nil
}

// total adds up the one value that every rule carries.
func (p *Policy) total(f *frame, hits []int32) (Answer, error) {
	var total Value
	for n, i := range hits {
		a, err := p.answer(f, int(i), &p.rules[i])
		if err != nil {
			return Answer{}, err
		}
		if n == 0 {
			total = a.Values[0]
			continue
		}
		if total, err = total.plus(a.Values[0]); err != nil {
			return Answer{}, p.trouble(int(i), err)
		}
	}
	return p.joined(hits, []Value{total}), nil
}

// extreme is the answer with the smallest or the largest value, the first of
// equal ones.
func (p *Policy) extreme(f *frame, hits []int32) (Answer, error) {
	var best Answer
	for n, i := range hits {
		a, err := p.answer(f, int(i), &p.rules[i])
		if err != nil {
			return Answer{}, err
		}
		if n == 0 {
			best = a
			continue
		}
		order, err := a.Values[0].compare(best.Values[0])
		if err != nil {
			return Answer{}, p.trouble(int(i), err)
		}
		if order < 0 && p.Hit == HitMin || order > 0 && p.Hit == HitMax {
			best = a
		}
	}
	return best, nil
}

// joined is one answer in the name of several rules, each reason said once.
func (p *Policy) joined(hits []int32, values []Value) Answer {
	first := &p.rules[hits[0]]
	a := Answer{Outcome: first.outcome, RuleIndex: int(hits[0]), Values: values}
	names, reasons := make([]string, 0, len(hits)), make([]string, 0, len(hits))
	for _, i := range hits {
		names = append(names, p.rules[i].name)
		if because := p.rules[i].because; !slices.Contains(reasons, because) {
			reasons = append(reasons, because)
		}
	}
	a.Rule, a.Because = strings.Join(names, ", "), strings.Join(reasons, " ")
	return a
}

// asked are the rules that a test shows at work: those that answered, or that
// took part in the one answer.
func (p *Policy) asked(facts any, asOf time.Time, answers []Answer) []int {
	var out []int
	if !p.Hit.joins() {
		for _, a := range answers {
			out = append(out, a.RuleIndex)
		}
		return out
	}
	f := p.frame(facts, asOf)
	defer f.release()
	hits, _ := p.hits(f, nil)
	for _, i := range hits {
		out = append(out, int(i))
	}
	if len(out) == 0 {
		out = append(out, len(p.rules))
	}
	return out
}
