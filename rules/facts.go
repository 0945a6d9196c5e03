package rules

import "nightshift/rules/market"

// AcceptanceFacts is everything the acceptance and the reminder rules may ask
// about the delivery of one order, as it stood at the as-of. Adding a field
// widens what rule authors can say; removing one breaks them.
//
// A run walks a delivery through its instants: whenever something recorded
// happened, the facts are made anew as they stood then, and in between the
// stopwatches say when an answer turns. What a person did before a clock ran
// out therefore counts, and what was done after it comes too late, however late
// the run is. A clock that "stops" stands still while an appeal is open.
type AcceptanceFacts struct {
	Buyer   string `expr:"buyer" json:"buyer" yaml:"buyer" means:"who buys, by its code" zh:"买家编码"`
	Seller  string `expr:"seller" json:"seller" yaml:"seller" means:"who sells, by its code; empty where nothing was said" zh:"商家编码"`
	Product string `expr:"product" json:"product" yaml:"product" means:"what is sold, by its code; empty where nothing was said" zh:"商品编码"`

	OrderType    string `expr:"order_type" json:"order_type" yaml:"order_type" words:"new renewal change" means:"what kind of order it is" zh:"订单类型"`
	AccessType   string `expr:"access_type" json:"access_type" yaml:"access_type" words:"saas license image human_service consulting hardware container api agent ai_asset data_asset data_file orchestration content" means:"how the product reaches the buyer" zh:"商品接入类型"`
	DeliveryMode string `expr:"delivery_mode" json:"delivery_mode" yaml:"delivery_mode" words:"instant offline online_code identification_code package" means:"how it is handed over; empty where nothing was said" zh:"交付方式"`
	ChargeMode   string `expr:"charge_mode" json:"charge_mode" yaml:"charge_mode" words:"PERIOD ONE_TIME ON_DEMAND ON_DEMAND_PKG" means:"how it is charged" zh:"计费方式"`
	Track        string `expr:"track" json:"track" yaml:"track" words:"empowerment base" means:"whose acceptance standard holds; empty: the seller's own" zh:"适用的验收标准（空：商家自己的标准）"`

	Cancelled bool         `expr:"cancelled" json:"cancelled" yaml:"cancelled" means:"the order was cancelled" zh:"订单已取消"`
	Invoiced  bool         `expr:"invoiced" json:"invoiced" yaml:"invoiced" means:"the buyer holds an invoice" zh:"已向用户开具发票"`
	Amount    market.Money `expr:"amount" json:"amount" yaml:"amount" means:"what the order costs" zh:"订单金额"`

	PlacedFor     market.Stopwatch `expr:"placed_for" json:"placed_for" yaml:"placed_for" means:"since the order was placed" zh:"下单"`
	PaidFor       market.Stopwatch `expr:"paid_for" json:"paid_for" yaml:"paid_for" means:"since the order was paid" zh:"支付"`
	SupervisedFor market.Stopwatch `expr:"supervised_for" json:"supervised_for" yaml:"supervised_for" means:"since the order was placed; stops" zh:"下单（申诉期间停表）"`

	DeliveredFor market.Stopwatch `expr:"delivered_for" json:"delivered_for" yaml:"delivered_for" means:"since the seller confirmed the newest delivery; stops" zh:"商家确认最近一次交付"`
	ShippedFor   market.Stopwatch `expr:"shipped_for" json:"shipped_for" yaml:"shipped_for" means:"since the newest parcel was shipped" zh:"最近一个包裹发货"`
	SignedFor    market.Stopwatch `expr:"signed_for" json:"signed_for" yaml:"signed_for" means:"since the courier reported the newest parcel signed; stops" zh:"快递报告最近一个包裹已签收"`
	PhoneMatches bool             `expr:"phone_matches" json:"phone_matches" yaml:"phone_matches" means:"the phone of the tracking record is the one the buyer gave, or one of them is not known" zh:"物流记录中的电话与用户填写的一致，或其中之一未知"`

	CollectedFor     market.Stopwatch `expr:"collected_for" json:"collected_for" yaml:"collected_for" means:"since the buyer collected the code" zh:"用户领取授权码"`
	ActivatedFor     market.Stopwatch `expr:"activated_for" json:"activated_for" yaml:"activated_for" means:"since the online code was activated; stops" zh:"在线授权码激活"`
	ProofFor         market.Stopwatch `expr:"proof_for" json:"proof_for" yaml:"proof_for" means:"since the seller uploaded the delivery proof; stops" zh:"商家上传交付凭证"`
	ReviewedFor      market.Stopwatch `expr:"reviewed_for" json:"reviewed_for" yaml:"reviewed_for" means:"since the platform's reviewer passed the newest delivery; stops" zh:"平台审核通过最近一次交付"`
	BuyerAcceptedFor market.Stopwatch `expr:"buyer_accepted_for" json:"buyer_accepted_for" yaml:"buyer_accepted_for" means:"since the buyer accepted by hand" zh:"用户手动验收"`
	SentBackFor      market.Stopwatch `expr:"sent_back_for" json:"sent_back_for" yaml:"sent_back_for" means:"since the buyer or the platform sent the newest delivery back to the seller; never while a newer one has come" zh:"用户或平台将最近一次交付退回商家"`

	AppealOpenFor     market.Stopwatch `expr:"appeal_open_for" json:"appeal_open_for" yaml:"appeal_open_for" means:"since the appeal that is open was raised; never while none is" zh:"提出未决申诉"`
	AppealWorkingFor  market.Stopwatch `expr:"appeal_working_for" json:"appeal_working_for" yaml:"appeal_working_for" means:"since the end of the day on which the open appeal was raised, on working days only; never while none is open or the site has no calendar" zh:"提出未决申诉当日结束（仅计工作日）"`
	AppealAcceptedFor market.Stopwatch `expr:"appeal_accepted_for" json:"appeal_accepted_for" yaml:"appeal_accepted_for" means:"since the platform decided an appeal with accept" zh:"平台裁定申诉：验收"`
	AppealRefundedFor market.Stopwatch `expr:"appeal_refunded_for" json:"appeal_refunded_for" yaml:"appeal_refunded_for" means:"since the platform decided an appeal with refund" zh:"平台裁定申诉：退款"`
}

