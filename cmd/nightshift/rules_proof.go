package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"nightshift/rules"
)

func (p *program) rulesTest() *cobra.Command {
	var page string
	var cost bool
	cmd := &cobra.Command{
		Use: "test [DIRECTORY]", Short: "Run the tests beside the rule files and show what they cover", Args: takes(0, 1, "at most one directory"),
		Long: `Test runs the tests beside the rule files, site by site, and shows how far they
go: which rules they hit, and which leaves of the conditions they have seen both
true and false. A leaf is what is not made of others by and, or, not, ?:, such as
signed_for >= acceptance_window. What is proven to be impossible counts as seen.
A test file may ask for coverage with coverage: 100, in percent of the leaves;
less is then an error.`,
		Example: `  nightshift rules test
  nightshift rules test ./my-rules --html coverage.html
  nightshift rules test --cost`,
		RunE: func(_ *cobra.Command, args []string) error {
			book, err := p.named(args)
			if err != nil {
				return p.problems(err)
			}
			report := book.Test()
			if page != "" {
				if err := writeCoverage(page, report.Coverage()); err != nil {
					return err
				}
			}
			if err := p.showTests(report, cost); err != nil {
				return err
			}
			return report.Err()
		},
	}
	cmd.Flags().StringVar(&page, "html", "", "write a page with the rule files, their leaves coloured by what was seen")
	cmd.Flags().BoolVar(&cost, "cost", false, "measure what it costs to ask each rule's condition")
	return cmd
}

func writeCoverage(name string, coverage []*rules.Coverage) error {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write the coverage page: %w", err)
	}
	if err = rules.WriteCoverage(f, coverage); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// showTests prints what became of the tests, or of their cost where that is asked.
func (p *program) showTests(report *rules.TestReport, cost bool) error {
	view := testsView{Sites: []siteTestsView{}, Coverage: []coverageView{}}
	for _, r := range report.Sites {
		view.Sites = append(view.Sites, siteTestsView{r.Site, r.Cases, r.Failed, r.Rules, r.Hit})
	}
	for _, c := range report.Coverage() {
		view.Coverage = append(view.Coverage, coverageOf(c))
	}
	if cost {
		for _, c := range report.Costs(stopwatch) {
			view.Cost = append(view.Cost, costView{c.Site, c.File, c.Line, c.Rule, c.Nanoseconds})
		}
	}
	if p.json {
		return p.printJSON(view)
	}
	return p.printTests(view)
}

// stopwatch is how long a function takes.
func stopwatch(run func()) time.Duration {
	begin := time.Now()
	run()
	return time.Since(begin)
}

// testsView is what became of the tests, for machines.
type testsView struct {
	Sites    []siteTestsView `json:"sites"`
	Coverage []coverageView  `json:"coverage"`
	Cost     []costView      `json:"cost,omitempty"`
}

type siteTestsView struct {
	Site   string `json:"site"`
	Cases  int    `json:"cases"`
	Failed int    `json:"failed"`
	Rules  int    `json:"rules"`
	Hit    int    `json:"hit"`
}

type coverageView struct {
	Site     string     `json:"site"`
	File     string     `json:"file"`
	Rules    int        `json:"rules"`
	Hit      int        `json:"hit"`
	Leaves   int        `json:"leaves"`
	Both     int        `json:"both"`
	Percent  int        `json:"percent"`
	Want     int        `json:"want,omitempty"`
	Measured bool       `json:"measured"`
	Unhit    []string   `json:"unhit"`
	Gaps     []leafView `json:"gaps"`
}

type leafView struct {
	problemView
	Text  string `json:"text"`
	True  bool   `json:"seen_true"`
	False bool   `json:"seen_false"`
}

type costView struct {
	Site        string  `json:"site"`
	File        string  `json:"file"`
	Line        int     `json:"line"`
	Rule        string  `json:"rule"`
	Nanoseconds float64 `json:"nanoseconds"`
}

func coverageOf(c *rules.Coverage) coverageView {
	v := coverageView{c.Site, c.File, c.Rules, c.Hit, c.Leaves, c.Both, c.Percent(), c.Want, c.Measured, c.Unhit, []leafView{}}
	if v.Unhit == nil {
		v.Unhit = []string{}
	}
	for _, l := range c.Gaps {
		v.Gaps = append(v.Gaps, leafView{viewOfProblem(l.Problem), l.Text, l.True, l.False})
	}
	return v
}

func (p *program) printTests(v testsView) error {
	sites, files, costs := &grid{}, &grid{}, &grid{}
	sites.row("site", "cases", "failed", "rules", "hit")
	for _, s := range v.Sites {
		sites.row(s.Site, fmt.Sprint(s.Cases), fmt.Sprint(s.Failed), fmt.Sprint(s.Rules), fmt.Sprint(s.Hit))
	}
	files.row("file", "rules", "leaves", "covered")
	for _, c := range v.Coverage {
		percent := fmt.Sprintf("%d %%", c.Percent)
		if !c.Measured {
			percent = "too large"
		}
		files.row(c.File, fmt.Sprintf("%d/%d", c.Hit, c.Rules), fmt.Sprintf("%d/%d", c.Both, c.Leaves), percent)
	}
	p.printf("%s\n%s", sites, files)
	for _, c := range v.Coverage {
		for _, l := range c.Gaps {
			p.printf("%s\n", l)
		}
	}
	if len(v.Cost) > 0 {
		costs.row("ns", "rule", "at")
		for _, c := range v.Cost {
			costs.row(fmt.Sprintf("%.1f", c.Nanoseconds), c.Rule, fmt.Sprintf("%s:%d", c.File, c.Line))
		}
		p.printf("\n%s", costs)
	}
	return nil
}

// String is a leaf in one line: where it stands, and what is missing.
func (l leafView) String() string {
	return rules.Problem{File: l.File, Line: l.Line, Column: l.Column, Cell: l.Cell, Rule: l.Rule, Message: l.Message}.Error()
}
