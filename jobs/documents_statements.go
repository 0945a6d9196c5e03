package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"

	"nightshift/reports"
	"nightshift/rules/market"
	"nightshift/storage"
)

// papers is what the documents of a settlement run have in common.
type papers struct {
	engine  *Engine
	run     market.Run
	used    []reports.PolicyUsed
	billDay market.Date
	steps   []reports.StatementStep
}

func (e *Engine) papers(ctx context.Context, r market.Run) (p *papers, err error) {
	p = &papers{engine: e, run: r}
	err = e.accountOf(ctx, r, func(a *account) error {
		if err := a.prepare(); err != nil {
			return err
		}
		if p.used, err = a.used(settlementRulesets); err != nil {
			return err
		}
		period := market.Month(r.On)
		if p.billDay, err = a.site.BillDay(period); err != nil {
			return err
		}
		steps, err := statementSteps(a.site, period, nil)
		if errors.Is(err, market.ErrOutsideCalendar) || a.site.Calendar == nil {
			return nil // nobody knows the days: the statement does without
		}
		for _, s := range steps {
			p.steps = append(p.steps, reports.StatementStep{State: s.State, Until: s.Until})
		}
		return err
	})
	return p, err
}

// statement writes the workbook of one statement.
func (p *papers) statement(ctx context.Context, s storage.StatementStand, w io.Writer) error {
	return p.engine.accountOf(ctx, p.run, func(a *account) error {
		if err := a.tx.ReadsFew(ctx); err != nil {
			return err
		}
		report, err := a.statementReport(s, p.used, p.billDay, p.steps)
		if err != nil {
			return err
		}
		return reports.Statement(w, report)
	})
}

// keepStatements keeps the platform's income and the workbook of every statement
// of a settlement run, several at a time. Those that are kept stay: where it was
// stopped it goes on.
func (e *Engine) keepStatements(ctx context.Context, r market.Run) error {
	p, err := e.papers(ctx, r)
	if err != nil {
		return err
	}
	untied := e.keepDocument(ctx, r, IncomeName(r), func(w io.Writer) error {
		return e.accountOf(ctx, r, func(a *account) error { return incomeReport(a, w) })
	})
	if untied != nil && !errors.Is(untied, ErrControl) {
		return untied
	}
	var list []storage.StatementStand
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		list, err = tx.StatementsByRun(ctx, r.ID)
		return err
	})
	if err != nil {
		return err
	}
	kept, err := e.documentsOf(ctx, r)
	if err != nil {
		return err
	}
	return errors.Join(untied, e.eachStatement(ctx, r, list, func(ctx context.Context, s storage.StatementStand) error {
		name := StatementName(s)
		if _, there := kept[name]; there {
			return nil
		}
		return e.keepDocument(ctx, r, name, func(w io.Writer) error { return p.statement(ctx, s, w) })
	}))
}

// documentsOf are the documents of a run, by name.
func (e *Engine) documentsOf(ctx context.Context, r market.Run) (map[string]storage.Document, error) {
	list, err := e.Store.Documents(ctx, r.ID)
	kept := make(map[string]storage.Document, len(list))
	for _, d := range list {
		kept[d.Name] = d
	}
	return kept, err
}

// eachStatement does something about each statement, several at a time, and tells
// the progress. What does not tie is told at the end; any other error ends it.
func (e *Engine) eachStatement(ctx context.Context, r market.Run, list []storage.StatementStand, do func(context.Context, storage.StatementStand) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, e.Workers))
	var mu sync.Mutex
	var wrong error
	at := Progress{Job: r.Job, On: r.On, Step: "workbooks", Total: int64(len(list))}
	for _, s := range list {
		group.Go(func() error {
			err := do(ctx, s)
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, ErrControl) {
				wrong, err = errors.Join(wrong, err), nil
			}
			if at.Done++; err == nil && e.Progress != nil {
				e.Progress(at)
			}
			return err
		})
	}
	return errors.Join(group.Wait(), wrong)
}

