package rules

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"nightshift/rules/market"
)

// Policy is a ruleset compiled, ready to decide. It is immutable and safe for
// concurrent use.
type Policy struct {
	Ruleset   string
	Version   int
	Effective market.Date // the first business date on which its version holds
	From      market.Date // the first on which its values do: later than that where a let has changed since
	Pin       string      // PinOrder: an order is decided by what held when it was placed
	Shadow    bool        // decided beside the versions in force, and never acted on
	Hit       HitPolicy
	Hash      [sha256.Size]byte // of what it says: ruleset, currency and text
	Text      string            // the rule file, with its values where they change or are shared
	File      string            // where it was read

	vocabulary *Vocabulary
	currency   market.Currency
	pointer    reflect.Type // *AcceptanceFacts
	fields     []field
	named      map[string]*field // the same, by their names in JSON
	rules      []policyRule      // in the order of the file
	index      *index            // of a table, by its equality columns; nil: every rule is asked
	enough     int               // how many matches settle the answer; 0: all are needed
	otherwise  policyRule
	source     string // the rule file as it was read: its lines are those of the rules
	sheet      string // the table beside it
	crossings  []crossing
	phases     []*Policy // of the first of them: all, in order; nil where there is one
	shares     []string  // the parameters of the site that it uses
	placed     *Fact     // since when an order was placed; nil where the facts do not say
	unused     Problems  // lets that nothing asks for
}

// policyRule is one rule as closures.
type policyRule struct {
	name, outcome, because string

	when      func(*frame) bool
	condition *operand   // the same as when, for explanations
	cells     []*operand // of a row: what its cells ask, in the order of the columns
	places    []string   // of a row of a table beside the file: the names of those cells, such as B7
	fixed     []Value    // what it carries, where that depends on no fact
	values    []valueOf
	line      int
	row       bool   // of a table
	cell      string // where it begins, in the table beside the file
	rank      int    // of the outcome, 0 the highest, where the hit policy asks
}

// valueOf computes one carried value.
type valueOf struct {
	name string
	read func(*frame) Value
}

// Compile checks everything a ruleset says and makes it ready to decide.
// Amounts without a currency are of the file's own, or else of the site's.
// The problems are all there are, in its form too; with any, there is no policy.
func Compile(rs *Ruleset, site market.Currency) (*Policy, Problems) {
	d := rs.doc
	before, found := len(d.problems), d.found
	p := compilePhases(rs, site, 0)
	problems := slices.Clone(d.problems).sorted()
	d.problems, d.found = d.problems[:before], found
	if len(problems) > 0 {
		return nil, problems
	}
	return p, nil
}

// compileOn compiles a ruleset with the values of a date.
func compileOn(rs *Ruleset, site market.Currency, on market.Date) *Policy {
	currency := rs.Currency
	if currency == "" {
		currency = site
	}
	vocabulary, err := VocabularyOf(rs.Name)
	if err != nil {
		if rs.Name != "" {
			rs.doc.problem(rs.top.fields["ruleset"], "", err.Error(), "")
		}
		return nil
	}
	c := newCompiler(rs, vocabulary, currency)
	c.on, c.site = on, site
	c.declare(rs)
	p := &Policy{
		Ruleset: rs.Name, Version: rs.Version, Effective: rs.Effective, From: on, Pin: rs.Pin, Shadow: rs.Shadow, Hit: rs.Hit,
		Hash: hashOf(rs.Text, rs, currency), Text: rs.Text, File: rs.File,
		vocabulary: vocabulary,
		currency:   currency,
		source:     rs.doc.text,
		sheet:      rs.doc.sheet,
		pointer:    reflect.PointerTo(reflect.TypeOf(vocabulary.prototype)),
		fields:     vocabulary.fields(),
	}
	p.named = byName(p.fields)
	c.pinned(rs, p)
	for _, let := range rs.Lets {
		c.let(let.Name)
	}
	c.headers(rs)
	var keys [][]key
	for _, rule := range rs.Rules {
		compiled := c.policyRule(rule)
		if rs.Table && compiled.outcome != "" {
			compiled.cell = rs.doc.cells[rule.node]
			compiled.row = true
		}
		p.rules = append(p.rules, compiled)
		keys = append(keys, c.keys)
	}
	c.keys = nil
	if rs.Table {
		p.index = newIndex(c.columns, keys)
	}
	p.otherwise = c.policyRule(rs.Otherwise)
	p.enough = rs.Hit.enough()
	c.hitPolicy(rs, p)
	c.reachable(rs, p)
	p.crossings = c.crossings
	p.shares = slices.Sorted(maps.Keys(c.used))
	p.unused = c.unused(rs)
	return p
}

// pinned checks that orders can be pinned where the ruleset says so.
func (c *compiler) pinned(rs *Ruleset, p *Policy) {
	for _, fact := range c.vocabulary.Facts() {
		if fact.Name == c.vocabulary.placed {
			p.placed = &fact
		}
	}
	if p.placed == nil && rs.Pin != "" {
		c.doc.problem(rs.top.fields["pin"], "", "the facts of "+rs.Name+" do not say when an order was placed", "leave pin out")
	}
}

