package rules

import "nightshift/rules/market"

// MonthEndFacts is everything the rules of the month's end may ask about a buyer
// who buys on account, as it stood when the month had ended.
type MonthEndFacts struct {
	Level string       `expr:"level" json:"level" yaml:"level" means:"the buyer's level with the platform" zh:"用户在平台的等级"`
	Owed  market.Money `expr:"owed" json:"owed" yaml:"owed" means:"what is owed on account, of this month and of those before" zh:"月结账户未还金额"`
}

var monthEndVocabulary = Vocabulary{
	Ruleset:   "month_end",
	Means:     "when a buyer who buys on account has to pay what a month came to",
	prototype: MonthEndFacts{},
	Outcomes: []Outcome{
		{Name: "bill", Means: "the buyer is billed for what is owed on account", Carries: []Carried{
			{Name: "due_days", Kind: KindInt, Means: "days from the end of the month in which it is to be paid"},
		}},
		{Name: "quiet", Means: "there is nothing to bill"},
	},
}
