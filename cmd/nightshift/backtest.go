package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/reports"
	"nightshift/rules"
)

const backtestHelp = `Backtest decides history again with candidate rule files, from the facts that
were kept with each decision, and says what would have become of the orders:
how many, which, how much earlier or later, and whose money. A workbook lists
every changed decision with the rule that changed it. Nothing in the database
changes.

A candidate judges every date, whatever its effective date says. Of a directory
the newest version of acceptance and of reminders is taken: what billing answers
changes what it is asked next, and a dry run says more of that. An order that had
ended, and that the candidate would end later or leave open, is marked: what
happened after its end was never recorded.`

// rulesBacktest is the command rules backtest.
func (p *program) rulesBacktest() *cobra.Command {
	var from, to, output string
	cmd := &cobra.Command{
		Use: "backtest --from DATE --to DATE CANDIDATE…", Short: "Decide history again with candidate rule files", Long: backtestHelp,
		Args: takes(1, -1, "rule files or a directory of them"),
		Example: `  nightshift rules backtest --from 2026-03-01 --to 2026-03-31 seven-days.yaml
  nightshift rules backtest --from 2026-03-01 --to 2026-03-31 ./my-rules -o march.xlsx`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			var ask jobs.Backtest
			if ask.From, err = date("from", from); err != nil {
				return err
			}
			if ask.To, err = date("to", to); err != nil {
				return err
			}
			return p.backtest(cmd.Context(), ask, args, output)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the first business date, such as 2026-03-01")
	cmd.Flags().StringVar(&to, "to", "", "the last business date")
	cmd.Flags().StringVarP(&output, "output", "o", "", "the workbook to write (default backtest-SITE-FROM-TO.xlsx)")
	p.workerOption(cmd)
	p.siteOption(cmd)
	return cmd
}

func (p *program) backtest(ctx context.Context, ask jobs.Backtest, named []string, output string) error {
	site, err := p.siteRules()
	if err != nil {
		return err
	}
	ask.Site = site.Name
	if ask.Candidates, err = candidates(site, named); err != nil {
		return p.problems(err)
	}
	if output == "" {
		output = fmt.Sprintf("backtest-%s-%s-%s.xlsx", site.Name, ask.From, ask.To)
	}
	e, err := p.engine(ctx)
	if err != nil {
		return err
	}
	bar := p.progress("decisions")
	e.Progress = bar.ofRun
	var result jobs.BacktestResult
	var control, refused error
	err = putInPlace(output, func(w io.Writer) (err error) {
		if result, err = e.Backtest(ctx, ask, w); errors.Is(err, jobs.ErrControl) {
			control, err = err, nil // the workbook is kept, red
		}
		if errors.Is(err, jobs.ErrBadRequest) {
			refused = err // before anything was written
		}
		return err
	})
	bar.end()
	if refused != nil {
		return refused
	}
	if err != nil {
		return err
	}
	return errors.Join(control, p.showBacktest(ask, result, output))
}

// candidates reads rule files, and of directories the newest version of each
// ruleset whose answers stand alone.
func candidates(site *rules.Site, named []string) ([]*rules.Policy, error) {
	var found []*rules.Policy
	for _, name := range named {
		info, err := os.Stat(name)
		if err != nil {
			return nil, misuse("read the candidate %s: there is no such file or directory", name)
		}
		if !info.IsDir() {
			policy, err := rules.LoadFile(os.DirFS(filepath.Dir(name)), filepath.Base(name), site)
			if err != nil {
				return nil, err
			}
			found = append(found, policy)
			continue
		}
		newest, err := newestOf(site, os.DirFS(name))
		if err != nil {
			return nil, err
		}
		if len(newest) == 0 {
			return nil, misuse("read the candidates in %s: there is no rule file in it of acceptance or reminders", name)
		}
		found = append(found, newest...)
	}
	return found, nil
}

func newestOf(site *rules.Site, dir fs.FS) ([]*rules.Policy, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, fmt.Errorf("read the candidates: %w", err)
	}
	var newest []*rules.Policy
	var problems rules.Problems
	for _, entry := range entries {
		if entry.IsDir() || path.Base(entry.Name())[0] == '.' || !rules.IsRuleFile(entry.Name()) {
			continue
		}
		policy, err := rules.LoadFile(dir, entry.Name(), site)
		if some := rules.Problems(nil); errors.As(err, &some) {
			problems = append(problems, some...)
			continue
		}
		if err != nil {
			return nil, err
		}
		if words, err := rules.VocabularyOf(policy.Ruleset); err != nil || !words.Alone {
			continue
		}
		i := slices.IndexFunc(newest, func(p *rules.Policy) bool { return p.Ruleset == policy.Ruleset })
		switch {
		case i < 0:
			newest = append(newest, policy)
		case newest[i].Version < policy.Version:
			newest[i] = policy
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return newest, nil
}

// tallyView is a count of orders and their amounts together, for machines.
type tallyView struct {
	Orders int64  `json:"orders"`
	Amount string `json:"amount"`
}

func viewTally(t reports.Tally) tallyView {
	return tallyView{t.Rows, amountOf(t)}
}

// amountOf writes an amount; nothing where nothing was added up.
func amountOf(t reports.Tally) string {
	if t.Amount.Currency == "" {
		return ""
	}
	return t.Amount.String()
}

func (p *program) showBacktest(ask jobs.Backtest, r jobs.BacktestResult, output string) error {
	if p.json {
		return p.printJSON(backtestView(ask, r, output))
	}
	p.printf("%s from %s to %s at %s: %s orders decided again, nothing was changed\n", r.Job, ask.From, ask.To, ask.Site, number(r.Counts.Orders))
	g := &grid{}
	g.row("", "orders were", "would be", "amount was", "would be")
	for _, k := range reports.BacktestKeys(r.Counts.Outcomes) {
		t := r.Counts.Outcomes[k]
		g.row(k.Ruleset+" "+orElse(k.Outcome, "cannot be decided"), number(t.Before.Rows), number(t.After.Rows), amountOf(t.Before), amountOf(t.After))
	}
	if err := g.print(p.out); err != nil {
		return err
	}
	g = &grid{}
	for _, kind := range []struct{ word, name string }{
		{reports.ChangeOutcome, "another outcome"}, {reports.ChangeEarlier, "earlier"}, {reports.ChangeLater, "later"},
		{reports.ChangeValues, "other values"}, {reports.ChangeUndecidable, "cannot be decided"}, {reports.ChangeRule, "another rule alone"}, {reports.ChangeNone, "unchanged"},
	} {
		t := r.Counts.Kinds[kind.word]
		length := ""
		if t.Sum > 0 {
			length = fmt.Sprintf("by %s on average, %s at most", rules.FormatDuration(t.Mean().Round(time.Second)), rules.FormatDuration(t.Most))
		}
		g.row("  "+kind.name, number(t.Rows), amountOf(t.Tally), length)
	}
	if r.Counts.Unknown > 0 {
		g.row("  beyond what was recorded", number(r.Counts.Unknown), "", "they had ended: what happened after that is not known")
	}
	if err := g.print(p.out); err != nil {
		return err
	}
	p.printf("workbook: %s\n", output)
	return nil
}

func backtestView(ask jobs.Backtest, r jobs.BacktestResult, output string) map[string]any {
	outcomes, changes, changed, policies := []map[string]any{}, map[string]any{}, []map[string]any{}, []map[string]any{}
	for _, k := range reports.BacktestKeys(r.Counts.Outcomes) {
		t := r.Counts.Outcomes[k]
		outcomes = append(outcomes, map[string]any{"ruleset": k.Ruleset, "outcome": k.Outcome, "before": viewTally(t.Before), "after": viewTally(t.After)})
	}
	for kind, t := range r.Counts.Kinds {
		view := map[string]any{"orders": t.Rows, "amount": amountOf(t.Tally)}
		if t.Sum > 0 {
			view["mean_seconds"], view["most_seconds"] = int64(t.Mean().Seconds()), int64(t.Most.Seconds())
		}
		changes[orElse(kind, "unchanged")] = view
	}
	for _, k := range reports.BacktestKeys(r.Counts.Rules) {
		t := r.Counts.Rules[k]
		changed = append(changed, map[string]any{"ruleset": k.Ruleset, "rule": k.Rule, "outcome": k.Outcome, "orders": t.Rows, "amount": amountOf(t)})
	}
	sellers := []map[string]any{}
	for _, k := range reports.BacktestKeys(r.Counts.Sellers) {
		t := r.Counts.Sellers[k]
		sellers = append(sellers, map[string]any{"seller": k.Seller, "ruleset": k.Ruleset, "outcome": k.Outcome, "before": viewTally(t.Before), "after": viewTally(t.After)})
	}
	for _, c := range r.Policies {
		policies = append(policies, map[string]any{"ruleset": c.Ruleset, "version": c.Version, "hash": fmt.Sprintf("%x", c.Hash)})
	}
	return map[string]any{"job": r.Job, "site": ask.Site, "from": ask.From, "to": ask.To, "as_of": r.AsOf, "candidates": policies,
		"orders": r.Counts.Orders, "decisions": r.Counts.Rows, "outcomes": outcomes, "changes": changes, "rules": changed, "sellers": sellers,
		"beyond_what_was_recorded": r.Counts.Unknown, "workbook": output}
}
