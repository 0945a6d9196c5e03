package rules

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// role is what a single value of a file is, as far as its writing goes.
type role int

const (
	roleKept       role = iota // whether it stands in quotation marks may mean something
	roleValue                  // an expression, or in quotation marks a text
	roleWord                   // a word or a sentence; quotation marks are YAML's alone
	roleExpression             // an expression; quotation marks are YAML's alone
	roleCell                   // what a table's condition asks; quotation marks are YAML's alone
)

// mold is how one kind of value is written: the order of its keys, what stands
// behind each, and what every other entry is.
type mold struct {
	role role
	keys []string
	of   map[string]*mold
	each *mold
	list []*mold // of items that are told apart by their place
}

var (
	keptMold   = &mold{}
	wordMold   = &mold{role: roleWord}
	exprMold   = &mold{role: roleExpression}
	valueMold  = &mold{role: roleValue, each: &mold{role: roleValue}}
	valuesMold = &mold{each: valueMold}

	outcomeMold = &mold{role: roleWord, keys: otherwiseKeys, of: map[string]*mold{"then": wordMold, "because": wordMold, "with": valuesMold}}
	ruleMold    = &mold{keys: ruleKeys, of: map[string]*mold{"name": wordMold, "when": exprMold, "then": wordMold, "because": wordMold, "with": valuesMold}}
	rulesetMold = &mold{keys: rulesetKeys, of: map[string]*mold{
		"ruleset": wordMold, "hit": wordMold, "currency": wordMold, "priority": {each: wordMold}, "let": valuesMold,
		"pin": wordMold, "overrides": {each: overrideMold}, "rules": {each: ruleMold}, "otherwise": outcomeMold,
	}}

	overrideMold   = &mold{keys: overrideKeys, of: map[string]*mold{"because": wordMold, "let": valuesMold}}
	parametersMold = &mold{keys: parametersKeys, of: map[string]*mold{"let": valuesMold, "overrides": {each: overrideMold}}}

	answerMold     = &mold{keys: answerKeys, of: map[string]*mold{"outcome": wordMold, "rule": wordMold, "because": wordMold}}
	expectMold     = &mold{keys: expectKeys, of: map[string]*mold{"outcome": wordMold, "rule": wordMold, "because": wordMold, "error": wordMold, "answers": {each: answerMold}}}
	factsMold      = &mold{each: &mold{keys: stopwatchKeys}}
	caseMold       = &mold{keys: caseKeys, of: map[string]*mold{"name": wordMold, "given": factsMold, "expect": expectMold}}
	equivalentMold = &mold{keys: equivalentKeys, of: map[string]*mold{"rule": wordMold, "edit": wordMold, "because": wordMold}}

	testMold = &mold{keys: testKeys, of: map[string]*mold{"ruleset": wordMold, "facts": factsMold, "cases": {each: caseMold}, "equivalent": {each: equivalentMold}}}

	siteMold = &mold{keys: siteKeys, of: map[string]*mold{
		"site": wordMold, "currency": wordMold, "time_zone": wordMold, "calendar": wordMold, "keep": {keys: keepKeys}, "jobs": {each: &mold{keys: jobKeys, of: map[string]*mold{"needs": {each: &mold{keys: needKeys}}}}},
	}}
	mappingMold = &mold{keys: mappingKeys, of: map[string]*mold{"where": exprMold, "columns": {each: exprMold}}}
)

// moldOf is the kind of file that the keys of its top tell.
func moldOf(root *yaml.Node) *mold {
	has := map[string]bool{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		has[root.Content[i].Value] = true
	}
	switch {
	case has["ruleset"] && has["cases"]:
		return testMold
	case has["table"]:
		return rulesetMold.withTable(root)
	case has["ruleset"]:
		return rulesetMold
	case has["let"]:
		return parametersMold
	case has["columns"]:
		return mappingMold
	case has["site"]:
		return siteMold
	}
	return keptMold
}

// withTable is the mold of a rule file with a decision table in it: the header
// tells what a column is.
func (m *mold) withTable(root *yaml.Node) *mold {
	table := &mold{role: roleWord, each: &mold{}}
	for i := 0; i+1 < len(root.Content); i += 2 {
		rows := root.Content[i+1]
		if root.Content[i].Value != "table" || rows.Kind != yaml.SequenceNode || len(rows.Content) == 0 {
			continue
		}
		header, cells, role := &mold{}, &mold{}, roleCell
		for _, n := range rows.Content[0].Content {
			head, cell := exprMold, &mold{role: role}
			switch n.Value {
			case "then":
				head, cell, role = wordMold, wordMold, roleExpression
			case "name", "because":
				head, cell = wordMold, wordMold
			}
			header.list, cells.list = append(header.list, head), append(cells.list, cell)
		}
		table.list, table.each = []*mold{header}, cells
	}
	out := *m
	out.of = maps.Clone(m.of)
	out.of["table"] = table
	return &out
}

// key is the mold of what stands behind a key.
func (m *mold) key(name string) *mold {
	if inner := m.of[name]; inner != nil {
		return inner
	}
	return m.item(-1)
}

// place is where a key stands among the others: one that is not expected stays
// behind the one it stands behind.
func (m *mold) place(name string, last int) int {
	if at := slices.Index(m.keys, name); at >= 0 {
		return at
	}
	return last
}

// item is the mold of the i-th item of a list.
func (m *mold) item(i int) *mold {
	if i >= 0 && i < len(m.list) {
		return m.list[i]
	}
	if m.each != nil {
		return m.each
	}
	return keptMold
}
