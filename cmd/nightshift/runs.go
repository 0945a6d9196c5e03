package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage"
)

// runs is the command runs and those below it.
func (p *program) runs() *cobra.Command {
	cmd := group("runs", "List runs, look at one, stop one, deal with what was parked",
		"A run is one job carried through one business date of one site.", `
  nightshift runs list
  nightshift runs show 12
  nightshift runs parked
  nightshift runs requeue acceptance A-1001`)
	cmd.AddCommand(p.runsList(), p.runsShow(), p.runsParked(), p.runsRequeue(), p.runsStop(), p.runsPause(), p.runsResume())
	return cmd
}

// runView is a run for machines.
type runView struct {
	ID         int64             `json:"id"`
	Job        string            `json:"job"`
	Site       string            `json:"site"`
	Date       market.Date       `json:"date"`
	AsOf       time.Time         `json:"as_of"`
	State      string            `json:"state"`
	Due        int64             `json:"due"`
	Candidates int64             `json:"candidates"`
	Parked     int64             `json:"parked"`
	Decisions  int64             `json:"decisions"`
	Outcomes   map[string]int64  `json:"outcomes"`
	ResultHash string            `json:"result_hash"`
	Policies   map[string]string `json:"policies"`
	Build      string            `json:"build"`
	Schema     int               `json:"schema"`
	Failure    string            `json:"failure,omitempty"`
	StartedAt  time.Time         `json:"started_at"`
	FinishedAt *time.Time        `json:"finished_at,omitempty"`
}

func viewOf(r market.Run) runView {
	v := runView{ID: r.ID, Job: r.Job, Site: r.Site, Date: r.On, AsOf: r.AsOf, State: r.State, Due: r.Due, Candidates: r.Candidates,
		Parked: r.Parked, Decisions: r.Decisions, Outcomes: r.Outcomes, ResultHash: fmt.Sprintf("%x", r.ResultHash), Policies: r.Policies,
		Build: r.Build, Schema: r.Schema, Failure: r.Failure, StartedAt: r.StartedAt}
	if !r.FinishedAt.IsZero() {
		v.FinishedAt = &r.FinishedAt
	}
	return v
}

// txWork is work in a transaction that needs no other context.
func txWork(work func(tx *storage.Tx) error) func(context.Context, *storage.Tx) error {
	return func(_ context.Context, tx *storage.Tx) error { return work(tx) }
}

func (p *program) runsList() *cobra.Command {
	var job string
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List the newest runs", Args: takes(0, 0, "no words, only options"),
		Example: "  nightshift runs list --limit 5\n  nightshift runs list --job acceptance --site br",
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := p.open(cmd.Context())
			if err != nil {
				return err
			}
			var list []market.Run
			err = store.InTx(cmd.Context(), txWork(func(tx *storage.Tx) error {
				list, err = tx.ListRuns(cmd.Context(), job, p.siteFlag, limit)
				return err
			}))
			if err != nil {
				return err
			}
			return p.showRuns(list)
		},
	}
	cmd.Flags().StringVar(&job, "job", "", "only runs of this job")
	cmd.Flags().IntVar(&limit, "limit", 30, "how many at most")
	p.completes(cmd, "job", jobNames)
	p.siteOption(cmd)
	return cmd
}

func (p *program) showRuns(list []market.Run) error {
	if p.json {
		views := []runView{}
		for _, r := range list {
			views = append(views, viewOf(r))
		}
		return p.printJSON(views)
	}
	if len(list) == 0 {
		p.printf("no runs yet: start one with `nightshift run acceptance --date DATE`\n")
		return nil
	}
	g := &grid{}
	g.row("run", "date", "job", "site", "looked at", "parked", "state", "outcomes")
	for _, r := range list {
		g.row(strconv.FormatInt(r.ID, 10), r.On.String(), r.Job, r.Site, number(r.Candidates),
			number(r.Parked), p.paintState(r), outcomesOf(r))
	}
	return g.print(p.out)
}

func (p *program) paintState(r market.Run) string {
	switch {
	case r.State == market.RunFailed:
		return p.paint(p.out, red, r.State)
	case r.State == market.RunRunning || r.Parked > 0:
		return p.paint(p.out, yellow, r.State)
	default:
		return p.paint(p.out, green, r.State)
	}
}

func (p *program) runsShow() *cobra.Command {
	return &cobra.Command{
		Use: "show RUN", Short: "Show one run", Args: takes(1, 1, "the number of one run"),
		Example:           "  nightshift runs show 12\n  nightshift runs show 12 --json",
		ValidArgsFunction: p.first(p.runNames, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			run, err := p.findRun(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(viewOf(run))
			}
			return p.showRun(cmd.Context(), run)
		},
	}
}

// findRun finds a run by the number that was typed.
func (p *program) findRun(ctx context.Context, typed string) (run market.Run, err error) {
	id, err := strconv.ParseInt(typed, 10, 64)
	if err != nil {
		return run, misuse("run %q: write the number of a run, as `nightshift runs list` shows it", typed)
	}
	store, err := p.open(ctx)
	if err != nil {
		return run, err
	}
	err = store.InTx(ctx, txWork(func(tx *storage.Tx) error {
		run, err = tx.RunByID(ctx, id)
		return err
	}))
	return run, err
}

