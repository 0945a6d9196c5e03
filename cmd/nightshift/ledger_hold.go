package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/rules/market"
)

func (p *program) ledgerHold() *cobra.Command {
	var h byHand
	var buyer, amount string
	cmd := &cobra.Command{
		Use: "hold CODE --buyer BUYER --amount AMOUNT --because TEXT", Short: "Set cash apart for a payment in doubt", Args: takes(1, 1, "the code of the payment"),
		Long: `Hold moves cash of a buyer to the account buyer:BUYER:held: nothing else can spend
it, and it is not paid yet. What became of the payment is said once: by post, by
void, or by expire where nobody knows in time.`,
		Example: "  nightshift ledger hold W-7 --buyer ann --amount \"80.00 CNY\" --because \"the bank has not answered\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			ask, site, err := h.act(p, "hold", nil, false)
			if err != nil {
				return err
			}
			money, err := market.ParseMoney(amount)
			if err != nil {
				return misuse("hold %s: --amount: %v", args[0], err)
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			return p.booked(e.Hold(cmd.Context(), jobs.HoldAsk{Site: site.Name, Code: args[0], Buyer: buyer, Amount: money, Actor: ask.Actor, Because: ask.Because, At: ask.At}))
		},
	}
	cmd.Flags().StringVar(&buyer, "buyer", "", "whose cash it is, by code")
	cmd.Flags().StringVar(&amount, "amount", "", "how much, such as \"80.00 CNY\"")
	h.options(p, cmd, false)
	return cmd
}

// ledgerHoldEnd is post, or void.
func (p *program) ledgerHoldEnd(posted bool) *cobra.Command {
	var h byHand
	var to, amount string
	cmd := &cobra.Command{
		Use: "void CODE --because TEXT", Short: "Give back what was held: the payment was called off", Args: takes(1, 1, "the code of the payment"),
		Example: "  nightshift ledger void W-7 --because \"the bank refused it\"",
	}
	if posted {
		cmd.Use, cmd.Short = "post CODE --to ACCOUNT --because TEXT", "Pay what was held, or a part of it: the payment went through"
		cmd.Example = "  nightshift ledger post W-7 --to platform:bank --because \"the bank paid it\"\n  nightshift ledger post W-7 --to platform:bank --amount \"50.00 CNY\" --because \"a part of it\""
		cmd.Flags().StringVar(&to, "to", "", "the account that it goes to")
		cmd.Flags().StringVar(&amount, "amount", "", "how much of it; the rest is cash again (default all of it)")
	}
	h.options(p, cmd, false)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ask, site, err := h.act(p, cmd.Name(), nil, false)
		if err != nil {
			return err
		}
		end := jobs.HoldEnd{Site: site.Name, Code: args[0], Posted: posted, To: market.Account(to), Actor: ask.Actor, Because: ask.Because, At: ask.At}
		if amount != "" {
			if end.Amount, err = market.ParseMoney(amount); err != nil {
				return misuse("post %s: --amount: %v", args[0], err)
			}
		}
		e, err := p.engine(cmd.Context())
		if err != nil {
			return err
		}
		return p.booked(e.EndHold(cmd.Context(), end))
	}
	return cmd
}

func (p *program) ledgerExpire() *cobra.Command {
	var h byHand
	var before string
	cmd := &cobra.Command{
		Use: "expire --before T", Short: "Give back what was held before an instant and never ended", Args: takes(0, 0, "no words, only options"),
		Example: "  nightshift ledger expire --before 2026-04-01T00:00     from cron, once a day, with the date of a week ago",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ask, site, err := h.act(p, "expire", nil, false)
			if err != nil {
				return err
			}
			limit, err := instant("before", before, site.Zone)
			if err != nil {
				return err
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			over, err := e.ExpireHolds(cmd.Context(), site.Name, limit, ask.Actor, ask.At)
			if err != nil {
				return err
			}
			return p.printJournals(over)
		},
	}
	cmd.Flags().StringVar(&before, "before", "", "the instant")
	h.options(p, cmd, false)
	return cmd
}

func (p *program) ledgerHolds() *cobra.Command {
	cmd := &cobra.Command{
		Use: "holds", Short: "Payments in doubt: what is held, of whom, since when, and why", Args: takes(0, 0, "no words, only options"),
		Example: "  nightshift ledger holds\n  nightshift ledger holds --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			site, err := p.siteRules()
			if err != nil {
				return err
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			holds, err := e.Holds(cmd.Context(), site.Name)
			if err != nil {
				return err
			}
			views := []map[string]any{}
			g := grid{}
			g.row("payment", "buyer", "held", "since", "why")
			for _, hold := range holds {
				held := hold.Postings[0]
				code, why := strings.TrimPrefix(hold.Key, "hold/"+site.Name+"/"), strings.TrimPrefix(hold.Memo, "held, ")
				since := hold.At.In(site.Zone).Format(time.RFC3339)
				views = append(views, map[string]any{"payment": code, "buyer": held.From.Owner(), "held": held.Amount.String(), "since": since, "why": why})
				g.row(code, held.From.Owner(), held.Amount.String(), since, why)
			}
			if p.json {
				return p.printJSON(views)
			}
			if len(holds) == 0 {
				p.printf("nothing is held\n")
				return nil
			}
			return g.print(p.out)
		},
	}
	p.siteOption(cmd)
	return cmd
}

// booked prints a journal that was booked by hand.
func (p *program) booked(j market.Journal, err error) error {
	if err != nil {
		return err
	}
	return p.printJournals([]market.Journal{j})
}

func (p *program) printJournals(journals []market.Journal) error {
	views := []map[string]any{}
	for _, j := range journals {
		views = append(views, map[string]any{"key": j.Key, "memo": j.Memo})
		if !p.json {
			p.printf("%s\n", j)
		}
	}
	switch {
	case p.json:
		return p.printJSON(views)
	case len(journals) == 0:
		p.printf("nothing was booked\n")
	}
	return nil
}
