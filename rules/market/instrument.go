package market

import "time"

// Kinds of instruments: what a bill is paid with.
const (
	Discount = "discount"  // lowers the price; it is no money
	Voucher  = "voucher"   // 代金券
	Coupon   = "coupon"    // cash coupon, 现金券
	Card     = "card"      // stored-value card, 储值卡
	Cash     = "cash"      // what the buyer has topped up
	Credit   = "credit"    // what the platform lends, up to a limit
	MonthEnd = "month_end" // on account: the buyer settles it at the end of the month
	Arrears  = "arrears"   // what stays owed where a bill may be paid in part
)

// Kinds of discounts. A bill has one of them at most.
const (
	Commercial  = "commercial"  // authorised for the buyer by contract
	Promotional = "promotional" // of a campaign
	CouponPrice = "coupon"      // of a discount coupon
)

// Instrument is one thing that a buyer can pay with, as it stands when the bill
// is paid. What it may be used for is said by the rules of the waterfall.
type Instrument struct {
	ID         int64
	Code       string // unique among the buyer's instruments
	Kind       string
	Account    Account // what it draws on; empty for a discount
	Returns    Account // where what it pays goes back to; empty: the seller earns it
	Granted    Money   // what it was worth; zero for a discount and for balances
	GrantedAt  time.Time
	Issued     bool  // what it was worth is in the books
	Balance    Money // what is left of it; not looked at where it is Unlimited
	Unlimited  bool
	Restricted bool // good for some purchases only, so that it is used up before free ones

	Rate         Decimal // of a discount: 0.9 leaves nine tenths of the price
	DiscountKind string
	UsedBefore   bool // a promotion that an earlier order of the same resource had

	ValidFrom  time.Time // zero: always was
	ValidUntil time.Time // its last second; zero: without end
	MinSpend   Money     // zero: none
	Issuer     string    // the seller who gave it; empty for the platform
	BorneBy    string    // seller or platform: who pays for it in the end

	Products    []string // of these products only; empty: of any. So with the others.
	ChargeModes []string
	OrderTypes  []string
	Models      []string
	TermUnits   []string
	NotWith     []string // kinds of discounts that it cannot be combined with
}

// Currency is what the instrument pays in; empty for a discount that asks for no
// minimum.
func (i *Instrument) Currency() Currency {
	if i.Balance.Currency != "" {
		return i.Balance.Currency
	}
	return i.MinSpend.Currency
}

// Forgotten tells whether an instrument was over for so long at an instant that
// nobody asks why it was not used.
func (i *Instrument) Forgotten(at time.Time) bool {
	return !i.ValidUntil.IsZero() && i.ValidUntil.Add(Remembered).Before(at)
}

// IssueKey is the key of the journal that issues it.
func (i *Instrument) IssueKey(site string) string { return "issue/" + site + "/" + i.Code }

// Issue books what an instrument was worth when it was granted.
func (i *Instrument) Issue(site string) Journal {
	j := Journal{Key: i.IssueKey(site), Memo: i.Kind + " " + i.Code + " was granted", At: i.GrantedAt}
	from := PlatformCoupons
	switch {
	case i.Returns != "":
		from = i.Returns
	case i.Kind == Card:
		from = PlatformCards
	}
	j.Post(from, i.Account, i.Granted)
	return j
}

// Bill is an amount to be paid: of an order, a renewal, or a cycle of use.
type Bill struct {
	Kind         string // order, renewal, on_demand
	Buyer        string
	Seller       string
	Product      string
	ProductClass string
	AccessType   string
	ChargeMode   string
	OrderType    string
	Model        string    // how the product is sold: common, or jointly
	TermUnit     string    // of the term that is bought; empty for what has none
	Price        Money     // before any discount, exact
	ImageLines   Money     // of a purchase of images and other goods: what of the price the lines of images cost; zero without a currency of any other
	OffShelf     bool      // the product was taken off the shelf before the purchase
	At           time.Time // when it is paid
	UsedAt       time.Time // when what it is for was used; At where that is the same
	PricedAt     time.Time // when its price was fixed, and its discount with it; At where that is the same

	Promotions    []string // discounts that earlier orders of the same resource had
	Named         []string // the instruments the buyer chose; empty: chosen by the rules
	CreditAllowed bool     // the product's switch
	OnAccount     bool     // the buyer settles at the end of the month

	Places   int32 // decimals that are charged
	Rounding Rounding
}

// ImagePart is what of an amount, to which a discount has brought the price, the
// lines of images cost, cut to so many decimals: all of it where no other goods
// are bought with them.
func (b *Bill) ImagePart(payable Money, places int32) (Money, error) {
	if b.ImageLines.Currency == "" || b.ImageLines.Amount.Cmp(b.Price.Amount) >= 0 {
		return payable, nil
	}
	part, err := payable.Amount.Mul(b.ImageLines.Amount).Quo(b.Price.Amount, places, RoundTruncate)
	return NewMoney(part, payable.Currency), err
}

// Source is what one instrument paid of a bill.
type Source struct {
	Instrument string
	Kind       string
	Account    Account
	Returns    Account // where it goes back to; empty: the seller earns it
	Amount     Money
	Rule       string // of the waterfall, that let it be used
}

// Refusal is an instrument that was not used, and why.
type Refusal struct {
	Instrument string `json:"instrument"`
	Kind       string `json:"kind"`
	Rule       string `json:"rule,omitempty"`
	Because    string `json:"because"`
}

// Payment is how a bill is paid. Price = discounted + what the discount took
// off; Due = the discounted price, rounded; Dropped is what rounding took off
// (below zero where it added). The sources add up to Due, or there are none.
type Payment struct {
	Price     Money
	Discount  string // the instrument; empty where there was none
	Due       Money
	Dropped   Money
	Sources   []Source
	Refused   []Refusal
	Shortfall Money  // what could not be paid: then nothing is
	Forbidden string // why the bill may not be paid at all; empty usually
}

// Paid tells whether the bill is paid in full, what stays owed by rule included.
func (p Payment) Paid() bool { return p.Forbidden == "" && p.Shortfall.IsZero() }
