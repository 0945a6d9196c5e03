package rules

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"nightshift/rules/market"
)

// circleNamed is how many lets of a circle are named.
const circleNamed = 8

// choice is another value of a let, for some sellers or products.
type choice struct {
	fact    string
	codes   []string
	binding *Binding
	holds   bool // on the date
}

// variants are the values of a let, the usual one first, and which of them a
// candidate has.
type variants struct {
	values []*operand
	whose  []string // whose each value is; of the usual one nobody's
	pick   func(*frame) int
}

// declare makes the lets of a ruleset known, and the parameters that it shares
// with others. They are compiled when they are asked for.
func (c *compiler) declare(rs *Ruleset) {
	c.lets, c.overrides, c.used = map[string]*Binding{}, map[string][]choice{}, map[string]bool{}
	c.codes = map[string]*operand{}
	for _, name := range bySpecificity {
		if fact := c.names[name]; fact != nil && fact.kind == KindText {
			c.codes[name] = fact
		}
	}
	c.parameters = rs.shared
	for i, let := range rs.Lets {
		if c.names[let.Name] != nil || c.functions[let.Name] != nil {
			c.doc.problem(let.key, "", "let "+let.Name+" has the name of a fact or a function", "choose another")
			continue
		}
		if c.parameters.has(let.Name) {
			c.doc.problem(let.key, "", "let "+let.Name+" is in "+c.parameters.doc.name+" too", "leave one of them out, or choose another name")
		}
		c.lets[let.Name] = &rs.Lets[i]
	}
	first := c.on == rs.Effective
	c.choices(rs.overrides, first)
	if c.parameters == nil {
		return
	}
	for i, let := range c.parameters.lets {
		if c.lets[let.Name] == nil && c.names[let.Name] == nil && c.functions[let.Name] == nil {
			c.lets[let.Name] = &c.parameters.lets[i]
		}
	}
	c.choices(c.parameters.overrides, first)
}

// has tells whether there is a parameter of that name.
func (p *parameters) has(name string) bool {
	return p != nil && slices.ContainsFunc(p.lets, func(b Binding) bool { return b.Name == name })
}

func (c *compiler) choices(overrides []override, first bool) {
	for i := range overrides {
		o := &overrides[i]
		for j := range o.lets {
			b := &o.lets[j]
			holds := o.on(c.on) && b.on(c.on) != nil
			if holds || first { // those of other dates are checked once
				c.overrides[b.Name] = append(c.overrides[b.Name], choice{o.fact, o.codes, b, holds})
			}
		}
	}
}

// let compiles the let of that name, once, the lets it uses before it.
func (c *compiler) let(name string) *operand {
	b := c.lets[name]
	if b == nil {
		return c.names[name]
	}
	if slices.Contains(c.open, name) {
		path := append(slices.Clone(c.open[slices.Index(c.open, name):]), name)
		if len(path) > circleNamed {
			path = slices.Replace(path, circleNamed/2, len(path)-2, "…")
		}
		c.in(b).problem(b.key, "", "let "+name+" is defined by itself: "+strings.Join(path, " → "), "give one of them a value of its own")
		return nil
	}
	outer := c.passage
	c.passage, c.open = passage{}, append(c.open, name)
	o := c.inForce(b)
	if o != nil && len(c.overrides[name]) > 0 {
		o = c.varied(b, o)
	}
	c.passage, c.open = outer, c.open[:len(c.open)-1]
	delete(c.lets, name)
	if c.parameters.has(name) {
		c.used[name] = true
	}
	if o != nil {
		named := *o
		named.bare = false
		named.text = name
		switch {
		case o.variants != nil:
		case o.constant:
			named.parts = nil
		default:
			named.parts, named.cost = []*operand{o}, o.cost+1
		}
		o = &named
	}
	c.names[name] = o
	return o
}

// in is the file that a let stands in.
func (c *compiler) in(b *Binding) *document {
	if b.doc != nil {
		return b.doc
	}
	return c.doc
}

// inForce compiles all values of a let, which are of one kind, and answers the
// one that holds.
func (c *compiler) inForce(b *Binding) *operand {
	doc, currency := c.doc, c.currency
	c.doc = c.in(b)
	if c.parameters.has(b.Name) {
		c.currency = c.site
	}
	defer func() { c.doc, c.currency = doc, currency }()
	if b.dated == nil {
		return c.value(b.Value)
	}
	values := make([]*operand, len(b.dated))
	nodes := make([]*yaml.Node, len(b.dated))
	holds := 0
	for i, v := range b.dated {
		values[i], nodes[i] = c.value(v.value), v.value
		if v.from <= c.on {
			holds = i
		}
	}
	if !c.oneKind("let "+b.Name, values, nodes) {
		return nil
	}
	return values[holds]
}

