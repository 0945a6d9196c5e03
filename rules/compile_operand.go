package rules

import (
	"time"
	"unsafe"

	"github.com/expr-lang/expr/ast"

	"nightshift/rules/market"
)

// operand is one node of an expression with its meaning: a kind, and a closure
// that computes it from a frame. The closure's type follows from the kind:
// func(*frame) of bool, int64 (whole numbers, and durations in nanoseconds),
// market.Decimal, string, market.Money, *market.Stopwatch or []string.
type operand struct {
	kind     Kind
	elem     Kind       // the kind of a list's items
	constant bool       // depends on no fact
	bare     bool       // number literals alone: beside money it is an amount of the ruleset's currency
	fn       any        // func(*frame) T
	items    []*operand // of a list that is written out
	variants *variants  // where it is a let that some sellers or products have another value of
	fact     *Fact      // where it is a fact as it stands
	node     ast.Node
	text     string // its source, for explanations
	at       place  // where that stands
	parts    []*operand
	cost     int // how many closures one evaluation calls at most
}

// frame is what one evaluation reads: the facts, the instant, and the first
// thing that went wrong. A closure that fails answers a zero value and leaves
// the reason here, so that no closure needs a second result.
type frame struct {
	facts unsafe.Pointer // to the facts struct
	asOf  time.Time
	row   []string // of an import's source file
	err   error
}

// fail keeps the first reason.
func (f *frame) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// as is the closure of an operand whose kind is known.
func as[T any](o *operand) func(*frame) T { return o.fn.(func(*frame) T) }

// constant answers the same at every evaluation.
func constant[T any](v T) func(*frame) T { return func(*frame) T { return v } }

// readFact reads a field of the facts struct in place.
func readFact(fact *Fact) any {
	offset := fact.offset
	switch fact.Kind {
	case KindBool:
		return func(f *frame) bool { return *at[bool](f.facts, offset) }
	case KindInt:
		return func(f *frame) int64 { return *at[int64](f.facts, offset) }
	case KindDecimal:
		return func(f *frame) market.Decimal { return *at[market.Decimal](f.facts, offset) }
	case KindText:
		return func(f *frame) string { return *at[string](f.facts, offset) }
	case KindMoney:
		return func(f *frame) market.Money { return *at[market.Money](f.facts, offset) }
	case KindStopwatch:
		return func(f *frame) *market.Stopwatch { return at[market.Stopwatch](f.facts, offset) }
	}
	return func(f *frame) []string { return *at[[]string](f.facts, offset) }
}

// result is an operand computed from its parts. Where none of them depends on
// a fact it is computed now, once; what goes wrong then is a problem of the file.
func (c *compiler) result(n ast.Node, kind Kind, fn any, parts ...*operand) *operand {
	o := &operand{kind: kind, fn: fn, node: n, parts: parts, constant: true}
	o.text, o.at = c.sourceOf(n)
	o.cost = 1
	for _, p := range parts {
		o.constant = o.constant && p.constant
		o.cost += p.cost
	}
	if o.cost > maxCost {
		return c.refuse(n, "the expression computes too much", "lets and comparisons in a row repeat what they are made of: split it into rules")
	}
	if !o.constant {
		return o
	}
	o.cost = 1
	f := &frame{}
	switch kind {
	case KindBool:
		o.fn = constant(as[bool](o)(f))
	case KindInt, KindDuration:
		o.fn = constant(as[int64](o)(f))
	case KindDecimal:
		o.fn = constant(as[market.Decimal](o)(f))
	case KindText:
		o.fn = constant(as[string](o)(f))
	case KindMoney:
		o.fn = constant(as[market.Money](o)(f))
	}
	if f.err != nil {
		return c.refuse(n, f.err.Error(), "")
	}
	return o
}

// toDecimal is a whole number as an exact number.
func toDecimal(o *operand) *operand {
	if o.kind == KindDecimal {
		return o
	}
	d := *o
	whole := as[int64](o)
	d.kind = KindDecimal
	d.fn = func(f *frame) market.Decimal { return market.DecimalOf(whole(f)) }
	if o.constant {
		d.fn = constant(market.DecimalOf(whole(nil)))
	}
	return &d
}

// toMoney is a bare number as an exact amount of the ruleset's currency.
func (c *compiler) toMoney(o *operand) *operand {
	if o.kind == KindMoney {
		return o
	}
	m := *o
	m.kind, m.bare = KindMoney, false
	amount, currency := as[market.Decimal](toDecimal(o)), c.currency
	m.fn = func(f *frame) market.Money { return market.NewMoney(amount(f), currency) }
	if o.constant {
		m.fn = constant(market.NewMoney(amount(nil), currency))
	}
	return &m
}

// valueReader reads an operand as a named value. Amounts and numbers have to
// fit where they are kept.
func valueReader(name string, o *operand) func(*frame) Value {
	v := Value{Name: name, Kind: o.kind}
	switch o.kind {
	case KindBool:
		read := as[bool](o)
		return func(f *frame) Value { v := v; v.yes = read(f); return v }
	case KindInt:
		read := as[int64](o)
		return func(f *frame) Value { v := v; v.whole = read(f); return v }
	case KindDuration:
		read := as[int64](o)
		return func(f *frame) Value { v := v; v.duration = time.Duration(read(f)); return v }
	case KindDecimal:
		read := as[market.Decimal](o)
		return func(f *frame) Value { v := v; v.number = read(f); f.fit(v.number); return v }
	case KindText:
		read := as[string](o)
		return func(f *frame) Value { v := v; v.text = read(f); return v }
	case KindMoney:
		read := as[market.Money](o)
		return func(f *frame) Value { v := v; v.money = read(f); f.fit(v.money.Amount); return v }
	case KindList:
		read := shownList(o)
		return func(f *frame) Value { v := v; v.list = read(f); return v }
	}
	return func(*frame) Value { return v }
}

func (f *frame) fit(d market.Decimal) {
	if err := d.Fits(); err != nil {
		f.fail(err)
	}
}

// textsOf reads a list of texts, a fact or written out.
func textsOf(o *operand) func(*frame) []string {
	if o.items == nil && o.fn != nil {
		return as[[]string](o)
	}
	read := func(f *frame) []string {
		list := make([]string, len(o.items))
		for i, item := range o.items {
			list[i] = as[string](item)(f)
		}
		return list
	}
	if o.constant {
		return constant(read(nil))
	}
	return read
}
