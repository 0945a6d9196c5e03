package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"nightshift/rules/market"
)

// The demo's money: who holds some, and who uses what is billed by use.
const (
	demoWallets   = 150 // the first buyers pay from a balance
	demoInstances = 64  // of products that are billed by use
)

// poor tells whether a buyer with a balance is short of money.
func poor(wallet int) bool { return wallet%9 == 4 }

// wallet is what a buyer's row says of credit and of the month's settlement.
func (m *demoMarket) wallet(buyer int) (limit, monthEnd string) {
	switch {
	case buyer >= demoWallets:
	case buyer%5 == 1 && !poor(buyer):
		limit = yuan(5000)
	case buyer%12 == 7:
		monthEnd = "true"
	}
	return limit, monthEnd
}

// purses fills balances, and gives buyers what they can pay with.
func (m *demoMarket) purses() {
	for i := range demoWallets {
		buyer, from := fmt.Sprintf("B%04d", i+1), m.nights.From.At(noon, m.zone)
		if poor(i) {
			m.topUp(buyer, 60+m.purse.IntN(240), from.Add(-m.spare(5*day)))
			if m.purse.IntN(2) == 0 { // some come back with money, before or after they are frozen
				m.topUp(buyer, 2000, from.Add(8*day+m.spare(40*day)))
			}
			continue
		}
		for at := from.Add(-m.spare(9 * day)); at.Before(m.exported); at = at.Add(20*day + m.spare(12*day)) {
			m.topUp(buyer, 500*(2+m.purse.IntN(9)), at)
		}
		m.give(i, buyer, from.Add(-10*day))
	}
}

// topUp is money that comes through the payment gateway, which lists nearly all of it.
func (m *demoMarket) topUp(buyer string, amount int, at time.Time) {
	at = at.Truncate(time.Second)
	if m.text(at) == "" {
		return
	}
	n := len(m.sheet["money"].rows)
	reference := fmt.Sprintf("GW%07d", 4_000_000+7*n)
	m.add("money", fmt.Sprintf("M%05d", n), buyer, []string{"top_up", "card", "boleto"}[m.purse.IntN(3)], yuan(amount), m.text(at), reference)
	if n%60 != 59 {
		m.add("gateway", reference, m.text(at.Add(2*time.Second)), yuan(amount), "payment")
	}
}

// give hands out discounts, vouchers, coupons and cards.
func (m *demoMarket) give(i int, buyer string, at time.Time) {
	until := m.text(m.nights.From.AddDays(40+m.purse.IntN(20)).At(market.TimeOfDay{}, m.zone))
	add := func(kind, amount, rate, discountKind, seller, bearer, until, least string) {
		code := fmt.Sprintf("%s%05d", strings.ToUpper(kind[:1]), len(m.sheet["instruments"].rows))
		m.add("instruments", code, buyer, kind, amount, rate, discountKind, seller, bearer, m.text(at), until, least)
	}
	if i%4 == 0 {
		add("discount", "", []string{"0.9", "0.95", "0.88"}[i%3], "commercial", "", "", "", "")
	}
	if i%3 == 0 {
		p := m.products[m.purse.IntN(len(m.products))]
		add("voucher", yuan(30*(1+m.purse.IntN(4))), "", "", p.seller, "seller", until, "")
	}
	if i%5 == 2 {
		add("voucher", yuan(200), "", "", "", "platform", until, "1000.00")
	}
	if i%2 == 1 {
		add("coupon", yuan(50), "", "", "", "platform", until, "")
		add("coupon", yuan(20), "", "", "", "platform", "", "")
	}
	if i%6 == 0 {
		add("card", yuan(500), "", "", "", "platform", "", "")
	}
}

// payment says how an order of the nights is paid where it was not paid at once
// outside: by itself from a balance, or by nobody, and then the nights cancel it.
func (o *demoOrder) payment(orderType string, cancelled time.Time) time.Time {
	if o.placed.Before(o.nights.From.At(market.TimeOfDay{}, o.zone)) || orderType == "renewal" {
		return cancelled
	}
	switch by := o.purse.IntN(100); {
	case o.paid.IsZero():
		return time.Time{}
	case usableAtOnce(o.product) && by < 60:
		o.wallet, o.paid = 1+o.purse.IntN(demoWallets), time.Time{}
		if by < 25 { // again by hand, for those who are short the first time
			o.again = o.placed.Add(hour + o.spare(6*day)).Truncate(time.Second)
		}
		if by < 4 {
			at := o.placed.Add(hour + o.spare(8*day)).Truncate(time.Second)
			if o.text(at) != "" {
				o.add("refunds", "R-"+o.code, o.code, "unconditional", "", o.text(at))
			}
		}
	}
	return cancelled
}

