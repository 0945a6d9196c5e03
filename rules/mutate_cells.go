package rules

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"nightshift/rules/market"
)

// cell edits a cell of a table: the cell left open, its not, its alternatives,
// the operator, the brackets and the ends of each.
func (m *mutator) cell(col *column, n *yaml.Node, rule string) {
	text := []rune(n.Value)
	from, to := trimmed(text, 0, len(text))
	if string(text[from:to]) == anything {
		return
	}
	edit := func(from, to int, with string) {
		changed := string(text[:from]) + with + string(text[to:])
		m.note(n, from, rule, col.text+": "+n.Value+" → "+changed, spell(n, changed))
	}
	edit(from, to, anything)
	if inner, negated := negation(text, from, to); negated {
		edit(from, to, string(text[inner:to-1]))
		from, to = inner, to-1
	} else {
		edit(from, to, "not("+string(text[from:to])+")")
	}
	tests := alternatives(text, from, to)
	for i, test := range tests {
		switch {
		case len(tests) > 1 && i == 0:
			edit(test.from, tests[1].from, "")
		case len(tests) > 1:
			edit(tests[i-1].to, test.to, "")
		}
		m.cellTest(col, text, test, edit)
	}
}

// cellTest edits one alternative of a cell.
func (m *mutator) cellTest(col *column, text []rune, p stretch, edit func(from, to int, with string)) {
	if low, high, ok := intervalOf(text, p); ok {
		edit(p.from, p.from+1, map[bool]string{true: "(", false: "["}[text[p.from] == '['])
		edit(p.to-1, p.to, map[bool]string{true: ")", false: "]"}[text[p.to-1] == ']'])
		m.end(col, text, low, edit)
		m.end(col, text, high, edit)
		return
	}
	if found := testOperator.FindString(string(text[p.from:p.to])); found != "" {
		for _, other := range append(otherComparisons[found], otherOperators[found]) {
			if other != "" {
				edit(p.from, p.from+len(found), other)
			}
		}
		p.from, p.to = trimmed(text, p.from+len(found), p.to)
	}
	m.end(col, text, p, edit)
}

// end moves a fixed value by the smallest step of its column, or puts another
// word in its place. What is an expression is left alone.
func (m *mutator) end(col *column, text []rune, p stretch, edit func(from, to int, with string)) {
	source := string(text[p.from:p.to])
	if with, ok := editsOfWritten(source); ok {
		for _, w := range with {
			edit(p.from, p.to, w)
		}
		return
	}
	if yes, ok := yesOrNo(source); ok && col.kind == KindBool {
		edit(p.from, p.to, fmt.Sprint(!yes))
		return
	}
	if word, err := strconv.Unquote(source); err == nil && strings.HasPrefix(source, `"`) {
		var words []string
		if col.fact != nil {
			words = col.fact.Words
		}
		edit(p.from, p.to, strconv.Quote(anotherWord(word, words, nil)))
		return
	}
	d, err := market.ParseDecimal(source)
	if err != nil {
		return
	}
	step := market.DecimalOf(1)
	if _, places, ok := strings.Cut(source, "."); ok {
		step = smallestOf(len(places))
	} else if col.kind == KindMoney {
		step = smallest(m.c.currency)
	}
	edit(p.from, p.to, d.Add(step).String())
	edit(p.from, p.to, d.Sub(step).String())
}
