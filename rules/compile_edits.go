package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"nightshift/rules/market"
)

// edit is one small change of an expression: other characters in place of some.
type edit struct {
	from, to int // in characters
	with     string
	scope    place // the part that it is shown in
}

// editor collects the edits of one expression that its tests should notice.
type editor struct {
	text     []rune
	at       place    // the whole scalar
	scope    place    // the leaf or the joint that is being edited
	words    []string // those of the fact that is asked about
	currency market.Currency
	edits    []edit
}

// opposite is the comparison that says the contrary, beside the ones that differ
// on the boundary alone.
var otherComparisons = map[string][]string{
	"==": {"!="}, "!=": {"=="}, ">=": {">", "<"}, ">": {">=", "<="}, "<=": {"<", ">"}, "<": {"<=", ">="},
}

// otherOperators are what else could have been written.
var otherOperators = map[string]string{
	"and": "or", "or": "and", "&&": "||", "||": "&&", "+": "-", "-": "+", "*": "+",
	"contains": "startsWith", "startsWith": "endsWith", "endsWith": "startsWith",
}

// condition edits an operand that is a yes or no, or a value.
func (e *editor) condition(o *operand, negated bool) {
	if o.at.node != e.at.node {
		return // it stands elsewhere: a let is edited there
	}
	outer := e.scope
	e.scope = o.at
	defer func() { e.scope = outer }()
	switch o.joint() {
	case AllOf, AnyOf:
		e.operator(o)
		e.condition(o.parts[0], false)
		e.condition(o.parts[1], false)
	case NotThis:
		e.unnegate(o)
		e.condition(o.parts[0], true)
	case OneOrOther:
		for _, part := range o.parts {
			e.condition(part, false)
		}
	default:
		e.leaf(o, negated)
	}
}

// leaf negates a leaf, if nothing around it does, and edits what is in it.
func (e *editor) leaf(o *operand, negated bool) {
	for _, part := range o.parts {
		if part.fact != nil && len(part.fact.Words) > 0 {
			e.words = part.fact.Words
		}
	}
	if b, ok := o.node.(*ast.BinaryNode); ok && otherComparisons[b.Operator] != nil {
		for _, other := range otherComparisons[b.Operator] {
			e.token(b.Location().From, b.Operator, other)
		}
	} else if o.kind == KindBool && !o.constant && !negated {
		if ok && b.Operator == "in" {
			e.token(b.Location().From, "in", "not in")
		} else {
			e.add(o.at.from, o.at.to, "not ("+e.source(o.at)+")")
		}
	}
	e.value(o)
	e.words = nil
}

// value edits the literals, the operators and the functions in a part.
func (e *editor) value(o *operand) {
	if o.at.node != e.at.node || o.isName() || o.fact != nil {
		return
	}
	switch n := o.node.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		e.number(o)
		return
	case *ast.StringNode:
		e.text1(o, n.Value, nil)
		return
	case *ast.BoolNode:
		e.add(o.at.from, o.at.to, strconv.FormatBool(!n.Value))
		return
	case *ast.ArrayNode:
		e.list(o)
		return
	case *ast.CallNode:
		if e.call(o, n) {
			return
		}
	case *ast.BinaryNode:
		e.operator(o)
	case *ast.ConditionalNode:
		e.condition(o.parts[0], false)
	}
	for _, part := range o.parts {
		e.value(part)
	}
}

// operator changes the operator of a part into what else it could be.
func (e *editor) operator(o *operand) {
	if n, ok := o.node.(*ast.BinaryNode); ok && otherOperators[n.Operator] != "" {
		e.token(n.Location().From, n.Operator, otherOperators[n.Operator])
	}
}

// unnegate takes away a not.
func (e *editor) unnegate(o *operand) {
	n := o.node.(*ast.UnaryNode)
	at := n.Location()
	word := string(e.text[at.From:at.To])
	switch {
	case word == "not" || word == "!":
		to := at.To
		for to < len(e.text) && e.text[to] == ' ' {
			to++
		}
		e.add(at.From, to, "")
	default: // x not in list: expr gives it the place of the in
		if from := strings.LastIndex(string(e.text[:at.From]), "not"); from >= 0 {
			from = len([]rune(string(e.text[:at.From])[:from]))
			e.add(from, at.From, "")
		}
	}
}

