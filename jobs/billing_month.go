package jobs

import (
	"fmt"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
)

// owedOnAccount is what the buyer has to pay at the month's end.
func (b *bill) owedOnAccount() market.Money {
	return b.books.Balance(market.BuyerMonthEnd(b.payer.Code), b.site.Currency).Neg()
}

// watchAccount notes from which instant on something is owed on account: it is
// billed at the end of that month.
func (b *bill) watchAccount(at time.Time) {
	if end := &b.billed.stands.Account; end.IsZero() && b.owedOnAccount().Amount.Sign() > 0 {
		*end = b.monthEnd(b.openMonth(at, func(month market.Date) string { return monthBillKey(b.payer.Site, b.payer.Code, month) }))
	}
}

// billMonths bills the months that ended by an instant for what was owed on
// account then, month after month until nothing is.
func (b *bill) billMonths(upto time.Time) error {
	for end := &b.billed.stands.Account; !end.IsZero() && !end.After(upto); {
		if err := b.billMonth(*end); err != nil {
			return err
		}
		if b.owedOnAccount().Amount.Sign() <= 0 {
			*end = time.Time{}
			break
		}
		*end = b.monthEnd(market.DateOf(*end, b.site.Zone).FirstOfMonth())
	}
	return nil
}

// billMonth asks the rules whether the buyer is billed for the month that ends at
// an instant, and by when that is to be paid.
func (b *bill) billMonth(end time.Time) error {
	month := market.DateOf(end, b.site.Zone).AddMonths(-1, 1)
	policy := b.version["month_end"]
	facts := rules.MonthEndFacts{Level: b.payer.Level, Owed: b.owedOnAccount()}
	answer, err := policy.Decide(&facts, end)
	if err != nil {
		return fmt.Errorf("bill the month of %s: %w", market.Month(month), err)
	}
	switch answer.Outcome {
	case "bill":
		if facts.Owed.Amount.Sign() <= 0 {
			return fmt.Errorf("bill the month of %s: the rule %q of ruleset month_end bills %s: let nothing be billed where nothing is owed", market.Month(month), answer.Rule, facts.Owed)
		}
		days, _ := answer.Value("due_days")
		due := end.Add(time.Duration(days.Int()) * 24 * time.Hour)
		b.billed.stands.Bills = append(b.billed.stands.Bills, openBill{At: end, DueAt: due, Owed: facts.Owed.Amount})
		b.billed.months = append(b.billed.months, market.MonthBill{BuyerID: b.payer.ID, Buyer: b.payer.Code, Month: month, Owed: facts.Owed, At: end,
			DueAt: due, Rule: answer.Rule, Because: answer.Because, Facts: b.harvest.keepFacts(policy, &facts)})
		notify(&b.billed.effects, market.Notice{Key: monthBillKey(b.payer.Site, b.payer.Code, month), Kind: "month_bill", Subject: b.payer.ID, Recipients: []string{"buyer"}, At: end})
		b.billed.outcomes["bill"]++
	case market.Quiet:
	default:
		return fmt.Errorf("carry out %q of ruleset month_end: billing does not know this outcome", answer.Outcome)
	}
	return nil
}
