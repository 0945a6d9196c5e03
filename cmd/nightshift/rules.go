package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"nightshift/rules"
)

// ruleFiles is the command rules and those below it.
func (p *program) ruleFiles() *cobra.Command {
	cmd := group("rules", "Check, test and list the rule files",
		"Rule files say when and how much. They are those built in, or those of the\ndirectory that is named or that NIGHTSHIFT_RULES names.", `
  nightshift rules check
  nightshift rules check ./my-rules
  nightshift rules list --date 2026-04-01`)
	cmd.AddCommand(
		p.rulesCheck(),
		p.rulesTest(),
		p.rulesMutate(),
		p.rulesFmt(),
		p.rulesTable(),
		p.rulesSchema(),
		p.rulesDiff(),
		p.rulesList(),
		p.rulesNew(),
		p.rulesBacktest(),
		p.rulesRelease(),
		p.rulesShadow(),
		p.rulesUndo(),
	)
	return cmd
}

// named reads the rules of the directory that was typed, if one was.
func (p *program) named(args []string) (*rules.Book, error) {
	if len(args) > 0 {
		p.settings.Rules = args[0]
	}
	return p.book()
}

func (p *program) rulesCheck() *cobra.Command {
	return &cobra.Command{
		Use: "check [DIRECTORY]", Short: "Compile every rule file, run the tests beside them, and lint", Args: takes(0, 1, "at most one directory"),
		Long: `Check compiles every rule file, runs the tests beside them, and looks at the rules
by proof. Every problem of every file is shown at once, with the line and what to
do; they are exit code 2. Wrong are rules that can never answer: their condition
excludes itself, or rules before them always match first. Warned of are lets that
nothing uses; rules that can both match where one may (hit: unique, any), with facts
as an example; and facts that no rule of a table or of such a file matches, unless
otherwise gives a reason of its own. What compares two facts is not seen through,
and nothing is said of it.`,
		Example: "  nightshift rules check\n  nightshift rules check ./my-rules --json",
		RunE: func(_ *cobra.Command, args []string) error {
			book, err := p.named(args)
			if err != nil {
				return p.problems(err)
			}
			report := book.Test()
			wrong, doubtful := book.Lint()
			for _, k := range doubtful {
				if !p.json {
					fmt.Fprintf(p.errs, "%s %s\n", p.paint(p.errs, yellow, "warning:"), k)
				}
			}
			if all := append(report.Problems, wrong...); len(all) > 0 {
				return p.problems(all)
			}
			if p.json {
				return p.printJSON(map[string]any{"ok": true, "rules": report.Rules, "cases": report.Cases, "problems": []string{}, "warnings": viewsOf(doubtful)})
			}
			p.printf("%s %d rules, every one hit by some of %d cases\n", p.paint(p.out, green, "good:"), report.Rules, report.Cases)
			return nil
		},
	}
}

func viewsOf(problems rules.Problems) []problemView {
	views := []problemView{}
	for _, k := range problems {
		views = append(views, viewOfProblem(k))
	}
	return views
}

// problemView is a problem for machines and editors.
type problemView struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Cell    string `json:"cell,omitempty"`
	Rule    string `json:"rule,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func viewOfProblem(k rules.Problem) problemView {
	return problemView{k.File, k.Line, k.Column, k.Cell, k.Rule, k.Message, k.Hint}
}

// problems prints the problems as the result they are, when machines ask, and
// answers the error that they are.
func (p *program) problems(err error) error {
	found, ok := err.(rules.Problems)
	if !ok || !p.json {
		return err
	}
	if failed := p.printJSON(map[string]any{"ok": false, "problems": viewsOf(found)}); failed != nil {
		return failed
	}
	return misuse("%d problems in the rule files", len(found))
}