// call edits a call as a whole, where it stands for a literal.
func (e *editor) call(o *operand, n *ast.CallNode) bool {
	name := n.Callee.String()
	source := e.source(o.at)
	switch name {
	case "days", "hours", "minutes", "seconds":
		if o.constant {
			e.add(o.at.from, o.at.to, "("+source+" + seconds(1))")
			e.add(o.at.from, o.at.to, "("+source+" - seconds(1))")
			return true
		}
	case "money":
		m := as[market.Money](o)(nil)
		for _, d := range []market.Decimal{m.Amount.Add(smallest(m.Currency)), m.Amount.Sub(smallest(m.Currency))} {
			e.add(o.at.from, o.at.to, fmt.Sprintf("money(%q)", market.NewMoney(d, m.Currency)))
		}
		return true
	case "min":
		e.token(n.Location().From, "min", "max")
	case "max":
		e.token(n.Location().From, "max", "min")
	case "round", "divide":
		if how, ok := n.Arguments[len(n.Arguments)-1].(*ast.StringNode); ok {
			other := market.RoundHalfUp
			if how.Value == string(other) {
				other = market.RoundTruncate
			}
			e.add(how.Location().From, how.Location().To, strconv.Quote(string(other)))
		}
		for _, part := range o.parts[:len(o.parts)-1] {
			e.value(part)
		}
		return true
	}
	return false
}

// number moves a literal by the smallest step of its kind, both ways.
func (e *editor) number(o *operand) {
	d, step := market.Decimal{}, market.DecimalOf(1)
	switch o.kind {
	case KindMoney:
		d, step = as[market.Money](o)(nil).Amount, smallest(e.currency)
	case KindDecimal:
		d = as[market.Decimal](o)(nil)
		if _, whole, ok := strings.Cut(d.String(), "."); ok {
			step = smallestOf(len(whole))
		}
	default:
		d = market.DecimalOf(as[int64](o)(nil))
	}
	for _, moved := range []market.Decimal{d.Add(step), d.Sub(step)} {
		text := moved.String()
		if moved.Sign() < 0 {
			text = "(" + text + ")"
		}
		e.add(o.at.from, o.at.to, text)
	}
}

// text1 puts another word of the fact in place of a text.
func (e *editor) text1(o *operand, text string, beside []string) {
	e.add(o.at.from, o.at.to, strconv.Quote(anotherWord(text, e.words, beside)))
}

// anotherWord is a word of a fact that is not one of those; of a text that may be
// anything a longer one.
func anotherWord(word string, words, beside []string) string {
	for _, other := range words {
		if other != word && !slices.Contains(beside, other) {
			return other
		}
	}
	return word + "?"
}

// list takes away each item, and puts another in its place.
func (e *editor) list(o *operand) {
	var texts []string
	for _, item := range o.items {
		if n, ok := item.node.(*ast.StringNode); ok {
			texts = append(texts, n.Value)
		}
	}
	for i, item := range o.items {
		if len(o.items) > 1 {
			var rest []string
			for j, other := range o.items {
				if j != i {
					rest = append(rest, e.source(other.at))
				}
			}
			e.add(o.at.from, o.at.to, "["+strings.Join(rest, ", ")+"]")
		}
		if n, ok := item.node.(*ast.StringNode); ok {
			e.text1(item, n.Value, texts)
		} else {
			e.value(item)
		}
	}
}

func (e *editor) source(at place) string { return string(e.text[at.from:at.to]) }

// token replaces an operator or a name where it stands, if it stands there.
func (e *editor) token(from int, old, with string) {
	if to := from + len(old); to <= len(e.text) && string(e.text[from:to]) == old {
		e.add(from, to, with)
	}
}

func (e *editor) add(from, to int, with string) {
	scope := e.scope
	if scope.node == nil {
		scope = e.at
	}
	e.edits = append(e.edits, edit{from, to, with, scope})
}

// editsOf are the edits of an expression that was compiled.
func editsOf(o *operand, text string, currency market.Currency, words []string) []edit {
	e := &editor{text: []rune(text), at: o.at, words: words, currency: currency}
	e.at.from, e.at.to = 0, len(e.text)
	if o.kind == KindBool {
		e.condition(o, false)
	} else {
		e.value(o)
	}
	return e.edits
}

// editsOfWritten are those of a value that is no expression: an amount, a duration.
func editsOfWritten(text string) (with []string, ok bool) {
	text = strings.TrimSpace(text)
	switch {
	case durationLiteral.MatchString(text):
		d, err := ParseDuration(text)
		return []string{FormatDuration(d + time.Second), FormatDuration(d - time.Second)}, err == nil
	case moneyLiteral.MatchString(text):
		m, err := market.ParseMoney(text)
		step := smallest(m.Currency)
		return []string{market.NewMoney(m.Amount.Add(step), m.Currency).String(), market.NewMoney(m.Amount.Sub(step), m.Currency).String()}, err == nil
	}
	return nil, false
}
