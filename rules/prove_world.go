package rules

import (
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"

	"nightshift/rules/market"
)

// world is what the facts of a candidate can be, as far as the questions of some
// policies can tell: for each fact a few samples, at least one from every stretch
// of values that no question divides. Whatever is true of the samples is then
// true of all values, and a search through them is a proof.
//
// A question about one fact and fixed values is seen through; any other, such as
// one that compares two facts, counts as a coin: it may fall either way. What is
// found impossible is therefore impossible; what is found possible has to be
// tried on facts before it is said.
//
// It takes for granted that a fact with a list of words is one of them or empty,
// and that amounts are of the currency that the rules compare them with. Amounts
// of another set the candidate aside, so that no rule answers.
type world struct {
	vocabulary *Vocabulary
	pointer    reflect.Type
	currency   market.Currency
	facts      map[string]Fact
	unknowns   []*unknown
	byKey      map[string]*unknown
	formulas   map[*operand]*formula
	spent      int // how many parts of conditions were asked
}

// unknown is one thing that facts settle: a fact, whether a list holds a text,
// or how a coin falls.
type unknown struct {
	at      int   // its place among the unknowns
	fact    *Fact // nil: a coin
	item    string
	marks   []Value // the fixed values it is compared with
	samples []sample
	mixed   bool // amounts of two currencies: not seen through
}

// sample is one value of a fact. The first of a fact is the one that nobody has
// to write down: no, 0, empty, never.
type sample struct {
	text  string // as test files write it
	value any    // bool, int64, string, market.Decimal, market.Money or market.Stopwatch
}

// proofInstant is the as-of of all proofs; only how long ago things were counts.
var proofInstant = time.Date(2024, 6, 1, 2, 0, 0, 0, time.UTC)

// newWorld knows the questions of the policies, which are of one ruleset and
// currency.
func newWorld(policies ...*Policy) *world {
	p := policies[0]
	w := &world{
		vocabulary: p.vocabulary, pointer: p.pointer, currency: p.currency,
		facts: map[string]Fact{}, byKey: map[string]*unknown{}, formulas: map[*operand]*formula{},
	}
	for _, fact := range p.vocabulary.Facts() {
		w.facts[fact.Name] = fact
	}
	asked := map[*operand]*unknown{}
	for _, p := range policies {
		for _, rule := range p.rules {
			for _, leaf := range rule.condition.leaves() {
				if !leaf.constant && asked[leaf] == nil {
					asked[leaf] = w.note(leaf)
				}
			}
		}
	}
	for _, u := range w.unknowns {
		u.choose(w.currency)
	}
	for leaf, u := range asked {
		w.formulas[leaf] = w.leaf(leaf, u)
	}
	return w
}

// note is the unknown that a question is about.
func (w *world) note(leaf *operand) *unknown {
	fact, item, marks := w.subject(leaf)
	key := "coin " + leaf.fingerprint()
	if fact != nil {
		key = fact.Name + "\x00" + item
	}
	u := w.byKey[key]
	if u == nil {
		u = &unknown{at: len(w.unknowns), fact: fact, item: item}
		w.byKey[key], w.unknowns = u, append(w.unknowns, u)
	}
	for _, m := range marks {
		v := valueReader("", m)(&frame{})
		u.mixed = u.mixed || v.Kind == KindMoney && len(u.marks) > 0 && u.marks[0].money.Currency != v.money.Currency
		if !slices.ContainsFunc(u.marks, v.Equal) || len(u.marks) > 64 { // a long list of texts would be searched for each
			u.marks = append(u.marks, v)
		}
	}
	return u
}

// subject is the one fact that a question is about and the fixed values it is
// compared with; no fact where it cannot be seen through.
func (w *world) subject(leaf *operand) (about *Fact, item string, marks []*operand) {
	s := subjectOf{direct: true, facts: map[string]bool{}}
	s.walk(leaf, 0)
	if len(s.facts) != 1 {
		return nil, "", nil
	}
	fact := w.facts[s.name]
	switch {
	case fact.Kind == KindBool, fact.Kind == KindText && len(fact.Words) > 0:
		return &fact, "", nil // few values: any question can be put to all of them
	case !s.direct:
		return nil, "", nil
	case fact.Kind == KindList && leaf.operator() == "in" && len(s.marks) == 1 && s.marks[0].kind == KindText:
		return &fact, as[string](s.marks[0])(nil), nil
	case fact.Kind == KindList, fact.Kind == KindText && !slices.Contains([]string{"==", "!=", "in"}, leaf.operator()):
		return nil, "", nil
	}
	return &fact, "", s.marks
}

// subjectOf collects what a question is made of.
type subjectOf struct {
	facts  map[string]bool
	name   string
	marks  []*operand
	direct bool // the facts stand in it as they are
}

