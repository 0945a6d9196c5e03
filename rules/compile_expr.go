package rules

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"go.yaml.in/yaml/v3"

	"nightshift/rules/market"
)

// Limits of one expression.
const (
	maxExpression = 8_000 // characters
	maxNodes      = 2_000
	maxDepth      = 1_000 // of parts within parts; a chain of and is one within the other
	maxCost       = 20_000
)

// compiler turns the expressions of one file into operands.
type compiler struct {
	doc        *document
	vocabulary *Vocabulary
	currency   market.Currency     // of bare amounts
	site       market.Currency     // of those in the parameters of the site
	names      map[string]*operand // facts, and lets once compiled
	lets       map[string]*Binding // those still to compile
	open       []string            // lets being compiled, outermost first
	on         market.Date         // the date whose values the lets have
	parameters *parameters         // those of the site; nil where there are none
	overrides  map[string][]choice // those who have another value of a let
	codes      map[string]*operand // the facts that overrides ask; those of no ruleset where nil
	used       map[string]bool     // the shared parameters that were asked for
	asked      map[string]bool     // names that some expression asks for
	functions  map[string]*function
	grammar    *conf.Config
	crossings  []crossing
	crossed    map[comparedAt]bool // those with fixed durations
	shared     map[string]int      // how many rules ask the same part
	keys       []key               // of the row just compiled
	columns    []*column           // of a table: what its conditions ask
	mapping    *Mapping            // of an import: every other name is a source column, and a ?? b is b where a is empty
	passage
}

// passage is where the compiler stands.
type passage struct {
	rule  string     // the rule being compiled
	at    *yaml.Node // the scalar being compiled
	text  []rune     // its value, or the part of it being compiled
	shift int        // where that part begins
	depth int
	known map[ast.Node]*operand // of this expression: a < b < c holds b twice
	spans map[ast.Node]span
	reads []int // the source columns it reads, of an import
}

func newCompiler(rs *Ruleset, v *Vocabulary, currency market.Currency) *compiler {
	c := &compiler{
		doc: rs.doc, vocabulary: v, currency: currency,
		names: map[string]*operand{}, crossed: map[comparedAt]bool{},
		functions: ruleFunctions, grammar: grammarOf(ruleFunctions),
	}
	for _, fact := range v.Facts() {
		c.names[fact.Name] = &operand{kind: fact.Kind, elem: KindText, fn: readFact(&fact), fact: &fact, text: fact.Name}
	}
	return c
}

// grammarOf tells expr's parser which names are ours: it then reads them as
// plain calls, also where it has a function of that name itself.
func grammarOf(functions map[string]*function) *conf.Config {
	g := conf.CreateNew()
	g.MaxNodes = maxNodes
	for name := range functions {
		g.Functions[name] = &builtin.Function{Name: name}
	}
	return g
}

// unused are the lets that no expression asks for.
func (c *compiler) unused(rs *Ruleset) Problems {
	var out Problems
	for _, let := range rs.Lets {
		if !c.asked[let.Name] {
			p := rs.doc.at(let.key)
			p.Message, p.Hint = "let "+let.Name+" is never used", "leave it out"
			out = append(out, p)
		}
	}
	return out
}

var (
	durationLiteral = regexp.MustCompile(`^-?(\d+[dhms])+$`)
	moneyLiteral    = regexp.MustCompile(`^-?\d+(\.\d+)? [A-Z]{3}$`)
)

// value compiles what stands behind a let or a carried value: a YAML list, a
// text in quotation marks, a duration such as 10d, an amount such as 99.00 CNY,
// or an expression.
func (c *compiler) value(n *yaml.Node) *operand {
	switch n.Kind {
	case yaml.SequenceNode:
		return c.listValue(n)
	case yaml.ScalarNode:
	default:
		c.doc.problem(n, c.rule, "the value is neither a single value nor a list", "")
		return nil
	}
	text := strings.TrimSpace(n.Value)
	switch {
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		return &operand{kind: KindText, constant: true, fn: constant(n.Value), text: n.Value}
	}
	return c.written(n, text)
}

// written is a value without quotation marks.
func (c *compiler) written(n *yaml.Node, text string) *operand {
	switch {
	case text == "":
		c.doc.problem(n, c.rule, "the value is empty", `write "" for an empty text`)
		return nil
	case durationLiteral.MatchString(text):
		d, err := ParseDuration(text)
		return c.literal(n, KindDuration, constant(int64(d)), err)
	case moneyLiteral.MatchString(text):
		m, err := market.ParseMoney(text)
		return c.literal(n, KindMoney, constant(m), err)
	}
	return c.expression(n)
}

func (c *compiler) literal(n *yaml.Node, kind Kind, fn any, err error) *operand {
	if err != nil {
		c.doc.problem(n, c.rule, err.Error(), "")
		return nil
	}
	return &operand{kind: kind, constant: true, fn: fn, text: n.Value}
}

func (c *compiler) listValue(n *yaml.Node) *operand {
	var items []*operand
	for _, item := range n.Content {
		o := c.value(item)
		if o == nil {
			return nil
		}
		items = append(items, o)
	}
	c.at, c.text, c.shift = n, nil, 0
	return c.list(nil, items)
}

// expression compiles the scalar n.
func (c *compiler) expression(n *yaml.Node) *operand {
	if n.Kind != yaml.ScalarNode {
		c.doc.problem(n, c.rule, "not an expression", "write it on one line")
		return nil
	}
	c.at, c.text, c.shift = n, []rune(n.Value), 0
	c.known, c.spans = map[ast.Node]*operand{}, map[ast.Node]span{}
	tree := c.parse(n.Value)
	if tree == nil {
		return nil
	}
	return c.operand(tree)
}

