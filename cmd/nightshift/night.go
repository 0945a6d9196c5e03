package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/otel/attribute"

	"nightshift/cmd/nightshift/watching"
	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// night is the command night.
func (p *program) night() *cobra.Command {
	var on string
	cmd := &cobra.Command{
		Use: "night --date DATE", Short: "Carry every job of a night out, in order",
		Long: `Night runs every job that a site works in the night of a date, in order: each for
its business date, which for billing is the day before. The exit code is that of
the worst of them. A job that does not come to its end stops what waits for it
(after: in site.yaml), and nothing else; so does a file that has not come (needs:).
Start the night again when it is there: what is completed is left as it is.
With NIGHTSHIFT_SMTP or NIGHTSHIFT_WEBHOOK people are told how today's night went.`,
		Args: takes(0, 0, "no words, only --date"),
		Example: `  nightshift night --date 2026-04-01
  nightshift night --date 2026-04-02 --site br --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			day, err := date("date", on)
			if err != nil {
				return err
			}
			site, err := p.siteRules()
			if err != nil {
				return err
			}
			if _, err := p.senders(); err != nil {
				return err
			}
			var last []dated
			for _, job := range jobs.NamesAt(site) {
				if on, works, err := site.Night(job, day); works && err == nil {
					last = append(last, dated{job, on})
				}
			}
			return p.span(cmd, last, func(ctx context.Context, e *jobs.Engine, each func(jobs.Result)) error {
				err := e.Night(ctx, p.site(), day, p.now(), each)
				if day == market.DateOf(p.now(), site.Zone) {
					p.report(ctx, e, site)
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&on, "date", "", "the date of the night, such as 2026-04-01")
	p.workerOption(cmd)
	p.siteOption(cmd)
	return cmd
}

// report sends the digest of today's night, and alarms, as serve does. A night does not
// fail for want of a postman: the log says it, and the next start sends it.
func (p *program) report(ctx context.Context, e *jobs.Engine, site *rules.Site) {
	senders, err := p.senders()
	if err != nil {
		return // it was said before the night
	}
	w := watching.New(e, []string{site.Name}, slog.New(slog.NewTextHandler(p.errs, nil)), senders...)
	w.Tick(ctx, site, p.now())
	w.Close()
}

// backfill is the command backfill.
func (p *program) backfill() *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use: "backfill JOB --from DATE --to DATE", Short: "Carry a job through past dates, oldest first",
		Long:              "Backfill runs a job for every business date from one to another, both of them\nincluded. Dates that were completed before are left as they are.",
		Args:              takes(1, 1, "one job, such as `acceptance`"),
		ValidArgsFunction: p.first(jobNames, false),
		Example: `  nightshift backfill acceptance --from 2026-03-01 --to 2026-03-31
  nightshift backfill billing --from 2026-03-01 --to 2026-03-31`,
		RunE: func(cmd *cobra.Command, args []string) error {
			first, err := date("from", from)
			if err != nil {
				return err
			}
			last, err := date("to", to)
			if err != nil {
				return err
			}
			return p.span(cmd, []dated{{args[0], last}}, func(ctx context.Context, e *jobs.Engine, each func(jobs.Result)) error {
				return e.Backfill(ctx, args[0], p.site(), first, last, each)
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the first business date")
	cmd.Flags().StringVar(&to, "to", "", "the last business date")
	p.workerOption(cmd)
	p.siteOption(cmd)
	return cmd
}

// dated is a job and a business date of it.
type dated struct {
	job string
	on  market.Date
}

// span carries several runs out, a line a run, the last ones of dates that have
// come.
func (p *program) span(cmd *cobra.Command, last []dated, carry func(ctx context.Context, e *jobs.Engine, each func(jobs.Result)) error) (err error) {
	site, err := p.siteRules()
	if err != nil {
		return err
	}
	e, err := p.engine(cmd.Context())
	if err != nil {
		return err
	}
	for _, d := range last {
		if err := p.come(cmd.Context(), e, site, d.job, d.on, time.Time{}); err != nil {
			return err
		}
	}
	ctx, span := e.Tracer.Of(cmd.Context(), cmd.Name(), attribute.String("nightshift.site", site.Name))
	defer func() { span.End(err) }()
	bar := p.progress("")
	e.Progress = bar.ofRun
	views := []resultView{}
	var parked int64
	var untied error
	err = carry(ctx, e, func(r jobs.Result) {
		if r.Run.State != market.RunCompleted {
			return // its error says what happened
		}
		book, failed := p.workbook(ctx, e, r)
		untied = errors.Join(untied, failed)
		parked += r.Run.Parked
		view := resultView{runView: viewOf(r.Run), Already: r.Already, Workbook: book.Name}
		if views = append(views, view); !p.json {
			bar.end()
			p.showLine(r, book)
		}
	})
	bar.end()
	if p.json {
		err = errors.Join(err, p.printJSON(views))
	}
	if failures := (jobs.Failures)(nil); errors.As(err, &failures) && untied != nil {
		err, untied = append(failures, untied), nil
	}
	return worst(errors.Join(err, untied), parked)
}

func (p *program) showLine(r jobs.Result, book storage.Document) {
	already := ""
	if r.Already {
		already = ", completed before"
	}
	p.printf("%s  %s  run %d  looked at %s %s%s, parked %s%s  %s\n", r.Run.On, r.Run.Job, r.Run.ID,
		number(r.Run.Candidates), jobs.Counted(r.Run.Job), lead(": ", outcomesOf(r.Run)), number(r.Run.Parked), already, book.Name)
}

// outcomesOf are the outcomes of a run in a line: accept 1, wait 20.
func outcomesOf(r market.Run) string {
	var came []string
	for _, outcome := range slices.Sorted(maps.Keys(r.Outcomes)) {
		came = append(came, outcome+" "+number(r.Outcomes[outcome]))
	}
	return strings.Join(came, ", ")
}

// lead is a text with a sign before it, or nothing.
func lead(sign, text string) string {
	if text == "" {
		return ""
	}
	return sign + text
}
