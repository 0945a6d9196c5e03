package market

import "time"

// Seller is who is settled.
type Seller struct {
	ID          int64
	Site        string
	Code        string
	Country     string   // empty where nobody said
	Currency    Currency // that the seller is settled in
	CertifiedAt time.Time
}

// SellerBook is all that is known of a seller's trade when a month is settled.
type SellerBook struct {
	Seller      Seller
	Earnings    []Earning                  // what was settled before among them
	Settled     map[string]bool            // the keys of what was settled before
	Before      map[string][]StatementLine // the settled lines that refunds take back, by key: the line, then what took parts of it back
	Carried     Decimal                    // what the last statement left: 0 or below
	CarriedFrom Period                     // the last statement's

	Open    []OpenTrade              // what of it may be settled whole
	Partial bool                     // what was settled whole is not among the earnings, and
	Counted map[CountedMonth]Decimal // this is what all that was settled before comes to
}

// OpenTrade is an order or a deduction that is not settled whole: with the keys of
// what of it is not, whoever earns it.
type OpenTrade struct {
	OrderID   int64
	Deduction string // its key
	On        Date   // its business date
	Mark      int64  // changes with what is known of it
	Unsettled []string
}

// CountedMonth is what tiers add up: a product and its class in a calendar month,
// such as 202405.
type CountedMonth struct {
	Product, ProductClass string
	Month                 int
}
