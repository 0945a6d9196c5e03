package rules

import "nightshift/rules/market"

// ReturnsFacts is everything the rules of returns may ask about hardware that a
// buyer sends back. An appeal stops the clocks of both sides.
type ReturnsFacts struct {
	Seller  string       `expr:"seller" json:"seller" yaml:"seller" means:"who sold it, by code" zh:"商家编码"`
	Product string       `expr:"product" json:"product" yaml:"product" means:"what was sold, by code" zh:"商品编码"`
	Amount  market.Money `expr:"amount" json:"amount" yaml:"amount" means:"what the order cost" zh:"订单金额"`

	ApprovedFor market.Stopwatch `expr:"approved_for" json:"approved_for" yaml:"approved_for" means:"since the seller approved that it is sent back, appeals apart; never while that is open" zh:"商家同意退货（申诉期间不计）"`
	SentFor     market.Stopwatch `expr:"sent_for" json:"sent_for" yaml:"sent_for" means:"since the buyer entered the logistics of the return, appeals apart" zh:"用户填写退货物流（申诉期间不计）"`
	TakenFor    market.Stopwatch `expr:"taken_for" json:"taken_for" yaml:"taken_for" means:"since the seller accepted what came back" zh:"商家确认收到退货"`
	ObjectedFor market.Stopwatch `expr:"objected_for" json:"objected_for" yaml:"objected_for" means:"since the seller objected to what came back" zh:"商家对退货提出异议"`

	Appealed    bool             `expr:"appealed" json:"appealed" yaml:"appealed" means:"an appeal is open: the clocks stand still" zh:"申诉处理中，计时暂停"`
	RefundedFor market.Stopwatch `expr:"refunded_for" json:"refunded_for" yaml:"refunded_for" means:"since the platform decided an appeal for the refund" zh:"平台申诉裁定退款"`
	KeptFor     market.Stopwatch `expr:"kept_for" json:"kept_for" yaml:"kept_for" means:"since the platform decided an appeal for the seller: the sale stands" zh:"平台申诉裁定维持交易"`
}

var returnsVocabulary = Vocabulary{
	Ruleset:   "returns",
	Means:     "what becomes of hardware that a buyer sends back",
	prototype: ReturnsFacts{},
	Outcomes: []Outcome{
		{Name: "refund", Means: "the money goes back at the due instant, as the rules of refunds let it"},
		{Name: "withdraw", Means: "the request counts as withdrawn; final"},
		{Name: "refuse", Means: "the sale stands; final"},
		{Name: "hold", Means: "a person decides"},
		{Name: "wait", Means: "somebody has time left to act"},
	},
}
