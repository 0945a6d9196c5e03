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
}
