package market

import "time"

// What the usage rules answer about a record, besides Accept.
const (
	Reject    = "reject"    // it goes to the error list with its code
	Uncharged = "uncharged" // it is in order, and nothing is to be paid
)

// States of an instance, as far as billing use asks.
const (
	StateUnopened = "unopened"
	StateOpen     = "open"
	StateFrozen   = "frozen"
	StateStopped  = "stopped" // its stop-when-used-up package was used up
	StateClosed   = "closed"
)

// Instance is one use of a product by a buyer: what sellers report use of.
type Instance struct {
	ID         int64
	Code       string
	BuyerID    int64
	SellerID   int64
	Seller     string // the code of who sells it
	ProductID  int64
	Product    string // its code
	Model      string // how it is sold
	AccessType string
	ChargeMode string
	Machine    string // where it runs; two images on one machine are charged by the hour and machine
	OpenedAt   time.Time
	ClosedAt   time.Time // zero while it is open
	DelistedAt time.Time // when its product was taken off the shelf; zero while it is on it
	StoppedAt  time.Time // when its stop-when-used-up package was used up; zero while there is some left
	Frozen     []Span    // while it or its machine could not be used
}

// State is what the instance was at t.
func (i *Instance) State(t time.Time) string {
	switch {
	case t.Before(i.OpenedAt):
		return StateUnopened
	case !i.ClosedAt.IsZero() && !t.Before(i.ClosedAt):
		return StateClosed
	case !i.StoppedAt.IsZero() && !t.Before(i.StoppedAt):
		return StateStopped
	}
	for _, s := range i.Frozen {
		if !t.Before(s.From) && (s.Open() || t.Before(s.To)) {
			return StateFrozen
		}
	}
	return StateOpen
}

// UsageRecord is what a seller reported of the use of an instance, word for
// word: what is wrong in it is for the usage rules to say.
type UsageRecord struct {
	ID         int64 // in the order of receipt
	Upload     string
	SN         string // metering_sn, the seller's own number of the record
	Seller     string
	Instance   string
	Item       string // the billing item
	RecordTime string
	BeginTime  string // UTC, 20240601T100000Z
	EndTime    string
	Value      string
	Package    string // relate_pkg_instance
	Forwarded  string // of calls, whether the gateway forwarded them; empty is yes
	ReceivedAt time.Time

	Seen bool // a record of the same metering_sn was received before
}

// UsageTimeLayout is how sellers write times, always in UTC.
const UsageTimeLayout = "20060102T150405Z"

// ParseUsageTime reads a time as sellers write it, digit by digit: millions are
// read in a night, and time.Parse would take parts of a second, too.
func ParseUsageTime(text string) (time.Time, bool) {
	if len(text) != len(UsageTimeLayout) || text[8] != 'T' || text[15] != 'Z' {
		return time.Time{}, false
	}
	digits := true
	part := func(from, to int) (n int) {
		for _, c := range []byte(text[from:to]) {
			digits = digits && '0' <= c && c <= '9'
			n = n*10 + int(c-'0')
		}
		return n
	}
	year, month, day := part(0, 4), part(4, 6), part(6, 8)
	hour, minute, second := part(9, 11), part(11, 13), part(13, 15)
	if !digits || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	_, m, d := t.Date()
	return t, int(m) == month && d == day // there is no 30 February
}

// UsageResult is what became of a record, for good.
type UsageResult struct {
	RecordID int64
	BuyerID  int64  // 0 where no instance is known
	Outcome  string // Accept, Uncharged or Reject
	Code     string // of the error; empty where there is none
	Rule     string
	Late     bool
	DueAt    time.Time // the instant at which it counts: of an error its receipt, otherwise the deduction
}

