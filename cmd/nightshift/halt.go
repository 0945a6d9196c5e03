package main

import (
	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage"
)

// runsStop is the command runs stop.
func (p *program) runsStop() *cobra.Command {
	var because, actor string
	cmd := &cobra.Command{
		Use: "stop RUN --because TEXT", Short: "Have a run stop after the chunk that is being carried", Args: takes(1, 1, "the number of one run"),
		Long: `Stop asks a run to stop, wherever it is carried: every worker of it stops after
its chunk. What was finished is kept. The schedule does not go on with it; whoever
starts it by name does, from where it stopped.`,
		Example:           "  nightshift runs stop 12 --because \"the new rules are wrong\"\n  nightshift run acceptance --date 2026-04-01     goes on with it",
		ValidArgsFunction: p.first(p.runNames, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			run, err := p.findRun(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if run.State == market.RunCompleted {
				return misuse("stop run %d: it is completed: what a wrong rule decided is taken back by `nightshift rules undo`", run.ID)
			}
			return p.halt(cmd, storage.Halt{Site: run.Site, Job: run.Job, On: run.On, Actor: p.actor(actor), Because: because})
		},
	}
	becauseOptions(cmd, &because, &actor)
	return cmd
}

// runsPause is the command runs pause.
func (p *program) runsPause() *cobra.Command {
	return p.haltCommand(false, "pause", "Begin no runs of a job, or of a site, until somebody resumes it",
		`Pause keeps the schedule, night and run from beginning a job, or every job of the
site where none is named. A run that is being carried comes to its end: see runs
stop. Dry runs are let through.`,
		"  nightshift runs pause billing --because \"the price list is being mended\"\n  nightshift runs pause --site br --because \"the site is moved\"")
}

// runsResume is the command runs resume.
func (p *program) runsResume() *cobra.Command {
	return p.haltCommand(true, "resume", "Let a job, or a site, go on that was paused",
		"Resume lets the schedule go on: it catches up with the nights that were missed.\nA site and a job of it are resumed each by itself.",
		"  nightshift runs resume billing --because \"the price list is mended\"\n  nightshift runs resume --site br --because \"it has moved\"")
}

func (p *program) haltCommand(resumes bool, name, short, long, example string) *cobra.Command {
	var because, actor string
	cmd := &cobra.Command{
		Use: name + " [JOB] --because TEXT", Short: short, Args: takes(0, 1, "at most one job"), Long: long, Example: example,
		ValidArgsFunction: p.first(jobNames, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			h := storage.Halt{Site: p.site(), Resumes: resumes, Actor: p.actor(actor), Because: because}
			if len(args) > 0 {
				h.Job = args[0]
			}
			return p.halt(cmd, h)
		},
	}
	becauseOptions(cmd, &because, &actor)
	p.siteOption(cmd)
	return cmd
}

func becauseOptions(cmd *cobra.Command, because, actor *string) {
	cmd.Flags().StringVar(because, "because", "", "why, for whoever comes after")
	cmd.Flags().StringVar(actor, "actor", "", "who asks for it (default the user's name)")
}

// halt records a pause or its end, and says so.
func (p *program) halt(cmd *cobra.Command, h storage.Halt) error {
	e, err := p.engine(cmd.Context())
	if err != nil {
		return err
	}
	if err := e.Halt(cmd.Context(), h); err != nil {
		return err
	}
	what := "every job"
	if h.Job != "" {
		what = h.Job
	}
	if p.json {
		view := map[string]any{"site": h.Site, "job": h.Job, "paused": !h.Resumes, "actor": h.Actor, "because": h.Because}
		if h.On != 0 {
			view["date"] = h.On
		}
		return p.printJSON(view)
	}
	switch {
	case h.On != 0:
		p.printf("%s of %s at %s stops after its chunk; `nightshift run %s --date %s` goes on with it\n", h.Job, h.On, h.Site, h.Job, h.On)
	case h.Resumes:
		p.printf("%s at %s goes on\n", what, h.Site)
	default:
		p.printf("%s at %s is paused until `nightshift runs resume`\n", what, h.Site)
	}
	return nil
}

// severity is how bad the exit code of a night's job is: the worst is answered.
var severity = []int{exitDone, exitParked, exitAlive, exitMisuse, exitFailed, exitControl}

// worstCode is the exit code of the worst of a night's failures.
func worstCode(failures jobs.Failures) int {
	worst := 0
	for _, err := range failures {
		code := exitCode(err)
		for i, c := range severity {
			if c == code {
				worst = max(worst, i)
			}
		}
	}
	return severity[worst]
}
