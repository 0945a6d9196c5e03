package main

import (
	"fmt"
	"strconv"
	"time"

	"nightshift/rules/market"
)

const (
	hour = time.Hour
	day  = 24 * time.Hour
)

var noon = market.TimeOfDay{Hour: 12}

// demoOrder is an order whose story is being told.
type demoOrder struct {
	*demoMarket
	code     string
	product  demoProduct
	track    string
	placed   time.Time
	paid     time.Time
	phone    string
	attempts int
	appeals  int
	patient  bool // the buyer says nothing, ever

	wallet int       // the buyer whose balance pays it by itself; 0: it was paid outside
	again  time.Time // when that buyer asks to pay it by hand
}

// sell has somebody buy a product on a day, and tells what becomes of it.
func (m *demoMarket) sell(on market.Date, p demoProduct) {
	o := m.place(on, p)
	orderType := []string{"new", "renewal", "change"}[m.choose(90, 7, 3)]
	var cancelled time.Time
	if m.chance(94) {
		o.paid = m.later(o.placed, time.Minute, hour)
	} else if cancelled = o.placed.Add(7 * day); p.access == "hardware" { // not paid in time
		cancelled = o.placed.Add(hour)
	}
	cancelled = o.payment(orderType, cancelled)
	o.write(orderType, cancelled)
	if !o.paid.IsZero() && orderType != "renewal" {
		o.deliver(o.paid)
	}
}

// overdue are the old orders that keep the marketplace busy: delivered or not,
// nobody ever answered.
func (m *demoMarket) overdue() {
	span := int(m.opens - m.opens.AddMonths(-3, 1))
	for range ordersOverdue {
		p := m.pick()
		for usableAtOnce(p) || p.unit == "day" {
			p = m.pick()
		}
		o := m.place(m.opens.AddDays(-1-m.rand.IntN(span)), p)
		o.paid, o.patient = m.later(o.placed, time.Minute, hour), !m.chance(25)
		o.write("new", time.Time{})
		if m.chance(85) {
			o.deliver(o.paid)
		}
	}
}

func usableAtOnce(p demoProduct) bool {
	switch p.access {
	case "hardware", "license", "human_service", "orchestration", "data_file":
		return false
	case "saas":
		return p.mode == "instant"
	}
	return true
}

// place begins an order, at an hour at which people are at work.
func (m *demoMarket) place(on market.Date, p demoProduct) *demoOrder {
	m.orders++
	o := &demoOrder{demoMarket: m, product: p, code: fmt.Sprintf("CN%s%05d", on.At(market.TimeOfDay{}, m.zone).Format("0601"), m.orders)}
	o.placed = on.At(market.TimeOfDay{Hour: 8}, m.zone).Add(m.within(13 * hour)).Truncate(time.Second)
	o.phone = fmt.Sprintf("1%d%08d", []int{38, 39, 50, 86}[m.rand.IntN(4)], m.rand.IntN(1e8))
	if !usableAtOnce(p) && p.access != "data_file" {
		o.track = []string{"", "empowerment", "base"}[m.choose(88, 8, 4)]
	}
	return o
}

// write puts the order and its only line into their files.
func (o *demoOrder) write(orderType string, cancelled time.Time) {
	p, quantity := o.product, 1
	if p.access == "hardware" {
		quantity = 1 + o.choose(60, 20, 10, 10)
	}
	var invoiced time.Time
	if !o.paid.IsZero() && o.chance(50) {
		invoiced = o.later(o.paid, 2*day, 40*day)
	}
	count, phone := "", ""
	if p.count > 0 {
		count = strconv.Itoa(p.count)
	}
	if p.access == "hardware" {
		phone = o.phone
	}
	buyer, amount, auto := 1+o.rand.IntN(demoBuyers), yuan(quantity*p.yuan), ""
	if o.wallet > 0 {
		buyer, auto = o.wallet, "true"
	}
	o.add("orders", o.code, fmt.Sprintf("B%04d", buyer), p.seller, p.code, orderType, p.access, p.mode, p.charge, o.track,
		o.text(o.placed), o.text(o.paid), o.text(cancelled), o.text(invoiced), count, p.unit, phone, amount, auto, o.text(o.again))
	o.add("lines", o.code, "1", p.code, p.seller, strconv.Itoa(quantity), amount)
}

// deliver tells how the seller hands the order over for the first time.
func (o *demoOrder) deliver(from time.Time) {
	switch p := o.product; {
	case usableAtOnce(p):
	case p.access == "hardware":
		o.parcel(from)
	case p.mode == "online_code":
		o.authorisation(from)
	default:
		o.service(from)
	}
}

// parcel is hardware on its way: most are signed for, some get lost, some bear
// a phone number that is not the buyer's.
func (o *demoOrder) parcel(from time.Time) {
	if o.chance(4) { // not shipped yet
		return
	}
	shipped := o.later(from, 6*hour, 3*day)
	var signed time.Time
	if !o.chance(5) {
		signed = o.later(shipped, 18*hour, 5*day)
	}
	phone := o.phone
	switch o.choose(78, 12, 3, 7) {
	case 1: // written as couriers like it
		phone = "+86 " + phone[:3] + "-" + phone[3:7] + "-" + phone[7:]
	case 2:
		phone = ""
	case 3: // the neighbour's
		phone = "13" + phone[2:10] + strconv.Itoa((int(phone[10]-'0')+1)%10)
	}
	o.attempts++
	carrier := []string{"顺丰 SF", "京东 JD", "中通 ZTO"}[o.rand.IntN(3)]
	tracking := fmt.Sprintf("T%010d", o.rand.IntN(1e10))
	if text := o.text(shipped); text != "" {
		o.add("shipments", o.code, strconv.Itoa(o.attempts), text, o.text(signed), phone, carrier, tracking)
	}
	if signed.IsZero() {
		return
	}
	h := o.handover(time.Time{})
	if o.track != "" && o.chance(80) {
		h.reviewed = o.later(signed, 4*hour, 4*day)
	}
	o.answer(h, signed)
}

// authorisation is a licence code: collected, activated, proven, reviewed on
// the marketplace's own tracks; some stay on the way.
func (o *demoOrder) authorisation(from time.Time) {
	h := o.handover(o.later(from, 2*hour, 3*day))
	defer h.write()
	step, far := h.delivered, o.choose(6, 8, 10, 76)
	if far > 0 {
		step = o.later(step, time.Minute, 3*day)
		h.collected = step
	}
	if far > 1 {
		step = o.later(step, time.Hour, 5*day)
		if text := o.text(step); text != "" {
			o.add("activations", "K-"+o.code, o.code, text)
		}
	}
	if far > 2 {
		step = o.later(step, time.Hour, 6*day)
		h.proof = step
		if o.track != "" && o.chance(85) {
			h.reviewed = o.later(step, 4*hour, 4*day)
		}
	}
}

// service is work that a person delivers and a person accepts.
func (o *demoOrder) service(from time.Time) {
	if o.chance(7) { // not delivered yet
		return
	}
	h := o.handover(o.later(from, 2*day, 20*day))
	h.proof = h.delivered
	if o.product.charge == "PERIOD" && o.chance(45) {
		h.starts = o.later(from, time.Hour, 2*day)
	}
	if (o.track != "" || o.product.mode == "identification_code") && o.chance(85) {
		h.reviewed = o.later(h.delivered, 4*hour, 4*day)
	}
	o.answer(h, h.delivered)
}
