package rules

import (
	"testing"

	"nightshift/rules/market"
)

// trialFacts has every kind of fact, for the tests of the rule language.
type trialFacts struct {
	Ready     bool             `expr:"ready" json:"ready" yaml:"ready" means:"a yes or no"`
	Open      bool             `expr:"open" json:"open" yaml:"open" means:"another"`
	Count     int64            `expr:"count_of" json:"count_of" yaml:"count_of" means:"a whole number"`
	Days      int64            `expr:"window_days" json:"window_days" yaml:"window_days" means:"another"`
	Weight    market.Decimal   `expr:"weight" json:"weight" yaml:"weight" means:"an exact number"`
	Kind      string           `expr:"product" json:"product" yaml:"product" words:"saas hardware license image" means:"one of some words"`
	Note      string           `expr:"note" json:"note" yaml:"note" means:"any text"`
	Tags      []string         `expr:"tags" json:"tags" yaml:"tags" means:"some texts"`
	Price     market.Money     `expr:"price" json:"price" yaml:"price" means:"an amount"`
	Balance   market.Money     `expr:"balance" json:"balance" yaml:"balance" means:"another"`
	SignedFor market.Stopwatch `expr:"signed_for" json:"signed_for" yaml:"signed_for" means:"time since"`
	PlacedFor market.Stopwatch `expr:"placed_for" json:"placed_for" yaml:"placed_for" means:"time since another"`
	EndsIn    market.Stopwatch `expr:"ends_in" json:"ends_in" yaml:"ends_in" counts:"down" means:"time until"`
}

func init() {
	vocabularies = append(vocabularies, Vocabulary{
		Ruleset:   "trial",
		Means:     "the tests' own",
		Several:   true,
		Alone:     true,
		prototype: trialFacts{},
		Outcomes: []Outcome{
			{Name: "yes", Means: "one", Carries: []Carried{
				{Name: "amount", Kind: KindMoney}, {Name: "rate", Kind: KindDecimal}, {Name: "times", Kind: KindInt}, {Name: "count", Kind: KindInt},
				{Name: "window", Kind: KindDuration}, {Name: "reason", Kind: KindText}, {Name: "kinds", Kind: KindList}, {Name: "ok", Kind: KindBool},
				{Name: "who", Kind: KindText, Words: []string{"buyer", "seller"}},
			}},
			{Name: "no", Means: "the other"},
			{Name: "maybe", Means: "a third"},
		},
	})
}

// TestFactsAreKnownInChinese: who reads explanations in Chinese finds no fact and
// no outcome in English.
func TestFactsAreKnownInChinese(t *testing.T) {
	for _, v := range Vocabularies() {
		if v.Ruleset == "trial" {
			continue
		}
		for _, f := range v.Facts() {
			if f.Chinese == "" {
				t.Errorf("%s: %s has no Chinese", v.Ruleset, f.Name)
			}
		}
		for _, o := range v.Outcomes {
			if outcomesInChinese[o.Name] == "" {
				t.Errorf("%s: outcome %s has no Chinese", v.Ruleset, o.Name)
			}
		}
	}
}
