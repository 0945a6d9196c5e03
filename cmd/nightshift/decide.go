package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"nightshift/jobs"
)

// decide is the command decide.
func (p *program) decide() *cobra.Command {
	var i jobs.Intervention
	var at string
	var set []string
	cmd := &cobra.Command{
		Use: "decide ORDER OUTCOME --because TEXT", Short: "A person's decision on what the rules left open",
		Long: `Decide keeps a person's decision about one order, with who, why and on what
evidence, and carries it out at once.

Outcomes:
  accept    the delivery is accepted, as if the buyer had
  refund    the buyer gets the money back
  back      the seller has to deliver again
  correct   a reported fact was wrong: --set phone_matches=true, --set signed_at=…

Of an offer (--offer), which the next run of offers carries out:
  grant     it holds in its window, whatever its discount
  decline   it does not`,
		Args: takes(2, 2, "an order and an outcome: accept, refund, back or correct; or --offer, an offer and grant or decline"),
		Example: `  nightshift decide A-1001 accept --because "The buyer confirmed by phone." --evidence call-4711
  nightshift decide A-1002 correct --set phone_matches=true --because "The buyer uses both numbers."
  nightshift decide summer-ann grant --offer --because "Agreed with the head of sales."`,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return outcomeNames(cmd), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			i.Subject, i.Outcome = args[0], args[1]
			if i.Set, err = facts(set); err != nil {
				return err
			}
			return p.intervene(cmd.Context(), i, at)
		},
	}
	cmd.Flags().BoolVar(&i.Offer, "offer", false, "it is about an offer")
	cmd.Flags().StringVar(&i.Because, "because", "", "the reason, kept for ever")
	cmd.Flags().StringVar(&i.Evidence, "evidence", "", "where the proof is kept")
	cmd.Flags().StringVar(&i.Actor, "actor", "", "who decides (default the user's name)")
	cmd.Flags().StringVar(&at, "at", "", "the instant of the decision and of its effect (default now)")
	cmd.Flags().StringArrayVar(&set, "set", nil, "with correct: a fact as it really was, name=value")
	p.siteOption(cmd)
	return cmd
}

// facts reads name=value pairs.
func facts(set []string) (map[string]string, error) {
	found := map[string]string{}
	for _, pair := range set {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, misuse("--set %s: write name=value, such as phone_matches=true", pair)
		}
		found[name] = value
	}
	return found, nil
}

func (p *program) intervene(ctx context.Context, i jobs.Intervention, at string) error {
	site, err := p.siteRules()
	if err != nil {
		return err
	}
	i.Site, i.Actor, i.At = site.Name, p.actor(i.Actor), p.now()
	if at != "" {
		if i.At, err = instant("at", at, site.Zone); err != nil {
			return err
		}
	}
	e, err := p.engine(ctx)
	if err != nil {
		return err
	}
	if err := e.Decide(ctx, i); err != nil {
		return err
	}
	if p.json {
		return p.printJSON(map[string]any{"subject": i.Subject, "outcome": i.Outcome, "actor": i.Actor, "at": rfc3339(i.At, site.Zone)})
	}
	p.printf("%s: %s, decided by %s at %s\n", i.Subject, i.Outcome, i.Actor, rfc3339(i.At, site.Zone))
	return nil
}
