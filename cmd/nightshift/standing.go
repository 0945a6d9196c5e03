package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nightshift/jobs"
)

// standingView is what stands of a subject, for machines.
type standingView struct {
	Code    string     `json:"code"`
	Outcome string     `json:"outcome"`
	Rule    string     `json:"rule"`
	Since   *time.Time `json:"since,omitempty"`
	Turns   *time.Time `json:"turns,omitempty"`
	Date    string     `json:"date"`
	Run     int64      `json:"run,omitempty"`
	Actor   string     `json:"actor,omitempty"`
}

// standing is the command standing.
func (p *program) standing() *cobra.Command {
	var outcome string
	var limit int
	small := []string{jobs.Openings.Name, jobs.Listings.Name, jobs.Leads.Name, jobs.Offers.Name}
	cmd := &cobra.Command{
		Use: "standing JOB [--outcome OUTCOME]", Short: "What was last decided about each opening, product, lead or offer",
		Long: `Standing lists what a small job last decided about each of its subjects, the newest
first: openings, listings, leads, offers. A product that never gave reason for a
proposal is not among them. explain says why.`,
		Args:              takes(1, 1, "one of "+strings.Join(small, ", ")),
		ValidArgsFunction: p.first(func(*cobra.Command) []string { return small }, false),
		Example: `  nightshift standing openings --outcome query     what sellers say is in progress
  nightshift standing listings --outcome propose
  nightshift standing offers --outcome hold        what waits for a person
  nightshift standing leads --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(small, args[0]) {
				return misuse("standing: %q is none of %s", args[0], strings.Join(small, ", "))
			}
			site, err := p.siteRules()
			if err != nil {
				return err
			}
			store, err := p.open(cmd.Context())
			if err != nil {
				return err
			}
			list, err := store.Standings(cmd.Context(), args[0], site.Name, outcome, limit)
			if err != nil {
				return err
			}
			views, g := []standingView{}, &grid{}
			g.row("code", "outcome", "rule", "since", "turns", "run")
			for _, s := range list {
				views = append(views, standingView{s.Code, s.Outcome, s.Rule, known(s.Since, site), known(s.Turns, site), s.On.String(), s.RunID, s.Actor})
				by := s.Actor
				if by == "" {
					by = number(s.RunID)
				}
				g.row(s.Code, s.Outcome, s.Rule, rfc3339(s.Since, site.Zone), rfc3339(s.Turns, site.Zone), by)
			}
			if p.json {
				return p.printJSON(views)
			}
			if len(list) == 0 {
				p.printf("nothing was decided by %s here\n", args[0])
				return nil
			}
			return g.print(p.out)
		},
	}
	cmd.Flags().StringVar(&outcome, "outcome", "", "only what came to that outcome")
	cmd.Flags().IntVar(&limit, "limit", 100, "how many at most")
	p.siteOption(cmd)
	return cmd
}
