package rules

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"nightshift/rules/market"
)

// Limits of parameters.
const (
	maxDates     = 100   // on which one of them changes
	maxOverrides = 2_000 // of a file; each may name many sellers
)

// parameters are the names that a file gives to values, and for whom they have
// others: those of one rule file, or of the parameters.yaml of a site, which
// all its rule files share.
type parameters struct {
	doc       *document
	lets      []Binding
	overrides []override
}

// dated is a value, and the first business date on which it holds.
type dated struct {
	from  market.Date
	value *yaml.Node
}

// override gives parameters other values for the orders of some sellers, or of
// some products. The one for a product counts before the one for its seller.
type override struct {
	fact        string // seller or product
	codes       []string
	because     string
	from, until market.Date // the half-open span in which it holds; 0 where it has no end
	lets        []Binding
}

// bySpecificity are the facts that overrides ask, the most specific first.
var bySpecificity = []string{"product", "seller"}

// readParameters reads a parameters.yaml.
func readParameters(d *document) *parameters {
	p := &parameters{doc: d}
	s := d.section(d.root, "the parameter file", parametersKeys...)
	if s == nil {
		return p
	}
	if s.need("let") != nil {
		p.lets = d.lets(s.fields["let"], 0)
	}
	p.overrides = d.overrides(s.fields["overrides"], p.lets)
	return p
}

// lets reads the names and values of a let. A value that changes is a mapping
// of dates: the first is no later than the file that uses it.
func (d *document) lets(n *yaml.Node, effective market.Date) []Binding {
	lets := d.bindings(n, "", "let")
	for i := range lets {
		b := &lets[i]
		if b.Value.Kind != yaml.MappingNode {
			continue
		}
		b.dated = d.datedValues(b)
		if len(b.dated) > 0 && effective > 0 && b.dated[0].from > effective {
			d.problem(b.Value.Content[0], "", fmt.Sprintf("let %s has no value before %s, and the file holds from %s", b.Name, b.dated[0].from, effective), "begin with the value of "+effective.String())
		}
	}
	return lets
}

// datedValues reads {2020-01-01: 10d, 2026-07-01: 7d}, the earliest first.
func (d *document) datedValues(b *Binding) []dated {
	what := "let " + b.Name
	var out []dated
	for _, p := range d.pairs(b.Value, what) {
		from, err := market.ParseDate(p.key.Value)
		switch {
		case err != nil:
			d.problem(p.key, "", fmt.Sprintf("%s: %q is not a date", what, clip(p.key.Value)), "write a value, or the dates on which it changes: {2020-01-01: 10d, 2026-07-01: 7d}")
			return out
		case len(out) > 0 && from <= out[len(out)-1].from:
			d.problem(p.key, "", fmt.Sprintf("%s: %s stands behind %s", what, from, out[len(out)-1].from), "put the dates in order, the earliest first")
			return out
		case len(out) == maxDates:
			d.problem(p.key, "", fmt.Sprintf("%s changes on more than %d dates", what, maxDates), "leave out those that are long past")
			return out
		}
		out = append(out, dated{from, p.value})
	}
	if len(out) == 0 && len(b.Value.Content) == 0 {
		d.problem(b.Value, "", what+" has no value", "write a value, or the dates on which it changes: {2020-01-01: 10d, 2026-07-01: 7d}")
	}
	return out
}

// on is the value that holds on a date; nil before the first.
func (b *Binding) on(date market.Date) *yaml.Node {
	if b.dated == nil {
		return b.Value
	}
	var value *yaml.Node
	for _, v := range b.dated {
		if v.from <= date {
			value = v.value
		}
	}
	return value
}