func (p *program) showRun(ctx context.Context, r market.Run) error {
	p.printf("run %d: %s %s at %s, %s\n", r.ID, r.Job, r.On, r.Site, p.paintState(r))
	g := p.outcomes(r)
	g.row("  as of", r.AsOf.Format(time.RFC3339))
	g.row("  began", r.StartedAt.Format(time.RFC3339))
	if !r.FinishedAt.IsZero() {
		g.row("  took", r.FinishedAt.Sub(r.StartedAt).Round(time.Millisecond).String())
	}
	var rulesets []string
	for name := range r.Policies {
		rulesets = append(rulesets, name)
	}
	slices.Sort(rulesets)
	for _, name := range rulesets {
		g.row("  rules", name+" "+r.Policies[name])
	}
	g.row("  build", fmt.Sprintf("%s, schema %d", r.Build, r.Schema))
	if r.Failure != "" {
		g.row("  failed", p.paint(p.out, red, r.Failure))
	}
	documents, err := p.store.Documents(ctx, r.ID)
	if err != nil {
		return err
	}
	for _, d := range documents {
		g.row("  document", d.Name)
	}
	if err := g.print(p.out); err != nil {
		return err
	}
	shadows, err := (&jobs.Engine{Store: p.store}).ShadowsOf(ctx, r)
	if err != nil || len(shadows) == 0 {
		return err
	}
	p.printf("shadows, never acted on:\n")
	return p.shadows(shadows).print(p.out)
}

func (p *program) runsParked() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "parked [JOB]", Short: "List what was set aside, with the reason", Args: takes(0, 1, "at most one job"),
		Long:              "Parked candidates are left out of later runs until somebody mends the cause and\nrequeues them. Exit code 3 says that there are some.",
		Example:           "  nightshift runs parked\n  nightshift runs parked billing\n  nightshift runs parked acceptance --site br --json",
		ValidArgsFunction: p.first(jobNames, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			var parked []storage.Parked
			for _, job := range jobsNamed(args) {
				some, err := e.Parked(cmd.Context(), job, p.site(), limit)
				if err != nil {
					return err
				}
				parked = append(parked, some...)
			}
			return worst(p.showParked(parked), int64(len(parked)))
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 100, "how many at most")
	p.siteOption(cmd)
	return cmd
}

// jobsNamed are the jobs that were typed, or all of them.
func jobsNamed(args []string) []string {
	if len(args) > 0 {
		return args[:1]
	}
	return jobs.Names()
}

func (p *program) showParked(parked []storage.Parked) error {
	if p.json {
		list := []map[string]any{}
		for _, k := range parked {
			list = append(list, map[string]any{"job": k.Job, "site": k.Site, "subject": k.Code, "run": k.RunID, "date": k.On, "reason": k.Reason})
		}
		return p.printJSON(list)
	}
	if len(parked) == 0 {
		p.printf("nothing is parked\n")
		return nil
	}
	g := &grid{}
	g.row("job", "subject", "date", "run", "reason")
	for _, k := range parked {
		g.row(k.Job, k.Code, k.On.String(), strconv.FormatInt(k.RunID, 10), strings.ReplaceAll(k.Reason, "\n", " "))
	}
	return g.print(p.out)
}

func (p *program) runsRequeue() *cobra.Command {
	var all bool
	var actor string
	cmd := &cobra.Command{
		Use: "requeue JOB SUBJECT…", Short: "Give parked candidates back to the next run",
		Args:              takes(1, -1, "a job and the subjects to requeue, or --all"),
		Example:           "  nightshift runs requeue acceptance A-1001 A-1002\n  nightshift runs requeue billing ann\n  nightshift runs requeue acceptance --all",
		ValidArgsFunction: p.first(jobNames, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			job, codes := args[0], args[1:]
			if !slices.Contains(jobs.Names(), job) {
				return misuse("requeue: there is no job %q: the jobs are %s", job, strings.Join(jobs.Names(), ", "))
			}
			if all == (len(codes) > 0) {
				return misuse("requeue %s: name what to give back, or --all of it: see `nightshift runs parked`", job)
			}
			return p.requeue(cmd.Context(), job, codes, p.actor(actor))
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "everything of the job that is parked")
	cmd.Flags().StringVar(&actor, "actor", "", "who asks for it (default the user's name)")
	p.siteOption(cmd)
	return cmd
}

func (p *program) requeue(ctx context.Context, job string, codes []string, actor string) error {
	if actor == "" {
		return misuse("requeue: nobody is named as asking for it: --actor NAME")
	}
	e, err := p.engine(ctx)
	if err != nil {
		return err
	}
	n, err := e.Requeue(ctx, job, p.site(), codes, actor)
	if err != nil {
		return err
	}
	if n < int64(len(codes)) {
		return misuse("requeue: %d of %d are parked and were given back: see `nightshift runs parked`", n, len(codes))
	}
	if p.json {
		return p.printJSON(map[string]int64{"requeued": n})
	}
	p.printf("%d given back to the next run\n", n)
	return nil
}

// actor is who does something by hand.
func (p *program) actor(named string) string {
	return cmp.Or(named, p.env("USER"), p.env("LOGNAME"))
}
