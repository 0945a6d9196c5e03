package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"nightshift/rules/market"
)

// Otherwise is the name of the rule that answers where none matched.
const Otherwise = "otherwise"

// Ruleset is one rule file, read but not yet compiled.
type Ruleset struct {
	File      string
	Name      string
	Shadow    bool // it is decided beside the versions in force, and never acted on
	Version   int
	Effective market.Date // the first business date on which it holds
	Hit       HitPolicy
	Priority  []string        // the outcomes, the highest first, where the hit policy asks for them
	Currency  market.Currency // of bare amounts; empty: the site's
	Pin       string          // PinOrder, or empty
	Lets      []Binding
	Rules     []Rule
	Otherwise Rule
	Table     bool   // the rules are the rows of a decision table
	Text      string // the file, with \n line ends and without a byte order mark; a table beside it is written into it

	doc       *document
	overrides []override
	shared    *parameters  // those of the site, or those that were kept with the text; nil where there are none
	keptOn    market.Date  // of a text that was kept: the date whose values it holds; 0: all its dates
	top       *section     // its keys; nil where the file has none
	grid      *grid        // the table as it was written
	asks      []*yaml.Node // the headers of a table's conditions
	gives     []*yaml.Node // and those of the values its outcomes carry
}

// Rule is a condition with an outcome and a reason.
type Rule struct {
	Name    string
	When    *yaml.Node // nil for otherwise
	Then    string
	Because string
	With    []Binding

	node, then *yaml.Node
	cells      []*yaml.Node // of a row of a table, in place of when
}

// Binding gives a name to a value: a let, or a value that an outcome carries.
type Binding struct {
	Name  string
	Value *yaml.Node

	key   *yaml.Node
	dated []dated   // in place of the value, where it changes on dates
	doc   *document // where it stands, if that is not the rule file
	cell  bool      // of a table: quotation marks of the file are not the value's
}

// Limits of a rule file.
const (
	maxRules    = 2_000
	maxBindings = 1_000
)

// Parse reads a rule file. The problems are everything wrong with its form;
// what its conditions say is checked by compile.
//
// It reads the text of a policy that was kept as well: with the table in it that
// lay beside the file. A table that is still beside the file is read by Load.
func Parse(file string, text []byte) (*Ruleset, Problems) {
	limit := maxFileBytes
	if strings.Contains(string(text), keptMark) || strings.Contains(string(text), keptValues) {
		limit = maxKeptBytes
	}
	rs := parse(readDocumentUpTo(limit, file, text), nil)
	return rs, rs.doc.problems.sorted()
}

// opener reads a file beside the rule file, no more than some bytes of it.
type opener func(name string, most int) ([]byte, error)

func parse(d *document, beside opener) *Ruleset {
	rs := &Ruleset{File: d.name, Text: d.text, doc: d}
	if d.root == nil {
		return rs
	}
	const what = "the rule file"
	keys := rulesetKeys
	if beside == nil && strings.Contains(d.text, keptValues) {
		keys = append([]string{keptKey}, keys...)
	}
	s := d.section(d.root, what, keys...)
	if s == nil {
		return rs
	}
	rs.top = s
	rs.Name = s.word("ruleset")
	rs.Shadow = s.shadow()
	rs.Version = s.version()
	rs.Effective = s.effective()
	rs.Hit = s.hit()
	rs.Priority = s.priority(rs.Hit)
	rs.Currency = s.currency()
	rs.Pin = s.pin()
	rs.readKept(s.fields[keptKey])
	rs.Lets = d.lets(s.fields["let"], rs.Effective)
	rs.overrides = d.overrides(s.fields["overrides"], rs.Lets)
	if table := s.fields["table"]; table != nil {
		s.table(rs, table, beside)
	} else {
		rs.Rules = s.rules()
	}
	rs.Otherwise = s.otherwise()
	return rs
}

// shadow reads whether a file is a shadow of its ruleset.
func (s *section) shadow() bool {
	if s.fields["shadow"] == nil {
		return false
	}
	text := s.word("shadow")
	if text != "" && text != "true" && text != "false" {
		s.doc.problem(s.fields["shadow"], "", fmt.Sprintf("shadow %q is not true or false", clip(text)), "write shadow: true, or leave it out")
	}
	return text == "true"
}

func (s *section) version() int {
	text := s.word("version")
	v, err := strconv.Atoi(text)
	if text != "" && (err != nil || v < 1) {
		s.doc.problem(s.fields["version"], "", fmt.Sprintf("version %q is not a whole number above zero", clip(text)), "write version: 1")
	}
	return v
}

