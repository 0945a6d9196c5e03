package rules

import (
	"regexp"
	"slices"
	"strings"
)

// columns compares the columns of two decision tables.
func (d *differ) columns(a, b *Ruleset) {
	if !a.Table || !b.Table {
		return
	}
	headers := func(rs *Ruleset) []string {
		var out []string
		for _, n := range append(slices.Clone(rs.asks), rs.gives...) {
			out = append(out, spaced(n.Value))
		}
		return out
	}
	before, after := headers(a), headers(b)
	for _, h := range before {
		if !slices.Contains(after, h) {
			d.add(Change{Subject: "column", Name: h, What: "removed"})
		}
	}
	for _, h := range after {
		if !slices.Contains(before, h) {
			d.add(Change{Subject: "column", Name: h, What: "added"})
		}
	}
}

// rules compares the rules, or the rows, in the order of the new file.
func (d *differ) rules(a, b *Ruleset) {
	pairs := counterparts(a, b)
	taken := map[int]bool{}
	var order []int // of those that stayed, in the old file
	for j := range b.Rules {
		if i, stayed := pairs[j]; stayed {
			taken[i] = true
			order = append(order, i)
		}
	}
	for i := range a.Rules {
		if !taken[i] {
			d.add(Change{Subject: a.subject(), Name: a.Rules[i].Name, What: "removed", Before: a.summary(&a.Rules[i])})
		}
	}
	stays := increasing(order)
	for j := range b.Rules {
		is := &b.Rules[j]
		i, stayed := pairs[j]
		if !stayed {
			d.add(Change{Subject: b.subject(), Name: is.Name, What: "added", After: b.summary(is)})
			continue
		}
		was := &a.Rules[i]
		if was.Name != is.Name && !numbered(was.Name) {
			d.add(Change{Subject: b.subject(), Name: is.Name, What: "renamed", Before: was.Name, After: is.Name})
		}
		if !stays[i] {
			d.add(Change{Subject: b.subject(), Name: is.Name, What: "moved", Before: behind(a.Rules, i), After: behind(b.Rules, j)})
		}
		d.rule(b.subject(), is.Name, a, b, was, is)
	}
}

func (rs *Ruleset) subject() string {
	if rs.Table {
		return "row"
	}
	return "rule"
}

// behind says where a rule stands.
func behind(rules []Rule, i int) string {
	if i == 0 {
		return "first"
	}
	return "behind " + rules[i-1].Name
}

// summary is a whole rule on one line.
func (rs *Ruleset) summary(r *Rule) string {
	says := "when " + rs.conditionOf(r) + " then " + r.Then
	if with := carriedText(r); with != "" {
		says += " with " + with
	}
	return says
}

func carriedText(r *Rule) string {
	var parts []string
	for _, v := range r.With {
		parts = append(parts, v.Name+": "+valueText(v))
	}
	return strings.Join(parts, ", ")
}

// rule compares what two rules say.
func (d *differ) rule(subject, name string, a, b *Ruleset, was, is *Rule) {
	switch {
	case was.cells != nil && is.cells != nil:
		before, after := cellsOf(a, was), cellsOf(b, is)
		for i, h := range b.asks {
			head := spaced(h.Value)
			if text, there := before[head]; there || after[head] != anything {
				d.differs(subject, name, head, text, spacedCell(is.cells[i].Value))
			}
		}
		for _, h := range a.asks {
			if head := spaced(h.Value); after[head] == "" && before[head] != anything {
				d.differs(subject, name, head, before[head], "")
			}
		}
	case outlineOf(a.conditionOf(was)).meaning() != outlineOf(b.conditionOf(is)).meaning():
		before, after := a.conditionOf(was), b.conditionOf(is)
		d.add(Change{Subject: subject, Name: name, What: "condition", Before: before, After: after, Parts: outlineOf(before).compare(outlineOf(after))})
	}
	d.differs(subject, name, "outcome", was.Then, is.Then)
	for _, v := range was.With {
		if bindingOf(is.With, v.Name) == nil {
			d.differs(subject, name, v.Name, valueText(v), "")
		}
	}
	for _, v := range is.With {
		before := ""
		if old := bindingOf(was.With, v.Name); old != nil {
			before = valueText(*old)
		}
		d.differs(subject, name, v.Name, before, valueText(v))
	}
	d.differs(subject, name, "reason", was.Because, is.Because)
}

// cellsOf are the cells of a row by their headers.
func cellsOf(rs *Ruleset, r *Rule) map[string]string {
	out := map[string]string{}
	for i, h := range rs.asks {
		out[spaced(h.Value)] = spacedCell(r.cells[i].Value)
	}
	return out
}

var rowNumber = regexp.MustCompile(`^row \d+$`)

// numbered tells whether a name is only the number of a row.
func numbered(name string) bool { return rowNumber.MatchString(name) }

// counterparts finds for each rule of b which of a it was: by its name; else by what it
// says; else by its condition, or by its outcome and reason.
func counterparts(a, b *Ruleset) map[int]int {
	pairs, taken := map[int]int{}, map[int]bool{}
	match := func(key func(rs *Ruleset, r *Rule) string) {
		free := map[string][]int{}
		for i := range a.Rules {
			if k := key(a, &a.Rules[i]); !taken[i] && k != "" {
				free[k] = append(free[k], i)
			}
		}
		for j := range b.Rules {
			if _, done := pairs[j]; done {
				continue
			}
			if k := key(b, &b.Rules[j]); len(free[k]) > 0 {
				pairs[j], taken[free[k][0]] = free[k][0], true
				free[k] = free[k][1:]
			}
		}
	}
	match(func(_ *Ruleset, r *Rule) string {
		if numbered(r.Name) {
			return ""
		}
		return r.Name
	})
	match(func(rs *Ruleset, r *Rule) string { return rs.summary(r) + "\x00" + r.Because })
	match((*Ruleset).conditionOf)
	match(func(_ *Ruleset, r *Rule) string { return r.Then + "\x00" + carriedText(r) + "\x00" + r.Because })
	return pairs
}

// increasing picks from a list the most numbers that stand in rising order: what
// is not among them was moved.
func increasing(list []int) map[int]bool {
	var ends []int // by length: where the smallest end of such a row stands
	before := make([]int, len(list))
	for i, v := range list {
		at, _ := slices.BinarySearchFunc(ends, v, func(e, v int) int { return list[e] - v })
		before[i] = -1
		if at > 0 {
			before[i] = ends[at-1]
		}
		if at == len(ends) {
			ends = append(ends, i)
		} else {
			ends[at] = i
		}
	}
	stays := map[int]bool{}
	if len(ends) == 0 {
		return stays
	}
	for i := ends[len(ends)-1]; i >= 0; i = before[i] {
		stays[list[i]] = true
	}
	return stays
}