func (s *subjectOf) walk(o *operand, depth int) {
	switch {
	case o.fact != nil:
		s.name = o.fact.Name
		s.facts[s.name] = true
	case o.kind == KindList && o.items != nil:
		for _, item := range o.items {
			s.walk(item, depth)
		}
	case o.constant:
		s.marks = append(s.marks, o)
	default:
		s.direct = s.direct && depth == 0 && o.variants == nil
		if o.variants != nil {
			for _, value := range o.variants.values {
				s.walk(value, depth+1)
			}
		}
		for _, part := range o.parts {
			s.walk(part, depth+1)
		}
	}
}

// fingerprint tells one question from another, whatever the names of its lets.
func (o *operand) fingerprint() string {
	parts := o.parts
	switch {
	case o.kind == KindList && o.items != nil:
		parts = o.items
	case o.constant:
		return o.kind.String() + " " + o.show(&frame{})
	case len(parts) == 0:
		return o.text
	}
	var b strings.Builder
	if v := o.variants; v != nil {
		for i, value := range v.values {
			b.WriteString("(" + v.whose[i] + " " + value.fingerprint() + ")")
		}
	}
	if !o.isName() && o.items == nil {
		b.WriteString(normal(o))
	}
	for _, part := range parts {
		b.WriteString("(" + part.fingerprint() + ")")
	}
	return b.String()
}

// leaf is a question as the samples that answer it with yes. One that fails on a
// sample becomes a coin.
func (w *world) leaf(o *operand, u *unknown) *formula {
	f := &formula{leaf: o, unknown: u, yes: newBits(len(u.samples))}
	ask := as[bool](o)
	if u.fact == nil || u.mixed {
		if u.fact != nil {
			u = &unknown{at: len(w.unknowns), samples: coin}
			w.unknowns = append(w.unknowns, u)
		}
		return &formula{leaf: o, unknown: u, yes: bitset{2}}
	}
	for i := range u.samples {
		facts := w.vocabulary.newFacts()
		u.put(w.vocabulary.pointerTo(w.pointer, facts), i)
		fr := &frame{facts: w.vocabulary.pointerTo(w.pointer, facts), asOf: proofInstant}
		yes := ask(fr)
		if fr.err != nil {
			c := &unknown{at: len(w.unknowns), samples: coin}
			w.unknowns = append(w.unknowns, c)
			return &formula{leaf: o, unknown: c, yes: bitset{2}}
		}
		if yes {
			f.yes.set(i)
		}
	}
	return f
}

// put writes a sample into a facts struct.
func (u *unknown) put(facts unsafe.Pointer, i int) {
	switch v := u.samples[i].value.(type) {
	case bool:
		if u.fact.Kind == KindBool {
			*at[bool](facts, u.fact.offset) = v
		} else if v {
			list := at[[]string](facts, u.fact.offset)
			*list = append(*list, u.item)
		}
	case int64:
		*at[int64](facts, u.fact.offset) = v
	case string:
		*at[string](facts, u.fact.offset) = v
	case market.Decimal:
		*at[market.Decimal](facts, u.fact.offset) = v
	case market.Money:
		*at[market.Money](facts, u.fact.offset) = v
	case market.Stopwatch:
		*at[market.Stopwatch](facts, u.fact.offset) = v
	}
}

// foreign tells whether the amounts are not of the currency of the rules.
func (u *unknown) foreign(currency market.Currency) bool {
	m, ok := u.samples[0].value.(market.Money)
	return ok && m.Currency != currency
}

// everything is every fact open to all its samples.
func (w *world) everything() domains {
	d := make(domains, len(w.unknowns))
	for i, u := range w.unknowns {
		d[i] = newBits(len(u.samples))
		for n := range u.samples {
			d[i].set(n)
		}
	}
	return d
}

// example is facts within the domains: the first sample of each, so that little
// has to be said, and what has to be said, as a test writes it.
func (w *world) example(d domains) (facts any, given string) {
	facts = w.vocabulary.newFacts()
	base := w.vocabulary.pointerTo(w.pointer, facts)
	for _, fact := range w.facts {
		if fact.Kind == KindMoney {
			*at[market.Money](base, fact.offset) = market.NewMoney(market.Decimal{}, w.currency)
		}
	}
	var said []string
	lists := map[string][]string{}
	for _, u := range w.unknowns {
		i := d[u.at].first()
		if u.fact == nil || i == 0 && !u.foreign(w.currency) {
			continue
		}
		u.put(base, i)
		if u.fact.Kind == KindList {
			lists[u.fact.Name] = append(lists[u.fact.Name], u.item)
		} else {
			said = append(said, u.fact.Name+": "+u.samples[i].text)
		}
	}
	for name, items := range lists {
		said = append(said, name+": ["+strings.Join(items, ", ")+"]")
	}
	slices.Sort(said)
	return facts, "{" + strings.Join(said, ", ") + "}"
}
