package rules

import (
	"cmp"
	"maps"
	"slices"
)

// Released is the site with other versions in force than those of its files:
// policies that were restored from the texts that were kept, one for each date on
// which the values of a version change.
func (s *Site) Released(policies []*Policy) *Site {
	type version struct {
		ruleset string
		no      int
	}
	phases := map[version][]*Policy{}
	for _, p := range policies {
		v := version{p.Ruleset, p.Version}
		phases[v] = append(phases[v], p)
	}
	other := *s
	other.policies = map[string][]*Policy{}
	for _, v := range slices.SortedFunc(maps.Keys(phases), func(a, b version) int { return cmp.Or(cmp.Compare(a.ruleset, b.ruleset), a.no-b.no) }) {
		all := phases[v]
		slices.SortFunc(all, func(a, b *Policy) int { return cmp.Compare(a.From, b.From) })
		first := *all[0]
		all[0] = &first
		first.phases = all
		other.policies[v.ruleset] = append(other.policies[v.ruleset], &first)
	}
	for _, versions := range other.policies {
		slices.SortStableFunc(versions, func(a, b *Policy) int { return cmp.Compare(a.Effective, b.Effective) })
	}
	return &other
}

// Version finds a version of a ruleset among the site's; 0 is the newest. It is
// nil where there is none.
func (s *Site) Version(ruleset string, version int) *Policy { return s.version(ruleset, version) }
