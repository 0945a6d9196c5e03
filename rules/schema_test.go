package rules

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// compiledSchema is the schema of one kind of file, as a validator reads it.
func compiledSchema(t testing.TB, kind string, parameters []string, rulesets ...string) *jsonschema.Schema {
	t.Helper()
	text, err := Schema(kind, parameters, rulesets...)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(kind+".json", parsed); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(kind + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asEditorsRead is a YAML text as an editor's reader of YAML 1.2 sees it: dates
// are texts there.
func asEditorsRead(t testing.TB, text string) any {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil {
		t.Fatal(err)
	}
	return plainValue(n.Content[0])
}

func plainValue(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plainValue(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		items := []any{}
		for _, item := range n.Content {
			items = append(items, plainValue(item))
		}
		return items
	}
	switch n.ShortTag() {
	case "!!bool":
		return n.Value == "true"
	case "!!int", "!!float":
		if number, err := strconv.ParseFloat(strings.ReplaceAll(n.Value, "_", ""), 64); err == nil {
			return number
		}
	case "!!null":
		return nil
	}
	return n.Value
}

// schemaKindOf is the kind of schema of a file.
func schemaKindOf(name string) string {
	switch base := path.Base(name); {
	case base == siteFile:
		return "site"
	case base == "parameters.yaml":
		return "parameters"
	case strings.HasSuffix(base, testSuffix):
		return "test"
	}
	return "rules"
}

func TestSchemasKnowWhatShips(t *testing.T) {
	schemas := map[string]*jsonschema.Schema{}
	for _, kind := range SchemaKinds {
		schemas[kind] = compiledSchema(t, kind, nil)
	}
	err := fs.WalkDir(Defaults(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, fileSuffix) || strings.HasSuffix(name, mappingSuffix) {
			return err
		}
		text, err := fs.ReadFile(Defaults(), name)
		if err != nil {
			return err
		}
		v := asEditorsRead(t, string(text))
		if err := schemas[schemaKindOf(name)].Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if ruleset, ok := v.(map[string]any)["ruleset"].(string); ok {
			if err := compiledSchema(t, schemaKindOf(name), nil, ruleset).Validate(v); err != nil {
				t.Errorf("%s by the schema of its ruleset alone: %v", name, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

const (
	goodRules = `
ruleset: acceptance
version: 1
effective: 2026-01-01
hit: first
pin: order
let:
  window: 10d
  fee: {2026-01-01: 5.00 CNY, 2026-07-01: 6.00 CNY}
  kinds: ["saas", "image"]
overrides:
  - seller: [acme, "0012"]
    because: Their contract says so.
    let: {window: 14d}
rules:
  - name: held
    when: amount >= 500000.00
    then: hold
    with: {waits_for: "platform"}
    because: It is large.
  - {name: all, when: true, then: accept, because: So.}
otherwise: {then: wait, with: {waits_for: "seller"}, because: So.}
`
	goodTest = `
ruleset: acceptance
version: 1
coverage: 100
as_of: 2024-06-01T02:00:00
facts: {order_type: new, track: "", amount: 98.00 CNY, signed_for: 10d, paid_for: never, invoiced: true}
cases:
  - name: both
    as_of: 2024-06-01T02:00:01
    given: {signed_for: {since: 2024-05-01T10:00:00, stopped: [[2024-05-02T00:00:00, 2024-05-03T00:00:00]]}, access_type: saas}
    expect: {outcome: wait, rule: otherwise, values: {waits_for: seller}, due: as_of - 10d, next: none}
`
	goodParameters = "let: {window: {2020-01-01: 10d}}\noverrides:\n  - {product: P-1, because: So., from: 2021-01-01, let: {window: 30d}}\n"
	goodSite       = "site: cn\ncurrency: CNY\ntime_zone: Asia/Shanghai\njobs:\n  acceptance: {as_of: \"02:00\"}\n"
)

// TestSchemasRefuseMistakes makes each mistake once in a file that is good.
func TestSchemasRefuseMistakes(t *testing.T) {
	good := map[string]string{"rules": goodRules, "test": goodTest, "parameters": goodParameters, "site": goodSite}
	schemas := map[string]*jsonschema.Schema{}
	for kind, text := range good {
		schemas[kind] = compiledSchema(t, kind, []string{"window"})
		if err := schemas[kind].Validate(asEditorsRead(t, text)); err != nil {
			t.Fatalf("a good file: %v", err)
		}
	}
	for _, tt := range []struct{ kind, mistake, from, to string }{
		{"rules", "a misspelt ruleset", "ruleset: acceptance", "ruleset: acceptence"},
		{"rules", "an unknown key", "hit: first", "hit: first\nhits: first"},
		{"rules", "an unknown hit policy", "hit: first", "hit: frist"},
		{"rules", "a policy without its order", "hit: first", "hit: priority"},
		{"rules", "a date like people write it", "2026-01-01\nhit", "01/01/2026\nhit"},
		{"rules", "a version of words", "version: 1", "version: one"},
		{"rules", "an unknown outcome", "then: accept", "then: acept"},
		{"rules", "an unknown outcome at the end", "{then: wait", "{then: weit"},
		{"rules", "a value that the outcome does not carry", "with: {waits_for: \"platform\"}", "with: {waitsfor: \"platform\"}"},
		{"rules", "a value behind an outcome that carries none", "then: accept,", "then: accept, with: {waits_for: \"buyer\"},"},
		{"rules", "a rule without a reason", ", because: So.}\notherwise", "}\notherwise"},
		{"rules", "a rule without a condition", "    when: amount >= 500000.00\n", ""},
		{"rules", "a misspelt key of a rule", "because: It is large.", "becuase: It is large."},
		{"rules", "no otherwise", "otherwise: {then: wait, with: {waits_for: \"seller\"}, because: So.}", ""},
		{"rules", "a let that is no name", "  window: 10d", "  the window: 10d"},
		{"rules", "a value that changes on no date", "2026-07-01: 6.00 CNY", "July: 6.00 CNY"},
		{"rules", "an override of nobody", "seller: [acme, \"0012\"]", "from: 2026-01-01"},
		{"rules", "neither rules nor a table", "rules:", "rulez:"},
		{"rules", "a table of another program", "rules:", "table: fees.ods\nrulez:"},
		{"test", "an unknown fact", "order_type: new", "ordertype: new"},
		{"test", "a word that the fact never is", "order_type: new", "order_type: news"},
		{"test", "an amount without a currency", "98.00 CNY", "98.00"},
		{"test", "yes in the place of true", "invoiced: true", "invoiced: yes please"},
		{"test", "a duration in words", "signed_for: 10d", "signed_for: ten days"},
		{"test", "an unknown outcome", "outcome: wait", "outcome: waits"},
		{"test", "a word that is never carried", "waits_for: seller", "waits_for: saler"},
		{"test", "a case without a name", "  - name: both\n    as_of", "  - as_of"},
		{"test", "an instant on no clock", "2024-06-01T02:00:01", "this morning"},
		{"parameters", "a name that is not shared", "let: {window: 30d}", "let: {windows: 30d}"},
		{"parameters", "no reason", "because: So., ", ""},
		{"site", "a currency of its own", "CNY", "yuan"},
		{"site", "a time of day in words", "\"02:00\"", "2am"},
		{"site", "an unknown key", "time_zone", "timezone"},
	} {
		text := strings.Replace(good[tt.kind], tt.from, tt.to, 1)
		if text == good[tt.kind] {
			t.Errorf("%s: nothing was changed", tt.mistake)
		}
		if schemas[tt.kind].Validate(asEditorsRead(t, text)) == nil {
			t.Errorf("%s file: %s passes", tt.kind, tt.mistake)
		}
	}
}

// TestEveryKeyIsExplained: editors show what a key is for.
func TestEveryKeyIsExplained(t *testing.T) {
	var used []string
	for _, keys := range [][]string{rulesetKeys, ruleKeys, otherwiseKeys, parametersKeys, overrideKeys, testKeys, equivalentKeys, caseKeys, expectKeys, answerKeys, stopwatchKeys, siteKeys, keepKeys, jobKeys, needKeys, mappingKeys} {
		for _, key := range keys {
			if keyMeans[key] == "" {
				t.Errorf("keyMeans in keys.go does not say what %s is for", key)
			}
		}
		used = append(used, keys...)
	}
	for key := range keyMeans {
		if !slices.Contains(used, key) {
			t.Errorf("keyMeans explains %s, which is no key", key)
		}
	}
}

func TestSchemaOfNothing(t *testing.T) {
	for want, ask := range map[string]func() ([]byte, error){
		"did you mean acceptance?": func() ([]byte, error) { return Schema("rules", nil, "aceptance") },
		"did you mean rules?":      func() ([]byte, error) { return Schema("rulez", nil) },
	} {
		if _, err := ask(); err == nil || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
