package rules

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// flowText is a value on one line.
func flowText(n *yaml.Node, m *mold) string {
	var parts []string
	switch n.Kind {
	case yaml.MappingNode:
		places, last := map[string]int{}, -1
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			part := strings.TrimSuffix(keyText(key)+": "+flowText(value, m.key(key.Value)), ": ")
			last = m.place(key.Value, last)
			places[part] = last
			parts = append(parts, part)
		}
		slices.SortStableFunc(parts, func(x, y string) int { return places[x] - places[y] })
		return "{" + strings.Join(parts, ", ") + "}"
	case yaml.SequenceNode:
		for i, item := range n.Content {
			parts = append(parts, flowText(item, m.item(i)))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return scalarText(n, m, true)
}

// keyText is a key.
func keyText(n *yaml.Node) string {
	if !isQuoted(n) || isName(n.Value) && !ambiguous(n.Value) {
		return n.Value
	}
	return quotedText(n.Value)
}

// scalarText is a single value on one line, inside brackets or not.
func scalarText(n *yaml.Node, m *mold, flow bool) string {
	text, quoted := n.Value, isQuoted(n)
	if isBlockText(n) {
		quoted = true
	}
	switch {
	case m.role == roleCell:
		text = spacedCell(text)
	case m.role == roleExpression:
		text = strings.ReplaceAll(spaced(text), "\n", " ")
		if !sameTokens(text, n.Value) {
			text = n.Value
		}
	case m.role == roleValue && !quoted && !durationLiteral.MatchString(text) && !moneyLiteral.MatchString(text):
		if nicer := spaced(text); isPlain(nicer, flow) {
			text = nicer
		}
	}
	switch {
	case !quoted && text == n.Value:
		return text
	case !quoted && isPlain(text, flow), m.role == roleValue && !quoted:
		return text
	case m.role != roleKept && m.role != roleValue && isPlain(text, flow) && !ambiguous(text):
		return text
	}
	return quotedText(text)
}

// isPlain tells whether YAML reads a text without quotation marks as itself.
func isPlain(text string, flow bool) bool {
	if text == "" || strings.Contains(text, "\n") {
		return false
	}
	before, after := "k: ", "\n"
	if flow {
		before, after = "k: [", "]\n"
	}
	var d yaml.Node
	if err := yaml.Unmarshal([]byte(before+text+after), &d); err != nil || len(d.Content) != 1 || len(d.Content[0].Content) != 2 {
		return false
	}
	n := d.Content[0].Content[1]
	if flow {
		if n.Kind != yaml.SequenceNode || len(n.Content) != 1 {
			return false
		}
		n = n.Content[0]
	}
	return n.Kind == yaml.ScalarNode && n.Value == text && n.Style == 0 && n.Anchor == "" &&
		d.Content[0].LineComment == "" && n.LineComment == "" && d.Content[0].FootComment == ""
}

var looksOtherwise = regexp.MustCompile(`^([-+.:_\d]+|(?i:y|n|yes|no|on|off|true|false|null|~))$`)

// ambiguous tells whether some reader of YAML sees something else than a text:
// 02:00 was once a number of minutes.
func ambiguous(text string) bool {
	var v any
	if looksOtherwise.MatchString(text) || yaml.Unmarshal([]byte(text), &v) != nil {
		return true
	}
	_, isText := v.(string)
	return !isText
}

// quotedText is a text in double quotation marks, or in single ones where it
// holds double ones.
func quotedText(text string) string {
	if strings.ContainsAny(text, `"\`) && strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return string(appendText(nil, text))
}