// oneKind makes the values of a let alike, each where it stands in the file: a
// whole number among numbers is one too.
func (c *compiler) oneKind(what string, values []*operand, nodes []*yaml.Node) bool {
	wide := false
	for _, o := range values {
		if o == nil {
			return false
		}
		wide = wide || o.kind == KindDecimal
	}
	first := values[0]
	for i, o := range values {
		if wide && o.kind == KindInt {
			o = toDecimal(o)
			values[i] = o
		}
		if o.kind != values[0].kind || o.kind == KindList && o.elem != first.elem && len(o.items) > 0 && len(first.items) > 0 {
			c.doc.problem(nodes[i], "", fmt.Sprintf("%s is %s here and %s elsewhere", what, kindOf(o), kindOf(first)), "all its values are of one kind")
			return false
		}
		if o.kind == KindMoney && o.constant && first.constant {
			x, y := as[market.Money](o)(nil), as[market.Money](first)(nil)
			if x.Currency != y.Currency {
				c.doc.problem(nodes[i], "", fmt.Sprintf("%s is in %s here and in %s elsewhere", what, x.Currency, y.Currency), "all its values are in one currency")
				return false
			}
		}
	}
	return true
}

// kindOf is the kind of a value with that of its items.
func kindOf(o *operand) string {
	if o.kind == KindList && len(o.items) > 0 {
		return o.kind.String() + " whose items are each " + o.elem.String()
	}
	return o.kind.String()
}

// varied is a let that depends on whose order it is: on its product, or else on
// its seller.
func (c *compiler) varied(b *Binding, usual *operand) *operand {
	if usual.kind == KindStopwatch {
		c.in(b).problem(b.key, "", "a stopwatch cannot be overridden", "override the duration that it is compared with")
		return nil
	}
	v := &variants{values: []*operand{usual}, whose: []string{""}}
	by := map[string]map[string]int{}
	var parts []*operand
	for _, choice := range c.overrides[b.Name] {
		if c.codes[choice.fact] == nil {
			c.doc.problem(nil, "", fmt.Sprintf("%s has another value for some %ss, and %s does not know the %s", b.Name, choice.fact, c.vocabulary.Ruleset, choice.fact), "use a parameter of its own")
			return nil
		}
		o := c.inForce(choice.binding)
		outer := c.doc
		c.doc = c.in(choice.binding)
		both := []*operand{usual, o}
		ok := c.oneKind(b.Name, both, []*yaml.Node{choice.binding.Value, choice.binding.Value})
		c.doc = outer
		if !ok {
			return nil
		}
		v.values[0] = both[0]
		if !choice.holds {
			continue
		}
		if by[choice.fact] == nil {
			by[choice.fact] = map[string]int{}
			parts = append(parts, c.codes[choice.fact])
		}
		for _, code := range choice.codes {
			by[choice.fact][code] = len(v.values)
		}
		v.values, v.whose = append(v.values, both[1]), append(v.whose, fmt.Sprintf("%s %q", choice.fact, choice.codes))
	}
	if len(by) == 0 {
		return v.values[0]
	}
	v.pick = c.picker(by)
	return v.operand(parts)
}

// picker finds the value of a candidate by its codes, the usual one where none
// of them is named.
func (c *compiler) picker(by map[string]map[string]int) func(*frame) int {
	var facts []func(*frame) string
	var known []map[string]int
	for _, name := range bySpecificity {
		if by[name] != nil {
			facts, known = append(facts, as[string](c.codes[name])), append(known, by[name])
		}
	}
	return func(f *frame) int {
		for i, fact := range facts {
			if at, ok := known[i][fact(f)]; ok {
				return at
			}
		}
		return 0
	}
}

// operand is a let as whichever value a candidate has.
func (v *variants) operand(parts []*operand) *operand {
	usual := v.values[0]
	o := &operand{kind: usual.kind, elem: usual.elem, variants: v, parts: parts, cost: 1}
	for i, value := range v.values {
		if usual.kind == KindDecimal {
			v.values[i] = toDecimal(value)
		}
		o.cost += value.cost
		if value.elem != 0 && len(value.items) > 0 {
			o.elem = value.elem
		}
	}
	switch usual.kind {
	case KindBool:
		o.fn = pickOne[bool](v)
	case KindInt, KindDuration:
		o.fn = pickOne[int64](v)
	case KindDecimal:
		o.fn = pickOne[market.Decimal](v)
	case KindText:
		o.fn = pickOne[string](v)
	case KindMoney:
		o.fn = pickOne[market.Money](v)
	case KindList:
		lists := make([]func(*frame) []string, len(v.values))
		for i, value := range v.values {
			lists[i] = shownList(value)
		}
		o.fn = func(f *frame) []string { return lists[v.pick(f)](f) }
	}
	return o
}

func pickOne[T any](v *variants) func(*frame) T {
	reads := make([]func(*frame) T, len(v.values))
	for i, value := range v.values {
		reads[i] = as[T](value)
	}
	return func(f *frame) T { return reads[v.pick(f)](f) }
}

// shownList reads the items of a list as texts: as they are, or as they are shown.
func shownList(o *operand) func(*frame) []string {
	if o.elem == KindText || o.items == nil {
		return textsOf(o)
	}
	reads := make([]func(*frame) Value, len(o.items))
	for i, item := range o.items {
		reads[i] = valueReader("", item)
	}
	return func(f *frame) []string {
		list := make([]string, len(reads))
		for i, read := range reads {
			list[i] = read(f).String()
		}
		return list
	}
}
