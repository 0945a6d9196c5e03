package rules

// RoundingFacts is everything the rounding rules may ask about an amount that is
// to be charged.
type RoundingFacts struct {
	Bill       string `expr:"bill" json:"bill" yaml:"bill" words:"order renewal usage charge" means:"what is charged: an order, a renewal, metered use, or a charge that came priced" zh:"账单类型"`
	AccessType string `expr:"access_type" json:"access_type" yaml:"access_type" words:"saas license image human_service consulting hardware container api agent ai_asset data_asset data_file orchestration content" means:"how the product reaches the buyer" zh:"商品接入类型"`
	Seller     string `expr:"seller" json:"seller" yaml:"seller" means:"who sells, by code" zh:"商家编码"`
	Product    string `expr:"product" json:"product" yaml:"product" means:"what is sold, by code" zh:"商品编码"`
	Currency   string `expr:"currency" json:"currency" yaml:"currency" means:"the currency of the amount" zh:"金额的币种"`
}

var roundingVocabulary = Vocabulary{
	Ruleset:   "rounding",
	Means:     "how an exact amount becomes what is charged",
	prototype: RoundingFacts{},
	Outcomes: []Outcome{
		{Name: "round", Means: "what rounding takes off is posted as dropped", Carries: []Carried{
			{Name: "policy", Kind: KindText, Words: []string{"truncate each", "half up each", "half up the total", "largest remainder"}, Means: "which amounts are rounded, and which way; largest remainder shares the month's rounded total out among its deductions"},
			{Name: "places", Kind: KindInt, Means: "how many decimals are charged"},
			{Name: "kept", Kind: KindInt, Means: "where the month's total is rounded: how many decimals each deduction keeps until then"},
		}},
	},
}
