package rules

import (
	"errors"
	"fmt"
	"slices"

	"nightshift/rules/market"
)

// Limits of lint: beyond them it says nothing rather than take long.
const (
	maxLinted   = 2_000      // rules
	mostOverlap = 20         // pairs that are named of one file
	mostOfFile  = 20_000_000 // parts of conditions asked, of one file
)

// Lint looks for rules that are not as they were meant, by proof. Wrong are rules
// that can never answer, and rows of a table, alike but for the bounds of one fact,
// that overlap or leave a hole between them where one has to match; doubtful are lets that nothing uses, and, with facts as
// an example, rules that can both match where one may, and facts that no rule
// speaks of where the file does not say what otherwise is for.
//
// What depends on more than one fact and fixed values is not seen through: of it
// nothing is said. Where values change on dates, what is wrong with all of them is
// wrong, and what is so from a date on is doubtful.
func (p *Policy) Lint() (wrong, doubtful Problems) {
	phases := p.Phases()
	dead, since := map[Problem]int{}, map[Problem]market.Date{}
	var all Problems
	for _, phase := range phases {
		w, d := phase.lint()
		for _, k := range w {
			dead[k]++
		}
		for _, k := range append(w, d...) {
			if since[k] == 0 {
				since[k] = phase.From
				all = append(all, k)
			}
		}
	}
	for _, k := range all {
		if dead[k] == len(phases) {
			wrong = append(wrong, k)
			continue
		}
		if from := since[k]; dead[k] > 0 || from > phases[0].From {
			k.Message = "with the values of " + from.String() + ": " + k.Message
		}
		doubtful = append(doubtful, k)
	}
	return wrong.sorted(), doubtful.sorted()
}

// lint looks at the rules with the values that they have.
func (p *Policy) lint() (wrong, doubtful Problems) {
	l := &linter{policy: p, doubtful: slices.Clone(p.unused)}
	if len(p.rules) <= maxLinted {
		l.world = newWorld(p)
		for _, rule := range p.rules {
			f := l.world.formula(rule.condition)
			l.formulas = append(l.formulas, f)
			l.boxes = append(l.boxes, l.world.boxOf(f))
		}
		l.answers()
		l.overlaps()
		l.holes()
		l.gap()
	}
	return l.wrong, l.doubtful
}

// Lint looks at every version of every ruleset of every site.
func (b *Book) Lint() (wrong, doubtful Problems) {
	var all []*Policy
	for _, s := range b.sites {
		for _, name := range s.Rulesets() {
			all = append(all, s.own(name)...)
		}
	}
	found := make([][2]Problems, len(all))
	inParallel(len(all), func(i int) { found[i][0], found[i][1] = all[i].Lint() })
	for _, f := range found {
		wrong, doubtful = append(wrong, f[0]...), append(doubtful, f[1]...)
	}
	return wrong.sorted(), doubtful.sorted()
}

type linter struct {
	policy          *Policy
	world           *world
	formulas        []*formula
	boxes           []box
	wrong, doubtful Problems
}

// search is one within the limits of the file.
func (l *linter) search(wishes []wish, accept func(domains) bool) (domains, bool) {
	if l.world.spent > mostOfFile {
		return nil, false
	}
	return l.world.search(mostProof, l.world.all(wishes), accept)
}

// answers finds the rules that can never answer.
func (l *linter) answers() {
	p := l.policy
	for i := range p.rules {
		rule := &p.rules[i]
		asked := []wish{{l.formulas[i], yes}}
		if _, proved := l.search(asked, nil); proved {
			l.wrong = append(l.wrong, p.ruleProblem(rule, "the rule can never answer: its condition can never hold", l.quarrel(rule.condition)))
			continue
		}
		if p.Hit != HitFirst {
			continue
		}
		var before []int
		for j := range i {
			if !l.boxes[i].apart(l.boxes[j]) {
				before = append(before, j)
				asked = append(asked, wish{l.formulas[j], no})
			}
		}
		if len(before) == 0 {
			continue
		}
		if _, proved := l.search(asked, nil); proved {
			message, hint := "the rule can never answer: whenever it matches, one of the rules before it does", "move it up, or ask more in those"
			for _, j := range before {
				if _, alone := l.search([]wish{asked[0], {l.formulas[j], no}}, nil); alone {
					name := p.rules[j].name
					message, hint = fmt.Sprintf("the rule can never answer: whenever it matches, rule %q before it does", name), fmt.Sprintf("move it up, or ask more in rule %q", name)
					break
				}
			}
			l.wrong = append(l.wrong, p.ruleProblem(rule, message, hint))
		}
	}
	l.otherwise()
}

// otherwise finds rules that leave nothing to it.
func (l *linter) otherwise() {
	p := l.policy
	var none []wish
	for i, rule := range p.rules {
		if rule.condition.constant {
			return // said by the compiler
		}
		none = append(none, wish{l.formulas[i], no})
	}
	if _, proved := l.search(none, nil); proved {
		l.doubtful = append(l.doubtful, p.problem(p.otherwise.line, Otherwise, "otherwise can never answer: some rule always matches", "make the last one otherwise"))
	}
}

