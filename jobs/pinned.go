package jobs

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// A run is pinned to the rule texts it began with, by their content hashes: under
// the name of each ruleset that of the business date; and where that one pins
// orders to what held when they were placed, under the name and a date those of
// all that may decide.

// pinnedKey is the name under which a run has the policy that held from a date.
func pinnedKey(ruleset string, from market.Date) string { return ruleset + "/" + from.String() }

// pin writes the hashes of a ruleset that is in force under their names.
func pin(f *rules.InForce, to map[string]string) {
	ruleset := f.Policy().Ruleset
	to[ruleset] = hexHash(f.Policy())
	for _, policy := range f.Pinned() {
		to[pinnedKey(ruleset, policy.From)] = hexHash(policy)
	}
}

func hexHash(p *rules.Policy) string { return hex.EncodeToString(p.Hash[:]) }

// keepPolicy keeps the text of a policy the first time it is used.
func keepPolicy(ctx context.Context, tx *storage.Tx, site *rules.Site, p *rules.Policy) error {
	return tx.KeepRuleVersion(ctx, storage.RuleVersion{Hash: p.Hash[:], Site: site.Name, Ruleset: p.Ruleset,
		Version: p.Version, Effective: storage.Day{Date: p.From}, File: p.File, Text: p.Text})
}

// ruleTexts finds the text of a rule file that was used: in a transaction there is
// no other connection to wait for.
type ruleTexts interface {
	RuleVersion(ctx context.Context, hash []byte) (storage.RuleVersion, error)
}

// ruleHeldBy is what a run decides a ruleset by, even if its files have changed since.
func ruleHeldBy(ctx context.Context, texts ruleTexts, site *rules.Site, run market.Run, ruleset string) (*rules.InForce, error) {
	return heldBy(run, ruleset, site, func(hash string) (*rules.Policy, error) {
		for _, version := range site.Versions(ruleset) {
			for _, p := range version.Phases() {
				if hexHash(p) == hash {
					return p, nil
				}
			}
		}
		return kept(ctx, texts, site, hash)
	})
}

// heldBy puts together what a run decides a ruleset by from the policies that
// find answers by their hashes.
func heldBy(run market.Run, ruleset string, site *rules.Site, find func(hash string) (*rules.Policy, error)) (*rules.InForce, error) {
	policy, err := find(run.Policies[ruleset])
	if err != nil {
		return nil, err
	}
	var names []string
	for name := range run.Policies {
		if strings.HasPrefix(name, ruleset+"/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var all []*rules.Policy
	for _, name := range names {
		p, err := find(run.Policies[name])
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return rules.NewInForce(policy, all, site.Zone), nil
}

// kept compiles a rule text that was kept, by its content hash.
func kept(ctx context.Context, texts ruleTexts, site *rules.Site, hash string) (*rules.Policy, error) {
	raw, err := hex.DecodeString(hash)
	if err != nil {
		return nil, fmt.Errorf("find rule text %q: %w", hash, err)
	}
	v, err := texts.RuleVersion(ctx, raw)
	if err != nil {
		return nil, err
	}
	ruleset, problems := rules.Parse(v.File, []byte(v.Text))
	if len(problems) > 0 {
		return nil, fmt.Errorf("restore rule file %s: %w", v.File, problems)
	}
	policy, problems := rules.Compile(ruleset, site.Currency)
	if len(problems) > 0 {
		return nil, fmt.Errorf("restore rule file %s: %w", v.File, problems)
	}
	return policy, nil
}
