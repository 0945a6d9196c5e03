package rules

import "nightshift/rules/market"

// UpgradeFacts is everything the rules may ask about a change order that upgrades
// a subscription, at the instant it was placed.
type UpgradeFacts struct {
	AccessType  string           `expr:"access_type" json:"access_type" yaml:"access_type" words:"saas license image human_service consulting hardware container api agent ai_asset data_asset data_file orchestration content" means:"how the product reaches the buyer" zh:"商品接入类型"`
	ChargeMode  string           `expr:"charge_mode" json:"charge_mode" yaml:"charge_mode" words:"PERIOD ONE_TIME ON_DEMAND ON_DEMAND_PKG" means:"how it is charged" zh:"计费方式"`
	OldPrice    market.Money     `expr:"old_price" json:"old_price" yaml:"old_price" means:"of the old specification, a day" zh:"原规格日价"`
	NewPrice    market.Money     `expr:"new_price" json:"new_price" yaml:"new_price" means:"of the new specification, a day" zh:"新规格日价"`
	DaysLeft    int64            `expr:"days_left" json:"days_left" yaml:"days_left" means:"calendar days to the date on which the term ends" zh:"距到期日的自然日数"`
	Fee         market.Money     `expr:"fee" json:"fee" yaml:"fee" means:"new price × days × discount − old price × days × discount" zh:"升级费用"`
	DelistedFor market.Stopwatch `expr:"delisted_for" json:"delisted_for" yaml:"delisted_for" means:"since the product was taken off the shelf; never while it is on it" zh:"商品下架"`
}

var upgradeVocabulary = Vocabulary{
	Ruleset:   "upgrade",
	Means:     "whether a subscription may be upgraded for the fee",
	prototype: UpgradeFacts{},
	Outcomes: []Outcome{
		{Name: "charge", Means: "the order costs the fee"},
		{Name: "forbid", Means: "it may not be paid; the reason is kept"},
	},
}
