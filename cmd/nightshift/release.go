package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

const releaseHelp = `Where releases are required (NIGHTSHIFT_RELEASES=required) only released rule
texts are in force, and the rule directory holds candidates. A version is
proposed by one login of the database and approved by another one: the database
refuses the approval of whoever proposed the text. A release keeps the text, so
that it can be read back when the file is gone.`

// rulesRelease is the command rules release and those below it.
func (p *program) rulesRelease() *cobra.Command {
	cmd := group("release", "Propose, approve and list the rule versions in force", releaseHelp, `
  nightshift rules release propose acceptance@3 --because "Seven days, agreed with finance."
  nightshift rules release approve 4 --because "Read it, and its backtest."
  nightshift rules release list
  nightshift rules release show 4`)
	cmd.AddCommand(p.releasePropose(), p.releaseAct(storage.ReleaseApprove), p.releaseAct(storage.ReleaseWithdraw), p.releaseList(), p.releaseShow())
	return cmd
}

func (p *program) releasePropose() *cobra.Command {
	var because string
	cmd := &cobra.Command{
		Use: "propose RULESET[@VERSION]… --because TEXT", Short: "Propose versions of the rule directory for release",
		Args: takes(1, -1, "rulesets, with a version or the newest: acceptance@3"),
		Long: "Propose keeps the text of a version, with its tables and parameters, and asks for\nits release. The tests of the directory must pass.",
		Example: `  nightshift rules release propose acceptance --because "Seven days, agreed with finance."
  nightshift rules release propose acceptance@3 reminders@2 --because "…"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := p.engine(cmd.Context())
			if err != nil {
				return p.problems(err)
			}
			views := []map[string]any{}
			for _, arg := range args {
				ruleset, version, err := versioned(arg, false)
				if err != nil {
					return err
				}
				r, err := e.Propose(cmd.Context(), p.site(), ruleset, version, because)
				if err != nil {
					return p.problems(err)
				}
				views = append(views, map[string]any{"release": r.ID, "ruleset": r.Ruleset, "version": r.Version})
				if !p.json {
					p.printf("release %d: %s@%d is proposed; another login approves it: nightshift rules release approve %d\n", r.ID, r.Ruleset, r.Version, r.ID)
				}
			}
			if p.json {
				return p.printJSON(views)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&because, "because", "", "the reason, kept for ever")
	p.siteOption(cmd)
	return cmd
}

// versioned reads RULESET@VERSION; where the version may be left out it is 0.
func versioned(typed string, needed bool) (ruleset string, version int, err error) {
	ruleset, text, found := strings.Cut(typed, "@")
	if !found && !needed {
		return ruleset, 0, nil
	}
	version, err = strconv.Atoi(text)
	if err != nil || version < 1 || ruleset == "" {
		return "", 0, misuse("%s: write a ruleset and its version like acceptance@3", typed)
	}
	return ruleset, version, nil
}

func (p *program) releaseAct(act string) *cobra.Command {
	about := map[string][2]string{
		storage.ReleaseApprove:  {"Put a proposed version in force", "Approve puts a release in force from its effective date on. Its author cannot: the\ndatabase knows who proposed the text."},
		storage.ReleaseWithdraw: {"Take a release back, approved or not", "Withdraw ends a release, for good: the versions approved before hold again. Runs\nthat have begun go on with the rules they began with."},
	}[act]
	var because string
	cmd := &cobra.Command{
		Use: act + " RELEASE… --because TEXT", Short: about[0], Long: about[1], Args: takes(1, -1, "the numbers of releases"),
		Example: "  nightshift rules release " + act + ` 4 --because "…"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			for _, arg := range args {
				id, err := releaseNumber(arg)
				if err != nil {
					return err
				}
				if err := e.ActOnRelease(cmd.Context(), p.site(), id, act, because); err != nil {
					return err
				}
			}
			return p.listReleases(cmd.Context(), e)
		},
	}
	cmd.Flags().StringVar(&because, "because", "", "the reason, kept for ever")
	p.siteOption(cmd)
	return cmd
}

func releaseNumber(typed string) (int64, error) {
	id, err := strconv.ParseInt(typed, 10, 64)
	if err != nil {
		return 0, misuse("release %q: write the number of a release, as `nightshift rules release list` shows it", typed)
	}
	return id, nil
}

