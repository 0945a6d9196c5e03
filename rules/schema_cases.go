package rules

import "strings"

// testSchema is that of the tests beside rule files.
func testSchema(words []Vocabulary) *schema {
	percent := &schema{Type: []string{"integer", "string"}}
	s := object(testKeys, map[string]*schema{
		"ruleset": rulesetNames(words), "shadow": {Type: "boolean"}, "version": {Type: "integer", Minimum: 1}, "coverage": percent, "mutation": percent,
		"as_of": text(instantPattern), "facts": {Type: "object"}, "cases": {Type: "array"},
		"equivalent": list(object(equivalentKeys, map[string]*schema{"rule": sentence(), "edit": sentence(), "because": sentence()}, equivalentKeys...)),
	}, "ruleset", "cases")
	s.Title = "Test of a rule file"
	spans := list(&schema{Type: "array", MinItems: 1, Items: text(instantPattern)})
	s.Definitions = properties{{"clock", object(stopwatchKeys, map[string]*schema{
		"since": text(instantPattern), "until": {Type: "string", Pattern: instantPattern, Description: "The instant to which it runs down."}, "stopped": spans,
	})}}
	for _, v := range words {
		s.Definitions = append(s.Definitions, property{v.Ruleset + "_facts", factsSchema(v)})
		facts := &schema{Ref: "#/definitions/" + v.Ruleset + "_facts"}
		answer := answerSchemas(v)
		one := object(answerKeys, answer)
		answer["answers"] = list(one)
		c := object(caseKeys, map[string]*schema{
			"name": sentence(), "as_of": text(instantPattern), "given": facts, "expect": object(expectKeys, answer),
		}, "name", "expect")
		s.AllOf = append(s.AllOf, whenRuleset(v, &schema{Properties: properties{{"facts", facts}, {"cases", list(c)}}}))
	}
	return s
}

// answerSchemas are the parts of an answer that a case may expect.
func answerSchemas(v Vocabulary) map[string]*schema {
	values := &schema{Type: "object", Additional: false}
	seen := map[string]bool{}
	for _, o := range v.Outcomes {
		for _, c := range o.Carries {
			if !seen[c.Name] {
				values.Properties = append(values.Properties, property{c.Name, expectedSchema(c)})
			}
			seen[c.Name] = true
		}
	}
	instant := &schema{AnyOf: []*schema{{Enum: []string{"none"}}, text(instantPattern)}}
	return map[string]*schema{
		"outcome": outcomeNames(v), "rule": sentence(), "because": sentence(), "values": values, "due": instant, "next": instant, "error": sentence(),
	}
}

func expectedSchema(c Carried) *schema {
	one := &schema{Description: c.Means, Type: anyScalar}
	if len(c.Words) > 0 {
		one = &schema{Description: c.Means, Enum: c.Words}
	}
	if c.Kind == KindList {
		return &schema{Description: c.Means, AnyOf: []*schema{list(one), {Type: "string"}}}
	}
	return one
}

// factsSchema is that of the facts of a ruleset.
func factsSchema(v Vocabulary) *schema {
	s := &schema{Type: "object", Additional: false}
	for _, f := range v.Facts() {
		s.Properties = append(s.Properties, property{f.Name, factSchema(f)})
	}
	return s
}

func factSchema(f Fact) *schema {
	s := &schema{}
	switch f.Kind {
	case KindBool:
		s.Type = "boolean"
	case KindInt:
		s.Type = "integer"
	case KindMoney:
		s = text(amountPattern)
	case KindDecimal:
		s.Type = []string{"number", "string"}
	case KindList:
		s = list(&schema{Type: anyScalar})
	case KindStopwatch:
		s.AnyOf = []*schema{{Enum: []string{"never"}}, text(durationPattern), {Ref: "#/definitions/clock"}}
	default:
		s.Type = anyScalar
		if len(f.Words) > 0 {
			s = &schema{Enum: append([]string{""}, f.Words...)}
		}
	}
	s.Description = f.describe()
	return s
}

// describe is what a fact means, and how it is written where that is not plain.
func (f *Fact) describe() string {
	says := strings.ToUpper(f.Means[:1]) + f.Means[1:] + "."
	if f.Kind == KindStopwatch {
		says += " Write never, a duration such as 10d, or {since: 2024-03-01T10:00:00}."
	}
	return says
}
