package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// SchemaKinds are the kinds of file that there is a JSON Schema of, by how their
// names end.
var SchemaKinds = []string{"rules", "test", "parameters", "site"}

// Schema is the JSON Schema by which editors complete and check one kind of
// file: of all rulesets, or of those named. Parameters are the names that files
// of the site share. It is draft 7, the newest that the YAML language server
// reads; what an expression says is left to Compile.
func Schema(kind string, parameters []string, rulesets ...string) ([]byte, error) {
	var words []Vocabulary
	for _, name := range rulesets {
		v, err := VocabularyOf(name)
		if err != nil {
			return nil, err
		}
		words = append(words, *v)
	}
	if len(words) == 0 {
		words = Vocabularies()
	}
	var s *schema
	switch kind {
	case "rules":
		s = rulesetSchema(words)
	case "test":
		s = testSchema(words)
	case "parameters":
		s = parametersSchema(parameters)
	case "site":
		s = siteSchema()
	default:
		return nil, fmt.Errorf("no schema of %q%s", clip(kind), guessed(": ", kind, SchemaKinds))
	}
	s.Schema = "http://json-schema.org/draft-07/schema#"
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(s)
	return out.Bytes(), err
}

// schema is as much of JSON Schema as our files need. Nothing is written of what
// is empty.
type schema struct {
	Schema      string `json:"$schema,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`

	Ref         string     `json:"$ref,omitempty"`
	Definitions properties `json:"definitions,omitempty"`

	Type             any        `json:"type,omitempty"`
	Const            string     `json:"const,omitempty"`
	Enum             []string   `json:"enum,omitempty"`
	EnumDescriptions []string   `json:"enumDescriptions,omitempty"` // editors show them; validators pass over them
	Snippets         []snippet  `json:"defaultSnippets,omitempty"`
	Pattern          string     `json:"pattern,omitempty"`
	MinLength        int        `json:"minLength,omitempty"`
	Minimum          int        `json:"minimum,omitempty"`
	Properties       properties `json:"properties,omitempty"`
	PropertyNames    *schema    `json:"propertyNames,omitempty"`
	Additional       any        `json:"additionalProperties,omitempty"`
	Required         []string   `json:"required,omitempty"`
	Items            *schema    `json:"items,omitempty"`
	MinItems         int        `json:"minItems,omitempty"`
	AnyOf            []*schema  `json:"anyOf,omitempty"`
	OneOf            []*schema  `json:"oneOf,omitempty"`
	AllOf            []*schema  `json:"allOf,omitempty"`
	If               *schema    `json:"if,omitempty"`
	Then             *schema    `json:"then,omitempty"`
}

// snippet is what an editor offers, and what it writes.
type snippet struct {
	Label string `json:"label"`
	Body  string `json:"body"`
}

// property is one key and what may stand behind it.
type property struct {
	name string
	*schema
}

// properties keep their order: editors offer them in it.
type properties []property

