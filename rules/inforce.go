package rules

import (
	"time"
	"unsafe"

	"nightshift/rules/market"
)

// InForce is what decides a ruleset on a business date: the policy of that date,
// or, where it pins orders, for each candidate the policy that was in force when
// its order was placed. The policy of the business date alone says whether.
type InForce struct {
	policy *Policy
	all    []*Policy // those that may decide, the earliest first; nil: policy alone
	zone   *time.Location
}

// InForce is what decides a ruleset on a business date.
func (s *Site) InForce(ruleset string, on market.Date) (*InForce, error) {
	policy, err := s.Policy(ruleset, on)
	if err != nil {
		return nil, err
	}
	var all []*Policy
	for _, version := range s.policies[ruleset] {
		for _, p := range version.Phases() {
			if p.From <= on {
				all = append(all, p)
			}
		}
	}
	return NewInForce(policy, all, s.Zone), nil
}

// NewInForce is the same from policies that were kept: that of the business
// date, and all that were in force up to it, the earliest first.
func NewInForce(policy *Policy, all []*Policy, zone *time.Location) *InForce {
	f := &InForce{policy: policy, zone: zone}
	if policy.Pin != "" {
		f.all = all
	}
	return f
}

// Policy is the policy of the business date.
func (f *InForce) Policy() *Policy { return f.policy }

// Pinned are the policies that may decide besides, the earliest first: none
// where orders are not pinned.
func (f *InForce) Pinned() []*Policy { return f.all }

// For is the policy that decides about a candidate by its facts. An order that
// was placed before the first is decided by the first.
func (f *InForce) For(facts any) *Policy {
	if f.all == nil {
		return f.policy
	}
	placed := f.policy.PlacedAt(facts)
	if placed.IsZero() {
		return f.policy
	}
	return f.On(market.DateOf(placed, f.zone))
}

// On is the policy that decides about orders that were placed on a date.
func (f *InForce) On(placed market.Date) *Policy {
	if f.all == nil {
		return f.policy
	}
	holds := f.all[0]
	for _, p := range f.all {
		if p.From <= placed {
			holds = p
		}
	}
	return holds
}

// PlacedAt is when the order that the facts are about was placed; zero where
// they do not say.
func (p *Policy) PlacedAt(facts any) time.Time {
	if p.placed == nil {
		return time.Time{}
	}
	base := p.vocabulary.pointerTo(p.pointer, facts)
	return at[market.Stopwatch](unsafe.Pointer(base), p.placed.offset).Anchor()
}

// phaseFor is the phase of a version that a test is about: that of the as-of, or,
// where orders are pinned, of the date on which the order was placed.
func (p *Policy) phaseFor(facts any, asOf time.Time, zone *time.Location) *Policy {
	if placed := p.PlacedAt(facts); p.Pin != "" && !placed.IsZero() {
		asOf = placed
	}
	return p.On(market.DateOf(asOf, zone))
}
