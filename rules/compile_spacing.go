package rules

import (
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// spaced writes an expression with the spaces that everybody uses: one around
// an operator and behind a comma, none inside brackets. Every token stays as its
// author wrote it, and so does a line break between two of them, with the
// indentation behind it. What cannot be
// read, or holds a comment of its own, is answered as it is.
func spaced(text string) string {
	tokens := tokensOf(text)
	if len(tokens) == 0 {
		return strings.TrimSpace(text)
	}
	runes := []rune(text)
	var b strings.Builder
	s := spacer{}
	end := 0
	for _, t := range tokens {
		word := strings.TrimSpace(string(runes[t.From:t.To]))
		gap := string(runes[end:t.From])
		end = t.To
		switch {
		case strings.TrimSpace(gap) != "", t.Is(lexer.Operator, "#"):
			return strings.TrimSpace(text)
		case b.Len() > 0 && strings.Contains(gap, "\n"):
			b.WriteString(gap[strings.LastIndex(gap, "\n"):])
			s.next(t, word)
		case s.next(t, word) && b.Len() > 0:
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	if again := b.String(); sameTokens(text, again) {
		return again
	}
	return strings.TrimSpace(text)
}

// tokensOf are the tokens of an expression, without the one that ends it; none
// where it cannot be read.
func tokensOf(text string) []lexer.Token {
	tokens, err := lexer.Lex(file.NewSource(text))
	if err != nil || len(tokens) == 0 {
		return nil
	}
	return tokens[:len(tokens)-1]
}

// sameTokens tells whether two texts are the same expression, or the same text.
func sameTokens(a, b string) bool {
	return a == b || canonicalTokens(a) == canonicalTokens(b)
}

// spacer knows the token before, as far as the space behind it depends on it.
type spacer struct {
	tight   bool // nothing may stand between it and the next
	callee  bool // a bracket behind it belongs to it: f(x), x[0]
	operand bool // it ends an operand, so that a sign behind it is between two
}

// next takes the next token, and tells whether a space stands before it.
func (s *spacer) next(t lexer.Token, word string) (space bool) {
	space = !s.tight
	sign := t.Kind == lexer.Operator && (word == "!" || (word == "-" || word == "+") && !s.operand)
	switch {
	case t.Kind == lexer.Bracket && strings.ContainsAny(word, ")]"), t.Is(lexer.Operator, ",", ";", "..", ".", "?."):
		space = false
	case t.Kind == lexer.Bracket && word != "{" && s.callee:
		space = false
	}
	*s = spacer{
		tight:   sign || t.Is(lexer.Operator, "..", ".", "?.") || t.Kind == lexer.Bracket && strings.ContainsAny(word, "(["),
		callee:  t.Kind == lexer.Identifier || t.Kind == lexer.String || t.Kind == lexer.Bracket && strings.ContainsAny(word, ")]"),
		operand: t.Kind != lexer.Operator && !(t.Kind == lexer.Bracket && strings.ContainsAny(word, "([{")),
	}
	return space
}

// spacedCell writes a cell of a table's condition in the same way.
func spacedCell(text string) string {
	runes := []rune(text)
	from, to := trimmed(runes, 0, len(runes))
	if inner, negated := negation(runes, from, to); negated {
		return "not(" + spacedTests(runes, inner, to-1) + ")"
	}
	return spacedTests(runes, from, to)
}

func spacedTests(runes []rune, from, to int) string {
	var tests []string
	for _, p := range alternatives(runes, from, to) {
		text := string(runes[p.from:p.to])
		if low, high, ok := intervalOf(runes, p); ok {
			tests = append(tests, string(runes[p.from])+spaced(string(runes[low.from:low.to]))+".."+spaced(string(runes[high.from:high.to]))+string(runes[p.to-1]))
			continue
		}
		if operator := testOperator.FindString(text); operator != "" {
			tests = append(tests, strings.TrimSpace(strings.TrimSpace(operator)+" "+spaced(text[len(operator):])))
			continue
		}
		tests = append(tests, spaced(text))
	}
	return strings.TrimSpace(strings.Join(tests, ", "))
}

// canonicalTokens is the same for texts that are the same expression.
func canonicalTokens(text string) string {
	tokens := tokensOf(text)
	if len(tokens) == 0 {
		return strings.TrimSpace(text)
	}
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString(string(t.Kind[0]) + strings.TrimSpace(t.Value) + "\x00")
	}
	return b.String()
}