// quarrel is two parts of a condition that exclude each other, if it is two.
func (l *linter) quarrel(o *operand) string {
	parts := conjuncts(o)
	for i, a := range parts {
		for _, b := range parts[i+1:] {
			if _, proved := l.search([]wish{{l.world.formula(a), yes}, {l.world.formula(b), yes}}, nil); proved {
				return fmt.Sprintf("%s and %s exclude each other", a.text, b.text)
			}
		}
	}
	return "leave the rule out, or ask something else"
}

// conjuncts are the parts that all have to hold.
func conjuncts(o *operand) []*operand {
	if o.joint() == AllOf {
		return append(conjuncts(o.parts[0]), conjuncts(o.parts[1])...)
	}
	return []*operand{o}
}

// overlaps finds pairs of rules that can both match where one may, or where they
// have to answer the same; each with facts that the policy was asked about.
func (l *linter) overlaps() {
	p := l.policy
	if p.Hit != HitUnique && p.Hit != HitAny {
		return
	}
	found := 0
	for j := range p.rules {
		for i := range j {
			if found == mostOverlap {
				return
			}
			if l.boxes[i].apart(l.boxes[j]) {
				continue
			}
			given, what := l.clash(i, j)
			if given == "" {
				continue
			}
			found++
			problem := p.ruleProblem(&p.rules[j], fmt.Sprintf("with %s rule %q matches as well%s, and the candidate is set aside", given, p.rules[i].name, what), "ask more in one of them, or use hit: first")
			if l.siblings(i, j) {
				l.wrong = append(l.wrong, problem)
			} else {
				l.doubtful = append(l.doubtful, problem)
			}
			break
		}
	}
}

// clash is facts that both rules match and that cannot be decided therefore.
func (l *linter) clash(i, j int) (given, what string) {
	p := l.policy
	if p.Hit == HitAny {
		what = ", and answers differently"
	}
	l.search([]wish{{l.formulas[i], yes}, {l.formulas[j], yes}}, func(d domains) bool {
		facts, said := l.world.example(d)
		f := p.frame(facts, proofInstant)
		both := p.rules[i].when(f) && p.rules[j].when(f) && f.err == nil
		f.release()
		if _, err := p.DecideAll(facts, proofInstant); both && errors.Is(err, ErrTwoRules) {
			given = said
			return true
		}
		return false
	})
	return given, what
}

// gap finds facts that no rule matches, where a file is meant to speak of all: a
// table, or one in which each candidate has its one rule. Whoever gives otherwise
// a reason of its own has said what it is for.
func (l *linter) gap() {
	p := l.policy
	whole := p.Hit == HitUnique || p.Hit == HitAny || len(p.rules) > 0 && p.rules[0].row
	if !whole || p.otherwise.because != noRuleMatched {
		return
	}
	var none []wish
	for i := range p.rules {
		none = append(none, wish{l.formulas[i], no})
	}
	l.search(none, func(d domains) bool {
		facts, given := l.world.example(d)
		answers, err := p.DecideAll(facts, proofInstant)
		if err != nil || answers[0].RuleIndex != len(p.rules) {
			return false
		}
		if given == "{}" {
			given = "where nothing is known of the candidate"
		}
		l.doubtful = append(l.doubtful, p.problem(p.otherwise.line, Otherwise, fmt.Sprintf("no rule matches %s, and otherwise answers %s", given, p.otherwise.outcome),
			"add a rule, or say what otherwise is for: {then: "+p.otherwise.outcome+", because: …}"))
		return true
	})
}

// box is what a rule at least asks of each unknown, so that two rules which can
// never both match are mostly told apart without a search.
type box map[int]bitset

// apart tells whether two rules ask what excludes each other.
func (b box) apart(c box) bool {
	if len(c) < len(b) {
		b, c = c, b
	}
	for at, set := range b {
		if other, ok := c[at]; ok {
			if some, _ := set.meets(other); !some {
				return true
			}
		}
	}
	return false
}

func (w *world) boxOf(f *formula) box {
	b := box{}
	w.narrow(f, b)
	return b
}

func (w *world) narrow(f *formula, b box) {
	if f.joint == AllOf {
		w.narrow(f.parts[0], b)
		w.narrow(f.parts[1], b)
		return
	}
	u, set := w.allowed(f)
	if u == nil {
		return
	}
	if known, ok := b[u.at]; ok {
		set, _, _, _ = known.split(set)
	}
	b[u.at] = set
}

// allowed is the samples with which a part of a condition holds, where it is about
// one unknown; nil where it is not, or not so that this can be seen at once.
func (w *world) allowed(f *formula) (*unknown, bitset) {
	switch {
	case f.fixed != open:
		return nil, nil
	case f.unknown != nil:
		return f.unknown, f.yes
	case f.joint == NamedBy:
		return w.allowed(f.parts[0])
	case f.joint == OneOrOther:
		return nil, nil
	}
	u, set := w.allowed(f.parts[0])
	if u == nil {
		return nil, nil
	}
	whole := newBits(len(u.samples))
	for i := range u.samples {
		whole.set(i)
	}
	if f.joint == NotThis {
		_, rest, _, _ := whole.split(set)
		return u, rest
	}
	v, other := w.allowed(f.parts[1])
	if v != u {
		return nil, nil
	}
	in, _, _, _ := set.split(other)
	if f.joint == AllOf {
		return u, in
	}
	either := slices.Clone(set)
	for i := range either {
		either[i] |= other[i]
	}
	return u, either
}
