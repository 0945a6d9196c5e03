package rules

import "nightshift/rules/market"

// SettlementFacts is everything the rules of settlement and of its deciding
// instant may ask about one thing that a seller earned or gives back, as it stood
// at the end of a period.
type SettlementFacts struct {
	Site         string `expr:"site" json:"site" yaml:"site" means:"the marketplace, such as cn" zh:"站点"`
	Kind         string `expr:"kind" json:"kind" yaml:"kind" words:"order renewal use charge partner refund adjustment opening" means:"what it is: an order or a line of one, a renewed term, metered use, a charge that came priced, a partner's part of an order, money given back, an amount agreed after a dispute, an amount open at the cutover" zh:"交易种类"`
	OrderType    string `expr:"order_type" json:"order_type" yaml:"order_type" words:"new renewal change" means:"what kind of order it is" zh:"订单类型"`
	AccessType   string `expr:"access_type" json:"access_type" yaml:"access_type" words:"saas license image human_service consulting hardware container api agent ai_asset data_asset data_file orchestration content" means:"how the product reaches the buyer" zh:"商品接入类型"`
	DeliveryMode string `expr:"delivery_mode" json:"delivery_mode" yaml:"delivery_mode" words:"instant offline online_code identification_code package" means:"how it is handed over; empty where nothing was said" zh:"交付方式"`
	ChargeMode   string `expr:"charge_mode" json:"charge_mode" yaml:"charge_mode" words:"PERIOD ONE_TIME ON_DEMAND ON_DEMAND_PKG" means:"how it is charged" zh:"计费方式"`
	ProductClass string `expr:"product_class" json:"product_class" yaml:"product_class" words:"hardware software service" means:"the tax class of the product; empty where nobody said" zh:"商品税收分类"`
	Model        string `expr:"model" json:"model" yaml:"model" words:"common joint_deal joint_floor" means:"how the product is sold: by the seller, or jointly, shared by deal price or by floor price" zh:"商品销售模式"`
	Seller       string `expr:"seller" json:"seller" yaml:"seller" means:"who earns it, by code" zh:"商家编码"`
	Product      string `expr:"product" json:"product" yaml:"product" means:"what is sold, by code" zh:"商品编码"`

	CertifiedFor   market.Stopwatch `expr:"certified_for" json:"certified_for" yaml:"certified_for" means:"since the platform certified the seller; never where it has not" zh:"商家通过认证"`
	PaidFor        market.Stopwatch `expr:"paid_for" json:"paid_for" yaml:"paid_for" means:"since it was paid; of use, since it was consumed; of a refund, since the money went back" zh:"支付"`
	Borrowed       bool             `expr:"borrowed" json:"borrowed" yaml:"borrowed" means:"it was paid on credit or on account, or stayed owed" zh:"以信用额度、月结或欠费方式支付"`
	RepaidFor      market.Stopwatch `expr:"repaid_for" json:"repaid_for" yaml:"repaid_for" means:"since all that was borrowed in the billing month of what it was paid with was repaid; of arrears, since they were paid" zh:"所属账期已全额还款"`
	Supervised     bool             `expr:"supervised" json:"supervised" yaml:"supervised" means:"its delivery is or was under supervision" zh:"交付处于或曾处于担保交易中"`
	CompletedFor   market.Stopwatch `expr:"completed_for" json:"completed_for" yaml:"completed_for" means:"since its supervision was completed" zh:"担保交易完成"`
	ProvisionedFor market.Stopwatch `expr:"provisioned_for" json:"provisioned_for" yaml:"provisioned_for" means:"since it was provisioned" zh:"开通成功"`
	EffectiveFor   market.Stopwatch `expr:"effective_for" json:"effective_for" yaml:"effective_for" means:"since what was bought took effect; of a renewal, since the renewed term began; it may lie ahead" zh:"生效"`
}

