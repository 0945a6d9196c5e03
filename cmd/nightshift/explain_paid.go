package main

import (
	"fmt"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
)

// tellPaid says of deductions what was due, who paid it, and which instruments
// were not used and why.
func (p *program) tellPaid(t telling, paid []market.Deduction) {
	for i := range paid {
		d := &paid[i]
		m := &d.Payment
		p.printf("\n"+t.say("deducted %s")+"\n", rfc3339(d.At, t.site.Zone)+"  "+d.Key)
		g := &grid{}
		g.row("  "+t.say("price"), m.Price.String())
		if m.Discount != "" {
			g.row("  "+t.say("discount"), fmt.Sprintf("%s -%s", m.Discount, discounted(m)))
		}
		g.row("  "+t.say("due"), m.Due.String())
		if !m.Dropped.IsZero() {
			g.row("  "+t.say("dropped"), m.Dropped.String())
		}
		head := t.say("paid by")
		for _, s := range m.Sources {
			g.row("  "+head, fmt.Sprintf(t.say("%s, by rule %s"), s.Instrument+" "+s.Amount.String(), s.Rule))
			head = ""
		}
		if m.Due.Amount.Sign() < 0 {
			g.row("  "+t.say("given back"), m.Due.Neg().String())
		}
		head = t.say("not used")
		for _, r := range m.Refused {
			g.row("  "+head, r.Instrument+": "+r.Because)
			head = ""
		}
		_ = g.print(p.out) // as with printf, a closed pipe is the reader's wish
	}
}

// discounted is what the discount took off.
func discounted(m *market.Payment) market.Money {
	return market.NewMoney(m.Price.Amount.Sub(m.Due.Amount).Sub(m.Dropped.Amount), m.Price.Currency)
}

// paidView is a deduction for machines.
type paidView struct {
	Key      string           `json:"key"`
	Kind     string           `json:"kind"`
	At       *time.Time       `json:"at"`
	Price    string           `json:"price"`
	Discount string           `json:"discount,omitempty"`
	Due      string           `json:"due"`
	Dropped  string           `json:"dropped"`
	PaidBy   []sourceView     `json:"paid_by"`
	Refused  []market.Refusal `json:"refused,omitempty"`
}

type sourceView struct {
	Instrument string `json:"instrument"`
	Kind       string `json:"kind"`
	Amount     string `json:"amount"`
	Rule       string `json:"rule"`
}

func viewsOfPaid(site *rules.Site, paid []market.Deduction) []paidView {
	views := make([]paidView, len(paid))
	for i := range paid {
		d := &paid[i]
		m := &d.Payment
		v := paidView{Key: d.Key, Kind: d.Kind, At: known(d.At, site), Price: m.Price.String(), Discount: m.Discount, Due: m.Due.String(),
			Dropped: m.Dropped.String(), PaidBy: []sourceView{}, Refused: m.Refused}
		for _, s := range m.Sources {
			v.PaidBy = append(v.PaidBy, sourceView{s.Instrument, s.Kind, s.Amount.String(), s.Rule})
		}
		views[i] = v
	}
	return views
}
