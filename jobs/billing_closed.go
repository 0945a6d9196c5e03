package jobs

import (
	"fmt"
	"slices"
	"time"

	"nightshift/rules/market"
)

// A month is closed for a buyer once its total was rounded, or its bill was made.
// What is reported of it afterwards belongs to the month that runs: neither
// happens twice.

func roundingKey(site, buyer string, month market.Date, c market.Currency) string {
	return fmt.Sprintf("rounding/%s/%s/%s/%s", site, buyer, market.Month(month), c)
}

func monthBillKey(site, buyer string, month market.Date) string {
	return fmt.Sprintf("month_bill/%s/%s/%s", site, buyer, market.Month(month))
}

// closings are the keys by which earlier runs may have closed the months that a
// buyer's open facts fall in.
func (d *billingDesk) closings(n int) (keys []string) {
	x, p := d.x, &d.payers[n]
	month := func(at time.Time) market.Date { return market.DateOf(at, x.site.Zone).FirstOfMonth() }
	total := func(at time.Time, c market.Currency) {
		keys = append(keys, roundingKey(p.Site, p.Code, month(at), c), roundingKey(p.Site, p.Code, month(x.run.AsOf), c))
	}
	bill := func(at time.Time) {
		if p.OnAccount {
			keys = append(keys, monthBillKey(p.Site, p.Code, month(at)), monthBillKey(p.Site, p.Code, month(x.run.AsOf)))
		}
	}
	for i := range p.Charges {
		c := &p.Charges[i]
		total(c.At, c.Amount.Currency)
		bill(c.At)
	}
	for i := range p.Orders {
		for _, at := range p.Orders[i].Asked() {
			bill(at)
		}
	}
	for i := range d.usage[n].Records {
		at := d.usage[n].Records[i].ReceivedAt
		for _, c := range x.meter.Currencies() {
			total(at, c)
		}
		bill(at)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// openMonth is the month that something of an instant belongs to: its own, or,
// where that was closed before, the one that runs.
func (b *bill) openMonth(at time.Time, key func(month market.Date) string) market.Date {
	month := market.DateOf(at, b.site.Zone).FirstOfMonth()
	if !b.seen[key(month)] {
		return month
	}
	month = market.DateOf(b.asOf, b.site.Zone).FirstOfMonth()
	for b.seen[key(month)] {
		month = month.AddMonths(1, 1)
	}
	return month
}
