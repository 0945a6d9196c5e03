package rules

import (
	"slices"

	"nightshift/rules/market"
)

// Coming is what changes of a ruleset on the next date on which anything does.
type Coming struct {
	On      market.Date
	Version int // the one that holds from then on
	Changes []Change
}

// Coming is the next change of a ruleset after a date: another version, or
// another value in the version that holds. It is nil where none is known. What
// a pin means for orders that wait is left to NextVersion.
func (s *Site) Coming(ruleset string, after market.Date) *Coming {
	var next *Policy
	for _, version := range s.policies[ruleset] {
		for _, p := range version.Phases() {
			if p.From > after && (next == nil || p.From < next.From) {
				next = p
			}
		}
	}
	if next == nil {
		return nil
	}
	c := &Coming{On: next.From, Version: next.Version}
	if holds, err := s.Policy(ruleset, after); err == nil { // before the first version nothing is compared
		c.Changes = Diff(s.asOn(holds, next.From.AddDays(-1)), s.asOn(next, next.From)).Changes
	}
	return c
}

// asOn is the rule file of a policy with the values of one date, those that it
// shares with other files among them.
func (s *Site) asOn(p *Policy, on market.Date) *Ruleset {
	rs, _ := Parse(p.File, []byte(p.Text)) // it was read before
	lets, overrides := valuesOn(rs.Lets, on), overridesAt(rs.overrides, on)
	if s.shared != nil {
		for _, b := range valuesOn(s.shared.lets, on) {
			if slices.Contains(p.shares, b.Name) {
				lets = append(lets, b)
			}
		}
		for _, o := range overridesAt(s.shared.overrides, on) {
			o.lets = slices.DeleteFunc(o.lets, func(b Binding) bool { return !slices.Contains(p.shares, b.Name) })
			overrides = append(overrides, o)
		}
	}
	rs.Lets, rs.overrides = lets, overrides
	return rs
}

// valuesOn are names with the values of one date.
func valuesOn(lets []Binding, on market.Date) []Binding {
	var out []Binding
	for _, b := range lets {
		if value := b.on(on); value != nil {
			out = append(out, Binding{Name: b.Name, Value: value, key: b.key})
		}
	}
	return out
}

// overridesAt are the overrides that hold on a date, with its values.
func overridesAt(list []override, on market.Date) []override {
	var out []override
	for _, o := range list {
		if o.on(on) {
			out = append(out, override{fact: o.fact, codes: o.codes, because: o.because, lets: valuesOn(o.lets, on)})
		}
	}
	return out
}
