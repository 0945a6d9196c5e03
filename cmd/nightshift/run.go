package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/otel/attribute"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// running is the command run.
func (p *program) running() *cobra.Command {
	var on, period, asOf string
	var req jobs.Request
	cmd := &cobra.Command{
		Use: "run JOB --date DATE | --period YYYYMM", Short: "Carry a job through one business date, or settle a month",
		Long: `Run carries a job through one business date of one site. Starting a finished
run changes nothing; starting an interrupted one goes on after its last chunk;
starting one that is alive is exit code 75, unless --join adds this process's
workers to it. One that was stopped goes on. Unlike night and the schedule, run
waits for no other job and no file: you know what you ask for. Settlement is run
for a period, on its bill day; --dry-run previews it on any day: of a month that
goes on it shows what has happened so far. The jobs: ` + strings.Join(jobs.Names(), ", ") + `.`,
		Args:              takes(1, 1, "one job, such as `acceptance`"),
		ValidArgsFunction: p.first(jobNames, false),
		Example: `  nightshift run acceptance --date 2026-04-01
  nightshift run acceptance --date 2026-04-01 --dry-run     what would happen; nothing is kept
  nightshift run acceptance --date 2026-04-01 --join        help a run that is under way
  nightshift run billing --date 2026-03-31                  what buyers owe for a day, billed the night after
  nightshift run settlement --period 202603 --dry-run       what sellers would get for a month`,
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Job, req.Actor = args[0], p.actor("")
			if period != "" {
				if on != "" {
					return misuse("run %s: name a date or a period, not both", req.Job)
				}
				month, err := market.ParsePeriod(period)
				if err != nil {
					return misuse("--period %s: write a month like 202604", period)
				}
				on = month.Last().String()
			}
			return p.runJob(cmd.Context(), req, on, asOf)
		},
	}
	cmd.Flags().StringVar(&on, "date", "", "the business date, such as 2026-04-01")
	cmd.Flags().StringVar(&period, "period", "", "the month to settle, such as 202604")
	cmd.Flags().StringVar(&asOf, "as-of", "", "the instant to evaluate at (default the job's local time on the date)")
	cmd.Flags().BoolVar(&req.DryRun, "dry-run", false, "decide on a scratch copy and keep nothing")
	cmd.Flags().BoolVar(&req.Adopt, "adopt", false, "have this build decide the rest of a run that another one began")
	cmd.Flags().BoolVar(&req.Join, "join", false, "help a run that somebody else has started")
	p.workerOption(cmd)
	p.siteOption(cmd)
	return cmd
}

func (p *program) runJob(ctx context.Context, req jobs.Request, on, asOf string) (err error) {
	if req.On, err = date("date", on); err != nil {
		return err
	}
	site, err := p.siteRules()
	if err != nil {
		return err
	}
	req.Site = site.Name
	if asOf != "" {
		if req.AsOf, err = instant("as-of", asOf, site.Zone); err != nil {
			return err
		}
	}
	switch at, err := site.AsOf(req.Job, req.On); {
	case errors.Is(err, rules.ErrNoMonthsEnd):
		return misuse("%s runs for months: name one with --period %s", req.Job, market.Month(req.On))
	case err == nil && req.DryRun && req.AsOf.IsZero() && site.Jobs[req.Job].Monthly && at.After(p.now()):
		req.AsOf = p.now() // a preview of what has happened so far
	}
	e, err := p.engine(ctx)
	if err != nil {
		return err
	}
	if !req.DryRun {
		if err := p.come(ctx, e, site, req.Job, req.On, req.AsOf); err != nil {
			return err
		}
	}
	ctx, span := e.Tracer.Of(ctx, "run", attribute.String("nightshift.site", req.Site))
	defer func() { span.End(err) }()
	bar := p.progress("")
	e.Progress = bar.ofRun
	result, err := e.Run(ctx, req)
	bar.end()
	if err != nil {
		return err
	}
	book, err := p.workbook(ctx, e, result)
	bar.end()
	if err != nil && !errors.Is(err, jobs.ErrControl) {
		return err
	}
	return worst(errors.Join(err, p.showResult(result, book)), result.Run.Parked)
}

