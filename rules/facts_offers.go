package rules

import "nightshift/rules/market"

// OffersFacts is everything the rules of offers may ask about a price that a
// seller offers one customer, as it stood at an instant.
type OffersFacts struct {
	Seller  string `expr:"seller" json:"seller" yaml:"seller" means:"who offers it, by code" zh:"商家编码"`
	Buyer   string `expr:"buyer" json:"buyer" yaml:"buyer" means:"whom it is offered to, by code" zh:"客户编码"`
	Product string `expr:"product" json:"product" yaml:"product" means:"what is offered, by code; empty where nothing was said" zh:"商品编码"`

	Discount    market.Decimal   `expr:"discount" json:"discount" yaml:"discount" means:"what it leaves of the price; 0.8 is eight tenths" zh:"折扣（0.8 为八折）"`
	StartsAhead bool             `expr:"starts_ahead" json:"starts_ahead" yaml:"starts_ahead" means:"its start lay ahead when it was asked for" zh:"申请时优惠开始时间在未来"`
	AskedFor    market.Stopwatch `expr:"asked_for" json:"asked_for" yaml:"asked_for" means:"since it was asked for" zh:"提交申请"`
	ApprovedFor market.Stopwatch `expr:"approved_for" json:"approved_for" yaml:"approved_for" means:"since a person approved it" zh:"人工批准"`
	DeclinedFor market.Stopwatch `expr:"declined_for" json:"declined_for" yaml:"declined_for" means:"since a person declined it" zh:"人工不予批准"`
	BegunFor    market.Stopwatch `expr:"begun_for" json:"begun_for" yaml:"begun_for" means:"since its window began; it may lie ahead" zh:"优惠生效"`
	OverFor     market.Stopwatch `expr:"over_for" json:"over_for" yaml:"over_for" means:"since its window ended; it may lie ahead" zh:"优惠到期"`
}

var offersVocabulary = Vocabulary{
	Ruleset:   "offers",
	Means:     "whether an offer to one customer is approved, and when it ends",
	prototype: OffersFacts{},
	Outcomes: []Outcome{
		{Name: "grant", Means: "it is approved, and holds in its window"},
		{Name: "decline", Means: "it is not approved; final"},
		{Name: "expire", Means: "its window has ended; final"},
		{Name: "hold", Means: "a person decides"},
	},
}
