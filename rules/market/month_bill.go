package market

import "time"

// MonthBill is what a buyer on account owed when a month had ended, of that month
// and of those before, and by when it is to be paid.
type MonthBill struct {
	BuyerID int64
	Buyer   string // by code
	Month   Date   // its first day
	Owed    Money
	At      time.Time // the end of the month
	DueAt   time.Time
	Rule    string
	Because string
	Facts   []byte // JSON: all that the rules could see
}