// hashOf is the same for the same meaning of the same ruleset: the currency is
// in it because the site can change what a bare amount means.
func hashOf(text string, rs *Ruleset, currency market.Currency) [sha256.Size]byte {
	return sha256.Sum256([]byte("nightshift rule file\x00" + rs.Name + "\x00" + string(currency) + "\x00" + text))
}

// policyRule compiles one rule, or otherwise, which has no condition.
func (c *compiler) policyRule(rule Rule) policyRule {
	c.rule = rule.Name
	out := policyRule{name: rule.Name, outcome: rule.Then, because: rule.Because}
	if rule.node != nil {
		out.line = rule.node.Line
	}
	switch {
	case rule.cells != nil:
		out.condition = c.row(rule, &out)
	case rule.When != nil:
		out.condition = c.condition(rule.When)
	}
	if out.condition != nil {
		out.when = as[bool](out.condition)
	}
	outcome := c.vocabulary.outcome(rule.Then)
	if outcome == nil {
		if rule.Then != "" {
			c.doc.problem(rule.then, rule.Name, fmt.Sprintf("unknown outcome %s of %s", clip(rule.Then), c.vocabulary.Ruleset), didYouMean(rule.Then, c.vocabulary.outcomeNames()))
		}
		return out
	}
	c.carried(&out, outcome, rule.With)
	return out
}

// condition compiles the when of a rule, which has to be a yes or no.
func (c *compiler) condition(n *yaml.Node) *operand {
	o := c.expression(n)
	if o == nil {
		return nil
	}
	if o.kind != KindBool {
		hint := "compare it with something"
		if o.kind == KindStopwatch {
			hint = "compare it with a duration, such as " + strings.TrimSpace(n.Value) + " >= days(10), or ask happened(" + strings.TrimSpace(n.Value) + ")"
		}
		return c.refuse(o.node, "the condition is "+o.kind.String()+", not a yes or no", hint)
	}
	return o
}

// carried compiles the values of a rule, each known to its outcome.
func (c *compiler) carried(out *policyRule, outcome *Outcome, with []Binding) {
	constant := true
	for _, b := range with {
		known := outcome.carried(b.Name)
		if known == nil {
			c.unknownCarried(b, outcome)
			continue
		}
		o := c.bound(b, known)
		if o == nil {
			continue
		}
		if o = c.fitting(b, known, o); o == nil {
			continue
		}
		constant = constant && o.constant
		out.values = append(out.values, valueOf{b.Name, valueReader(b.Name, o)})
	}
	if constant {
		f := &frame{}
		for _, v := range out.values {
			out.fixed = append(out.fixed, v.read(f))
		}
		out.values = nil
	}
}

func (c *compiler) unknownCarried(b Binding, outcome *Outcome) {
	var names []string
	for _, k := range outcome.Carries {
		names = append(names, k.Name)
	}
	hint := "leave it out"
	if len(names) > 0 {
		hint = didYouMean(b.Name, names)
	}
	c.doc.problem(b.key, c.rule, fmt.Sprintf("outcome %s carries no value %s", outcome.Name, clip(b.Name)), hint)
}

// fitting checks a carried value against what its outcome knows of it.
func (c *compiler) fitting(b Binding, known *Carried, o *operand) *operand {
	if known.Kind == KindMoney && o.bare {
		o = c.toMoney(o)
	}
	if known.Kind == KindDecimal && o.kind == KindInt {
		o = toDecimal(o)
	}
	if o.kind != known.Kind {
		c.doc.problem(b.Value, c.rule, fmt.Sprintf("%s is %s, not %s", b.Name, o.kind, known.Kind), known.Means)
		return nil
	}
	if o.kind == KindList && o.elem != KindText {
		c.doc.problem(b.Value, c.rule, b.Name+" is not a list of texts", `put each in quotation marks: ["a", "b"]`)
		return nil
	}
	if len(known.Words) == 0 || !o.constant {
		return o
	}
	v := valueReader(b.Name, o)(&frame{})
	for _, word := range append(v.list, v.text) {
		if word != "" && !slices.Contains(known.Words, word) {
			c.doc.problem(b.Value, c.rule, fmt.Sprintf("%s cannot be %q", b.Name, clip(word)), didYouMean(word, known.Words))
			return nil
		}
	}
	return o
}

func (o *Outcome) carried(name string) *Carried {
	for i := range o.Carries {
		if o.Carries[i].Name == name {
			return &o.Carries[i]
		}
	}
	return nil
}

// Outcomes are the words the policy may answer with.
func (p *Policy) Outcomes() []Outcome { return p.vocabulary.Outcomes }

// String names the policy, as in "acceptance@2", and in a later phase of it
// "acceptance@2 with the values of 2026-07-01".
func (p *Policy) String() string {
	name := fmt.Sprintf("%s@%d", p.Ruleset, p.Version)
	if p.From > p.Effective {
		name += " with the values of " + p.From.String()
	}
	return name
}
