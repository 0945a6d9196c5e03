package rules

import "nightshift/rules/market"

// PaymentFacts is everything the payment rules may ask about an order that the
// marketplace reported as unpaid, as it stood at the as-of. Whether it can be
// paid was tried by the waterfall when somebody asked for it.
type PaymentFacts struct {
	OrderType  string       `expr:"order_type" json:"order_type" yaml:"order_type" words:"new renewal change" means:"what kind of order it is" zh:"订单类型"`
	AccessType string       `expr:"access_type" json:"access_type" yaml:"access_type" words:"saas license image human_service consulting hardware container api agent ai_asset data_asset data_file orchestration content" means:"how the product reaches the buyer" zh:"商品接入类型"`
	ChargeMode string       `expr:"charge_mode" json:"charge_mode" yaml:"charge_mode" words:"PERIOD ONE_TIME ON_DEMAND ON_DEMAND_PKG" means:"how it is charged" zh:"计费方式"`
	Buyer      string       `expr:"buyer" json:"buyer" yaml:"buyer" means:"who buys, by its code" zh:"买家编码"`
	Seller     string       `expr:"seller" json:"seller" yaml:"seller" means:"who sells, by code" zh:"商家编码"`
	Product    string       `expr:"product" json:"product" yaml:"product" means:"what is sold, by code" zh:"商品编码"`
	Amount     market.Money `expr:"amount" json:"amount" yaml:"amount" means:"what the order costs before any discount" zh:"优惠前订单金额"`

	PlacedFor market.Stopwatch `expr:"placed_for" json:"placed_for" yaml:"placed_for" means:"since the order was placed" zh:"下单"`
	TriedFor  market.Stopwatch `expr:"tried_for" json:"tried_for" yaml:"tried_for" means:"since it was last tried to pay it; never while nobody has asked" zh:"最近一次尝试支付"`
	Paid      bool             `expr:"paid" json:"paid" yaml:"paid" means:"the payment that was tried covers it in full" zh:"所尝试的支付可足额支付"`
	Forbidden bool             `expr:"forbidden" json:"forbidden" yaml:"forbidden" means:"the rules of the waterfall forbid the payment that was tried" zh:"扣款顺序规则禁止所尝试的支付"`
	Shortfall market.Money     `expr:"shortfall" json:"shortfall" yaml:"shortfall" means:"what the payment that was tried could not cover" zh:"所尝试的支付未能覆盖的金额"`
}

var paymentVocabulary = Vocabulary{
	Ruleset:   "payment",
	Means:     "what becomes of an order that is not paid",
	prototype: PaymentFacts{},
	Outcomes: []Outcome{
		{Name: "deduct", Means: "the payment that was tried is booked; final"},
		{Name: "cancel", Means: "the order is cancelled at the due instant; final"},
		{Name: "reject", Means: "it could not be paid and stays open, to be paid by hand"},
		{Name: "wait", Means: "nobody has asked to pay it yet"},
	},
}
