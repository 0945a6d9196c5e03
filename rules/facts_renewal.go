package rules

import "nightshift/rules/market"

// RenewalFacts is everything the rules of renewals and of expiries may ask about
// a subscription, as it stood in a night. Days are those of the calendar of the
// site; what lies before the end of a term runs by them, what comes after it by
// the clock.
type RenewalFacts struct {
	Site       string           `expr:"site" json:"site" yaml:"site" means:"the marketplace, such as cn" zh:"站点"`
	AccessType string           `expr:"access_type" json:"access_type" yaml:"access_type" words:"saas license image human_service consulting hardware container api agent ai_asset data_asset data_file orchestration content" means:"how the product reaches the buyer" zh:"商品接入类型"`
	Level      string           `expr:"level" json:"level" yaml:"level" means:"the buyer's level with the platform" zh:"客户等级"`
	GraceDays  int64            `expr:"grace_days" json:"grace_days" yaml:"grace_days" means:"days of grace of a buyer of that level, by the ruleset periods" zh:"该等级的宽限期天数"`
	KeptDays   int64            `expr:"retention_days" json:"retention_days" yaml:"retention_days" means:"days of retention after the grace, by the ruleset periods" zh:"该等级的保留期天数"`
	Seller     string           `expr:"seller" json:"seller" yaml:"seller" means:"who sells, by code" zh:"商家"`
	Product    string           `expr:"product" json:"product" yaml:"product" means:"what is sold, by code" zh:"商品"`
	Policy     string           `expr:"policy" json:"policy" yaml:"policy" words:"auto manual expire" means:"what the buyer wants at the end of a term; manual once all renewals that were asked for are used up" zh:"到期策略"`
	Unwanted   bool             `expr:"taken_back" json:"taken_back" yaml:"taken_back" means:"the buyer took back the renewal that follows this term, and has said nothing else since" zh:"用户已退订本期之后的续费且此后未另行设置"`
	Trial      bool             `expr:"trial" json:"trial" yaml:"trial" means:"it is on trial" zh:"试用"`
	ChargeDay  int64            `expr:"charge_day" json:"charge_day" yaml:"charge_day" means:"how many days before the end of a term the buyer wants to pay; 0: the buyer did not say" zh:"用户设定的扣款日（到期前天数）"`
	DaysLeft   int64            `expr:"days_left" json:"days_left" yaml:"days_left" means:"calendar days to the date on which the term ends; below 0 after it" zh:"距到期日的自然日数"`
	ExpiredFor market.Stopwatch `expr:"expired_for" json:"expired_for" yaml:"expired_for" means:"since the end of the term" zh:"已到期"`
	Price      market.Money     `expr:"price" json:"price" yaml:"price" means:"of the next term before any discount, as it was fixed by the first attempt" zh:"下一周期折扣前的价格"`
	Priced     bool             `expr:"priced" json:"priced" yaml:"priced" means:"the price of the next term is known" zh:"已知下一周期的价格"`
	Paid       bool             `expr:"paid" json:"paid" yaml:"paid" means:"the payment that is tried covers the next term in full" zh:"本次支付可全额付清"`
	Shortfall  market.Money     `expr:"shortfall" json:"shortfall" yaml:"shortfall" means:"what the payment that was tried could not cover" zh:"本次支付的差额"`

	State      string `expr:"state" json:"state" yaml:"state" words:"wait lapse freeze release" means:"what the rules of expiries answered: the term runs, it lapsed, it is frozen, it is released" zh:"到期状态"`
	DaysToTurn int64  `expr:"days_to_turn" json:"days_to_turn" yaml:"days_to_turn" means:"calendar days to the date on which that changes by itself; below 0 where it does not" zh:"距状态自动变化的自然日数"`
	Failed     bool   `expr:"failed" json:"failed" yaml:"failed" means:"the last attempt to renew it could not be paid" zh:"上次自动续费扣款失败"`
}

