package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage"
)

// rulesShadow is the command rules shadow.
func (p *program) rulesShadow() *cobra.Command {
	var from, to string
	var orders int
	cmd := &cobra.Command{
		Use: "shadow", Short: "Report what shadow rule files would have decided otherwise", Args: takes(0, 0, "no words, only options"),
		Long: `A rule file that says shadow: true beside its ruleset: is decided every night
beside the version in force, on the same orders and facts, from its effective
date on. Where it answers otherwise the difference is kept, and never acted on:
no decision, notice or completion comes of it, and its trouble parks nothing.
Shadow says how often and in what they differed; acceptance and reminders have
shadows.`,
		Example: `  nightshift rules shadow
  nightshift rules shadow --from 2026-04-01 --to 2026-04-30 --orders 20`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			site, err := p.siteRules()
			if err != nil {
				return err
			}
			first, last := market.NewDate(1900, 1, 1), market.DateOf(p.now(), site.Zone)
			if from != "" {
				if first, err = date("from", from); err != nil {
					return err
				}
			}
			if to != "" {
				if last, err = date("to", to); err != nil {
					return err
				}
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			return p.reportShadows(cmd.Context(), e, site.Name, first, last, orders)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the first business date (default all)")
	cmd.Flags().StringVar(&to, "to", "", "the last business date (default today)")
	cmd.Flags().IntVar(&orders, "orders", 0, "list so many of the newest orders besides")
	p.siteOption(cmd)
	return cmd
}

func (p *program) reportShadows(ctx context.Context, e *jobs.Engine, site string, from, to market.Date, limit int) error {
	tallies, orders, err := e.ShadowReport(ctx, site, from, to, limit)
	if err != nil {
		return err
	}
	if p.json {
		list := []map[string]any{}
		for _, o := range orders {
			list = append(list, map[string]any{"order": o.Order, "date": o.On, "ruleset": o.Ruleset, "version": o.Version, "was": o.Was.Outcome, "was_rule": o.Was.Rule,
				"was_since": o.Was.DueAt, "would": o.Would.Outcome, "would_rule": o.Would.Rule, "would_since": o.Would.DueAt, "trouble": o.Trouble})
		}
		return p.printJSON(map[string]any{"shadows": shadowViews(tallies), "orders": list})
	}
	if len(tallies) == 0 {
		p.printf("no shadow stood beside a run: a rule file is one that says shadow: true\n")
		return nil
	}
	if err := p.shadows(tallies).print(p.out); err != nil || len(orders) == 0 {
		return err
	}
	g := &grid{}
	g.row("order", "date", "shadow", "was", "by rule", "would be", "by rule")
	for _, o := range orders {
		g.row(o.Order, o.On.String(), fmt.Sprintf("%s@%d", o.Ruleset, o.Version), o.Was.Outcome, o.Was.Rule, orElse(o.Would.Outcome, "cannot be decided"), orElse(o.Would.Rule, o.Trouble))
	}
	p.printf("\n")
	return g.print(p.out)
}

// shadows is the table of what shadows would have decided.
func (p *program) shadows(tallies []storage.ShadowTally) *grid {
	g := &grid{}
	g.row("shadow", "content", "nights", "asked", "was", "would be", "orders", "earlier", "later")
	for _, t := range tallies {
		name, content := fmt.Sprintf("%s@%d", t.Ruleset, t.Version), fmt.Sprintf("%x", t.Shadow[:6])
		if t.Orders == 0 {
			g.row(name, content, number(t.Nights), number(t.Decided), "-", "the same", "0", "", "")
			continue
		}
		g.row(name, content, number(t.Nights), number(t.Decided), t.Was, orElse(t.Would, "cannot be decided"), number(t.Orders), number(t.Earlier), number(t.Later))
	}
	return g
}

func shadowViews(tallies []storage.ShadowTally) []map[string]any {
	views := []map[string]any{}
	for _, t := range tallies {
		views = append(views, map[string]any{"ruleset": t.Ruleset, "version": t.Version, "file": t.File, "hash": fmt.Sprintf("%x", t.Shadow),
			"nights": t.Nights, "asked": t.Decided, "was": t.Was, "would": t.Would, "orders": t.Orders, "earlier": t.Earlier, "later": t.Later})
	}
	return views
}