// MarshalJSON writes an object.
func (ps properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, p := range ps {
		name, err := json.Marshal(p.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(p.schema)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%c%s:%s", "{,"[min(i, 1)], name, value)
	}
	return append(b.Bytes(), '}'), nil
}

// The forms of single values.
const (
	datePattern      = `^\d{4}-\d{2}-\d{2}$`
	instantPattern   = `^(as_of( *[-+] *(\d+[dhms])+)?|\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[-+]\d{2}:\d{2})?)?)$`
	durationPattern  = `^-?(\d+[dhms])+$`
	amountPattern    = `^-?\d+(\.\d+)? [A-Z]{3}$`
	currencyPattern  = `^[A-Z]{3}$`
	namePattern      = `^[A-Za-z_][A-Za-z0-9_]*$`
	timeOfDayPattern = `^\d{2}:\d{2}(:\d{2})?$`
)

// anyScalar are the types of a value that YAML may take for something else than
// a text.
var anyScalar = []string{"string", "number", "boolean"}

// object is a mapping with those keys and no others; what stands behind each is
// found by its name.
func object(keys []string, of map[string]*schema, required ...string) *schema {
	s := &schema{Type: "object", Additional: false, Required: required}
	for _, key := range keys {
		inner := of[key]
		if inner == nil {
			inner = &schema{}
		}
		if inner.Description == "" {
			described := *inner
			described.Description = keyMeans[key]
			inner = &described
		}
		s.Properties = append(s.Properties, property{key, inner})
	}
	return s
}

func text(pattern string) *schema { return &schema{Type: "string", Pattern: pattern} }

// sentence is a text that may not be empty.
func sentence() *schema { return &schema{Type: anyScalar, MinLength: 1} }

func list(items *schema) *schema { return &schema{Type: "array", Items: items} }

// value is what stands behind a let: a single value, an expression, a list.
func value() *schema { return &schema{Type: append(slices.Clone(anyScalar), "array")} }

// carriedValue offers the words that a value may be, in the quotation marks that
// texts need; an expression may stand there as well.
func carriedValue(c Carried) *schema {
	s := value()
	s.Description = c.Means
	for _, word := range c.Words {
		body := quotedText(word)
		if c.Kind == KindList {
			body = "[" + body + "]"
		}
		s.Snippets = append(s.Snippets, snippet{word, body})
	}
	return s
}

func rulesetNames(words []Vocabulary) *schema {
	s := &schema{Description: keyMeans["ruleset"]}
	for _, v := range words {
		s.Enum = append(s.Enum, v.Ruleset)
		s.EnumDescriptions = append(s.EnumDescriptions, v.Means)
	}
	return s
}

// whenRuleset is what holds besides in the files of one ruleset.
func whenRuleset(v Vocabulary, then *schema) *schema {
	return when("ruleset", v.Ruleset, then)
}

// when is what holds besides where a key has that value.
func when(key, value string, then *schema) *schema {
	return &schema{If: &schema{Properties: properties{{key, &schema{Const: value}}}, Required: []string{key}}, Then: then}
}

func outcomeNames(v Vocabulary) *schema {
	s := &schema{Description: keyMeans["then"]}
	for _, o := range v.Outcomes {
		s.Enum = append(s.Enum, o.Name)
		s.EnumDescriptions = append(s.EnumDescriptions, o.Means)
	}
	return s
}

// rulesetSchema is that of rule files.
func rulesetSchema(words []Vocabulary) *schema {
	var policies []string
	for _, h := range hitPolicies {
		policies = append(policies, string(h))
	}
	scalar := &schema{Type: anyScalar}
	s := object(rulesetKeys, map[string]*schema{
		"ruleset": rulesetNames(words), "shadow": {Type: "boolean"}, "version": {Type: "integer", Minimum: 1}, "effective": text(datePattern),
		"hit": {Enum: policies}, "priority": list(&schema{Type: "string"}), "pin": {Enum: []string{PinOrder}}, "currency": text(currencyPattern),
		"let": letSchema(nil), "overrides": overridesSchema(nil), "rules": {Type: "array", MinItems: 1},
		"table":     {AnyOf: []*schema{text(`\.(csv|xlsx(#.+)?)$`), {Type: "array", MinItems: 2, Items: list(scalar)}}},
		"otherwise": {Type: []string{"string", "boolean", "object"}},
	}, "ruleset", "version", "effective", "hit", "otherwise")
	s.Title = "Rule file"
	s.OneOf = []*schema{{Required: []string{"rules"}}, {Required: []string{"table"}}}
	for _, h := range hitPolicies {
		if h.ranks() {
			s.AllOf = append(s.AllOf, when("hit", string(h), &schema{Required: []string{"priority"}}))
		}
	}
	for _, v := range words {
		names := outcomeNames(v)
		rule := carrying(v, object(ruleKeys, map[string]*schema{
			"name": sentence(), "when": {Type: []string{"string", "boolean"}, MinLength: 1}, "then": names, "because": sentence(),
		}, "name", "when", "then", "because"))
		other := carrying(v, object(otherwiseKeys, map[string]*schema{"then": names, "because": sentence()}, "then"))
		s.AllOf = append(s.AllOf, whenRuleset(v, &schema{Properties: properties{
			{"priority", list(names)}, {"rules", list(rule)},
			{"otherwise", &schema{Description: keyMeans["otherwise"], AnyOf: []*schema{{Enum: names.Enum, EnumDescriptions: names.EnumDescriptions}, other}}},
		}}))
	}
	return s
}

// carrying says of a rule which values each of its outcomes may carry.
func carrying(v Vocabulary, rule *schema) *schema {
	for _, o := range v.Outcomes {
		with := &schema{Type: "object", Additional: false}
		for _, c := range o.Carries {
			with.Properties = append(with.Properties, property{c.Name, carriedValue(c)})
		}
		rule.AllOf = append(rule.AllOf, when("then", o.Name, &schema{Properties: properties{{"with", with}}}))
	}
	return rule
}

// letSchema is that of names and values; of those names alone, where there are
// some.
func letSchema(names []string) *schema {
	changing := &schema{Type: "object", PropertyNames: text(datePattern), Additional: value()}
	either := &schema{AnyOf: []*schema{value(), changing}}
	s := &schema{Type: "object", PropertyNames: text(namePattern), Additional: either}
	for _, name := range names {
		s.Properties = append(s.Properties, property{name, either})
		s.Additional = false
	}
	return s
}

func overridesSchema(names []string) *schema {
	codes := &schema{AnyOf: []*schema{{Type: anyScalar}, list(&schema{Type: anyScalar})}}
	s := object(overrideKeys, map[string]*schema{
		"seller": codes, "product": codes, "because": sentence(), "from": text(datePattern), "until": text(datePattern), "let": letSchema(names),
	}, "because", "let")
	s.OneOf = []*schema{{Required: []string{"seller"}}, {Required: []string{"product"}}}
	return list(s)
}

// parametersSchema is that of parameters.yaml.
func parametersSchema(names []string) *schema {
	s := object(parametersKeys, map[string]*schema{"let": letSchema(nil), "overrides": overridesSchema(names)}, "let")
	s.Title = "Parameters that the rule files of a site share"
	return s
}

// siteSchema is that of site.yaml.
func siteSchema() *schema {
	need := object(needKeys, map[string]*schema{"files": {Type: "integer"}, "rows": {Type: "integer"}, "most_files": {Type: "integer"}, "most_rows": {Type: "integer"}, "within": {Type: "string", MinLength: 1}, "until": text(timeOfDayPattern)}, "until")
	job := object(jobKeys, map[string]*schema{
		"as_of": text(timeOfDayPattern), "days_after": {Type: "integer"}, "every": {Enum: spans}, "days": {Enum: dayKinds},
		"after": {Type: "array", Items: &schema{Type: "string", MinLength: 1}}, "needs": {Type: "object", Additional: need}, "deadline": text(timeOfDayPattern),
		"wake": {Type: "string", MinLength: 1}, "catch_up": {Enum: catchUps}, "catch_up_most": {Type: "integer"}, "overlap": {Enum: overlaps},
	}, "as_of")
	span := &schema{Type: "string", MinLength: 1}
	keep := object(keepKeys, map[string]*schema{"documents": span, "shards": span, "history": span})
	s := object(siteKeys, map[string]*schema{
		"site": text(siteName.String()), "currency": text(currencyPattern), "time_zone": {Type: "string", MinLength: 1}, "calendar": {Type: "string", MinLength: 1}, "shares": {Type: "array", Items: &schema{Type: "string", MinLength: 1}},
		"jobs": {Type: "object", Additional: job}, "keep": keep,
	}, "site", "currency", "time_zone")
	s.Title = "Site: a marketplace with rules of its own"
	return s
}

// Parameters are the names that the rule files of the site share and use, in
// order.
func (s *Site) Parameters() []string {
	var names []string
	for _, versions := range s.policies {
		for _, p := range versions {
			names = append(names, p.shares...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
