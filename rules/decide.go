package rules

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// ErrTwoRules marks a candidate that two rules match where the hit policy allows
// one, or one answer.
var ErrTwoRules = errors.New("two rules match")

// Answer is what a policy answered about one candidate, and by which rule.
type Answer struct {
	Outcome   string
	Rule      string // Otherwise where none matched; all that were added up or counted, separated by commas
	Because   string
	RuleIndex int     // in the order of the file, of the first of several; otherwise comes last
	Values    []Value // shared between answers: do not change them
}

// Value finds a value that the answer carries.
func (a Answer) Value(name string) (Value, bool) {
	for _, v := range a.Values {
		if v.Name == name {
			return v, true
		}
	}
	return Value{}, false
}

// Same tells whether two answers say the same.
func (a Answer) Same(b Answer) bool {
	return a.RuleIndex == b.RuleIndex && a.Outcome == b.Outcome && a.Rule == b.Rule && slices.EqualFunc(a.Values, b.Values, Value.Equal)
}

// CandidateError is trouble with one candidate's facts: amounts of two
// currencies, a number that does not fit, two rules where one may match. It
// parks the candidate; the others go on.
type CandidateError struct {
	Policy string // ruleset@version
	Rule   string
	Line   int // of the rule, in its file; 0 of a row of a table, which its name tells
	Err    error
}

// Error says the policy, the rule and the trouble.
func (e *CandidateError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s, rule %q: %v", e.Policy, e.Rule, e.Err)
	}
	return fmt.Sprintf("%s, rule %q, line %d: %v", e.Policy, e.Rule, e.Line, e.Err)
}

// Unwrap is the trouble itself, such as market.ErrMixedCurrencies.
func (e *CandidateError) Unwrap() error { return e.Err }

// frames are reused: a frame that a closure sees would otherwise be allocated
// for every decision.
var frames = sync.Pool{New: func() any { return new(frame) }}

func (p *Policy) frame(facts any, asOf time.Time) *frame {
	base := p.vocabulary.pointerTo(p.pointer, facts)
	f := frames.Get().(*frame)
	f.facts, f.asOf, f.err = base, asOf, nil
	return f
}

func (f *frame) release() {
	f.facts, f.row, f.err = nil, nil, nil
	frames.Put(f)
}

// Decide answers about one candidate as it stands at the as-of. facts is a
// pointer to the ruleset's facts struct, which is only read. The error is a
// *CandidateError. A policy that can give several answers is asked by DecideAll;
// asking it here is our own mistake, and panics.
func (p *Policy) Decide(facts any, asOf time.Time) (Answer, error) {
	if p.Hit.Several() {
		panic(fmt.Sprintf("%s gives several answers (hit: %s): ask DecideAll", p, p.Hit))
	}
	f := p.frame(facts, asOf)
	a, err := p.decide(f)
	f.release()
	return a, err
}

func (p *Policy) decide(f *frame) (Answer, error) {
	var room [8]int32
	hits, err := p.hits(f, room[:0])
	switch {
	case err != nil:
		return Answer{}, err
	case len(hits) == 0:
		return p.answer(f, len(p.rules), &p.otherwise)
	case len(hits) == 1 && p.Hit != HitCount:
		return p.answer(f, int(hits[0]), &p.rules[hits[0]])
	}
	return p.combine(f, hits)
}

// hits appends the rules that match, in the order of the file, as many as the
// hit policy needs to know of.
func (p *Policy) hits(f *frame, out []int32) ([]int32, error) {
	if p.index != nil {
		return p.indexed(f, out)
	}
	for i := range p.rules {
		if !p.rules[i].when(f) && f.err == nil {
			continue
		}
		if f.err != nil {
			return nil, p.trouble(i, f.err)
		}
		if out = append(out, int32(i)); len(out) == p.enough {
			break
		}
	}
	return out, nil
}

func (p *Policy) answer(f *frame, index int, rule *policyRule) (Answer, error) {
	a := Answer{Outcome: rule.outcome, Rule: rule.name, Because: rule.because, RuleIndex: index, Values: rule.fixed}
	if len(rule.values) == 0 {
		return a, nil
	}
	a.Values = make([]Value, len(rule.values))
	for i, v := range rule.values {
		a.Values[i] = v.read(f)
	}
	if f.err != nil {
		return Answer{}, p.trouble(index, f.err)
	}
	return a, nil
}

func (p *Policy) trouble(index int, err error) error {
	rule := &p.otherwise
	if index < len(p.rules) {
		rule = &p.rules[index]
	}
	e := &CandidateError{Policy: p.String(), Rule: rule.name, Line: rule.line, Err: err}
	if rule.row {
		e.Line = 0
	}
	return e
}

// Because is the sentence of a rule, or of Otherwise; empty for a name that the
// policy does not have.
func (p *Policy) Because(rule string) string {
	for i := range p.rules {
		if p.rules[i].name == rule {
			return p.rules[i].because
		}
	}
	if rule == p.otherwise.name {
		return p.otherwise.because
	}
	return ""
}
