package rules

import "nightshift/rules/market"

// RepurchaseFacts is everything the repurchase rules may ask about a package
// that was drawn on.
type RepurchaseFacts struct {
	Authorised bool           `expr:"authorised" json:"authorised" yaml:"authorised" means:"the buyer asked for automatic re-purchase and the authorisation is there" zh:"用户已开通自动复购且授权有效"`
	Bought     bool           `expr:"bought" json:"bought" yaml:"bought" means:"this window of the package was the occasion of a purchase already" zh:"本周期内该套餐包已触发过购买"`
	Delisted   bool           `expr:"delisted" json:"delisted" yaml:"delisted" means:"the package is off the shelf" zh:"套餐包已下架"`
	Reset      string         `expr:"reset" json:"reset" yaml:"reset" words:"none hour day week month year" means:"how often the quota begins anew" zh:"额度重置周期"`
	Left       market.Decimal `expr:"left" json:"left" yaml:"left" means:"what is left of the quota" zh:"剩余额度"`
	Threshold  market.Decimal `expr:"threshold" json:"threshold" yaml:"threshold" means:"at what is left the buyer wants more" zh:"用户设定的复购阈值"`
	Price      market.Money   `expr:"price" json:"price" yaml:"price" means:"what the same package costs" zh:"同款套餐包的价格"`
	Balance    market.Money   `expr:"balance" json:"balance" yaml:"balance" means:"what the buyer can pay with" zh:"用户可用于支付的余额"`
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
