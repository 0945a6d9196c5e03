package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
)

// moveHelp says what each step is.
var moveHelp = map[string][2]string{
	"review":      {"Drafts go into review", "Within two working days of the bill day, by the settlement calendar."},
	"send":        {"Reviewed statements are sent to their sellers", "They go straight to countersigning; where the calendar of the day says so, the\nseller has to confirm first."},
	"confirm":     {"A seller confirmed its statement", "Only where the calendar asks for it: bills sent before 2024-12-24."},
	"countersign": {"Statements are countersigned and can be paid", "One that comes to nothing, or less, ends here: there is nothing to pay."},
	"dispute":     {"A seller disputes its statement", "Payment stops until it is resolved. What is agreed is an adjustment of the next\nperiod: the statement never changes."},
	"resolve":     {"A dispute is resolved", "The statement goes back to countersigning."},
	"retry":       {"A payment that failed is ordered again", "The next payment file has it, with a reference of its own."},
}

// settlementMove is one of the steps that people take.
func (p *program) settlementMove(act string) *cobra.Command {
	var h byHand
	cmd := &cobra.Command{
		Use: act + " [SELLER…] --period YYYYMM", Short: moveHelp[act][0], Args: takes(0, -1, "sellers, by code"),
		Long:    moveHelp[act][0] + ".\n\n" + moveHelp[act][1],
		Example: "  nightshift settlement " + act + " acme --period 202405 --because \"as agreed\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			ask, _, err := h.act(p, act, args, true)
			if err != nil {
				return err
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			before, moves, err := e.MoveStatements(cmd.Context(), ask)
			if err != nil {
				return err
			}
			views, g := []map[string]any{}, &grid{}
			for i, s := range before {
				views = append(views, map[string]any{"seller": s.Seller, "period": s.Period.String(), "from": s.State(), "to": moves[i].State, "until": dateOrNone(moves[i].Until)})
				until := ""
				if moves[i].Until != 0 {
					until = "until " + moves[i].Until.String()
				}
				g.row(s.Seller, s.State()+" → "+p.paintStatement(moves[i].State), until)
			}
			if p.json {
				return p.printJSON(views)
			}
			if len(before) == 0 {
				p.printf("nothing to %s: see `nightshift settlement list --period %s`\n", act, ask.Period)
				return nil
			}
			return g.print(p.out)
		},
	}
	h.options(p, cmd, true)
	return cmd
}

