package rules

import "nightshift/rules/market"

// RepurchaseFacts is everything the repurchase rules may ask about a package
// that was drawn on.
type RepurchaseFacts struct {
	Authorised bool           `expr:"authorised" json:"authorised" yaml:"authorised" means:"the buyer asked for automatic re-purchase and the authorisation is there"`
	Bought     bool           `expr:"bought" json:"bought" yaml:"bought" means:"this window of the package was the occasion of a purchase already"`
	Delisted   bool           `expr:"delisted" json:"delisted" yaml:"delisted" means:"the package is off the shelf"`
	Reset      string         `expr:"reset" json:"reset" yaml:"reset" words:"none hour day week month year" means:"how often the quota begins anew"`
	Left       market.Decimal `expr:"left" json:"left" yaml:"left" means:"what is left of the quota"`
	Threshold  market.Decimal `expr:"threshold" json:"threshold" yaml:"threshold" means:"at what is left the buyer wants more"`
	Price      market.Money   `expr:"price" json:"price" yaml:"price" means:"what the same package costs"`
	Balance    market.Money   `expr:"balance" json:"balance" yaml:"balance" means:"what the buyer can pay with"`
}

var repurchaseVocabulary = Vocabulary{
	Ruleset:   "repurchase",
	Means:     "whether a package of which little is left is bought again",
	prototype: RepurchaseFacts{},
	Outcomes: []Outcome{
		{Name: "buy", Means: "the same package is bought again and paid from the balance"},
		{Name: "fail", Means: "it should be bought and cannot: the buyer sees why"},
		{Name: "leave", Means: "nothing is to be done"},
	},
}