// parse reads an expression with expr's parser.
func (c *compiler) parse(text string) (tree ast.Node) {
	if len(c.text) > maxExpression {
		return c.refuseAt(0, fmt.Sprintf("the expression has %d characters, more than %d", len(c.text), maxExpression), "split it into lets or rules")
	}
	if at, name, ascii := findFullWidth(text); at >= 0 {
		return c.refuseAt(at, "full-width punctuation in an expression", fullWidthHint(name, ascii))
	}
	defer func() {
		// The parser is not ours, and the text may be anything.
		if r := recover(); r != nil {
			tree = c.refuseAt(0, fmt.Sprintf("the expression cannot be read: %v", r), "")
		}
	}()
	parsed, err := parser.ParseWithConfig(text, c.grammar)
	if err == nil {
		return parsed.Node
	}
	var syntax *file.Error
	if errors.As(err, &syntax) {
		message, hint := c.syntax(syntax.Message, syntax.From)
		return c.refuseAt(syntax.From, message, hint)
	}
	return c.refuseAt(0, err.Error(), "")
}

var (
	literalWithUnit = regexp.MustCompile(`^bad number syntax: "(\d+)([dhms])"`)
	amountBefore    = regexp.MustCompile(`\d+(\.\d+)?\s*$`)
	currencyAfter   = regexp.MustCompile(`^[A-Z]{3}\b`)
	badNumber       = regexp.MustCompile(`^bad number syntax: "(.+)"`)
	unexpectedToken = regexp.MustCompile(`unexpected token \w+\("(.+?)"\)`)
)

// syntax says a message of expr's parser in the words of rule authors.
func (c *compiler) syntax(message string, at int) (said, hint string) {
	if m := literalWithUnit.FindStringSubmatch(message); m != nil {
		unit := map[string]string{"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}[m[2]]
		return m[1] + m[2] + " is not part of an expression", "write " + unit + "(" + m[1] + ")"
	}
	if at <= len(c.text) {
		before, after := amountBefore.FindString(string(c.text[:at])), currencyAfter.FindString(string(c.text[at:]))
		if before != "" && after != "" {
			return "a currency behind a number", fmt.Sprintf(`write money("%s %s")`, strings.TrimSpace(before), after)
		}
	}
	switch {
	case strings.Contains(message, "value out of range"):
		return "the whole number is too large", "write an amount of that size with decimals: 99999999999999999999.00"
	case strings.Contains(message, "token EOF"), strings.Contains(message, "unexpected end"):
		if c.at.LineComment != "" {
			return "the expression ends at the # that begins a comment", "put the whole expression in quotation marks"
		}
		return "the expression ends too early", "complete it, or close what is open"
	case strings.Contains(message, "literal not terminated"):
		return "a text is not closed", "end it with the quotation mark that it begins with"
	case strings.Contains(message, "maximum allowed nodes"):
		return fmt.Sprintf("the expression has more than %d parts", maxNodes), "split it into lets or rules"
	case strings.Contains(message, "cannot be mixed"):
		return "?? stands beside another operator", "put parentheses around it"
	}
	if m := badNumber.FindStringSubmatch(message); m != nil {
		return clip(m[1]) + " is not a number", `write its digits alone, or money("5.00 CNY")`
	}
	if m := unexpectedToken.FindStringSubmatch(message); m != nil {
		return c.unexpected(m[1], at)
	}
	return strings.ReplaceAll(message, "unexpected token", "unexpected"), ""
}

// unitWords are the ways in which people write a unit behind a number.
var unitWords = map[string]string{
	"d": "days", "day": "days", "days": "days", "h": "hours", "hour": "hours", "hours": "hours",
	"m": "minutes", "min": "minutes", "minute": "minutes", "minutes": "minutes", "s": "seconds", "second": "seconds", "seconds": "seconds",
}

// unexpected says that a word or a mark stands where none may, and what was
// probably meant by it.
func (c *compiler) unexpected(token string, at int) (said, hint string) {
	before := ""
	if at <= len(c.text) {
		before = strings.TrimSpace(amountBefore.FindString(string(c.text[:at])))
	}
	switch unit, lower := unitWords[strings.ToLower(token)], strings.ToLower(token); {
	case token == "=":
		return "a single = stands in the expression", "compare with =="
	case before != "" && unit != "":
		return before + " " + token + " is not part of an expression", "write " + unit + "(" + before + ")"
	case before != "" && token == ",":
		return "a comma stands behind a number", "write a large number without it: 1000000.00"
	case token != lower && (lower == "and" || lower == "or" || lower == "not" || lower == "in" || lower == "matches"):
		return token + " is not a word of the rule language", "write " + lower
	case token == ")" || token == "]" || token == "}":
		return "a " + token + " cannot stand here", "complete what stands before it, or leave it out"
	}
	return clip(token) + " cannot stand here", "join conditions with and or or, values with commas, and put texts in quotation marks"
}

// refuse reports what is wrong with a node. It answers nil, so that a caller
// can return it.
func (c *compiler) refuse(n ast.Node, message, hint string) *operand {
	from := 0
	if n != nil {
		from = n.Location().From
	}
	c.refuseAt(from, message, hint)
	return nil
}

func (c *compiler) refuseAt(offset int, message, hint string) ast.Node {
	c.doc.problemAt(c.at, c.shift+offset, c.rule, message, hint)
	return nil
}

// day is a day of a duration: 24 hours, whatever the calendar says.
const day = 24 * time.Hour
