package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nightshift/jobs"
)

const undoHelp = `Undo lists what a wrong version of a ruleset decided, and with --yes reverses
what of it can be reversed: the ends of supervisions. Each order gets a decision
that says who undid it and why, its supervision goes on, those concerned are
notified once, and the next night decides about it by the rules that hold then.
So another version has to be in force first. History stays: an end and its
reversal are both kept. A notice that was sent cannot be taken back.

An undo that was interrupted goes on when it is started again.`

// rulesUndo is the command rules undo.
func (p *program) rulesUndo() *cobra.Command {
	var ask jobs.Undo
	var at string
	var yes bool
	var limit int
	cmd := &cobra.Command{
		Use: "undo RULESET@VERSION", Short: "List what a wrong version decided, and reverse it", Long: undoHelp,
		Args: takes(1, 1, "one version of a ruleset, such as `acceptance@3`"),
		Example: `  nightshift rules undo acceptance@3                                        what it would reverse
  nightshift rules undo acceptance@3 --because "Seven days were a typing error." --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			site, err := p.siteRules()
			if err != nil {
				return err
			}
			if ask.Ruleset, ask.Version, err = versioned(args[0], true); err != nil {
				return err
			}
			ask.Site, ask.Actor, ask.At = site.Name, p.actor(ask.Actor), p.now()
			if at != "" {
				if ask.At, err = instant("at", at, site.Zone); err != nil {
					return err
				}
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			list, err := e.UndoList(cmd.Context(), ask, limit)
			if err != nil {
				return err
			}
			if !yes {
				return p.showUndo(ask, list, nil)
			}
			return p.undo(cmd.Context(), e, ask, list)
		},
	}
	cmd.Flags().StringVar(&ask.Because, "because", "", "the reason, kept for ever")
	cmd.Flags().StringVar(&ask.Actor, "actor", "", "who undoes it (default the user's name)")
	cmd.Flags().StringVar(&at, "at", "", "the instant of the undoing (default now)")
	cmd.Flags().BoolVar(&yes, "yes", false, "reverse what is listed")
	cmd.Flags().IntVar(&limit, "limit", 20, "how many orders to list")
	p.siteOption(cmd)
	return cmd
}

func (p *program) undo(ctx context.Context, e *jobs.Engine, ask jobs.Undo, list jobs.Undoing) error {
	bar := p.progress("orders")
	e.Progress = func(at jobs.Progress) { bar.of("undo", at.Done, list.Count) }
	n, err := e.Undo(ctx, ask)
	bar.end()
	if err != nil {
		return err
	}
	return p.showUndo(ask, list, &n)
}

// showUndo shows what was or would be reversed; n is nil while nothing was.
func (p *program) showUndo(ask jobs.Undo, list jobs.Undoing, n *int64) error {
	site, err := p.siteRules()
	if err != nil {
		return err
	}
	if p.json {
		orders := []map[string]any{}
		for _, o := range list.Orders {
			orders = append(orders, map[string]any{"order": o.Order, "seller": o.Seller, "outcome": o.Outcome, "since": o.DueAt, "rule": o.Rule, "amount": o.Amount.String(), "date": o.On, "run": o.RunID})
		}
		view := map[string]any{"ruleset": ask.Ruleset, "version": ask.Version, "runs": list.Runs, "decided": list.Decided, "reversible": list.Count, "orders": orders}
		if list.Hinders != nil {
			view["not_yet"] = list.Hinders.Error()
		}
		if n != nil {
			view["reversed"] = *n
		}
		return p.printJSON(view)
	}
	p.printf("%s@%d stood in %s at %s, which decided\n", ask.Ruleset, ask.Version, counted(int64(list.Runs), "run"), ask.Site)
	g := &grid{}
	var words []string
	for outcome := range list.Decided {
		words = append(words, outcome)
	}
	slices.Sort(words)
	for _, w := range words {
		g.row("  "+w, number(list.Decided[w]))
	}
	if err := g.print(p.out); err != nil {
		return err
	}
	g = &grid{}
	g.row("order", "seller", "amount", "outcome", "since", "rule")
	for _, o := range list.Orders {
		amount := ""
		if o.Amount.Currency != "" {
			amount = o.Amount.String()
		}
		g.row(o.Order, orElse(o.Seller, "-"), amount, o.Outcome, rfc3339(o.DueAt, site.Zone), o.Rule)
	}
	if len(list.Orders) > 0 {
		if err := g.print(p.out); err != nil {
			return err
		}
	}
	if more := list.Count - int64(len(list.Orders)); more > 0 {
		p.printf("and %s more\n", number(more))
	}
	switch {
	case n != nil:
		p.printf("%s reversed; the next night decides about them again\n", number(*n))
	case list.Count == 0:
		p.printf("nothing of it can be reversed, or is not reversed yet\n")
	case list.Hinders != nil:
		p.printf("%s can be reversed, but not yet: %s\n", number(list.Count), strings.TrimPrefix(list.Hinders.Error(), jobs.ErrBadRequest.Error()+": "))
	default:
		p.printf("%s can be reversed; nothing was changed. To reverse them: nightshift rules undo %s@%d --because \"…\" --yes\n", number(list.Count), ask.Ruleset, ask.Version)
	}
	return nil
}
