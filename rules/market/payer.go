package market

import "time"

// Payer is a buyer with all that billing has to settle: what the buyer can pay
// with, and what is to be paid.
type Payer struct {
	ID        int64
	Site      string
	Code      string
	Level     string
	OnAccount bool         // the buyer settles at the end of the month
	Granted   []Instrument // by code; their balances are in the books
	Orders    []OpenOrder  // by the instant they were placed
	Charges   []Charge     // by the instant they are due
}

// Remembered is for how long it matters to what comes late that something is
// over: no fact comes later than that after what it is about.
const Remembered = 366 * 24 * time.Hour

// Booked is a fact about a buyer that is settled for good: nobody has to read it
// again.
type Booked struct {
	BuyerID int64
	Kind    string // money, instrument, charge, order, refund, completion or back
	Fact    int64  // its id
}

// Spent is what was posted from an account at an instant.
type Spent struct {
	At     time.Time
	Amount Decimal
}

// Charge is an amount that came priced from outside, as a line of a cloud bill
// does. One below zero is given back to the buyer.
type Charge struct {
	ID        int64
	Code      string
	SellerID  int64
	Seller    string
	ProductID int64
	Product   string
	Model     string // how the product is sold
	Item      string
	Amount    Money // exact
	Used      Span
	At        time.Time // when it is deducted
}

// Key is the charge's event.
func (c *Charge) Key(site string) string { return "charge/" + site + "/" + c.Code }

// Accounts are those that the buyer's instruments draw on, and what the buyer
// owes.
func (p *Payer) Accounts() []Account {
	accounts := []Account{BuyerCash(p.Code), BuyerCredit(p.Code), BuyerMonthEnd(p.Code), BuyerArrears(p.Code)}
	for i := range p.Granted {
		if a := p.Granted[i].Account; a != "" {
			accounts = append(accounts, a)
		}
	}
	return accounts
}

// OpenOrder is an order that the marketplace reported as unpaid.
type OpenOrder struct {
	Order
	SellerID      int64
	ProductID     int64
	Seller        string // by code; empty where nobody is named
	Product       string
	ProductClass  string
	Model         string    // how the product is sold
	TermUnit      string    // empty for what has no term
	DelistedAt    time.Time // when the product was taken off the shelf; zero while it is on it
	ImageLines    Money     // where images are bought with other goods: what the lines of images cost; zero without a currency otherwise
	CreditAllowed bool
	AutoPay       bool      // paid by itself when it is placed
	PayAt         time.Time // when the buyer asked to pay it by hand; zero: not yet
	PayWith       []string  // the instruments the buyer named
	Upgrade       *Upgrade  // of a change order; nil: it upgrades nothing that was reported
	Forbidden     string    // why it may not be paid, by the rules of upgrades; empty: nothing

	Attempted []time.Time // the instants at which a payment was tried before
}

// OffShelf tells whether the product was taken off the shelf before the order was
// placed.
func (o *OpenOrder) OffShelf() bool {
	return !o.DelistedAt.IsZero() && !o.DelistedAt.After(o.PlacedAt)
}

// Asked are the instants at which somebody asks for the order to be paid.
func (o *OpenOrder) Asked() []time.Time {
	var at []time.Time
	if o.AutoPay {
		at = append(at, o.PlacedAt)
	}
	if !o.PayAt.IsZero() && !(o.AutoPay && o.PayAt.Equal(o.PlacedAt)) {
		at = append(at, o.PayAt)
	}
	return at
}

// AttemptKey is the key of the attempt to pay the order at an instant.
func (o *OpenOrder) AttemptKey(at time.Time) string {
	return "attempt/" + o.Site + "/" + o.Code + "/" + at.UTC().Format(time.RFC3339Nano)
}

// OrderEnd is what became of an order that the marketplace reported as unpaid.
type OrderEnd struct {
	OrderID int64
	Outcome string // OrderPaid or OrderCancelled
	At      time.Time
}

// Ends of an order that was reported as unpaid.
const (
	OrderPaid      = "paid"
	OrderCancelled = "cancelled"
)

// CameBack is cash that came back to a buyer by a journal that billing did not book.
type CameBack struct {
	ID       int64  // of the journal
	Of       string // its key
	At       time.Time
	Currency Currency
	Seen     bool // what is owed was paid with it
}

// Key is the event of looking at it, once.
func (c CameBack) Key() string { return "came_back/" + c.Of }
