package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Difference is what differs between two rule files, in the words of rules.
type Difference struct {
	Site    string   `json:"site,omitempty"`
	From    string   `json:"from"` // as in acceptance@1; empty of a file that is new
	To      string   `json:"to"`   // empty of one that is gone
	Changes []Change `json:"changes"`
}

// Change is one thing that differs.
type Change struct {
	Subject string       `json:"subject"` // file, parameter, override, column, rule or row
	Name    string       `json:"name,omitempty"`
	What    string       `json:"what"` // added, removed, renamed, moved, or what of it differs: condition, outcome, a value …
	Before  string       `json:"before,omitempty"`
	After   string       `json:"after,omitempty"`
	Parts   []PartChange `json:"parts,omitempty"`   // of a condition: the parts that differ
	AskedBy []string     `json:"askedBy,omitempty"` // of a parameter: the rules that name it
}

// PartChange is a part of a condition that differs; without one side it was
// added, or left out.
type PartChange struct {
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// String names the version, as in "acceptance@2".
func (rs *Ruleset) String() string { return fmt.Sprintf("%s@%d", rs.Name, rs.Version) }

// Diff says what differs between two rule files.
func Diff(a, b *Ruleset) Difference {
	d := differ{}
	d.head(a, b)
	d.lets(a.Lets, b.Lets, b)
	d.overrides(a.overrides, b.overrides)
	d.columns(a, b)
	d.rules(a, b)
	d.rule("otherwise", "", a, b, &a.Otherwise, &b.Otherwise)
	return Difference{From: a.String(), To: b.String(), Changes: d.changes}
}

// differ collects changes.
type differ struct{ changes []Change }

func (d *differ) add(c Change) { d.changes = append(d.changes, c) }

// differs notes a change where two texts differ.
func (d *differ) differs(subject, name, what, before, after string) {
	if before != after {
		d.add(Change{Subject: subject, Name: name, What: what, Before: before, After: after})
	}
}

func (d *differ) head(a, b *Ruleset) {
	d.differs("file", "", "ruleset", a.Name, b.Name)
	d.differs("file", "", "version", fmt.Sprint(a.Version), fmt.Sprint(b.Version))
	d.differs("file", "", "effective", a.Effective.String(), b.Effective.String())
	d.differs("file", "", "hit", string(a.Hit), string(b.Hit))
	d.differs("file", "", "priority", strings.Join(a.Priority, ", "), strings.Join(b.Priority, ", "))
	d.differs("file", "", "shadow", fmt.Sprint(a.Shadow), fmt.Sprint(b.Shadow))
	d.differs("file", "", "pin", a.Pin, b.Pin)
	d.differs("file", "", "currency", string(a.Currency), string(b.Currency))
}

// written is a value as a file says it.
func written(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	return strings.ReplaceAll(flowText(n, valueMold), "\n", " ")
}

// lets compares names and values. Those that change on dates are compared date
// by date.
func (d *differ) lets(a, b []Binding, asks *Ruleset) {
	at := len(d.changes)
	d.bindings("parameter", "", a, b)
	for i := at; i < len(d.changes); i++ {
		name, _, _ := strings.Cut(d.changes[i].Name, " ")
		if d.changes[i].AskedBy = asks.askers(name); len(d.changes[i].AskedBy) == 0 {
			d.changes[i].AskedBy = nil
		}
	}
}

func (d *differ) bindings(subject, whose string, a, b []Binding) {
	for _, was := range a {
		is := bindingOf(b, was.Name)
		switch {
		case is == nil:
			d.add(Change{Subject: subject, Name: was.Name + whose, What: "removed", Before: written(was.Value)})
		case was.dated == nil && is.dated == nil:
			d.differs(subject, was.Name+whose, "value", written(was.Value), written(is.Value))
		default:
			d.dated(subject, whose, &was, is)
		}
	}
	for _, is := range b {
		if bindingOf(a, is.Name) == nil {
			d.add(Change{Subject: subject, Name: is.Name + whose, What: "added", After: written(is.Value)})
		}
	}
}

// dated compares values that change on dates. One that does not stands from the
// beginning.
func (d *differ) dated(subject, whose string, a, b *Binding) {
	spans := func(x *Binding) (from []string, values map[string]string) {
		values = map[string]string{}
		for _, v := range x.dated {
			from = append(from, " from "+v.from.String())
			values[" from "+v.from.String()] = written(v.value)
		}
		if x.dated == nil {
			from, values[""] = []string{""}, written(x.Value)
		}
		return from, values
	}
	dates, before := spans(a)
	more, after := spans(b)
	dates = append(dates, more...)
	slices.Sort(dates)
	for _, date := range slices.Compact(dates) {
		d.differs(subject, a.Name+whose+date, "value", before[date], after[date])
	}
}

func bindingOf(list []Binding, name string) *Binding {
	i := slices.IndexFunc(list, func(b Binding) bool { return b.Name == name })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// overrides compares those for whom parameters have other values: each code by
// itself, whichever others it is named with.
func (d *differ) overrides(a, b []override) {
	before, order := singles(a)
	after, more := singles(b)
	for _, whose := range append(order, more...) {
		was, is := before[whose], after[whose]
		if was == nil && is == nil {
			continue
		}
		var x, y []Binding
		if was != nil {
			x = was.lets
		}
		if is != nil {
			y = is.lets
		}
		d.bindings("override", whose, x, y)
		if was != nil && is != nil {
			d.differs("override", strings.TrimPrefix(whose, " of "), "reason", was.because, is.because)
		}
		delete(before, whose)
		delete(after, whose)
	}
}

// singles are overrides by for whom and when they are.
func singles(list []override) (map[string]*override, []string) {
	by, order := map[string]*override{}, []string(nil)
	for i := range list {
		o := &list[i]
		for _, code := range o.codes {
			whose := " of " + o.fact + " " + code
			if o.from != 0 {
				whose += " from " + o.from.String()
			}
			if o.until != 0 {
				whose += " until " + o.until.String()
			}
			for n := 2; by[whose] != nil; n++ {
				whose = fmt.Sprintf(" of %s %s (%d)", o.fact, code, n)
			}
			by[whose], order = o, append(order, whose)
		}
	}
	return by, order
}

// askers are the rules that name a parameter, or one that is made of it.
func (rs *Ruleset) askers(name string) []string {
	names := []string{name}
	for i := 0; i < len(names); i++ {
		for _, let := range rs.Lets {
			if !slices.Contains(names, let.Name) && slices.Contains(namesIn(written(let.Value)), names[i]) {
				names = append(names, let.Name)
			}
		}
	}
	ask := func(text string) bool {
		return slices.ContainsFunc(cellNames(text), func(n string) bool { return slices.Contains(names, n) })
	}
	var out []string
	for _, h := range rs.asks {
		if ask(h.Value) {
			out = append(out, "column "+h.Value)
		}
	}
	for _, r := range append(slices.Clone(rs.Rules), rs.Otherwise) {
		asks := r.When != nil && ask(r.When.Value)
		for _, v := range r.With {
			asks = asks || ask(valueText(v))
		}
		for _, n := range r.cells {
			asks = asks || ask(n.Value)
		}
		if asks {
			out = append(out, r.Name)
		}
	}
	return out
}

var wordIn = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)

// cellNames are the names in a text, also where it is no expression: a cell may
// be an interval.
func cellNames(text string) []string {
	if names := namesIn(text); names != nil {
		return names
	}
	return wordIn.FindAllString(text, -1)
}

// valueText is a carried value as its file says it.
func valueText(b Binding) string {
	if b.cell {
		return spaced(b.Value.Value)
	}
	return written(b.Value)
}

// conditionOf is what a rule asks, on one line. A row asks what its cells do.
func (rs *Ruleset) conditionOf(r *Rule) string {
	if r.When != nil {
		return strings.TrimSpace(strings.ReplaceAll(spaced(r.When.Value), "\n", " "))
	}
	var parts []string
	for i, cell := range r.cells {
		if text := spacedCell(cell.Value); text != anything && i < len(rs.asks) {
			parts = append(parts, spaced(rs.asks[i].Value)+": "+text)
		}
	}
	if len(parts) == 0 && r.cells != nil {
		return "anything"
	}
	return strings.Join(parts, "; ")
}