// statementWriter writes the workbook of the statement that has a name.
func (e *Engine) statementWriter(ctx context.Context, r market.Run, name string) (func(io.Writer) error, error) {
	p, err := e.papers(ctx, r)
	if err != nil {
		return nil, err
	}
	period := market.Month(r.On)
	var found storage.StatementStand
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		list, err := tx.Statements(ctx, storage.StatementQuery{Site: r.Site, Period: period.Number()})
		if err != nil {
			return err
		}
		for _, newest := range list {
			for version := range newest.Version {
				s := newest
				if s.Version = version + 1; StatementName(s) == name {
					found, err = tx.Version(ctx, r.Site, s.Seller, period, s.Version)
					return err
				}
			}
		}
		return fmt.Errorf("%w: %w: %s", ErrBadRequest, storage.ErrNoDocument, name)
	})
	return func(w io.Writer) error { return p.statement(ctx, found, w) }, err
}

// StatementWorkbook writes the workbook of a version of a statement; 0 is the newest.
func (e *Engine) StatementWorkbook(ctx context.Context, site, seller string, period market.Period, version int, w io.Writer) error {
	r, err := e.settledRun(ctx, site, period)
	if err != nil {
		return err
	}
	var s storage.StatementStand
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		if version == 0 {
			list, err := tx.Statements(ctx, storage.StatementQuery{Site: site, Period: period.Number(), Sellers: []string{seller}})
			if err = cmp.Or(err, known(StatementAct{Period: period, Sellers: []string{seller}}, list)); err != nil {
				return err
			}
			version = list[0].Version
		}
		s, err = tx.Version(ctx, site, seller, period, version)
		if errors.Is(err, storage.ErrNoStatement) {
			err = fmt.Errorf("%w: %w", ErrBadRequest, err)
		}
		return err
	})
	if err != nil {
		return err
	}
	p, err := e.papers(ctx, r)
	if err != nil {
		return err
	}
	return tied(p.statement(ctx, s, w))
}

// settledRun is the run that settled a period.
func (e *Engine) settledRun(ctx context.Context, site string, period market.Period) (r market.Run, err error) {
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		var found bool
		if r, found, err = tx.FindRun(ctx, settlementJob, site, period.Last()); err == nil && !found {
			err = fmt.Errorf("%w: %s of %s is not settled: nightshift run settlement --period %s", ErrBadRequest, period, site, period)
		}
		return err
	})
	return r, err
}

// StatementFile is the workbook of a statement on its way into a file.
type StatementFile struct {
	Name   string
	SHA256 []byte                // of what will be written; nil where it was not kept and has to be made
	Write  func(io.Writer) error // its bytes
}

// StatementWorkbooks puts the workbooks of a period's statements, the newest
// version of each, wherever put puts them: several at a time, in no order. Those
// that are kept with the run are copied, others are written from the history.
func (e *Engine) StatementWorkbooks(ctx context.Context, site string, period market.Period, put func(StatementFile) error) error {
	r, err := e.settledRun(ctx, site, period)
	if err != nil {
		return err
	}
	p, err := e.papers(ctx, r)
	if err != nil {
		return err
	}
	list, err := e.StatementList(ctx, storage.StatementQuery{Site: site, Period: period.Number()})
	if err != nil {
		return err
	}
	kept, err := e.documentsOf(ctx, r)
	if err != nil {
		return err
	}
	return e.eachStatement(ctx, r, list, func(ctx context.Context, s storage.StatementStand) error {
		f := StatementFile{Name: StatementName(s), Write: func(w io.Writer) error { return tied(p.statement(ctx, s, w)) }}
		if d, there := kept[f.Name]; there {
			f.SHA256, f.Write = d.SHA256, func(w io.Writer) error { return e.Store.WriteDocument(ctx, d, w) }
		}
		return put(f)
	})
}
