package market

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Reset is how often the quota of a package begins anew.
type Reset string

// The resets. Only those from a month on renew by the calendar; the shorter
// ones are spans of that length since the package became effective.
const (
	ResetNone  Reset = "none" // one quota for the whole validity
	ResetHour  Reset = "hour"
	ResetDay   Reset = "day"
	ResetWeek  Reset = "week"
	ResetMonth Reset = "month"
	ResetYear  Reset = "year"
)

var resetLengths = map[Reset]time.Duration{ResetHour: time.Hour, ResetDay: 24 * time.Hour, ResetWeek: 7 * 24 * time.Hour}

// Pack is a package of quota that a buyer bought: an owned one goes on working
// when its product is taken off the shelf.
type Pack struct {
	ID             int64
	BuyerID        int64
	Code           string
	InstanceID     int64    // the instance whose use it pays; 0: every one of the product
	ProductID      int64    // the product whose use it pays; 0: any
	Items          []string // the billing items it pays; none: all
	Quota          Decimal  // of each window
	ValidFrom      time.Time
	ValidUntil     time.Time // the first instant at which it is not valid any more
	PurchasedAt    time.Time
	Reset          Reset
	StopWhenUsedUp bool // pays alone: at zero the instance stops, and what exceeds the quota is not billed

	// The alarm, and automatic re-purchase where the buyer asked for it.
	Watched   bool    // there is a threshold: the buyer wants to hear of it
	Threshold Decimal // little is left when this much or less is
	Rebuy     bool    // the buyer's authorisation to buy the same again then is there
	Price     Money   // of the same package today
}

// Again is the same package bought once more at an instant, from which on it is
// valid for as long as this one was. Its code tells the package and the instant.
func (p Pack) Again(at time.Time) Pack {
	root, _, _ := strings.Cut(p.Code, againMark)
	p.ID, p.Code = 0, root+againMark+at.UTC().Format(UsageTimeLayout)
	p.ValidFrom, p.ValidUntil, p.PurchasedAt = at, at.Add(p.ValidUntil.Sub(p.ValidFrom)), at
	return p
}

// againMark stands between the code of a package and when it was bought again.
const againMark = "@"

// Valid tells whether the package may be drawn on at t.
func (p *Pack) Valid(t time.Time) bool { return !t.Before(p.ValidFrom) && t.Before(p.ValidUntil) }

// Pays tells whether the package may pay for use of the instance's item.
func (p *Pack) Pays(instance, product int64, item string) bool {
	return (p.InstanceID == 0 || p.InstanceID == instance) &&
		(p.ProductID == 0 || p.ProductID == product) &&
		(len(p.Items) == 0 || slices.Contains(p.Items, item))
}

// Window is the span around t in which one quota lasts; false where the package
// is not valid. Months and years keep the anchor day of the first, in the zone,
// and clamp to the last day of a shorter month; the last one ends with the
// package. What is left of a quota is lost with its window.
func (p *Pack) Window(t time.Time, zone *time.Location) (Span, bool) {
	if !p.Valid(t) {
		return Span{}, false
	}
	w := Span{From: p.ValidFrom, To: p.ValidUntil}
	switch p.Reset {
	case ResetHour, ResetDay, ResetWeek:
		length := resetLengths[p.Reset]
		w.From = p.ValidFrom.Add(t.Sub(p.ValidFrom).Truncate(length))
		w.To = w.From.Add(length)
	case ResetMonth:
		w = p.calendarWindow(t, 1, zone)
	case ResetYear:
		w = p.calendarWindow(t, 12, zone)
	}
	if w.To.After(p.ValidUntil) {
		w.To = p.ValidUntil
	}
	return w, true
}

