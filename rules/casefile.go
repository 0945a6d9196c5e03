package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"go.yaml.in/yaml/v3"

	"nightshift/rules/market"
)

// caseFile is a test file beside the rules: facts that all cases share, and
// cases that say what is expected of a policy.
type caseFile struct {
	doc    *document
	policy *Policy
	site   *Site
	facts  *yaml.Node
	asOf   time.Time
	cases  []*yaml.Node

	asks       map[string]*yaml.Node // its keys
	coverage   int                   // percent of the leaves of the conditions that the cases have to show both ways
	mutation   int                   // percent of the mutants that they have to notice
	equivalent []equivalent
	terse      bool // whether a case fails is enough, not why
}

// equivalent is an edit that no test can notice, and why.
type equivalent struct {
	rule, edit, because string
	node                *yaml.Node
}

// defaultAsOf is the instant of a test that names none, on the clock of the
// site: the dates of a test never depend on the day it runs.
const defaultAsOf = "2024-06-01T02:00:00"

// readCases reads a test file. Without a policy it is not usable.
func readCases(d *document, site *Site) *caseFile {
	f := &caseFile{doc: d, site: site}
	s := d.section(d.root, "the test file", testKeys...)
	if s == nil {
		return f
	}
	ruleset, version := s.word("ruleset"), 0
	if s.fields["version"] != nil {
		version = s.version()
	}
	f.asOf = f.instant(s.fields["as_of"], defaultAsOf, time.Time{})
	f.facts, f.cases = s.fields["facts"], d.items(s.need("cases"), "cases")
	f.asks, f.coverage, f.mutation = s.fields, s.level("coverage"), s.level("mutation")
	for _, n := range d.items(s.fields["equivalent"], "equivalent") {
		if e := d.section(n, "the equivalent edit", equivalentKeys...); e != nil {
			f.equivalent = append(f.equivalent, equivalent{e.word("rule"), e.word("edit"), e.word("because"), n})
		}
	}
	if ruleset == "" {
		return f
	}
	if f.policy = site.version(ruleset, version); s.shadow() {
		f.policy = site.shadow(ruleset, version)
	}
	if f.policy == nil {
		hint := didYouMean(ruleset, site.Rulesets())
		if len(site.policies[ruleset]) > 0 {
			hint = "its newest is " + strconv.Itoa(site.version(ruleset, 0).Version)
			ruleset = fmt.Sprintf("version %d of %s", version, ruleset)
		}
		d.problem(s.fields["ruleset"], "", "site "+site.Name+" has no rule file of "+clip(ruleset), hint)
	}
	return f
}

// instant reads a time: 2024-03-11T10:00:00 on the site's clock, RFC 3339, or
// as_of with a duration added to it or taken from it.
func (f *caseFile) instant(n *yaml.Node, otherwise string, asOf time.Time) time.Time {
	text := otherwise
	if n != nil {
		text, _ = f.doc.scalar(n, "the instant")
	}
	if rest, relative := strings.CutPrefix(text, "as_of"); relative && !asOf.IsZero() {
		rest = strings.ReplaceAll(rest, " ", "")
		sign := strings.HasPrefix(rest, "-")
		d, err := ParseDuration(strings.TrimLeft(rest, "+-"))
		if rest == "" {
			return asOf
		}
		if err == nil && strings.ContainsAny(rest[:1], "+-") {
			if sign {
				d = -d
			}
			return asOf.Add(d)
		}
	}
	t, err := parseInstant(text, f.site.Zone)
	if err != nil {
		f.doc.problem(n, "", err.Error(), "")
	}
	return t
}

// parseInstant reads RFC 3339, or a date and time on the clock of the zone:
// 2024-03-11T10:00:00, 2024-03-11 10:00, 2024-03-11. The layout follows from
// the shape of the text, since imports read millions.
func parseInstant(text string, zone *time.Location) (time.Time, error) {
	layout := time.DateOnly
	if len(text) > len(layout) {
		clock := text[len(layout)+1:]
		switch {
		case strings.ContainsAny(clock, "Zz+-"):
			layout = time.RFC3339
		case len(clock) == len("15:04"):
			layout = "2006-01-02 15:04"
		default:
			layout = time.DateTime
		}
		switch separator := text[len(time.DateOnly)]; {
		case separator == 'T' && layout != time.RFC3339:
			text = text[:len(time.DateOnly)] + " " + clock
		case separator == ' ' && layout == time.RFC3339:
			text = text[:len(time.DateOnly)] + "T" + clock
		}
	}
	t, err := time.ParseInLocation(layout, text, zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("read instant %q: write it like 2024-03-11T10:00:00", clip(text))
	}
	return t, nil
}

