package market

import "time"

// Order is what a buyer bought in one go. Its status follows from what
// happened to it; nothing here says more than the marketplace reported.
type Order struct {
	ID           int64
	Site         string
	Code         string // the marketplace's own number of the order
	BuyerID      int64
	Buyer        string // by its code
	Seller       string // by its code; empty where nothing was said
	Product      string // by its code; empty where nothing was said
	Type         string // new, renewal, change
	AccessType   string // saas, license, hardware …
	DeliveryMode string // instant, offline, online_code … ; empty where nothing was said
	ChargeMode   string // PERIOD, ONE_TIME, ON_DEMAND, ON_DEMAND_PKG
	Track        string // whose acceptance standard holds: empty, empowerment or base
	PlacedAt     time.Time
	PaidAt       time.Time // zero while unpaid
	CancelledAt  time.Time // zero unless cancelled
	InvoicedAt   time.Time // zero while the buyer holds no invoice
	Term         Term      // zero for a one-off sale
	Phone        string    // where the parcel is announced
	Amount       Money
}

// Delivery is a seller's handover of a service order. It stays under
// supervision until the buyer accepts it, or the rules accept it in the
// buyer's place. A rejected one is followed by another attempt.
type Delivery struct {
	OrderID     int64
	Attempt     int
	DeliveredAt time.Time // the seller confirmed completion
	StartAt     time.Time // the actual start of use, where the seller filled it in
	ProofAt     time.Time // delivery proof uploaded
	CollectedAt time.Time // the buyer collected the authorisation code
	ReviewedAt  time.Time // the platform's reviewer passed it
	AcceptedAt  time.Time // the buyer accepted by hand
	RejectedAt  time.Time // the buyer sent it back
}

// Shipment is the parcel of an attempt, as the courier reports it.
type Shipment struct {
	OrderID   int64
	Attempt   int
	ShippedAt time.Time
	SignedAt  time.Time // the courier's signature; zero while there is none
	Phone     string    // the phone number in the tracking record
}

// Activation is the first use of an authorisation code. A code is activated
// once: its start never moves.
type Activation struct {
	OrderID     int64
	Code        string
	ActivatedAt time.Time
}

// Appeal is a dispute over a delivery. While it is open nobody can act, and
// the clocks of the delivery stand still.
type Appeal struct {
	OrderID   int64
	Code      string
	OpenedAt  time.Time
	DecidedAt time.Time // zero while it is open
	Decision  string    // continue, accept, refund, back; empty while it is open
}

// Decisions of an appeal by the platform.
const (
	AppealContinue = "continue" // the clocks go on with the time that was left
	AppealAccept   = "accept"
	AppealRefund   = "refund"
	AppealBack     = "back" // the seller has to deliver again
)

// Supervision is all that is known of one order's delivery: what the
// acceptance rules look at.
type Supervision struct {
	Order       Order
	Deliveries  []Delivery // by attempt
	Shipments   []Shipment // by attempt
	Activations []Activation
	Appeals     []Appeal
	Corrections []Correction
	Reopened    int // how often its end was reversed
}

// Correction is what a person established about a fact, against the report.
type Correction struct {
	OrderID int64
	Field   string
	Value   string
	At      time.Time
}