// WindowsOf are the windows that the use in records falls in, each once.
func (p *Pack) WindowsOf(records []UsageRecord, zone *time.Location) (windows []Span) {
	for i := range records {
		begin, ok := ParseUsageTime(records[i].BeginTime)
		if !ok {
			continue
		}
		end, ok := ParseUsageTime(records[i].EndTime)
		if !ok || end.Before(begin) || end.Sub(begin) > longestUse {
			end = begin
		}
		for at := begin; !at.After(end); {
			w, valid := p.Window(at, zone)
			if !valid {
				break
			}
			if !slices.ContainsFunc(windows, func(k Span) bool { return k.From.Equal(w.From) }) {
				windows = append(windows, w)
			}
			at = w.To
		}
	}
	return windows
}

// longestUse is how much use one record reports at most: the age that a record
// may have. Longer ones are on the error list.
const longestUse = 32 * 24 * time.Hour

// calendarWindow is the n-th span of so many months since the package became
// effective, counted from the first, that t falls in.
func (p *Pack) calendarWindow(t time.Time, months int, zone *time.Location) Span {
	start := p.ValidFrom.In(zone)
	first := DateOf(start, zone)
	y0, m0, anchor := first.Split()
	y1, m1, _ := DateOf(t, zone).Split()
	h, m, s := start.Clock()
	begin := func(n int) time.Time {
		at := first.AddMonths(n*months, anchor).At(TimeOfDay{Hour: h, Minute: m, Second: s}, zone)
		return at.Add(time.Duration(start.Nanosecond())).UTC()
	}
	n := ((y1-y0)*12 + int(m1) - int(m0)) / months
	if begin(n).After(t) {
		n--
	}
	return Span{From: begin(n), To: begin(n + 1)}
}

// PackWindow is how much of one quota was used.
type PackWindow struct {
	From, To time.Time
	Used     Decimal
}

// PackUse is a package with what was drawn from its windows so far.
type PackUse struct {
	Pack
	Windows []PackWindow
}

// Draw is what one use took from one window of a package.
type Draw struct {
	PackID   int64
	Pack     string
	Window   Span
	Quantity Decimal
	Quota    Decimal
	Left     Decimal // of the quota, after it
}

// used is what was drawn from a window, which is made where it is not there.
func (p *PackUse) used(w Span) *PackWindow {
	for i := range p.Windows {
		if p.Windows[i].From.Equal(w.From) {
			return &p.Windows[i]
		}
	}
	p.Windows = append(p.Windows, PackWindow{From: w.From, To: w.To})
	return &p.Windows[len(p.Windows)-1]
}

// quotaAt is a package's window at one instant, for putting packages in order.
type quotaAt struct {
	pack   *PackUse
	window Span
}

// DrawDown takes use at an instant from packages, and answers what each gave
// and what exceeds them all. Packages that end first give first; of a package
// that is reset, the end of its window counts. Then come those that became
// effective first, then those that were bought first. No quota is overdrawn.
// Packages that are not valid at the instant give nothing.
func DrawDown(packs []*PackUse, at time.Time, quantity Decimal, zone *time.Location) (draws []Draw, excess Decimal) {
	var room [8]quotaAt
	order := room[:0]
	for _, p := range packs {
		if w, ok := p.Window(at, zone); ok {
			order = append(order, quotaAt{p, w})
		}
	}
	if len(order) > 1 {
		slices.SortStableFunc(order, func(a, b quotaAt) int {
			return cmp.Or(a.window.To.Compare(b.window.To), a.pack.ValidFrom.Compare(b.pack.ValidFrom),
				a.pack.PurchasedAt.Compare(b.pack.PurchasedAt), cmp.Compare(a.pack.Code, b.pack.Code))
		})
	}
	for _, q := range order {
		if quantity.Sign() <= 0 {
			break
		}
		window := q.pack.used(q.window)
		left := q.pack.Quota.Sub(window.Used)
		if left.Sign() <= 0 {
			continue
		}
		take := quantity
		if take.Cmp(left) > 0 {
			take = left
		}
		window.Used = window.Used.Add(take)
		quantity, left = quantity.Sub(take), left.Sub(take)
		draws = append(draws, Draw{PackID: q.pack.ID, Pack: q.pack.Code, Window: q.window, Quantity: take, Quota: q.pack.Quota, Left: left})
	}
	return draws, quantity
}
