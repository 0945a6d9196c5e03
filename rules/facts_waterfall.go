package rules

import "nightshift/rules/market"

// WaterfallFacts is everything the waterfall may ask: about a bill, and about
// one instrument of its buyer. It is asked of the discounts first, and of all
// other instruments once the price after the discount is known.
type WaterfallFacts struct {
	Bill         string       `expr:"bill" json:"bill" yaml:"bill" words:"order renewal on_demand" means:"what is paid: an order, a renewal, or use that was metered" zh:"付款对象"`
	OrderType    string       `expr:"order_type" json:"order_type" yaml:"order_type" words:"new renewal change" means:"what kind of order it is" zh:"订单类型"`
	AccessType   string       `expr:"access_type" json:"access_type" yaml:"access_type" words:"saas license image human_service consulting hardware container api agent ai_asset data_asset data_file orchestration content" means:"how the product reaches the buyer" zh:"商品接入类型"`
	ProductClass string       `expr:"product_class" json:"product_class" yaml:"product_class" words:"hardware software service" means:"the tax class of the product" zh:"商品税收分类"`
	ChargeMode   string       `expr:"charge_mode" json:"charge_mode" yaml:"charge_mode" words:"PERIOD ONE_TIME ON_DEMAND ON_DEMAND_PKG" means:"how it is charged" zh:"计费方式"`
	Seller       string       `expr:"seller" json:"seller" yaml:"seller" means:"who sells, by code" zh:"商家编码"`
	Product      string       `expr:"product" json:"product" yaml:"product" means:"what is sold, by code" zh:"商品编码"`
	Price        market.Money `expr:"price" json:"price" yaml:"price" means:"before any discount" zh:"优惠前价格"`
	Payable      market.Money `expr:"payable" json:"payable" yaml:"payable" means:"after the discount; before it is known, the price" zh:"优惠后应付金额"`

	ImagePart market.Money `expr:"image_part" json:"image_part" yaml:"image_part" means:"what of it the lines of images cost; all of it where no other goods are bought with them" zh:"其中镜像商品行的金额；未与其他商品同购时为全额"`

	OffShelf      bool  `expr:"off_shelf" json:"off_shelf" yaml:"off_shelf" means:"the product was taken off the shelf before the order was placed" zh:"下单前商品已下架"`
	CreditAllowed bool  `expr:"credit_allowed" json:"credit_allowed" yaml:"credit_allowed" means:"the product's switch for credit is on" zh:"商品允许使用信用额度"`
	OnAccount     bool  `expr:"on_account" json:"on_account" yaml:"on_account" means:"the buyer settles at the end of the month" zh:"用户为月结客户"`
	Automatic     bool  `expr:"automatic" json:"automatic" yaml:"automatic" means:"the buyer has named no instrument: the rules choose" zh:"用户未指定支付方式，由规则选择"`
	NamedVouchers int64 `expr:"named_vouchers" json:"named_vouchers" yaml:"named_vouchers" means:"how many vouchers the buyer has named for it" zh:"用户为其指定的代金券数量"`

	Instrument   string       `expr:"instrument" json:"instrument" yaml:"instrument" words:"discount voucher coupon card cash credit month_end arrears" means:"what it could be paid with" zh:"可用的支付方式"`
	DiscountKind string       `expr:"discount_kind" json:"discount_kind" yaml:"discount_kind" words:"commercial promotional coupon" means:"of a discount: where it comes from" zh:"折扣来源"`
	Balance      market.Money `expr:"balance" json:"balance" yaml:"balance" means:"what is left of the instrument" zh:"该支付方式的余额"`
	MinSpend     market.Money `expr:"min_spend" json:"min_spend" yaml:"min_spend" means:"what has to be paid at least for it to be used; 0: nothing" zh:"最低消费金额"`
	Named        bool         `expr:"named" json:"named" yaml:"named" means:"the buyer has named this instrument" zh:"用户指定了该支付方式"`
	Restricted   bool         `expr:"restricted" json:"restricted" yaml:"restricted" means:"it is good for some purchases only" zh:"仅适用于部分消费"`
	UsedBefore   bool         `expr:"used_before" json:"used_before" yaml:"used_before" means:"an earlier order of the same resource had this discount" zh:"同一资源的更早订单已享此折扣"`
	Begun        bool         `expr:"begun" json:"begun" yaml:"begun" means:"its validity had begun when what is paid was used" zh:"使用时已生效"`
	Over         bool         `expr:"over" json:"over" yaml:"over" means:"its validity was over when what is paid was used" zh:"使用时已失效"`

	NamesProduct   bool   `expr:"names_product" json:"names_product" yaml:"names_product" means:"the product is among those that it names" zh:"限定商品中包含该商品"`
	FitsProduct    bool   `expr:"fits_product" json:"fits_product" yaml:"fits_product" means:"it is good for the product" zh:"适用于该商品"`
	FitsChargeMode bool   `expr:"fits_charge_mode" json:"fits_charge_mode" yaml:"fits_charge_mode" means:"it is good for the charge mode" zh:"适用于该计费方式"`
	FitsOrderType  bool   `expr:"fits_order_type" json:"fits_order_type" yaml:"fits_order_type" means:"it is good for the type of order" zh:"适用于该订单类型"`
	FitsModel      bool   `expr:"fits_model" json:"fits_model" yaml:"fits_model" means:"it is good for goods that are sold this way, alone or jointly" zh:"适用于该商品的销售模式"`
	FitsTerm       bool   `expr:"fits_term" json:"fits_term" yaml:"fits_term" means:"it is good for the term that is bought" zh:"适用于该购买时长"`
	BarredByPrice  bool   `expr:"barred_by_price" json:"barred_by_price" yaml:"barred_by_price" means:"it cannot be combined with the discount that was given" zh:"不能与已享折扣叠加"`
	Issuer         string `expr:"issuer" json:"issuer" yaml:"issuer" means:"the seller who gave it, by code; empty for the platform" zh:"发放它的商家编码"`
}

// The ways in which instruments of one step can follow each other.
const (
	RestrictedFirst = "restricted"       // those that are good for some purchases only
	EarliestExpiry  = "earliest_expiry"  // those without an end come last
	SmallestBalance = "smallest_balance" // of what is left
	LargestBalance  = "largest_balance"
	LowestPrice     = "lowest_price" // of discounts: what is left to pay
	CommercialFirst = "commercial"   // of discounts: those of a contract
)

var waterfallVocabulary = Vocabulary{
	Ruleset:   "waterfall",
	Means:     "what a bill is paid with, and in which order",
	prototype: WaterfallFacts{},
	Outcomes: []Outcome{
		{Name: "use", Means: "it pays what it can when its turn comes", Carries: []Carried{
			{Name: "step", Kind: KindInt, Means: "when its turn comes: the lowest step first; the discount is chosen before all steps"},
			{Name: "order", Kind: KindList, Words: []string{RestrictedFirst, EarliestExpiry, SmallestBalance, LargestBalance, LowestPrice, CommercialFirst},
				Means: "which of the step comes first, by one after the other of these; by code in the end"},
			{Name: "at_most", Kind: KindInt, Means: "how many of the step are used; 0: as many as are needed"},
			{Name: "limit", Kind: KindMoney, Means: "how much of the bill those of the step pay together; left out: all of it"},
		}},
		{Name: "refuse", Means: "it pays nothing; the reason is kept with the payment"},
		{Name: "forbid", Means: "the bill is not paid at all, whatever else there is"},
	},
}
