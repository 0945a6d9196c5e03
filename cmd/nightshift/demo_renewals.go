package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"nightshift/rules/market"
)

// demoSubscriptions is how many subscriptions the demo's buyers with a balance have.
const demoSubscriptions = 260

// demoRenewing are the products that renew by themselves, and what a term of them
// costs: less than at the first purchase.
var demoRenewing = []struct {
	name  string
	yuan  int
	count int
	unit  string
}{
	{"电子签章 E-signature", 365, 1, "month"},
	{"仓储管理 Warehouse management", 599, 1, "month"},
	{"WordPress 镜像 WordPress image", 59, 1, "month"},
	{"网页防篡改 Web tamper protection", 980, 3, "month"},
	{"客户管理 CRM", 2388, 1, "year"},
}

// renewals has buyers run subscriptions whose terms end in the nights: most renew
// by themselves, some have no money then, some change their mind.
func (m *demoMarket) renewals(seed uint64) {
	dice := rand.New(rand.NewPCG(seed, 20260303))
	listed := m.text(m.opens.At(market.TimeOfDay{}, m.zone))
	products := map[string]demoProduct{}
	for _, p := range m.products {
		products[p.name] = p
	}
	for _, r := range demoRenewing {
		m.add("renewal_prices", products[r.name].code, strconv.Itoa(r.count), r.unit, listed, yuan(r.yuan), "")
		if r.unit == "month" && r.count == 1 {
			m.add("renewal_prices", products[r.name].code, "1", "year", listed, yuan(10*r.yuan), products[r.name].code+"-Y")
		}
	}
	for i := range demoSubscriptions {
		r := demoRenewing[min(dice.IntN(9), len(demoRenewing)-1)]
		p := products[r.name]
		code, buyer := fmt.Sprintf("SUB%04d", i+1), fmt.Sprintf("B%04d", 1+dice.IntN(demoWallets))
		ends := m.nights.From.AddDays(dice.IntN(62) - 4)
		_, _, day := ends.Split()
		starts := ends.AddMonths(-r.count*map[string]int{"month": 1, "year": 12}[r.unit], day)
		policy, chargeDay, trial := "auto", "", ""
		switch dice.IntN(20) {
		case 0, 1:
			policy = "manual"
		case 2:
			policy = "expire"
		case 3, 4:
			chargeDay = strconv.Itoa(2 + dice.IntN(6))
		case 5:
			policy, trial, starts = "manual", "true", ends.AddDays(-30)
		}
		end := ends.At(market.TimeOfDay{Hour: 23, Minute: 59, Second: 59}, m.zone)
		m.add("subscriptions", code, buyer, p.code, p.access, strconv.Itoa(r.count), r.unit, starts.At(noon, m.zone).Format(time.DateTime), end.Format(time.DateTime),
			policy, chargeDay, trial, "svc-"+code)
		m.mind(dice, code, policy, r.count, r.unit, r.yuan, end)
	}
}

// mind is what the buyer of a subscription does about it around its end.
func (m *demoMarket) mind(dice *rand.Rand, code, policy string, count int, unit string, cost int, end time.Time) {
	before := func(days int) string {
		return m.text(end.AddDate(0, 0, -days).Add(-time.Duration(dice.IntN(12)) * hour).Truncate(time.Second))
	}
	switch choice := dice.IntN(12); {
	case policy == "manual" && choice < 6: // some only once it is frozen
		if at := before(3 - 3*choice); at != "" {
			m.add("manual_renewals", "RN-"+code, code, strconv.Itoa(count), unit, at, yuan(cost))
		}
	case policy == "auto" && choice == 0 && unit == "month" && count == 1:
		if at := before(12); at != "" {
			m.add("policy_changes", code, at, "auto", "1", "year")
		}
	case policy == "auto" && choice == 1:
		if at := before(10); at != "" {
			m.add("policy_changes", code, at, "manual", "", "")
		}
	case policy == "auto" && choice == 2:
		if at := before(4); at != "" {
			m.add("unsubscriptions", "UN-"+code, code, at, "not needed any more")
		}
	}
}
