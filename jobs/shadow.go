package jobs

import (
	"context"
	"slices"
	"strings"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// A shadow is a rule file that is decided beside the version in force, on the
// same candidates and facts, in the same chunk. Where it answers otherwise the
// difference is kept. It changes nothing else: no decision, effect, look-again
// instant or result, and its trouble is a difference like any other.

// shadowKey is the name under which a run has a shadow of a ruleset.
func shadowKey(ruleset string, p *rules.Policy) string {
	return shadowPrefix(ruleset) + hexHash(p)[:12]
}

func shadowPrefix(ruleset string) string { return "shadow:" + ruleset + "/" }

// castShadows pins a new run to the shadows of a ruleset.
func (x *execution) castShadows(ctx context.Context, tx *storage.Tx, ruleset string) error {
	if x.line.final == nil {
		return nil // the job does not walk candidates: nothing can stand beside it
	}
	beside := x.site.Shadows(ruleset, x.run.On)
	for _, p := range beside {
		if err := keepPolicy(ctx, tx, x.site, p); err != nil {
			return err
		}
		x.run.Policies[shadowKey(ruleset, p)] = hexHash(p)
	}
	x.addShadows(ruleset, beside)
	return nil
}

// findShadows finds those that a run began with, even if their files are gone.
func (x *execution) findShadows(ctx context.Context, tx *storage.Tx, ruleset string) error {
	var names []string
	for name := range x.run.Policies {
		if strings.HasPrefix(name, shadowPrefix(ruleset)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var beside []*rules.Policy
	for _, name := range names {
		p, err := kept(ctx, tx, x.site, x.run.Policies[name])
		if err != nil {
			return err
		}
		beside = append(beside, p)
	}
	x.addShadows(ruleset, beside)
	return nil
}

func (x *execution) addShadows(ruleset string, beside []*rules.Policy) {
	if len(beside) == 0 {
		return
	}
	if x.shadows == nil {
		x.shadows = make([][]*rules.Policy, len(x.line.rulesets))
	}
	x.shadows[slices.Index(x.line.rulesets, ruleset)] = beside
}

// shadow walks a candidate under the shadows of a ruleset, and appends where they
// end otherwise than the rules in force did.
func (j Job[C]) shadow(x *execution, w walk, n int, live Step, due storage.Due, to []storage.ShadowDifference) []storage.ShadowDifference {
	for _, p := range x.shadows[n] {
		w.policy = p
		var said Step
		_, err := w.run(func(s Step) bool {
			if said.At.IsZero() || !s.Answer.Same(said.Answer) {
				said = s
			}
			return n == 0 && j.Final(s.Answer.Outcome)
		})
		d := storage.ShadowDifference{Subject: due.Subject, Ruleset: j.Rulesets[n].Name, Shadow: p.Hash[:],
			Was: storage.ShadowAnswer{Outcome: live.Answer.Outcome, Rule: live.Answer.Rule, DueAt: live.At}}
		if err != nil {
			d.Trouble = err.Error()
			to = append(to, d)
			continue
		}
		d.Would = storage.ShadowAnswer{Outcome: said.Answer.Outcome, Rule: said.Answer.Rule, DueAt: said.At}
		final := n == 0 && j.Final(said.Answer.Outcome)
		if d.Was.Outcome != d.Would.Outcome || final && !said.At.Equal(live.At) || !sameCarried(carried(live.Answer), carried(said.Answer)) {
			to = append(to, d)
		}
	}
	return to
}

// ShadowsOf is how the shadows of a run differ from what it decided; nil for a
// run without shadows.
func (e *Engine) ShadowsOf(ctx context.Context, run market.Run) (tallies []storage.ShadowTally, err error) {
	beside := false
	for name := range run.Policies {
		beside = beside || strings.HasPrefix(name, "shadow:")
	}
	if !beside {
		return nil, nil
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		tallies, err = tx.ShadowsOfRun(ctx, run)
		return err
	})
	return tallies, err
}

// ShadowReport is how the shadows of a site differ from what was decided in the
// nights of a span of business dates, both included, and some of the orders.
func (e *Engine) ShadowReport(ctx context.Context, site string, from, to market.Date, limit int) (tallies []storage.ShadowTally, orders []storage.ShadowOrder, err error) {
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		if err := tx.ReadOnly(ctx); err != nil {
			return err
		}
		if tallies, err = tx.ShadowsBetween(ctx, site, from, to); err != nil || limit == 0 {
			return err
		}
		orders, err = tx.ShadowOrders(ctx, site, from, to, limit)
		return err
	})
	return tallies, orders, err
}
