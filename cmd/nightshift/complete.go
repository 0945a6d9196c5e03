package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/jobs/intake"
	"nightshift/rules/market"
	"nightshift/storage"
)

// words are what the shell offers for a place on the command line.
type words func(cmd *cobra.Command) []string

// completes offers words for an option.
func (p *program) completes(cmd *cobra.Command, option string, offer words) {
	err := cmd.RegisterFlagCompletionFunc(option, func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return offer(cmd), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the option is not there: our own mistake
	}
}

// first offers words for the first argument, and files after it where the
// command takes files.
func (p *program) first(offer words, files bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		switch {
		case len(args) == 0:
			return offer(cmd), cobra.ShellCompDirectiveNoFileComp
		case files:
			return nil, cobra.ShellCompDirectiveDefault
		default:
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
	}
}

func jobNames(*cobra.Command) []string { return jobs.Names() }

func kindNames(*cobra.Command) []string {
	var names []string
	for _, k := range intake.Kinds {
		names = append(names, k.Name)
	}
	return names
}

func (p *program) siteNames(*cobra.Command) []string {
	if err := p.settle(); err != nil {
		return nil
	}
	book, err := p.book()
	if err != nil {
		return nil
	}
	var names []string
	for _, s := range book.Sites() {
		names = append(names, s.Name)
	}
	return names
}

// runNames are the newest runs. The embedded database is asked as well: it is
// there for whoever has runs.
func (p *program) runNames(cmd *cobra.Command) []string {
	if err := p.settle(); err != nil {
		return nil
	}
	store, err := p.open(cmd.Context())
	if err != nil {
		return nil
	}
	var names []string
	err = store.InTx(cmd.Context(), txWork(func(tx *storage.Tx) error {
		runs, err := tx.ListRuns(cmd.Context(), "", "", mostOffered)
		for _, r := range runs {
			names = append(names, strconv.FormatInt(r.ID, 10))
		}
		return err
	}))
	if err != nil {
		return nil
	}
	return names
}

const mostOffered = 20

// settle reads the settings where no command has done so: completion runs
// before any of them.
func (p *program) settle() (err error) {
	if p.settings.Workers == 0 {
		p.settings, err = readSettings(p.env)
	}
	return err
}

func outcomeNames(*cobra.Command) []string {
	return []string{market.Accept, market.Refund, jobs.Back, jobs.Correct}
}
