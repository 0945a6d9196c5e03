package market

import "time"

// Kinds of deductions, and of the bills they settle.
const (
	DeductedOrder   = "order"      // an order was paid
	DeductedRenewal = "renewal"    // the next term of a subscription
	DeductedUsage   = "usage"      // a cycle of metered use
	DeductedCharge  = "charge"     // a charge that came priced from outside
	DeductedPack    = "repurchase" // a package that was bought again by itself
)

// Deduction is what was charged for one event of the trade, and how it was
// paid. It is kept for ever under the event's key.
type Deduction struct {
	Key       string // order/cn/A-1/paid, usage/cn/i-1/traffic/2024-06-01T10
	Kind      string
	Subject   int64 // the order, the instance, the charge
	BuyerID   int64
	SellerID  int64 // 0 where nobody is named
	ProductID int64
	Buyer     string // by code, as is the seller
	Seller    string
	Item      string // the billing item; empty for an order
	Used      Span   // when what is paid was used; empty for an order
	At        time.Time
	Payment   Payment
}

// Journal books a deduction: what the sources pay goes to what the seller has
// accrued, but a seller's own voucher goes back to the seller; an amount below
// zero goes from the seller to the buyer's cash; what rounding dropped was let
// to the buyer by the platform.
func (d *Deduction) Journal() Journal {
	j := Journal{Key: d.Key, Memo: d.Kind + " of " + d.Buyer, At: d.At}
	for _, s := range d.Payment.Sources {
		to := s.Returns
		if to == "" {
			to = d.earns()
		}
		j.Post(s.Account, to, s.Amount)
	}
	if d.Payment.Due.Amount.Sign() < 0 {
		j.Post(d.earns(), BuyerCash(d.Buyer), d.Payment.Due.Neg())
	}
	j.Post(PlatformDropped, BuyerDropped(d.Buyer), d.Payment.Dropped)
	return j
}

// earns is who earns what is paid: the seller, or, where several share an
// order, nobody before it is divided.
func (d *Deduction) earns() Account {
	if d.Seller == "" {
		return PlatformShared
	}
	return SellerAccrued(d.Seller)
}
