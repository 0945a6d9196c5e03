package rules

import "nightshift/rules/market"

// OpeningsFacts is everything the rules of openings may ask about an order that
// its seller has to open through his interface, as it stood at an instant.
type OpeningsFacts struct {
	Seller     string       `expr:"seller" json:"seller" yaml:"seller" means:"who sells, by code" zh:"商家编码"`
	Product    string       `expr:"product" json:"product" yaml:"product" means:"what is sold, by code" zh:"商品编码"`
	OrderType  string       `expr:"order_type" json:"order_type" yaml:"order_type" words:"new renewal change" means:"what kind of order it is" zh:"订单类型"`
	AccessType string       `expr:"access_type" json:"access_type" yaml:"access_type" words:"saas license image human_service consulting hardware container api agent ai_asset data_asset data_file orchestration content" means:"how the product reaches the buyer" zh:"商品接入类型"`
	ChargeMode string       `expr:"charge_mode" json:"charge_mode" yaml:"charge_mode" words:"PERIOD ONE_TIME ON_DEMAND ON_DEMAND_PKG" means:"how it is charged" zh:"计费方式"`
	Amount     market.Money `expr:"amount" json:"amount" yaml:"amount" means:"what the order costs" zh:"订单金额"`

	Ended      bool             `expr:"ended" json:"ended" yaml:"ended" means:"the order was cancelled, or its delivery accepted or refunded" zh:"订单已取消、已验收或已退款"`
	Answer     string           `expr:"answer" json:"answer" yaml:"answer" words:"opened in_progress failed" means:"what became of the last call that was to open it; empty where none was made" zh:"最近一次开通调用的结果"`
	Code       string           `expr:"code" json:"code" yaml:"code" means:"the code of that answer; empty where none came" zh:"该次调用的返回码"`
	Failures   int64            `expr:"failures" json:"failures" yaml:"failures" means:"calls one after the other, up to the last, that failed to open it" zh:"连续开通失败的次数"`
	InProgress int64            `expr:"in_progress" json:"in_progress" yaml:"in_progress" means:"answers that said that it is in progress" zh:"返回处理中的次数"`
	FailingFor market.Stopwatch `expr:"failing_for" json:"failing_for" yaml:"failing_for" means:"since the first of the calls one after the other that failed" zh:"首次开通失败"`
	CalledFor  market.Stopwatch `expr:"called_for" json:"called_for" yaml:"called_for" means:"since the last call" zh:"最近一次调用"`
	FailedFor  market.Stopwatch `expr:"failed_for" json:"failed_for" yaml:"failed_for" means:"since the order had failed; only calls that opened it count after that" zh:"订单开通失败"`
}

var openingsVocabulary = Vocabulary{
	Ruleset:   "openings",
	Means:     "whether what was paid is opened through the interface of its seller",
	prototype: OpeningsFacts{},
	Outcomes: []Outcome{
		{Name: "opened", Means: "the seller opened it; final"},
		{Name: "query", Means: "the seller is asked what became of it", Carries: []Carried{{Name: "time", Kind: KindInt, Means: "which answer it is that says so: another one is asked about again"}}},
		{Name: "failing", Means: "the seller is told that it failed, and it is tried again", Carries: []Carried{
			{Name: "time", Kind: KindInt, Means: "which failure it is: each is told once"},
			{Name: "recipients", Kind: KindList, Words: parties, Means: "who hears of it"},
		}},
		{Name: "failed", Means: "the order has failed at the due instant, and all that was paid goes back", Carries: []Carried{{Name: "recipients", Kind: KindList, Words: parties, Means: "who hears of the last failure"}}},
		{Name: "opened_late", Means: "the seller opened what had failed and was paid back, so a person is needed", Carries: []Carried{{Name: "recipients", Kind: KindList, Words: parties, Means: "who hears of it"}}},
		{Name: "ended", Means: "there is nothing to open any more; final"},
		{Name: "wait", Means: "asked again when something is reported"},
	},
}

// parties are those who receive notices.
var parties = []string{"seller", "buyer", "account_manager", "platform"}
