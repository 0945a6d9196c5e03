package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"nightshift/rules"
	"nightshift/rules/market"
)

func (p *program) rulesList() *cobra.Command {
	var on string
	cmd := &cobra.Command{
		Use: "list [DIRECTORY]", Short: "List every version of every rule file, which one holds, and what comes next", Args: takes(0, 1, "at most one directory"),
		Long: `List shows every version of every rule file, which of them holds on a date and
which is a shadow beside it, and below them what changes next of each ruleset:
another version, or a parameter that gets another value. ` + "`rules diff`" + ` shows the
whole of a change. Where releases are required the rule files are candidates: ` + "`rules release list`" + ` shows what holds.`,
		Example: "  nightshift rules list\n  nightshift rules list --on 2019-06-30\n  nightshift rules list ./my-rules --site br",
		RunE: func(cmd *cobra.Command, args []string) error {
			book, err := p.named(args)
			if err != nil {
				return p.problems(err)
			}
			sites := book.Sites()
			if p.siteFlag != "" {
				site, err := book.Site(p.siteFlag)
				if err != nil {
					return misuse("%v", err)
				}
				sites = []*rules.Site{site}
			}
			day := market.Date(0)
			if on != "" {
				if day, err = date("on", on); err != nil {
					return err
				}
			}
			return p.showVersions(sites, day)
		},
	}
	cmd.Flags().StringVar(&on, "on", "", "the business date (default today)")
	cmd.Flags().SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "date" { // as other commands call it
			name = "on"
		}
		return pflag.NormalizedName(name)
	})
	p.siteOption(cmd)
	return cmd
}

// comingView is what changes next, for machines.
type comingView struct {
	On      market.Date    `json:"on"`
	Version int            `json:"version"`
	Changes []rules.Change `json:"changes,omitempty"`
}

func (p *program) showVersions(sites []*rules.Site, on market.Date) error {
	views, g := []map[string]any{}, &grid{}
	g.row("site", "ruleset", "version", "effective", "content", "file", "")
	var next []string
	for _, s := range sites {
		day := on
		if day == 0 {
			day = market.DateOf(p.now(), s.Zone)
		}
		for _, name := range s.Rulesets() {
			holds, _ := s.Policy(name, day) // before the first version none holds
			coming := s.Coming(name, day)
			for _, v := range s.Versions(name) {
				current := holds != nil && v.Version == holds.Version
				view := map[string]any{"site": s.Name, "ruleset": name, "version": v.Version, "effective": v.Effective, "file": v.File, "holds": current}
				mark := ""
				switch {
				case current:
					v = holds // its content is that of the date
					if mark = p.paint(p.out, green, "holds on "+day.String()); p.settings.Releases == releasesRequired {
						mark = "would hold on " + day.String()
					}
					if coming != nil {
						view["next"] = comingView{coming.On, coming.Version, coming.Changes}
					}
				case v.Effective > day:
					mark = "in " + counted(int64(v.Effective-day), "day")
				}
				view["hash"] = fmt.Sprintf("%x", v.Hash)
				g.row(s.Name, name, fmt.Sprint(v.Version), v.Effective.String(), fmt.Sprintf("%x", v.Hash[:6]), v.File, mark)
				views = append(views, view)
			}
			for _, v := range s.Shadows(name, day) {
				views = append(views, map[string]any{"site": s.Name, "ruleset": name, "version": v.Version, "effective": v.Effective, "file": v.File, "holds": false, "shadow": true, "hash": fmt.Sprintf("%x", v.Hash)})
				g.row(s.Name, name, fmt.Sprint(v.Version), v.Effective.String(), fmt.Sprintf("%x", v.Hash[:6]), v.File, "a shadow on "+day.String())
			}
			if coming != nil {
				next = append(next, comingLines(s, name, coming)...)
			}
		}
	}
	if p.json {
		return p.printJSON(views)
	}
	if err := g.print(p.out); err != nil {
		return err
	}
	if p.settings.Releases == releasesRequired {
		p.printf("\nreleases are required: these are candidates. What was released holds: `nightshift rules release list`\n")
	}
	for i, line := range next {
		if i == 0 {
			p.printf("\nnext\n")
		}
		p.printf("  %s\n", line)
	}
	return nil
}

// mostComing is how many changes of one ruleset are shown.
const mostComing = 10

// comingLines say what changes next, the head of each change on a line.
func comingLines(s *rules.Site, ruleset string, c *rules.Coming) []string {
	lines := []string{fmt.Sprintf("%s  %s@%d (site %s)", c.On, ruleset, c.Version, s.Name)}
	for i, change := range c.Changes {
		if i == mostComing {
			lines = append(lines, fmt.Sprintf("    and %d changes more", len(c.Changes)-i))
			break
		}
		lines = append(lines, "    "+change.Lines()[0])
	}
	return lines
}