func (p *program) releaseList() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List who released what, when and why", Args: takes(0, 0, "no words, only options"),
		Example: "  nightshift rules release list\n  nightshift rules release list --site br --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			return p.listReleases(cmd.Context(), e)
		},
	}
	p.siteOption(cmd)
	return cmd
}

// releaseView is a release for machines.
type releaseView struct {
	Release  int64    `json:"release"`
	Site     string   `json:"site"`
	Ruleset  string   `json:"ruleset"`
	Version  int      `json:"version"`
	Texts    []string `json:"texts"`
	State    string   `json:"state"`
	Proposed *actView `json:"proposed"`
	Approved *actView `json:"approved,omitempty"`
	Withdrew *actView `json:"withdrawn,omitempty"`
}

type actView struct {
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Because string    `json:"because"`
}

func viewAct(a storage.ReleaseAct) *actView {
	if a.By == "" {
		return nil
	}
	return &actView{a.By, a.At, a.Because}
}

func (p *program) listReleases(ctx context.Context, e *jobs.Engine) error {
	site, err := p.siteRules()
	if err != nil {
		return err
	}
	list, err := e.Releases(ctx, site.Name)
	if err != nil {
		return err
	}
	standing, err := e.StandingReleases(ctx, site.Name)
	if err != nil {
		return err
	}
	counts := map[int64]bool{}
	for _, r := range standing {
		counts[r.ID] = true
	}
	views, g := []releaseView{}, &grid{}
	g.row("release", "ruleset", "content", "state", "proposed", "approved", "because")
	for _, r := range list {
		v := releaseView{r.ID, r.Site, r.Ruleset, r.Version, nil, stateOf(r, counts[r.ID]), viewAct(r.Proposed), viewAct(r.Approved), viewAct(r.Withdrew)}
		for _, hash := range r.Texts {
			v.Texts = append(v.Texts, fmt.Sprintf("%x", hash))
		}
		views = append(views, v)
		last := r.Proposed
		for _, act := range []storage.ReleaseAct{r.Approved, r.Withdrew} {
			if act.By != "" {
				last = act
			}
		}
		g.row(strconv.FormatInt(r.ID, 10), fmt.Sprintf("%s@%d", r.Ruleset, r.Version), v.Texts[0][:12], v.State,
			signed(r.Proposed, site), orElse(signed(r.Approved, site), "-"), last.Because)
	}
	if p.json {
		return p.printJSON(views)
	}
	if len(list) == 0 {
		p.printf("nothing was released yet\n")
		return nil
	}
	return g.print(p.out)
}

func stateOf(r storage.Release, counts bool) string {
	switch {
	case r.Withdrew.By != "":
		return "withdrawn"
	case r.Approved.By == "":
		return "proposed"
	case counts:
		return "released"
	default:
		return "replaced"
	}
}

// signed says who acted, and on which day of the site.
func signed(a storage.ReleaseAct, site *rules.Site) string {
	if a.By == "" {
		return ""
	}
	return a.By + " " + market.DateOf(a.At, site.Zone).String()
}

func (p *program) releaseShow() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show RELEASE", Short: "Print the text of a release as it was kept", Args: takes(1, 1, "the number of one release"),
		Long:    "Show prints the rule text that was released, with the tables and parameters it was\nkept with, also where the file has changed or is gone.",
		Example: "  nightshift rules release show 4\n  nightshift rules release show 4 --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := releaseNumber(args[0])
			if err != nil {
				return err
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			r, texts, err := e.ReleasedTexts(cmd.Context(), p.site(), id)
			if err != nil {
				return err
			}
			views := []map[string]any{}
			for _, v := range texts {
				views = append(views, map[string]any{"file": v.File, "ruleset": v.Ruleset, "version": v.Version, "from": v.Effective.Date, "hash": fmt.Sprintf("%x", v.Hash), "text": v.Text})
				if !p.json {
					p.printf("# release %d: %s, %s@%d from %s, %x\n%s", r.ID, v.File, v.Ruleset, v.Version, v.Effective, v.Hash[:6], v.Text)
				}
			}
			if p.json {
				return p.printJSON(views)
			}
			return nil
		},
	}
	p.siteOption(cmd)
	return cmd
}
