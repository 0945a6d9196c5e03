package market

import (
	"slices"
	"time"
)

// Kinds of what a seller earns or gives back, and so of the lines of a statement.
const (
	EarnedOrder      = "order"      // an order, or a line of one
	EarnedRenewal    = "renewal"    // a renewed term
	EarnedUse        = "use"        // use that was metered
	EarnedCharge     = "charge"     // a charge that came priced
	EarnedPartner    = "partner"    // a part of the cash of an order that a partner resold
	EarnedRefund     = "refund"     // what goes back, by the share of the line it takes back
	EarnedAdjustment = "adjustment" // agreed after a dispute
	EarnedOpening    = "opening"    // open at the cutover
	EarnedCarried    = "carried"    // what an earlier statement came to below zero
)

// What decides how much of a payment is the seller's.
const (
	ModelCommon     = "common"      // the seller sells, the platform keeps a fee
	ModelJointDeal  = "joint_deal"  // the platform sells, and shares the deal price
	ModelJointFloor = "joint_floor" // the platform sells, and shares a floor price
)

// Earning is one thing that a seller earned or gives back, with all that is
// known of it at the end of a period. Instants that lay ahead then are zero,
// but for the one at which something bought takes effect.
type Earning struct {
	Key          string // the business event: order/cn/A-1, order/cn/A-1/2 for a line, refund/cn/R-1 …
	Kind         string
	OrderID      int64
	OrderLine    int // 0 where the order has no lines
	BuyerID      int64
	ProductID    int64
	Order        string // by code, as are buyer, product and the others
	Product      string
	ProductClass string
	OrderType    string
	AccessType   string
	DeliveryMode string
	ChargeMode   string
	Track        string
	Model        string
	Memo         string

	From     Account // that the money lies on before it is accrued; empty: it was accrued when it was deducted
	Paid     Money   // exact, what sellers' vouchers paid apart; below zero of a refund
	Cash     Decimal // what of it was paid in cash
	Withheld Decimal // tax that the customer kept back
	WHT, DST Decimal // taxes of the seller, as they were reported
	Taxed    bool    // they were reported; otherwise the tax table has them

	ListPrice     Decimal // of joint goods, of one for one unit of the term; not looked at unless Listed
	Discount      Decimal
	Quantity      Decimal
	Duration      Decimal
	Listed        bool
	PartnerShare  Decimal // of joint goods, or of a partner
	FloorDiscount Decimal
	TaxRate       Decimal
	FeeRate       Decimal // agreed for the product; not looked at unless HasFee
	HasFee        bool
	OperatingFee  Decimal // a rate

	PlacedAt      time.Time // zero where nobody said: from when on it is looked at
	PaidAt        time.Time // zero while unpaid
	Borrowed      bool      // it was paid on credit, on account, or stayed owed
	RepaidAt      time.Time // when all of that was paid; zero while it is not
	ProvisionedAt time.Time
	Supervised    bool
	CompletedAt   time.Time // of its supervision; zero while it is not
	EffectiveAt   time.Time // may lie ahead
	UsedAt        time.Time // of use: when it was consumed
	GivenBackAt   time.Time // of a refund
	AgreedAt      time.Time // of an adjustment or an opening

	Reverses string // of a refund: the key of the line that it takes back
	Trouble  string // what is wrong with it; empty usually
}

// StatementLine is an earning that is settled, or a sum from outside the trade.
// Settled = Billable - Fee - Withheld - WHT - DST - OperatingFee.
type StatementLine struct {
	Earning
	Billable     Decimal
	Share        Decimal // of what is billable, before taxes; 0 where the amount is not shared by a rate
	FeeRate      Decimal
	ExtraRate    Decimal // of the tier
	TierTotal    Decimal // what the tier was found by; not looked at unless Tiered
	Tiered       bool
	Fee          Decimal
	OperatingFee Decimal // an amount; the rate is the earning's
	WHT, DST     Decimal // amounts, reported or by the tax table
	Settled      Decimal
	DecidedBy    string // which instant decided the period
	DecidedAt    time.Time
	Rules        string // which rules of which versions decided: fees@2 otherwise; tiers@2 from 500,000
}

// WaitingLine is an earning that was not settled, and why.
type WaitingLine struct {
	Earning
	Outcome string    // wait, or hold where a person has to mend it
	Unmet   []string  // of ConditionCertified …
	Until   time.Time // when the last of them will be met, where dates decide; zero otherwise
	Rules   string
	Because string
}

// The conditions of a line to be settled.
const (
	ConditionCertified = "certified" // the seller is
	ConditionPaid      = "paid"      // in full, and what was borrowed for it repaid
	ConditionAccepted  = "accepted"  // supervision does not apply or is completed
	ConditionEffective = "effective" // what was bought has taken effect
	ConditionMinimum   = "minimum"   // the seller's product class reaches the minimum
	ConditionTrouble   = "trouble"   // nothing is wrong with it
)