// FeeFacts is everything the fee, tier and tax rules may ask about what is to be
// settled.
type FeeFacts struct {
	Site         string `expr:"site" json:"site" yaml:"site" means:"the marketplace, such as cn" zh:"站点"`
	Kind         string `expr:"kind" json:"kind" yaml:"kind" words:"order renewal use charge partner" means:"what it is" zh:"交易种类"`
	OrderType    string `expr:"order_type" json:"order_type" yaml:"order_type" words:"new renewal change" means:"what kind of order it is" zh:"订单类型"`
	AccessType   string `expr:"access_type" json:"access_type" yaml:"access_type" words:"saas license image human_service consulting hardware container api agent ai_asset data_asset data_file orchestration content" means:"how the product reaches the buyer" zh:"商品接入类型"`
	ChargeMode   string `expr:"charge_mode" json:"charge_mode" yaml:"charge_mode" words:"PERIOD ONE_TIME ON_DEMAND ON_DEMAND_PKG" means:"how it is charged" zh:"计费方式"`
	ProductClass string `expr:"product_class" json:"product_class" yaml:"product_class" words:"hardware software service" means:"the tax class of the product" zh:"商品税收分类"`
	Model        string `expr:"model" json:"model" yaml:"model" words:"common joint_deal joint_floor" means:"how the product is sold: by the seller, or jointly, shared by deal price or by floor price" zh:"商品销售模式"`
	Seller       string `expr:"seller" json:"seller" yaml:"seller" means:"who earns it, by code" zh:"商家编码"`
	Country      string `expr:"country" json:"country" yaml:"country" means:"the seller's country, such as SG; empty where nobody said" zh:"商家所在国家"`
	Product      string `expr:"product" json:"product" yaml:"product" means:"what is sold, by code" zh:"商品编码"`

	Agreed       bool             `expr:"agreed" json:"agreed" yaml:"agreed" means:"a fee was agreed for the product" zh:"商品有约定的平台费率"`
	AgreedFee    market.Decimal   `expr:"agreed_fee" json:"agreed_fee" yaml:"agreed_fee" means:"the fee that was agreed; 0.08 is 8 percent" zh:"约定的平台费率"`
	EffectiveFor market.Stopwatch `expr:"effective_for" json:"effective_for" yaml:"effective_for" means:"since what was bought was paid and valid, whether supervision was finished or not; of a renewal, since the renewed term began" zh:"已支付并生效"`

	Fee          market.Decimal `expr:"fee" json:"fee" yaml:"fee" means:"the fee that the fee rules answered" zh:"平台费率"`
	ProductTotal market.Money   `expr:"product_total" json:"product_total" yaml:"product_total" means:"what was paid for the product in the calendar month in which this was paid, less what was given back in it" zh:"该商品当月实付总额"`
	ClassTotal   market.Money   `expr:"class_total" json:"class_total" yaml:"class_total" means:"the same for all of the seller's products of its class" zh:"该商家同类商品当月实付总额"`
	Billable     market.Money   `expr:"billable" json:"billable" yaml:"billable" means:"what is billable of it" zh:"可出账金额"`
}

// MinimumFacts is everything the minimum rules may ask about what is billable of a
// seller's products of one class.
type MinimumFacts struct {
	Site         string       `expr:"site" json:"site" yaml:"site" means:"the marketplace, such as cn" zh:"站点"`
	Seller       string       `expr:"seller" json:"seller" yaml:"seller" means:"who earns it, by code" zh:"商家编码"`
	Country      string       `expr:"country" json:"country" yaml:"country" means:"the seller's country; empty where nobody said" zh:"商家所在国家"`
	ProductClass string       `expr:"product_class" json:"product_class" yaml:"product_class" words:"hardware software service" means:"the tax class of the products" zh:"商品税收分类"`
	Billable     market.Money `expr:"billable" json:"billable" yaml:"billable" means:"all that is billable of the class before the fee: of the period, refunds, and what waited" zh:"该类商品可出账总额（扣费前）"`
}

// SettlementCalendarFacts is everything the calendar of settlement may ask.
type SettlementCalendarFacts struct {
	Site  string `expr:"site" json:"site" yaml:"site" means:"the marketplace, such as cn" zh:"站点"`
	Model string `expr:"model" json:"model" yaml:"model" words:"common joint_deal joint_floor" means:"how the products of the bill are sold; empty where that does not matter" zh:"商品销售模式"`
}

