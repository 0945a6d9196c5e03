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
// buyer's open facts fall in, or the one that runs.
func (d *billingDesk) closings(n int) (keys []string) {
	x, p, used := d.x, &d.payers[n], d.usage[n].Records
	for _, l := range d.noted[p.ID] {
		if key := roundingKey(p.Site, p.Code, l.Month, l.Due.Currency); len(keys) == 0 || keys[len(keys)-1] != key {
			keys = append(keys, key)
		}
	}
	refunds := d.refunds[p.ID]
	if len(p.Charges)+len(p.Orders)+len(used)+len(refunds) == 0 {
		return keys
	}
	month := func(at time.Time) market.Date { return market.DateOf(at, x.site.Zone).FirstOfMonth() }
	months, currencies := []market.Date{month(x.run.AsOf)}, []market.Currency{}
	falls := func(at time.Time) {
		if m := month(at); !slices.Contains(months, m) {
			months = append(months, m)
		}
	}
	through := func(from, to time.Time) {
		for m := month(from); m <= month(to); m = m.AddMonths(1, 1) {
			falls(m.At(market.TimeOfDay{}, x.site.Zone))
		}
	}
	for i := range refunds {
		through(refunds[i].RequestedAt, x.run.AsOf)
		currencies = append(currencies, refunds[i].Order.Amount.Currency)
		for _, s := range refunds[i].Paid {
			currencies = append(currencies, s.Amount.Currency)
		}
	}
	for i := range p.Charges {
		falls(p.Charges[i].At)
		currencies = append(currencies, p.Charges[i].Amount.Currency)
	}
	for i := range p.Orders {
		for _, at := range p.Orders[i].Asked() {
			falls(at)
		}
		currencies = append(currencies, p.Orders[i].Amount.Currency)
	}
	if len(used) > 0 { // in the order of their receipt
		through(used[0].ReceivedAt, used[len(used)-1].ReceivedAt)
		currencies = append(currencies, x.meter.Currencies()...)
	}
	slices.Sort(currencies)
	currencies = slices.Compact(currencies)
	for _, m := range months {
		for _, c := range currencies {
			keys = append(keys, roundingKey(p.Site, p.Code, m, c))
		}
		if p.OnAccount {
			keys = append(keys, monthBillKey(p.Site, p.Code, m))
		}
	}
	return keys
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