// Rated is what one record comes to in one cycle, exactly. Quantity is the sum
// of what packages gave, what exceeds them and what is not billed.
type Rated struct {
	RecordID   int64
	SN         string
	BuyerID    int64
	InstanceID int64
	Instance   string
	Seller     string
	ProductID  int64
	Product    string
	Item       string
	Measure    Measure
	Cycle      Cycle
	CycleFrom  time.Time
	CycleTo    time.Time
	UsedAt     time.Time // when the use in this cycle began: whether a voucher may pay is asked of this instant
	UsedUntil  time.Time // when the use that was reported ended
	DueAt      time.Time // when it is deducted
	Late       bool

	Quantity Decimal // 0 for an hour that is paid
	Drawn    Decimal // given by packages
	Excess   Decimal // beyond them: priced
	Unbilled Decimal // beyond a package that stops when it is used up: never billed

	AccumulatedFrom time.Time // the accumulation period; zero where nothing adds up
	AccumulatedTo   time.Time
	Accumulated     Decimal   // what had added up in it after this one
	PriceFrom       time.Time // which price of the item; zero where nothing was priced
	Amount          Money     // not rounded; zero without a currency where nothing was priced
}

// Drawn is a draw and the record that it was for.
type Drawn struct {
	RecordID int64
	Draw
}

// Earlier is use that was rated before: what new records may repeat.
type Earlier struct {
	InstanceID int64
	Item       string
	Measure    Measure
	CycleFrom  time.Time
	UsedAt     time.Time
	UsedUntil  time.Time
}

// Accumulated is how much of an item had added up in an accumulation period.
type Accumulated struct {
	InstanceID int64
	Item       string
	From, To   time.Time
	Quantity   Decimal
}

// Usage is all that is known of what one buyer uses, and that is not billed yet.
type Usage struct {
	BuyerID     int64
	Instances   []Instance
	Packs       []*PackUse    // with what was drawn of the windows that the records fall in
	Records     []UsageRecord // without a result, in the order of receipt
	Earlier     []Earlier     // what was rated of these instances from the first of the records on
	Accumulated []Accumulated // in the periods that the records fall in
}

// Since is the first instant at which there may be something to pay: that of the
// first use which is not billed, or of its receipt; at the latest asOf.
func (u *Usage) Since(asOf time.Time) time.Time {
	for i := range u.Records {
		at := u.Records[i].ReceivedAt
		if begin, ok := ParseUsageTime(u.Records[i].BeginTime); ok && begin.Before(at) {
			at = begin
		}
		if at.Before(asOf) {
			asOf = at
		}
	}
	return asOf
}

// UsageMark says how far the use of a buyer has come: what was received up to
// it has a result. Buyer 0 stands for records of which no instance is known.
type UsageMark struct {
	BuyerID  int64
	Received time.Time
}

// MeteredUse is what metering changes: all of it is kept, or nothing.
type MeteredUse struct {
	Results []UsageResult
	Rated   []Rated
	Drawn   []Drawn
	Stops   []Stop
	Bought  []Pack // packages that were bought again; draws on them name them by code
	Marks   []UsageMark
}

// Cleared is m's room with nothing in it.
func (m *MeteredUse) Cleared() MeteredUse {
	return MeteredUse{Results: m.Results[:0], Rated: m.Rated[:0], Drawn: m.Drawn[:0], Stops: m.Stops[:0], Bought: m.Bought[:0], Marks: m.Marks[:0]}
}

// Add adds what became of one buyer's records, all of which that were received
// up to an instant have a result now.
func (m *MeteredUse) Add(buyer int64, results []UsageResult, rated []Rated, drawn []Drawn, stops []Stop, received time.Time) {
	m.Results, m.Rated = append(m.Results, results...), append(m.Rated, rated...)
	m.Drawn, m.Stops = append(m.Drawn, drawn...), append(m.Stops, stops...)
	m.Marks = append(m.Marks, UsageMark{buyer, received})
}

// Stop is an instance that stops because its package was used up.
type Stop struct {
	InstanceID int64
	Pack       string
	RecordID   int64
	At         time.Time
}