// demoMeter is how use of a product is priced.
type demoMeter struct {
	item, model, cycle, measure, per, brackets string
	least, most                                int // a day
	quota                                      int // of a package; 0: none
	threshold, price                           string
}

var demoMeters = map[string]demoMeter{
	"天气接口 Weather API":           {item: "calls", model: "tier", cycle: "day", measure: "usage", per: "1", brackets: "1000:0.02;:0.0123", least: 200, most: 2500},
	"防火墙镜像 Firewall image":       {item: "hours", model: "fixed", cycle: "hour", measure: "hours", per: "1", brackets: "1.875", least: 1, most: 2},
	"发票识别接口 Invoice reading API": {item: "pages", model: "step", cycle: "day", measure: "usage", per: "1", brackets: "100:0.3;:0.2175", least: 20, most: 400, quota: 3000, threshold: "200", price: "400.00 CNY"},
	"客服智能体 Service agent":        {item: "tokens", model: "fixed", cycle: "day", measure: "usage", per: "1000", brackets: "0.0421", least: 5000, most: 80000, quota: 400_000},
}

// use has buyers use what is billed by use, and sellers report it: most of it
// as they should, some of it late or wrong.
func (m *demoMarket) use() {
	var metered []demoProduct
	for _, p := range m.products {
		if meter, ok := demoMeters[p.name]; ok {
			metered = append(metered, p)
			m.add("prices", p.code, meter.item, m.text(m.opens.At(market.TimeOfDay{}, m.zone)), meter.model, meter.cycle, meter.measure, meter.per, meter.brackets, "CNY")
		}
	}
	for i := range demoInstances {
		p := metered[i%len(metered)]
		code, buyer, opened := fmt.Sprintf("I%03d", i+1), fmt.Sprintf("B%04d", i+1), m.nights.From.AddDays(-12)
		m.add("instances", code, buyer, p.seller, p.code, p.access, p.charge, "ecs-"+code, m.text(opened.At(noon, m.zone)))
		meter := demoMeters[p.name]
		if meter.quota > 0 && i%3 != 0 {
			from, until := opened.At(noon, m.zone), m.nights.From.AddDays(-12+180).At(noon, m.zone)
			m.add("packs", "PK-"+code, buyer, code, strconv.Itoa(meter.quota), from.Format(time.DateTime), until.Format(time.DateTime), from.Format(time.DateTime), "month", meter.threshold, meter.price)
		}
		for on := m.nights.From; on < m.nights.To; on++ {
			m.report(on, code, p.seller, meter)
		}
	}
}

// report is a day's record of use.
func (m *demoMarket) report(on market.Date, instance, seller string, meter demoMeter) {
	begin := on.At(market.TimeOfDay{Hour: 9}, m.zone).Add(m.spare(8 * hour)).Truncate(time.Second)
	end := begin.Add(20*time.Minute + m.spare(50*time.Minute)).Truncate(time.Second)
	received := end.Add(time.Minute + m.spare(40*time.Minute)).Truncate(time.Second)
	amount := strconv.Itoa(meter.least + m.purse.IntN(meter.most-meter.least+1))
	n := len(m.sheet["usage"].rows)
	sn := fmt.Sprintf("U%06d", n)
	switch m.purse.IntN(300) {
	case 0:
		amount = "-3"
	case 1:
		instance = "I999"
	case 2:
		seller = "S001"
	case 3:
		begin, end = end, begin
	case 4:
		sn = fmt.Sprintf("U%06d", max(1, n-40))
	case 5, 6, 7:
		received = received.Add(26 * hour)
	}
	utc := func(t time.Time) string { return t.UTC().Format(market.UsageTimeLayout) }
	if at := m.text(received); at != "" {
		m.add("usage", at, sn, seller, instance, meter.item, utc(received), utc(begin), utc(end), amount)
	}
}

// spare is a length below another, told by the second of the market's dice, so
// that what is paid does not change what is delivered.
func (m *demoMarket) spare(d time.Duration) time.Duration {
	return time.Duration(m.purse.Int64N(int64(d)))
}