// fill sets the facts that a mapping names.
func (f *caseFile) fill(facts any, n *yaml.Node, asOf time.Time) {
	known := f.policy.vocabulary.Facts()
	base := f.policy.vocabulary.pointerTo(f.policy.pointer, facts)
	for _, p := range f.doc.pairs(n, "facts") {
		i := slices.IndexFunc(known, func(fact Fact) bool { return fact.Name == p.key.Value })
		if i < 0 {
			var names []string
			for _, fact := range known {
				names = append(names, fact.Name)
			}
			f.doc.problem(p.key, "", "unknown fact "+clip(p.key.Value), didYouMean(p.key.Value, names))
			continue
		}
		fact := known[i]
		if err := f.set(unsafe.Add(base, fact.offset), fact, p.value, asOf); err != nil {
			f.doc.problem(p.value, "", fact.Name+": "+err.Error(), "")
		}
	}
}

// emptyFacts are facts of which nothing is known: no, 0, "", not started, and
// no money in the currency of the rules.
func (f *caseFile) emptyFacts() any {
	facts := f.policy.vocabulary.newFacts()
	base := f.policy.vocabulary.pointerTo(f.policy.pointer, facts)
	for _, fact := range f.policy.vocabulary.Facts() {
		if fact.Kind == KindMoney {
			*at[market.Money](base, fact.offset) = market.NewMoney(market.Decimal{}, f.policy.currency)
		}
	}
	return facts
}

// set reads one fact as people write it.
func (f *caseFile) set(p unsafe.Pointer, fact Fact, n *yaml.Node, asOf time.Time) (err error) {
	if fact.Kind == KindStopwatch {
		*(*market.Stopwatch)(p), err = f.stopwatch(fact, n, asOf)
		return err
	}
	if fact.Kind == KindList {
		*(*[]string)(p) = nil
		for _, item := range f.doc.items(n, fact.Name) {
			text, _ := f.doc.scalar(item, fact.Name)
			*(*[]string)(p) = append(*(*[]string)(p), text)
		}
		return nil
	}
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("write %s", fact.Kind)
	}
	switch fact.Kind {
	case KindBool:
		*(*bool)(p) = n.Value == "true"
		if n.Value != "true" && n.Value != "false" {
			err = fmt.Errorf("%q is neither true nor false", clip(n.Value))
		}
	case KindInt:
		if *(*int64)(p), err = strconv.ParseInt(n.Value, 10, 64); err != nil {
			err = fmt.Errorf("%q is not a whole number", clip(n.Value))
		}
	case KindDecimal:
		*(*market.Decimal)(p), err = market.ParseDecimal(n.Value)
	case KindMoney:
		*(*market.Money)(p), err = market.ParseMoney(n.Value)
	default:
		*(*string)(p) = n.Value
		if len(fact.Words) > 0 && n.Value != "" && !slices.Contains(fact.Words, n.Value) {
			err = fmt.Errorf("it is never %q%s", clip(n.Value), guessed(", ", n.Value, fact.Words))
		}
	}
	return err
}

// stopwatch reads never, a duration as of the test's instant, or a mapping of
// since (or until) with the spans for which it was stopped.
func (f *caseFile) stopwatch(fact Fact, n *yaml.Node, asOf time.Time) (market.Stopwatch, error) {
	if n.Kind == yaml.ScalarNode {
		if n.Value == "never" {
			return market.Stopwatch{}, nil
		}
		d, err := ParseDuration(n.Value)
		if fact.Down {
			return market.Until(asOf.Add(d)), err
		}
		return market.StartedAt(asOf.Add(-d)), err
	}
	s := f.doc.section(n, fact.Name, stopwatchKeys...)
	switch {
	case s == nil:
		return market.Stopwatch{}, nil
	case s.fields["until"] != nil:
		return market.Until(f.instant(s.fields["until"], "", asOf)), nil
	case s.fields["since"] == nil:
		return market.Stopwatch{}, fmt.Errorf("write never, a duration such as 10d, or {since: 2024-03-01T10:00:00}")
	}
	var spans []market.Span
	for _, item := range f.doc.items(s.fields["stopped"], "stopped") {
		ends := f.doc.items(item, "a stop")
		if len(ends) < 1 || len(ends) > 2 {
			return market.Stopwatch{}, fmt.Errorf("each stop is [from, to], or [from] while it lasts")
		}
		span := market.Span{From: f.instant(ends[0], "", asOf)}
		if len(ends) == 2 {
			span.To = f.instant(ends[1], "", asOf)
		}
		spans = append(spans, span)
	}
	return market.StartedAt(f.instant(s.fields["since"], "", asOf)).Without(spans), nil
}
