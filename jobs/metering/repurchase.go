package metering

import (
	"fmt"
	"slices"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
)

// RepurchaseRuleset is whose policy says whether a package is bought again.
const RepurchaseRuleset = "repurchase"

// Low is a package of which little is left: its buyer hears of it, and may have
// asked for the same again. At is when the use that left so little is deducted.
type Low struct {
	Pack   *market.PackUse
	Window market.Span
	Left   market.Decimal
	At     time.Time
}

// Key names the occasion: a window of a package is bought again once.
func (l Low) Key(site string) string {
	return fmt.Sprintf("repurchase/%s/%s/%s", site, l.Pack.Code, l.Window.From.UTC().Format(time.RFC3339))
}

// QuotaKey names the alarm: the buyer hears once that little is left of a quota.
func (l Low) QuotaKey(site string) string {
	return fmt.Sprintf("package_low/%s/%s/%s", site, l.Pack.Code, l.Window.From.UTC().Format(time.RFC3339))
}

// DayKey names the notice of it: of one package only the first of a day is told,
// however often its quota begins anew.
func (l Low) DayKey(site string, zone *time.Location) string {
	return fmt.Sprintf("package_low/%s/%s/%s", site, l.Pack.Code, market.DateOf(l.At, zone))
}

// FailureKey names the notice of a failure: the buyer hears of the first of a
// day, whichever package it is of.
func (l Low) FailureKey(site, buyer string, zone *time.Location) string {
	return fmt.Sprintf("repurchase_failed/%s/%s/%s", site, buyer, market.DateOf(l.At, zone))
}

// watch notes a package whose buyer wants to hear how much is left of it. A
// window is noted once, with what is left after its last use.
func (w *Walk) watch(d market.Draw, at time.Time) {
	i := slices.IndexFunc(w.usage.Packs, func(p *market.PackUse) bool { return p.ID == d.PackID && p.Code == d.Pack })
	p := w.usage.Packs[i]
	if !p.Watched || d.Left.Cmp(p.Threshold) > 0 {
		return
	}
	for _, low := range []*[]Low{&w.low, &w.out.Low} {
		k := slices.IndexFunc(*low, func(l Low) bool { return l.Pack == p && l.Window.From.Equal(d.Window.From) })
		if k < 0 {
			*low = append(*low, Low{Pack: p, Window: d.Window, At: at})
			k = len(*low) - 1
		}
		(*low)[k].Left = d.Left
	}
}

// Facts are what the rules may ask before the package is bought again. Balance is
// what the buyer can pay with; bought says that this occasion was used already.
func (l Low) Facts(balance market.Money, delisted, bought bool) *rules.RepurchaseFacts {
	p := l.Pack
	return &rules.RepurchaseFacts{
		Authorised: p.Rebuy, Reset: string(p.Reset), Left: l.Left, Threshold: p.Threshold,
		Price: p.Price, Balance: balance, Delisted: delisted, Bought: bought,
	}
}

// Repurchase asks the rules whether a package is bought again now: buy, fail or
// leave.
func Repurchase(policy *rules.Policy, l Low, facts *rules.RepurchaseFacts) (rules.Answer, error) {
	a, err := policy.Decide(facts, l.At)
	if err != nil {
		return a, fmt.Errorf("decide whether package %s is bought again: %w", l.Pack.Code, err)
	}
	return a, nil
}