// What a bill day that is not worked becomes.
const (
	BillDayShifts = "next working day"
	BillDayStays  = "stay"
)

// instantWords are the instants that can decide the period of an earning.
var instantWords = []string{"provisioned", "completed", "effective", "used", "paid", "given_back", "agreed"}

var settlementVocabularies = []Vocabulary{
	{
		Ruleset:   "settlement",
		Means:     "whether what a seller earned is settled, or what it waits for",
		Several:   true,
		prototype: SettlementFacts{},
		Outcomes: []Outcome{
			{Name: "settle", Means: "all conditions hold"},
			{Name: "wait", Means: "a condition does not hold yet", Carries: []Carried{
				{Name: "condition", Kind: KindText, Words: []string{market.ConditionCertified, market.ConditionPaid, market.ConditionAccepted, market.ConditionEffective}, Means: "which"},
			}},
			{Name: "hold", Means: "something is wrong with it, and a person has to mend it"},
		},
	},
	{
		Ruleset:   "settlement_instant",
		Means:     "which instant decides the period of what a seller earned",
		prototype: SettlementFacts{},
		Outcomes: []Outcome{
			{Name: "decides", Means: "its month is the period", Carries: []Carried{{Name: "by", Kind: KindText, Words: instantWords, Means: "the instant"}}},
		},
	},
	{
		Ruleset:   "fees",
		Means:     "how much of a payment is the seller's",
		placed:    "effective_for",
		prototype: FeeFacts{},
		Outcomes: []Outcome{
			{Name: "commission", Means: "the platform keeps a fee of what is billable", Carries: []Carried{{Name: "fee", Kind: KindDecimal, Means: "0.05 is 5 percent"}}},
			{Name: "deal_price", Means: "the seller gets the partner's share of the deal price, less the tax in it"},
			{Name: "floor_price", Means: "the seller gets the partner's share of the floor price, less the tax in it"},
			{Name: "cash_share", Means: "a partner gets its share of the cash part"},
		},
	},
	{
		Ruleset:   "tiers",
		Means:     "what is added to the seller's share for a large month",
		placed:    "effective_for",
		prototype: FeeFacts{},
		Outcomes: []Outcome{
			{Name: "extra", Means: "it is added to the share of the whole amount", Carries: []Carried{{Name: "rate", Kind: KindDecimal, Means: "0.01 is one percent"}}},
		},
	},
	{
		Ruleset:   "settlement_taxes",
		Means:     "which taxes of the seller are kept back",
		prototype: FeeFacts{},
		Outcomes: []Outcome{
			{Name: "tax", Means: "parts of what is billable less what the customer kept back", Carries: []Carried{
				{Name: "wht", Kind: KindDecimal, Means: "withholding tax; 0.1 is 10 percent"},
				{Name: "dst", Kind: KindDecimal, Means: "digital services tax"},
			}},
		},
	},
	{
		Ruleset:   "minimum",
		Means:     "whether what is billable of a product class is enough for a bill",
		prototype: MinimumFacts{},
		Outcomes: []Outcome{
			{Name: "settle", Means: "it is billed"},
			{Name: "wait", Means: "it adds up until it is enough"},
		},
	},
	{
		Ruleset:   "settlement_calendar",
		Means:     "when a month is settled, and how long each step takes",
		prototype: SettlementCalendarFacts{},
		Outcomes: []Outcome{
			{Name: "generate", Means: "the bills of the month before are made", Carries: []Carried{
				{Name: "day", Kind: KindInt, Means: "on which day of the month"},
				{Name: "shift", Kind: KindText, Words: []string{BillDayShifts, BillDayStays}, Means: "what becomes of a day that is not worked"},
				{Name: "review", Kind: KindInt, Means: "working days for the review, before it is sent to the seller"},
				{Name: "confirm", Kind: KindBool, Means: "whether the seller has to confirm it before it is countersigned"},
				{Name: "countersign", Kind: KindInt, Means: "working days for countersigning"},
				{Name: "pay", Kind: KindInt, Means: "working days for the payment"},
			}},
		},
	},
}
