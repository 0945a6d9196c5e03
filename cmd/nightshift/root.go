package main

import (
	"strings"

	"github.com/spf13/cobra"

	"nightshift/storage"
)

const rootHelp = `Nightshift is the back office of a cloud marketplace. While people sleep it
accepts deliveries that nobody answered, renews subscriptions, deducts what
buyers owe, and settles what sellers earned; rule files decide, and each
decision can be explained.

Without DATABASE_URL it works on a private Postgres of its own, which it starts
by itself.

Exit codes: 0 done; 1 failed, safe to start again; 2 wrongly asked or bad
input; 3 done, but something was set aside; 4 a control total does not tie;
75 somebody else is running it.`

// root is the whole command line.
func (p *program) root() *cobra.Command {
	root := group("nightshift", "The night of a cloud marketplace's back office", rootHelp, `
  nightshift import orders orders.csv             take orders in
  nightshift run acceptance --date 2026-04-01     carry one night out
  nightshift explain A-1001                       why was this order (not) accepted?
  nightshift reports list                         the workbooks of the nights`)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.PersistentFlags().BoolVar(&p.json, "json", false, "print the result for machines")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return misuse("%s: see `%s --help`", err, cmd.CommandPath())
	})
	root.PersistentPreRunE = func(*cobra.Command, []string) (err error) {
		p.settings, err = readSettings(p.env)
		return err
	}
	p.versionOption(root)
	root.CompletionOptions.DisableDescriptions = true
	root.AddCommand(p.demo(), p.importing(), p.running(), p.night(), p.backfill(), p.runs(), p.decide(), p.explain(),
		p.ruleFiles(), p.ledger(), p.forecast(), p.outbox(), p.standing(), p.call(), p.settlement(), p.reports(), p.housekeeping(), p.archive(), p.migrate(), p.serve(), p.worker(), p.doctor(), p.settingsHelp())
	return root
}

// versionOption has the program say which it is: the build that its runs are
// pinned to, and the schema that it works on.
func (p *program) versionOption(root *cobra.Command) {
	otherwise := root.RunE
	asked := root.Flags().Bool("version", false, "print the build, and the schema that it works on")
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if !*asked {
			return otherwise(cmd, args)
		}
		build, err := buildName()
		if err != nil {
			return err
		}
		if p.json {
			return p.printJSON(map[string]any{"build": build, "schema": storage.SchemaVersion()})
		}
		p.printf("nightshift, build %s, schema %d\n", build, storage.SchemaVersion())
		return nil
	}
}

// group is a command that only holds others.
func group(name, short, long, examples string) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Long: long, Example: strings.TrimPrefix(examples, "\n"), Args: cobra.ArbitraryArgs, SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			typed := strings.TrimPrefix(cmd.CommandPath()+" "+args[0], cmd.Root().Name()+" ")
			hint := "see `" + cmd.CommandPath() + " --help`"
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				hint = "did you mean " + near[0] + "?"
			}
			return misuse("there is no command %q: %s", typed, hint)
		},
	}
}

// takes says how many words a command takes after its name.
func takes(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return misuse("%s takes %s: see `%s --help`", cmd.CommandPath(), what, cmd.CommandPath())
		}
		return nil
	}
}

// siteOption lets a command name its site.
func (p *program) siteOption(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.siteFlag, "site", "", "the site to work on (default NIGHTSHIFT_SITE, cn)")
	p.completes(cmd, "site", p.siteNames)
}

// workerOption lets a command say how many shards are carried at a time.
func (p *program) workerOption(cmd *cobra.Command) {
	cmd.Flags().IntVar(&p.workers, "workers", 0, "shards carried at a time (default NIGHTSHIFT_WORKERS, one a processor)")
	cmd.Flags().IntVar(&p.chunk, "chunk", 0, "candidates kept in one transaction")
	_ = cmd.Flags().MarkHidden("chunk") // the flag is there: it was made above
}