// overrides reads the list of those for whom parameters have other values.
func (d *document) overrides(n *yaml.Node, lets []Binding) []override {
	var known []string
	for _, b := range lets {
		known = append(known, b.Name)
	}
	var out []override
	taken := map[string][]*override{}
	for _, item := range d.items(n, "overrides") {
		if len(out) == maxOverrides {
			d.problem(item, "", fmt.Sprintf("more than %d overrides", maxOverrides), "name several sellers in one: seller: [a, b]")
			return out
		}
		s := d.section(item, "the override", overrideKeys...)
		if s == nil {
			continue
		}
		o := override{because: s.word("because"), from: s.date("from"), until: s.date("until")}
		o.fact, o.codes = s.whose()
		if o.until > 0 && o.until <= o.from {
			d.problem(s.fields["until"], "", fmt.Sprintf("the override ends on %s, before it begins", o.until), "until is the first date on which it holds no more")
		}
		if s.need("let") != nil {
			o.lets = d.lets(s.fields["let"], 0)
		}
		for _, b := range o.lets {
			if !slices.Contains(known, b.Name) {
				d.problem(b.key, "", "no parameter of the file is called "+clip(b.Name), didYouMean(b.Name, known))
			}
			for _, code := range o.codes {
				at := strings.Join([]string{o.fact, code, b.Name}, "\x00")
				for _, other := range taken[at] {
					if o.meets(other) {
						d.problem(b.key, "", fmt.Sprintf("%s %s has two values of %s at a time", o.fact, clip(code), b.Name), "keep one, or end one before the other begins")
					}
				}
				taken[at] = append(taken[at], &o)
			}
		}
		if len(o.codes) > 0 {
			out = append(out, o)
		}
	}
	return out
}

// whose reads for whom an override is: sellers or products, by their codes.
func (s *section) whose() (fact string, codes []string) {
	for _, name := range bySpecificity {
		n := s.fields[name]
		if n == nil {
			continue
		}
		if fact != "" {
			s.doc.problem(n, "", "the override is for a product and for a seller", "a product has one seller: keep the product")
		}
		fact = name
		list := []*yaml.Node{n}
		if n.Kind == yaml.SequenceNode {
			list = n.Content
		}
		for _, item := range list {
			if code, ok := s.doc.scalar(item, name); ok && code != "" {
				codes = append(codes, code)
			} else if ok {
				s.doc.problem(item, "", name+" is empty", "write its code")
			}
		}
		if len(list) == 0 {
			s.doc.problem(n, "", name+" names nobody", "write its code")
		}
	}
	if fact == "" {
		s.doc.problem(s.node, "", "the override is for nobody", "add seller: or product: with its code")
	}
	return fact, codes
}

// date reads a date that may be left out.
func (s *section) date(key string) market.Date {
	n := s.fields[key]
	if n == nil {
		return 0
	}
	text, _ := s.doc.scalar(n, key)
	on, err := market.ParseDate(text)
	if err != nil {
		s.doc.problem(n, "", fmt.Sprintf("%s %q is not a date", key, clip(text)), "write it like 2026-04-01")
	}
	return on
}

// meets tells whether two overrides hold on one date.
func (o *override) meets(other *override) bool {
	return (o.until == 0 || other.from < o.until) && (other.until == 0 || o.from < other.until)
}

// on tells whether the override holds on a date.
func (o *override) on(date market.Date) bool {
	return o.from <= date && (o.until == 0 || date < o.until)
}

// changes appends the dates after one on which what a name stands for changes.
func (p *parameters) changes(name string, after market.Date, to []market.Date) []market.Date {
	note := func(on market.Date) {
		if on > after {
			to = append(to, on)
		}
	}
	noteAll := func(b *Binding) {
		for _, v := range b.dated {
			note(v.from)
		}
	}
	for i := range p.lets {
		if p.lets[i].Name == name {
			noteAll(&p.lets[i])
		}
	}
	for i := range p.overrides {
		o := &p.overrides[i]
		for j := range o.lets {
			if o.lets[j].Name == name {
				note(o.from)
				note(o.until)
				noteAll(&o.lets[j])
			}
		}
	}
	return to
}
