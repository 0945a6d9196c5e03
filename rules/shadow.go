package rules

import "nightshift/rules/market"

// Shadows are the rule files that are decided beside a ruleset on a business
// date, with the values of that date, and never acted on.
func (s *Site) Shadows(ruleset string, on market.Date) []*Policy {
	var beside []*Policy
	for _, p := range s.shadows[ruleset] {
		if p.Effective <= on {
			beside = append(beside, p.On(on))
		}
	}
	return beside
}

// shadow finds a shadow of a ruleset by its version; 0 is the only one.
func (s *Site) shadow(ruleset string, version int) *Policy {
	for _, p := range s.shadows[ruleset] {
		if p.Version == version || version == 0 && len(s.shadows[ruleset]) == 1 {
			return p
		}
	}
	return nil
}