// come refuses a run whose as-of has not come, by this machine's clock or by the
// database's: it would take for silence what people have yet to say.
func (p *program) come(ctx context.Context, e *jobs.Engine, site *rules.Site, job string, on market.Date, asOf time.Time) error {
	if at, err := site.AsOf(job, on); asOf.IsZero() {
		switch {
		case errors.Is(err, rules.ErrNoJob): // the run will say so
		case err != nil:
			return err
		}
		asOf = at
	}
	now, err := e.Agreed(ctx, p.now())
	switch {
	case !asOf.After(now):
		return nil
	case errors.Is(err, jobs.ErrClock) && !asOf.After(p.now()):
		return fmt.Errorf("%s of %s at %s: %w", job, on, site.Name, err)
	case err != nil && !errors.Is(err, jobs.ErrClock):
		return err
	}
	return misuse("%s of %s at %s looks at %s, which has not come yet: wait for it, or look ahead with `nightshift run %s --date %s --dry-run`",
		job, on, site.Name, rfc3339(asOf, site.Zone), job, on)
}

// ofRun is progress as the engine tells it.
func (pr *progress) ofRun(at jobs.Progress) {
	if pr != nil {
		pr.what = jobs.Counted(at.Job)
	}
	name := at.Job + " " + at.On.String()
	if at.Step != "" {
		name += " " + at.Step
	}
	pr.of(name, at.Done, at.Total)
}

// workbook is the document of a completed run, written if it is not there yet.
func (p *program) workbook(ctx context.Context, e *jobs.Engine, r jobs.Result) (storage.Document, error) {
	if r.DryRun || r.Run.State != market.RunCompleted || !jobs.HasWorkbook(r.Run.Job) {
		return storage.Document{}, nil
	}
	d, err := e.Store.Document(ctx, r.Run.ID, jobs.WorkbookName(r.Run))
	if errors.Is(err, storage.ErrNoDocument) {
		d, err = e.KeepWorkbook(ctx, r.Run)
	}
	return d, err
}

// resultView is a run's result for machines.
type resultView struct {
	runView
	Already  bool   `json:"already"`
	DryRun   bool   `json:"dry_run"`
	Workbook string `json:"workbook,omitempty"`

	Shadows []map[string]any `json:"shadows,omitempty"`

	Statements []statementTotals `json:"statements,omitempty"`
}

func (p *program) showResult(r jobs.Result, book storage.Document) error {
	if p.json {
		return p.printJSON(resultView{runView: viewOf(r.Run), Already: r.Already, DryRun: r.DryRun, Workbook: book.Name, Shadows: shadowViews(r.Shadows), Statements: totalsOf(r.Statements)})
	}
	title := fmt.Sprintf("%s %s at %s", r.Run.Job, r.Run.On, r.Run.Site)
	if r.Run.Job == "settlement" {
		title = fmt.Sprintf("settlement of %s at %s", market.Month(r.Run.On), r.Run.Site)
	}
	switch {
	case r.DryRun:
		title += ": dry run, nothing was kept"
	case r.Already:
		title += fmt.Sprintf(": run %d had been completed before, nothing was changed", r.Run.ID)
	default:
		title += fmt.Sprintf(": run %d", r.Run.ID)
	}
	p.printf("%s\n", title)
	if err := p.outcomes(r.Run).print(p.out); err != nil {
		return err
	}
	if len(r.Statements) > 0 {
		if err := p.statements(r.Statements).print(p.out); err != nil {
			return err
		}
	}
	if r.Run.Outcomes["waiting lines"] > 0 && !r.DryRun {
		p.printf("what waits: nightshift settlement waiting --period %s\n", market.Month(r.Run.On))
	}
	if len(r.Shadows) > 0 {
		p.printf("shadows, never acted on:\n")
		if err := p.shadows(r.Shadows).print(p.out); err != nil {
			return err
		}
	}
	if r.Run.Parked > 0 {
		p.printf("%s\n", p.paint(p.out, yellow, "parked "+jobs.Counted(r.Run.Job)+": nightshift runs parked "+r.Run.Job))
	}
	if book.Name != "" {
		p.printf("workbook: nightshift reports get %d   (%s)\n", r.Run.ID, book.Name)
	}
	return nil
}

// outcomes is the short table of what a run came to.
func (p *program) outcomes(r market.Run) *grid {
	g := &grid{}
	g.row("  looked at", number(r.Candidates))
	var words []string
	for outcome := range r.Outcomes {
		words = append(words, outcome)
	}
	slices.Sort(words)
	for _, w := range words {
		g.row("  "+w, number(r.Outcomes[w]))
	}
	if r.Parked > 0 {
		g.row("  parked", number(r.Parked))
	}
	if len(r.ResultHash) > 0 {
		g.row("  result", fmt.Sprintf("%x", r.ResultHash))
	}
	return g
}

// counted writes how many there are of something: 1 day, 2 days.
func counted(n int64, what string) string {
	if n != 1 {
		what += "s"
	}
	return number(n) + " " + what
}

// number writes a count with commas: 1,234,567.
func number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
