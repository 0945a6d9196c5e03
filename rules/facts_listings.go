package rules

// ListingsFacts is everything the rules of listings may ask about a product, as it
// stood at an instant.
type ListingsFacts struct {
	Seller     string `expr:"seller" json:"seller" yaml:"seller" means:"who sells it, by code" zh:"商家编码"`
	Product    string `expr:"product" json:"product" yaml:"product" means:"the product, by code" zh:"商品编码"`
	AccessType string `expr:"access_type" json:"access_type" yaml:"access_type" words:"saas license image human_service consulting hardware container api agent ai_asset data_asset data_file orchestration content" means:"how the product reaches the buyer" zh:"商品接入类型"`
	Delisted   bool   `expr:"delisted" json:"delisted" yaml:"delisted" means:"it was taken off the shelf" zh:"商品已下架"`

	Month        int64 `expr:"month" json:"month" yaml:"month" means:"the calendar month of the site, such as 202405" zh:"自然月"`
	FailedOrders int64 `expr:"failed_orders" json:"failed_orders" yaml:"failed_orders" means:"orders of it that its seller failed to open in the month" zh:"当月开通失败的订单数"`
	FailedDays   int64 `expr:"failed_days" json:"failed_days" yaml:"failed_days" means:"days one after the other, up to the last that is over, on which probes were made and none passed" zh:"连续探测失败的天数"`
}

var listingsVocabulary = Vocabulary{
	Ruleset:   "listings",
	Means:     "whether it is proposed to take a product off the shelf",
	prototype: ListingsFacts{},
	Outcomes: []Outcome{
		{Name: "propose", Means: "it is proposed to take it off the shelf, once a month", Carries: []Carried{
			{Name: "month", Kind: KindInt, Means: "the month of the proposal"},
			{Name: "recipients", Kind: KindList, Words: parties, Means: "who hears of it"},
		}},
		{Name: "keep", Means: "it stays"},
	},
}