// Conditions are all of them, in the order in which they are told.
var Conditions = []string{ConditionCertified, ConditionPaid, ConditionAccepted, ConditionEffective, ConditionMinimum, ConditionTrouble}

// Statement is what a seller is owed for a period. It is issued once; what is
// wrong with it is adjusted in the next, or it is issued again as the next
// version. Settled + Adjustments + CarriedIn = Payout + CarriedOut.
type Statement struct {
	Site     string
	SellerID int64
	Seller   string // by code
	Period   Period
	Version  int
	Currency Currency
	Lines    []StatementLine

	LineCount int // where the lines were not read

	Counted      map[CountedMonth]Decimal // what its lines come to for the tiers,
	CountedWhole bool                     // or all that was settled up to them

	Billable     Decimal // of the lines that are neither adjustments nor carried
	Fee          Decimal
	Taxes        Decimal // withheld by customers, WHT, DST
	OperatingFee Decimal
	Settled      Decimal // the sum of their rounded amounts
	Adjustments  Decimal // agreed, and open at the cutover
	CarriedIn    Decimal // 0 or below
	CarriedOut   Decimal // 0 or below: nothing is paid
	Payout       Decimal // 0 or above
}

// Key is the key of the statement's journal.
func (s *Statement) Key() string {
	key := "settlement/" + s.Site + "/" + s.Seller + "/" + s.Period.String()
	if s.Version > 1 {
		key += "/" + DecimalOf(int64(s.Version)).String()
	}
	return key
}

// SettledKey is the key behind which an earning is known to be settled.
func SettledKey(earning string) string { return "settled/" + earning }

// Total adds the lines up. What is below zero is carried into the next period,
// and nothing is paid.
func (s *Statement) Total() {
	var zero Decimal
	s.Billable, s.Fee, s.Taxes, s.OperatingFee, s.Settled, s.Adjustments, s.CarriedIn, s.CarriedOut, s.Payout = zero, zero, zero, zero, zero, zero, zero, zero, zero
	for i := range s.Lines {
		l := &s.Lines[i]
		switch l.Kind {
		case EarnedCarried:
			s.CarriedIn = s.CarriedIn.Add(l.Settled)
		case EarnedAdjustment, EarnedOpening:
			s.Adjustments = s.Adjustments.Add(l.Settled)
		default:
			s.Billable = s.Billable.Add(l.Billable)
			s.Fee = s.Fee.Add(l.Fee)
			s.Taxes = s.Taxes.Add(l.Withheld).Add(l.WHT).Add(l.DST)
			s.OperatingFee = s.OperatingFee.Add(l.OperatingFee)
			s.Settled = s.Settled.Add(l.Settled)
		}
	}
	sum := s.Settled.Add(s.Adjustments).Add(s.CarriedIn)
	if sum.Sign() < 0 {
		s.CarriedOut = sum
	} else {
		s.Payout = sum
	}
}

// Journal books a statement at an instant: what lies elsewhere is accrued, the
// platform keeps its fees and what tax offices get, the rest is payable, or
// carried where it is below zero.
func (s *Statement) Journal(at time.Time) Journal {
	j := Journal{Key: s.Key(), Memo: "Settlement of " + s.Seller + " for " + s.Period.String(), At: at}
	accrued := SellerAccrued(s.Seller)
	money := func(d Decimal) Money { return NewMoney(d, s.Currency) }
	lying := map[Account]Decimal{}
	var places []Account
	for i := range s.Lines {
		l := &s.Lines[i]
		if l.From == "" || l.Kind == EarnedCarried {
			continue
		}
		if _, known := lying[l.From]; !known {
			places = append(places, l.From)
		}
		lying[l.From] = lying[l.From].Add(l.Billable)
	}
	slices.Sort(places)
	for _, from := range places {
		j.Post(from, accrued, money(lying[from]))
	}
	j.Post(accrued, PlatformFees, money(s.Fee.Add(s.OperatingFee)))
	j.Post(accrued, PlatformTaxes, money(s.Taxes))
	j.Post(accrued, SellerPayable(s.Seller), money(s.Payout))
	j.Post(accrued, SellerCarried(s.Seller), money(s.CarriedOut.Sub(s.CarriedIn)))
	return j
}

// CountedAt is when an earning counts for the tiers: when it was paid, or what was
// borrowed for it repaid; of use when it was used, of a refund when the money
// went back. It is zero while it does not count.
func (e *Earning) CountedAt() time.Time {
	switch {
	case e.Kind == EarnedRefund:
		return e.GivenBackAt
	case e.Borrowed:
		return e.RepaidAt
	case e.Kind == EarnedUse, e.Kind == EarnedCharge:
		return e.UsedAt
	}
	return e.PaidAt
}
