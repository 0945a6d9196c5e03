package rules

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"nightshift/rules/market"
)

// maxPhases is on how many dates the values of one rule file may change while
// it holds.
const maxPhases = 100

// keptKey is the key, and keptValues the line before it, under which a text that
// is kept has the values that it was compiled with: those of one date, and of the
// parameters that it shares with other files.
const (
	keptKey    = "parameters"
	keptValues = "\n# The parameters as they were from "
)

// compilePhases compiles a ruleset once for each span in which its values stay
// the same, until another version of it begins (0: for ever). The answer is the
// first phase, which knows those after it.
func compilePhases(rs *Ruleset, site market.Currency, until market.Date) *Policy {
	if rs.keptOn != 0 {
		return compileOn(rs, site, rs.keptOn)
	}
	first := compileOn(rs, site, rs.Effective)
	if first == nil || len(rs.doc.problems) > 0 {
		return first
	}
	rs.covers(first)
	first.phases = []*Policy{first}
	changes := rs.changes(first, until)
	if len(changes) > maxPhases {
		rs.doc.problem(rs.top.fields["let"], "", fmt.Sprintf("the values of the file change on %d dates, more than %d", len(changes), maxPhases), "begin a new version of the file")
		return first
	}
	for _, on := range changes {
		if len(rs.doc.problems) > 0 {
			break
		}
		phase := compileOn(rs, site, on)
		for i := range rs.doc.problems {
			p := &rs.doc.problems[i]
			p.Message = "with the values of " + on.String() + ": " + p.Message
		}
		first.phases = append(first.phases, phase)
	}
	if len(rs.doc.problems) == 0 && (len(first.phases) > 1 || len(first.shares) > 0) {
		for _, phase := range first.phases {
			phase.Text = rs.textWith(phase)
			phase.Hash = hashOf(phase.Text, rs, phase.currency)
		}
	}
	return first
}

// changes are the dates after the first on which the values that the ruleset
// uses change, in order.
func (rs *Ruleset) changes(p *Policy, until market.Date) []market.Date {
	own := parameters{lets: rs.Lets, overrides: rs.overrides}
	var out []market.Date
	for _, b := range rs.Lets {
		out = own.changes(b.Name, rs.Effective, out)
	}
	for _, name := range p.shares {
		out = rs.shared.changes(name, rs.Effective, out)
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if at, _ := slices.BinarySearch(out, until); until != 0 {
		out = out[:at]
	}
	return out
}

// covers checks that the shared parameters have values from the file's first
// date on.
func (rs *Ruleset) covers(p *Policy) {
	for _, b := range p.sharedLets(rs) {
		if b.dated != nil && b.dated[0].from > rs.Effective {
			rs.doc.problem(rs.top.fields["effective"], "", fmt.Sprintf("%s has no value of %s before %s", rs.shared.doc.name, b.Name, b.dated[0].from), "give it one that holds from "+rs.Effective.String())
		}
	}
}

// sharedLets are the parameters that the policy uses, in the order of their file.
func (p *Policy) sharedLets(rs *Ruleset) []Binding {
	var out []Binding
	for _, name := range p.shares {
		i := slices.IndexFunc(rs.shared.lets, func(b Binding) bool { return b.Name == name })
		out = append(out, rs.shared.lets[i])
	}
	return out
}

// textWith is the text of the rule file with the values of a phase behind it, so
// that the policy can be restored from that text alone.
func (rs *Ruleset) textWith(p *Policy) string {
	kept := mapping()
	addKey(kept, "on", scalar(p.From.String()))
	if lets := p.sharedLets(rs); len(lets) > 0 {
		values := mapping()
		for _, b := range lets {
			addKey(values, b.Name, bare(b.on(p.From)))
		}
		addKey(kept, "let", values)
		if overrides := overridesOn(rs.shared, p); len(overrides.Content) > 0 {
			addKey(kept, "overrides", overrides)
		}
	}
	whole := mapping()
	addKey(whole, keptKey, kept)
	text, err := yaml.Marshal(whole)
	if err != nil {
		panic(err) // it was read from YAML
	}
	indent := strings.Repeat(" ", rs.top.node.Column-1)
	head := strings.TrimRight(rs.Text, "\n") + "\n"
	if again := readDocumentUpTo(maxKeptBytes, rs.File, []byte(head+indent+keptKey+": {}\n")); again.root == nil || again.root.Kind != yaml.MappingNode || again.root.Content[len(again.root.Content)-2].Value != keptKey {
		rs.doc.problem(rs.top.node, "", "the rule file does not end as a mapping of keys", "leave out what stands behind its last key")
		return rs.Text
	}
	body := indent + strings.ReplaceAll(strings.TrimRight(string(text), "\n"), "\n", "\n"+indent)
	return head + keptValues[1:] + p.From.String() + " on\n" + body + "\n"
}

// overridesOn are the overrides of the parameters that a policy uses, as they
// are in its phase.
func overridesOn(shared *parameters, p *Policy) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for _, o := range shared.overrides {
		values := mapping()
		for i := range o.lets {
			b := &o.lets[i]
			if value := b.on(p.From); value != nil && o.on(p.From) && slices.Contains(p.shares, b.Name) {
				addKey(values, b.Name, bare(value))
			}
		}
		if len(values.Content) == 0 {
			continue
		}
		codes := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, code := range o.codes {
			codes.Content = append(codes.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: code, Style: yaml.DoubleQuotedStyle})
		}
		item := mapping()
		addKey(item, o.fact, codes)
		addKey(item, "because", &yaml.Node{Kind: yaml.ScalarNode, Value: o.because, Style: yaml.DoubleQuotedStyle})
		addKey(item, "let", values)
		list.Content = append(list.Content, item)
	}
	return list
}

// readKept reads the values that a text was kept with.
func (rs *Ruleset) readKept(n *yaml.Node) {
	d := rs.doc
	s := d.section(n, "what was kept", "on", "let", "overrides")
	if s == nil {
		return
	}
	rs.keptOn = s.date("on")
	if s.fields["let"] == nil {
		return
	}
	rs.shared = &parameters{doc: d, lets: d.lets(s.fields["let"], 0)}
	rs.shared.overrides = d.overrides(s.fields["overrides"], rs.shared.lets)
}

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode} }

func scalar(text string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: text} }

func addKey(to *yaml.Node, key string, value *yaml.Node) {
	to.Content = append(to.Content, scalar(key), value)
}

// bare is a value without the comments around it.
func bare(n *yaml.Node) *yaml.Node {
	out := &yaml.Node{Kind: n.Kind, Style: n.Style, Tag: n.Tag, Value: n.Value}
	for _, item := range n.Content {
		out.Content = append(out.Content, bare(item))
	}
	return out
}

// On is the phase of the policy that holds on a date: its version of the rules
// with the values of that date. Before the first it is the first.
func (p *Policy) On(date market.Date) *Policy {
	holds := p
	for _, phase := range p.phases {
		if phase.From <= date {
			holds = phase
		}
	}
	return holds
}

// Phases are the spans in which the values of the policy's rule file stay the
// same, the earliest first: usually one.
func (p *Policy) Phases() []*Policy {
	if p.phases == nil {
		return []*Policy{p}
	}
	return slices.Clone(p.phases)
}