func (p *program) settlementReissue() *cobra.Command {
	var h byHand
	cmd := &cobra.Command{
		Use: "reissue SELLER… --period YYYYMM --because TEXT", Short: "Issue statements again as their next version, where anything differs", Args: takes(1, -1, "sellers, by code"),
		Long: `Reissue settles the period of sellers again, by what is known and by the rules in
force now. What differs is the next version, with its differences and the reason;
nothing that was issued changes, and the journal has the difference alone. It is
refused where something stands on the version there is: the period is closed, a
payment is ordered, a later statement exists. Then an adjustment of the next
period is the way.`,
		Example: "  nightshift settlement reissue acme --period 202405 --because \"the fee table was wrong\"\n  nightshift settlement workbook acme --period 202405 -o acme.xlsx",
		RunE: func(cmd *cobra.Command, args []string) error {
			ask, _, err := h.act(p, "reissue", args, true)
			if err != nil {
				return err
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			list, err := e.Reissue(cmd.Context(), ask)
			if err != nil {
				return err
			}
			views := []map[string]any{}
			for _, r := range list {
				views = append(views, map[string]any{"seller": r.Before.Seller, "same": r.Same, "version": r.After.Version, "payout_before": r.Before.Payout, "payout": r.After.Payout, "journal": r.After.Key()})
				if p.json {
					continue
				}
				if r.Same {
					p.printf("%s: nothing differs, version %d stays\n", r.Before.Seller, r.Before.Version)
					continue
				}
				p.printf("%s: version %d, payout %s instead of %s, journal %s\n", r.Before.Seller, r.After.Version, market.NewMoney(r.After.Payout, r.After.Currency), r.Before.Money(r.Before.Payout), r.After.Key())
			}
			if p.json {
				return p.printJSON(views)
			}
			return nil
		},
	}
	h.options(p, cmd, true)
	return cmd
}

func (p *program) settlementClose() *cobra.Command {
	var h byHand
	var check bool
	cmd := &cobra.Command{
		Use: "close --period YYYYMM", Short: "Close a month when its totals tie", Args: takes(0, 0, "no words, only options"),
		Long: `Close ties a month: the lines with the statements, the statements with the
journals, the journals with what was ordered from the bank, what is accrued with
what waits; and the nights of billing and renewal, where the site has them, go to
its last day. Then the month is closed: nothing is settled or booked into it any
more, and what comes late belongs to the next. Where something does not tie,
nothing is closed and the exit code is 4. Closing a closed month changes nothing.`,
		Example: "  nightshift settlement close --period 202405 --check     look, and close nothing\n  nightshift settlement close --period 202405",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ask, site, err := h.act(p, "close", nil, true)
			if err != nil {
				return err
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			result, failed := e.ClosePeriod(cmd.Context(), site.Name, ask.Period, ask.Actor, ask.At, check)
			if err := p.showClose(site, ask.Period, result, check, failed); err != nil {
				return err
			}
			return failed
		},
	}
	h.options(p, cmd, true)
	_ = cmd.Flags().MarkHidden("because") // a close needs no reason
	cmd.Flags().BoolVar(&check, "check", false, "say whether it ties, and close nothing")
	return cmd
}

func (p *program) showClose(site *rules.Site, period market.Period, result jobs.CloseResult, check bool, failed error) error {
	if p.json {
		view := map[string]any{"period": period.String(), "checks": result.Checks, "closed": failed == nil && !check}
		if b := result.Before; b != nil {
			view["closed_at"], view["closed_by"] = rfc3339(b.At, site.Zone), b.Actor
		}
		return p.printJSON(view)
	}
	g := &grid{}
	for _, c := range result.Checks {
		mark := p.paint(p.out, green, "ties")
		if !c.Tied {
			mark = p.paint(p.out, red, "does not tie")
		}
		g.row(c.Name, c.Is, mark, strings.TrimPrefix(c.Which, "; "))
	}
	if err := g.print(p.out); err != nil || failed != nil {
		return err
	}
	switch b := result.Before; {
	case b != nil:
		p.printf("%s was closed before, by %s at %s\n", period, b.Actor, rfc3339(b.At, site.Zone))
	case check:
		p.printf("%s ties and can be closed\n", period)
	default:
		p.printf("%s is closed\n", period)
	}
	return nil
}

// settlementPauses stop and resume payments.
func (p *program) settlementPause(pause bool) *cobra.Command {
	name, short := "pause-payments", "Stop the payments of sellers, or of the site"
	if !pause {
		name, short = "resume-payments", "Resume the payments of sellers, or of the site"
	}
	var h byHand
	var all bool
	cmd := &cobra.Command{
		Use: name + " [SELLER…] --because TEXT", Short: short, Args: takes(0, -1, "sellers, by code"),
		Long:    short + ". What is with the bank already is not called back.",
		Example: "  nightshift settlement " + name + " acme --because \"under investigation\"\n  nightshift settlement " + name + " --all --because \"the bank is down\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			if all != (len(args) == 0) {
				return misuse("name sellers, or the whole site with --all: see `%s --help`", cmd.CommandPath())
			}
			ask, site, err := h.act(p, name, args, false)
			if err != nil {
				return err
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			if err := e.PausePayments(cmd.Context(), ask, pause); err != nil {
				return err
			}
			whose := "all of " + site.Name
			if len(args) > 0 {
				slices.Sort(args)
				whose = strings.Join(args, ", ")
			}
			if p.json {
				return p.printJSON(map[string]any{"paused": pause, "sellers": args, "at": ask.At.Format(time.RFC3339)})
			}
			p.printf("payments of %s are %s\n", whose, map[bool]string{true: "paused", false: "resumed"}[pause])
			return nil
		},
	}
	h.options(p, cmd, false)
	cmd.Flags().BoolVar(&all, "all", false, "the whole site")
	return cmd
}
