package main

import (
	"fmt"
	"time"

	"nightshift/jobs"
)

// tellLife says how a subscription stands, what was bought and asked for, and when
// it is tried next.
func (p *program) tellLife(t telling, l *jobs.Life) {
	if l == nil {
		return
	}
	s := &l.Subscription
	g := &grid{}
	row := func(head, text string) {
		if text != "" {
			g.row("  "+t.say(head), text)
		}
	}
	row("buyer", l.Buyer)
	row("policy", l.Policy)
	row("ends", rfc3339(s.EndsAt(), t.site.Zone))
	row("state", t.Outcome(l.State))
	row("turns", rfc3339(l.Turns, t.site.Zone))
	price := t.say("nobody has said what the next term costs")
	if l.Price.Currency != "" {
		price = l.Price.String()
	}
	row("price of the next term", price)
	next := rfc3339(l.NextTry, t.site.Zone)
	if next == "" && l.Answer.Outcome != "" {
		next = fmt.Sprintf(t.say("in no night that can be seen: %s"), l.Answer.Because)
	}
	row("next try", next)
	span := func(from, to time.Time) string {
		return rfc3339(from, t.site.Zone) + " – " + rfc3339(to, t.site.Zone)
	}
	g.row("  "+t.say("terms"), span(s.Start, s.End)+"  "+t.say("bought"))
	for i := range s.Terms {
		g.row("", span(s.Terms[i].Span.From, s.Terms[i].Span.To)+"  "+s.Terms[i].PaidBy)
	}
	for i := range s.TakenBack {
		b := &s.TakenBack[i]
		g.row("", span(b.Span.From, b.Span.To)+"  "+b.PaidBy+"  "+fmt.Sprintf(t.say("taken back %s"), rfc3339(b.TakenAt, t.site.Zone)))
	}
	head := "  " + t.say("asked for")
	for _, a := range l.Asked {
		what := fmt.Sprintf(t.say("policy %s"), a.For)
		if a.TakeBack {
			what = fmt.Sprintf(t.say("take back (%s)"), a.For)
		}
		g.row(head, rfc3339(a.At, t.site.Zone)+"  "+what+": "+t.Outcome(a.Outcome)+". "+a.Because)
		head = ""
	}
	_ = g.print(p.out) // as with printf, a closed pipe is the reader's wish
}

// lifeView is how a subscription stands, for machines.
type lifeView struct {
	Buyer   string       `json:"buyer"`
	Policy  string       `json:"policy"`
	Ends    *time.Time   `json:"ends"`
	State   string       `json:"state"`
	Turns   *time.Time   `json:"turns,omitempty"`
	Price   string       `json:"price,omitempty"`
	NextTry *time.Time   `json:"next_try,omitempty"`
	Because string       `json:"because,omitempty"`
	Terms   []termView   `json:"terms"`
	Asked   []wishedView `json:"asked,omitempty"`
}

type termView struct {
	From      *time.Time `json:"from"`
	Until     *time.Time `json:"until"`
	PaidBy    string     `json:"paid_by,omitempty"`
	TakenBack *time.Time `json:"taken_back,omitempty"`
}

type wishedView struct {
	At       *time.Time `json:"at"`
	Policy   string     `json:"policy,omitempty"`
	TakeBack string     `json:"take_back,omitempty"`
	Outcome  string     `json:"outcome"`
	Amount   string     `json:"amount,omitempty"`
	Rule     string     `json:"rule"`
	Because  string     `json:"because"`
}

func (t telling) viewOfLife(l *jobs.Life) lifeView {
	s, site := &l.Subscription, t.site
	v := lifeView{Buyer: l.Buyer, Policy: l.Policy, Ends: known(s.EndsAt(), site), State: l.State, Turns: known(l.Turns, site), NextTry: known(l.NextTry, site), Because: l.Answer.Because,
		Terms: []termView{{From: known(s.Start, site), Until: known(s.End, site)}}}
	if l.Price.Currency != "" {
		v.Price = l.Price.String()
	}
	for i := range s.Terms {
		v.Terms = append(v.Terms, termView{From: known(s.Terms[i].Span.From, site), Until: known(s.Terms[i].Span.To, site), PaidBy: s.Terms[i].PaidBy})
	}
	for i := range s.TakenBack {
		b := &s.TakenBack[i]
		v.Terms = append(v.Terms, termView{known(b.Span.From, site), known(b.Span.To, site), b.PaidBy, known(b.TakenAt, site)})
	}
	for _, a := range l.Asked {
		w := wishedView{At: known(a.At, site), Outcome: a.Outcome, Rule: a.Rule, Because: a.Because}
		if w.Policy = a.For; a.TakeBack {
			w.Policy, w.TakeBack, w.Amount = "", a.For, a.Amount.String()
		}
		v.Asked = append(v.Asked, w)
	}
	return v
}
