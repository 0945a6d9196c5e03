package rules

import "nightshift/rules/market"

// RefundFacts is everything the refund rules may ask about a request to give
// money back for an order, as it stood when the refund would take effect.
type RefundFacts struct {
	Request      string `expr:"request" json:"request" yaml:"request" words:"unconditional negotiated failed granted return" means:"who asks, and how: the buyer alone within the first days; buyer and seller agreed; provisioning failed; operations grant it; hardware came back" zh:"退款申请方式"`
	OrderType    string `expr:"order_type" json:"order_type" yaml:"order_type" words:"new renewal change" means:"what kind of order it is" zh:"订单类型"`
	AccessType   string `expr:"access_type" json:"access_type" yaml:"access_type" words:"saas license image human_service consulting hardware container api agent ai_asset data_asset data_file orchestration content" means:"how the product reaches the buyer" zh:"商品接入类型"`
	DeliveryMode string `expr:"delivery_mode" json:"delivery_mode" yaml:"delivery_mode" words:"instant offline online_code identification_code package" means:"how it is handed over; empty where nothing was said" zh:"交付方式"`
	ChargeMode   string `expr:"charge_mode" json:"charge_mode" yaml:"charge_mode" words:"PERIOD ONE_TIME ON_DEMAND ON_DEMAND_PKG" means:"how it is charged" zh:"计费方式"`
	Seller       string `expr:"seller" json:"seller" yaml:"seller" means:"who sells, by code" zh:"商家编码"`
	Product      string `expr:"product" json:"product" yaml:"product" means:"what is sold, by code" zh:"商品编码"`

	Paid  market.Money `expr:"paid" json:"paid" yaml:"paid" means:"what was deducted for the order and not given back yet" zh:"已扣款且尚未退还的金额"`
	Asked market.Money `expr:"asked" json:"asked" yaml:"asked" means:"what is asked back" zh:"申请退还的金额"`

	ProvisionedFor market.Stopwatch `expr:"provisioned_for" json:"provisioned_for" yaml:"provisioned_for" means:"since the order took effect, until it was asked back; never where it has not" zh:"订单生效"`
	Supervised     bool             `expr:"supervised" json:"supervised" yaml:"supervised" means:"its delivery is or was under supervision" zh:"交付处于或曾处于担保交易中"`
	Completed      bool             `expr:"completed" json:"completed" yaml:"completed" means:"its supervision is completed" zh:"担保交易已完成"`
	Collected      bool             `expr:"collected" json:"collected" yaml:"collected" means:"the buyer has collected the authorisation code" zh:"用户已领取授权码"`
	Begun          bool             `expr:"begun" json:"begun" yaml:"begun" means:"the term that was paid for has begun" zh:"所付周期已开始"`
	Over           bool             `expr:"over" json:"over" yaml:"over" means:"the term that was paid for is over" zh:"所付周期已结束"`
	Trial          bool             `expr:"trial" json:"trial" yaml:"trial" means:"it is a trial: nothing was paid" zh:"试用订单，未付款"`
	ThisYear       int64            `expr:"this_year" json:"this_year" yaml:"this_year" means:"unconditional refunds the buyer had in the calendar year of the request" zh:"用户在申请当年已享无理由退款的次数"`
}

var refundsVocabulary = Vocabulary{
	Ruleset:   "refunds",
	Means:     "whether money is given back for an order",
	prototype: RefundFacts{},
	Outcomes: []Outcome{
		{Name: "refund", Means: "what is asked goes back to its sources, the last that paid first"},
		{Name: "refuse", Means: "nothing goes back; the reason is kept"},
	},
}
