package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"nightshift/rules"
)

func (p *program) rulesMutate() *cobra.Command {
	var score int
	cmd := &cobra.Command{
		Use: "mutate [DIRECTORY] [FILE…]", Short: "Edit rules one small thing at a time and list what no test notices", Args: cobra.ArbitraryArgs,
		Long: `Mutate edits rule files one small thing at a time and runs the tests beside them:
operators (>= to >, and to or), bounds by their smallest step (a second, a fen, 1),
words and items of lists, outcomes and what they carry, a rule left out, two
neighbours in the other order. An edit with which no test fails is listed, with
facts of which it changes the answer: they are the case that is missing. Edits that
do not compile, or are proven to change no answer, are not counted. A test file may
say what it wants noticed, in percent, and list edits that need not be:

  mutation: 95
  equivalent:
    - {rule: silence, edit: "signed_for >= window → signed_for > window", because: …}

Less than wanted, and an entry that matches nothing any more, are exit code 2.`,
		Example: `  nightshift rules mutate
  nightshift rules mutate acceptance.yaml br/acceptance.yaml
  nightshift rules mutate ./my-rules --score 95
  nightshift rules mutate ./my-rules tiers.yaml      a file of a directory`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				if info, err := os.Stat(args[0]); err == nil && info.IsDir() {
					p.settings.Rules, args = args[0], args[1:]
				}
			}
			if score < 0 || score > 100 {
				return misuse("--score %d: write a percentage from 1 to 100", score)
			}
			return p.mutate(cmd.Context(), args, score)
		},
	}
	cmd.Flags().IntVar(&score, "score", 0, "percent of the edits that the tests have to notice (default what the test files say)")
	return cmd
}

func (p *program) mutate(ctx context.Context, files []string, score int) error {
	book, err := p.book()
	if err != nil {
		return p.problems(err)
	}
	for i, name := range files {
		if below, err := filepath.Rel(p.settings.Rules, name); err == nil && !strings.HasPrefix(below, "..") {
			name = below
		}
		files[i] = filepath.ToSlash(name)
	}
	bar := p.progress("edits")
	defer bar.end()
	all, err := book.Mutate(ctx, rules.MutateOptions{Files: files, Workers: p.workerCount(), Want: score,
		Progress: func(done, total int64) { bar.of("edits", done, total) }})
	if err != nil {
		return misuse("%v", err)
	}
	bar.end()
	var problems rules.Problems
	views := []mutationView{}
	for _, m := range all {
		problems = append(problems, m.Problems...)
		views = append(views, viewOfMutation(m))
	}
	if p.json {
		if err := p.printJSON(views); err != nil {
			return err
		}
	} else {
		p.printMutations(views)
	}
	if len(problems) > 0 {
		return problems
	}
	return nil
}

// mutationView is what the tests of a rule file notice, for machines.
type mutationView struct {
	Site       string       `json:"site"`
	File       string       `json:"file"`
	Edits      int          `json:"edits"`
	Noticed    int          `json:"noticed"`
	Refused    int          `json:"refused"`
	Same       int          `json:"same"`
	Equivalent []mutantView `json:"equivalent"`
	Survivors  []mutantView `json:"survivors"`
	Score      int          `json:"score"`
	Want       int          `json:"want,omitempty"`
	RowsLeft   bool         `json:"rows_left_out,omitempty"`
}

type mutantView struct {
	problemView
	Edit  string `json:"edit"`
	Given string `json:"given,omitempty"`
	Was   string `json:"was,omitempty"`
	Is    string `json:"is,omitempty"`
}

func viewOfMutation(m *rules.Mutation) mutationView {
	of := func(mutants []*rules.Mutant) []mutantView {
		views := []mutantView{}
		for _, k := range mutants {
			view := mutantView{viewOfProblem(k.Problem), k.Edit, k.Given, k.Was, k.Is}
			view.Message = "no test notices " + k.Edit
			views = append(views, view)
		}
		return views
	}
	return mutationView{m.Site, m.File, m.Total(), m.Noticed, m.Refused, m.Same, of(m.Equivalent), of(m.Survivors), m.Score(), m.Want, m.Rows}
}

func (p *program) printMutations(views []mutationView) {
	g := &grid{}
	g.row("file", "edits", "noticed", "refused", "same", "equivalent", "not noticed", "score")
	for _, v := range views {
		g.row(v.File, fmt.Sprint(v.Edits), fmt.Sprint(v.Noticed), fmt.Sprint(v.Refused), fmt.Sprint(v.Same), fmt.Sprint(len(v.Equivalent)), fmt.Sprint(len(v.Survivors)), fmt.Sprintf("%d %%", v.Score))
	}
	p.printf("%s", g)
	for _, v := range views {
		for _, k := range v.Survivors {
			p.printf("%s\n", rules.Problem{File: k.File, Line: k.Line, Column: k.Column, Cell: k.Cell, Rule: k.Rule, Message: k.Message}.Error())
			if k.Given != "" {
				p.printf("    with %s it is %s\n    and would be %s\n", k.Given, k.Was, k.Is)
			}
		}
	}
}
