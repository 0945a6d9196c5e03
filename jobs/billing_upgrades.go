package jobs

import (
	"fmt"

	"nightshift/rules"
	"nightshift/rules/market"
)

// priceUpgrade prices a change order by what it upgrades, where it came without an
// amount: for the days from the order to the end of the term. One that the rules
// do not allow may not be paid.
func (b *bill) priceUpgrade(o *market.OpenOrder) error {
	u := o.Upgrade
	if u == nil {
		return nil
	}
	for _, m := range []*market.Money{&u.Old, &u.New} {
		if m.Currency == "" {
			m.Currency = b.site.Currency
		}
	}
	days := int64(market.DateOf(u.Ends, b.site.Zone) - market.DateOf(o.PlacedAt, b.site.Zone))
	fee, err := market.UpgradeFee(u.Old, u.New, max(days, 0), u.Discount)
	if err != nil {
		return fmt.Errorf("order %s: %w", o.Code, err)
	}
	policy := b.version["upgrade"]
	answer, err := policy.Decide(&rules.UpgradeFacts{AccessType: o.AccessType, ChargeMode: o.ChargeMode, OldPrice: u.Old, NewPrice: u.New, DaysLeft: days, Fee: fee,
		DelistedFor: market.StartedAt(u.Delisted)}, o.PlacedAt)
	if err != nil {
		return fmt.Errorf("order %s: %w", o.Code, err)
	}
	switch answer.Outcome {
	case "charge":
	case "forbid":
		o.Forbidden = answer.Because
	default:
		return fmt.Errorf("carry out %q of ruleset %s: billing does not know this outcome", answer.Outcome, policy.Ruleset)
	}
	if o.Amount.Currency != "" {
		return nil
	}
	if o.Amount = fee; fee.Amount.Sign() < 0 {
		o.Amount.Amount = market.Decimal{}
	}
	return nil
}