func (s *section) effective() market.Date {
	text := s.word("effective")
	if text == "" {
		return 0
	}
	on, err := market.ParseDate(text)
	if err != nil {
		s.doc.problem(s.fields["effective"], "", fmt.Sprintf("effective %q is not a date", clip(text)), "write it like 2026-04-01")
	}
	return on
}

// PinOrder is the pin of a ruleset that keeps orders to what held when they were placed.
const PinOrder = "order"

// pin reads what decides which version of the ruleset holds for a candidate.
func (s *section) pin() string {
	n := s.fields["pin"]
	if n == nil {
		return ""
	}
	text, _ := s.doc.scalar(n, "pin")
	if text != PinOrder {
		s.doc.problem(n, "", fmt.Sprintf("unknown pin %q", clip(text)), "write pin: order, or leave it out: the business date then picks the version")
	}
	return text
}

func (s *section) currency() market.Currency {
	n := s.fields["currency"]
	if n == nil {
		return ""
	}
	text, _ := s.doc.scalar(n, "currency")
	c, err := market.ParseCurrency(text)
	if err != nil {
		s.doc.problem(n, "", err.Error(), "")
	}
	return c
}

// bindings reads the names and values of let, or of a rule's with.
func (d *document) bindings(n *yaml.Node, rule, what string) []Binding {
	var out []Binding
	for _, p := range d.pairs(n, what) {
		switch {
		case len(out) == maxBindings:
			d.problem(p.key, rule, fmt.Sprintf("%s has more than %d names", what, maxBindings), "")
			return out
		case !isName(p.key.Value):
			d.problem(p.key, rule, fmt.Sprintf("%q is not a name", clip(p.key.Value)), "use letters, digits and _, and begin with a letter")
		default:
			out = append(out, Binding{Name: p.key.Value, Value: p.value, key: p.key})
		}
	}
	return out
}

// isName tells whether an expression can use the word as a name.
func isName(word string) bool {
	for i, r := range word {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return word != "" && !slices.Contains(reserved, word)
}

// reserved are the words of the expression language.
var reserved = []string{"true", "false", "nil", "and", "or", "not", "in", "if", "else", "let", "matches", "contains", "startsWith", "endsWith"}

func (s *section) rules() []Rule {
	d := s.doc
	list := d.items(s.need("rules"), "rules")
	if n := s.fields["rules"]; n != nil && n.Kind == yaml.SequenceNode && len(list) == 0 {
		d.problem(n, "", "there is no rule", "begin one with - name:")
	}
	if len(list) > maxRules {
		d.problem(list[maxRules], "", fmt.Sprintf("more than %d rules", maxRules), "use a table")
		list = list[:maxRules]
	}
	seen := map[string]bool{Otherwise: true}
	var out []Rule
	for _, n := range list {
		rule := d.rule(n)
		if seen[rule.Name] && rule.Name != "" {
			d.problem(n, rule.Name, "another rule has this name", "decisions are kept by it: choose another")
		}
		seen[rule.Name] = true
		out = append(out, rule)
	}
	return out
}

func (d *document) rule(n *yaml.Node) Rule {
	rule := Rule{node: n}
	s := d.section(n, "the rule", ruleKeys...)
	if s == nil {
		return rule
	}
	before := len(d.problems)
	rule.Name = s.word("name")
	rule.When = s.need("when")
	if when := rule.When; when != nil && (when.Kind != yaml.ScalarNode || strings.TrimSpace(when.Value) == "") {
		d.problem(when, "", "when is not a condition", "write it like signed_for >= days(10)")
		rule.When = nil
	}
	rule.Then, rule.then = s.word("then"), s.fields["then"]
	rule.Because = s.word("because")
	rule.With = d.bindings(s.fields["with"], rule.Name, "with")
	for i := before; i < len(d.problems); i++ {
		d.problems[i].Rule = rule.Name
	}
	return rule
}

// noRuleMatched is the reason of an otherwise that has none of its own.
const noRuleMatched = "No rule matched."

// otherwise reads the answer where no rule matched: an outcome, or a mapping
// with one.
func (s *section) otherwise() Rule {
	d, n := s.doc, s.need("otherwise")
	rule := Rule{Name: Otherwise, Because: noRuleMatched, node: n, then: n}
	if n == nil {
		return rule
	}
	if n.Kind == yaml.ScalarNode {
		rule.Then = strings.TrimSpace(n.Value)
		return rule
	}
	inner := d.section(n, Otherwise, otherwiseKeys...)
	if inner == nil {
		return rule
	}
	rule.Then, rule.then = inner.word("then"), inner.fields["then"]
	if inner.fields["because"] != nil {
		rule.Because = inner.word("because")
	}
	rule.With = d.bindings(inner.fields["with"], Otherwise, "with")
	return rule
}