var waitsFor = Carried{Name: "waits_for", Kind: KindText, Words: []string{"buyer", "seller", "platform", "courier"}, Means: "who has to act next"}

// vocabularies are the rulesets there are: what each may ask and answer.
var vocabularies = []Vocabulary{
	{
		Ruleset:   "acceptance",
		Means:     "what becomes of a delivery under supervision",
		Alone:     true,
		placed:    "placed_for",
		prototype: AcceptanceFacts{},
		Outcomes: []Outcome{
			{Name: "accept", Means: "the delivery is accepted at the due instant"},
			{Name: "refund", Means: "the order is closed and the money goes back"},
			{Name: "wait", Means: "asked again when the answer can change", Carries: []Carried{waitsFor}},
			{Name: "hold", Means: "a person decides", Carries: []Carried{waitsFor}},
			{Name: "unsupervised", Means: "there is nothing to watch; final"},
		},
	},
	{
		Ruleset:   "reminders",
		Means:     "who is reminded of a delivery that nobody has accepted",
		Alone:     true,
		placed:    "placed_for",
		prototype: AcceptanceFacts{},
		Outcomes: []Outcome{
			{Name: "remind", Means: "notices are sent, each once", Carries: []Carried{
				{Name: "notices", Kind: KindList, Means: "the kinds of notice"},
				{Name: "recipients", Kind: KindList, Words: parties, Means: "who receives them"},
			}},
			{Name: "quiet", Means: "nothing to say"},
		},
	},
	waterfallVocabulary,
	paymentVocabulary,
	roundingVocabulary,
	arrearsVocabulary,
	monthEndVocabulary,
	refundsVocabulary,
	returnsVocabulary,
	usageVocabulary,
	repurchaseVocabulary,
	payoutVocabulary,
	renewalVocabularies[0],
	renewalVocabularies[1],
	renewalVocabularies[2],
	settlementVocabularies[0],
	settlementVocabularies[1],
	settlementVocabularies[2],
	settlementVocabularies[3],
	settlementVocabularies[4],
	settlementVocabularies[5],
	settlementVocabularies[6],
	periodsVocabulary,
	policyVocabulary,
	upgradeVocabulary,
	openingsVocabulary,
	listingsVocabulary,
	leadsVocabulary,
	offersVocabulary,
}