var renewalVocabularies = []Vocabulary{
	{
		Ruleset:   "renewal",
		Means:     "whether a subscription is renewed by itself in a night",
		prototype: RenewalFacts{},
		Outcomes: []Outcome{
			{Name: "renew", Means: "the next term is paid and added to those before"},
			{Name: "retry", Means: "it could not be paid, and is tried again the next night"},
			{Name: "cancel", Means: "it is not tried any more"},
			{Name: "hold", Means: "it is due, and cannot be tried: somebody has to act first"},
			{Name: "wait", Means: "nothing is tried in this night"},
		},
	},
	{
		Ruleset:   "expiry",
		Means:     "what becomes of a subscription whose term is over",
		prototype: RenewalFacts{},
		Outcomes: []Outcome{
			{Name: "wait", Means: "the term runs"},
			{Name: "lapse", Means: "the term is over, and everything can be used on"},
			{Name: "freeze", Means: "nothing can be used; data are kept"},
			{Name: "release", Means: "the resource is given up, and the data with it; final"},
		},
	},
	{
		Ruleset:   "renewal_reminders",
		Means:     "who is reminded that a term ends, or that it could not be paid",
		prototype: RenewalFacts{},
		Outcomes: []Outcome{
			{Name: "remind", Means: "the buyer is told, once on a date", Carries: []Carried{
				{Name: "notice", Kind: KindText, Words: []string{"expires", "trial_ends", "renewal_failed"}, Means: "what is told"},
				{Name: "hour", Kind: KindInt, Means: "at which hour of the date"},
			}},
			{Name: "quiet", Means: "nothing to say"},
		},
	},
}

// PeriodsFacts is everything the rules of periods may ask about a buyer.
type PeriodsFacts struct {
	Site  string `expr:"site" json:"site" yaml:"site" means:"the marketplace, such as cn" zh:"站点"`
	Level string `expr:"level" json:"level" yaml:"level" means:"the buyer's level with the platform; empty where nobody reported one" zh:"客户等级（空：未报告）"`
}

var periodsVocabulary = Vocabulary{
	Ruleset:   "periods",
	Means:     "for how long what is not paid can be used, and is kept: of subscriptions and of what is owed for use",
	prototype: PeriodsFacts{},
	Outcomes: []Outcome{
		{Name: "known", Means: "the level has these periods", Carries: []Carried{
			{Name: "grace", Kind: KindInt, Means: "days in which everything goes on"},
			{Name: "retention", Kind: KindInt, Means: "days after them in which it is frozen and kept"},
		}},
		{Name: "unknown", Means: "there is no such level: the buyer is set aside"},
	},
}

// PolicyFacts is everything the rules may ask about a buyer's wish to change
// what becomes of a subscription at the end of its term, at the instant of it.
type PolicyFacts struct {
	Site        string           `expr:"site" json:"site" yaml:"site" means:"the marketplace, such as cn" zh:"站点"`
	AccessType  string           `expr:"access_type" json:"access_type" yaml:"access_type" words:"saas license image human_service consulting hardware container api agent ai_asset data_asset data_file orchestration content" means:"how the product reaches the buyer" zh:"商品接入类型"`
	Seller      string           `expr:"seller" json:"seller" yaml:"seller" means:"who sells, by code" zh:"商家"`
	Product     string           `expr:"product" json:"product" yaml:"product" means:"what is sold, by code" zh:"商品"`
	Before      string           `expr:"before" json:"before" yaml:"before" words:"auto manual expire" means:"what held before" zh:"修改前的到期策略"`
	Policy      string           `expr:"policy" json:"policy" yaml:"policy" words:"auto manual expire" means:"what the buyer wants" zh:"用户要求的到期策略"`
	ChargeDay   int64            `expr:"charge_day" json:"charge_day" yaml:"charge_day" means:"how many days before the end of a term the buyer wants to pay; 0: the buyer did not say" zh:"用户要求的扣款日（到期前天数）"`
	Trial       bool             `expr:"trial" json:"trial" yaml:"trial" means:"it is on trial" zh:"试用"`
	State       string           `expr:"state" json:"state" yaml:"state" words:"wait lapse freeze release" means:"the term runs, it lapsed, it is frozen, it is released" zh:"到期状态"`
	DelistedFor market.Stopwatch `expr:"delisted_for" json:"delisted_for" yaml:"delisted_for" means:"since the product was taken off the shelf; never while it is on it" zh:"商品下架"`
}

var policyVocabulary = Vocabulary{
	Ruleset:   "renewal_policy",
	Means:     "whether a buyer may change what becomes of a subscription at the end of its term",
	prototype: PolicyFacts{},
	Outcomes: []Outcome{
		{Name: "change", Means: "it holds from the instant of the change on"},
		{Name: "refuse", Means: "what held before goes on; the reason is kept"},
	},
}
