package jobs

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"nightshift/reports"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

const workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// WorkbookName is what the workbook of a run is called.
func WorkbookName(r market.Run) string { return fmt.Sprintf("%s-%s-%s.xlsx", r.Job, r.Site, r.On) }

// KeepWorkbook writes the workbook of a completed run and keeps it with the
// run, and with a settlement the statements of its sellers. Lists that do not tie
// to the database are ErrControl; the workbook is kept all the same, red, for
// whoever has to find out why. A job that has no workbook keeps none.
func (e *Engine) KeepWorkbook(ctx context.Context, r market.Run) (kept storage.Document, err error) {
	if !HasWorkbook(r.Job) {
		return storage.Document{}, nil
	}
	ctx, span := e.Tracer.Of(ctx, "workbook "+r.Job, append(dated(r.Job, r.Site, r.On), attribute.Int64("nightshift.run", r.ID))...)
	defer func() {
		span.Note(attribute.Int64("nightshift.bytes", kept.Size))
		span.End(err)
	}()
	var untied error
	if r.Job == settlementJob { // first, so that where there is the workbook there are the statements
		if untied = e.keepStatements(ctx, r); untied != nil && !errors.Is(untied, ErrControl) {
			return storage.Document{}, untied
		}
	}
	err = e.keepDocument(ctx, r, WorkbookName(r), func(w io.Writer) error { return e.Workbook(ctx, r, w) })
	untied = errors.Join(untied, err)
	if err != nil && !errors.Is(err, ErrControl) {
		return storage.Document{}, untied
	}
	document, err := e.Store.Document(ctx, r.ID, WorkbookName(r))
	return document, errors.Join(err, untied)
}

// keepDocument keeps what is written under a run and a name. What does not tie
// is kept all the same, and the error says so.
func (e *Engine) keepDocument(ctx context.Context, r market.Run, name string, write func(io.Writer) error) error {
	reader, writer := io.Pipe()
	control := make(chan error, 1)
	go func() {
		err := tied(write(writer))
		if control <- err; errors.Is(err, ErrControl) {
			err = nil
		}
		writer.CloseWithError(err)
	}()
	_, err := e.Store.KeepDocument(ctx, r.ID, name, workbookType, reader)
	reader.CloseWithError(err)
	return errors.Join(err, <-control)
}

// tied is err, which is ErrControl where a report does not tie.
func tied(err error) error {
	if errors.Is(err, reports.ErrDoesNotTie) && !errors.Is(err, ErrControl) {
		return fmt.Errorf("%w: %w", ErrControl, err)
	}
	return err
}

// Workbook writes the workbook of a completed run, from the history alone: it
// is the same whenever it is written.
func (e *Engine) Workbook(ctx context.Context, r market.Run, w io.Writer) error {
	l, err := find(r.Job)
	if err != nil {
		return err
	}
	return tied(e.accountOf(ctx, r, func(a *account) error {
		if err := a.tx.ReadsMany(ctx); err != nil {
			return err
		}
		return l.report(a, w)
	}))
}

// accountOf gives an account of a completed run.
func (e *Engine) accountOf(ctx context.Context, r market.Run, give func(a *account) error) error {
	if r.State != market.RunCompleted {
		return fmt.Errorf("%w: the %s run of %s at %s is not completed: start it again first", ErrBadRequest, r.Job, r.On, r.Site)
	}
	site, err := e.Book.Site(r.Site)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	return e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		if err := awayFrom(ctx, tx, r.On); err != nil {
			return err
		}
		return give(&account{ctx: ctx, tx: tx, engine: e, site: site, run: r, policies: map[string]*rules.Policy{}, runs: map[int64]market.Run{r.ID: r}, inForce: map[held]*rules.InForce{}})
	})
}

// HasWorkbook tells whether runs of a job leave a workbook.
func HasWorkbook(job string) bool {
	l, err := find(job)
	return err == nil && l.report != nil
}

// acceptanceReport writes the workbook of an acceptance run.
func acceptanceReport(a *account, w io.Writer) error {
	report, err := a.report()
	if err != nil {
		return err
	}
	return reports.Acceptance(w, report)
}

// account gives an account of a run: it reads the lists of its workbook.
type account struct {
	ctx      context.Context
	tx       *storage.Tx
	engine   *Engine
	site     *rules.Site
	run      market.Run
	policies map[string]*rules.Policy // by content hash: those that the lists name
	runs     map[int64]market.Run
	inForce  map[held]*rules.InForce
}

// held names what a run decided a ruleset by.
type held struct {
	run     int64
	ruleset string
}

func (a *account) report() (reports.AcceptanceReport, error) {
	report := reports.AcceptanceReport{
		Site: a.site.Name, Zone: a.site.Zone, Currency: a.site.Currency,
		On: a.run.On, AsOf: a.run.AsOf, Build: a.run.Build, Schema: a.run.Schema, ResultHash: a.run.ResultHash,
		Accepted: mapped(a.tx.SettledBy(a.ctx, a.run, market.Accept), a.accepted),
		Refunded: mapped(a.tx.SettledBy(a.ctx, a.run, market.Refund), a.refunded),
		Waiting:  mapped(a.tx.StandingAt(a.ctx, a.run, market.Wait), a.waiting),
		Held:     mapped(a.tx.StandingAt(a.ctx, a.run, market.Hold), a.waiting),
		Reminders: mapped(a.tx.RemindedBy(a.ctx, a.run, "reminders"), func(v storage.Reminded) (reports.ReminderRow, error) {
			because, err := a.because("reminders", a.run.ID, v.Placed, v.Rule)
			return reports.ReminderRow{Order: v.Order, Kind: v.Kind, Recipients: v.Recipients, At: v.At, Rule: v.Rule, Because: because}, err
		}),
		Parked: mapped(a.tx.ParkedBy(a.ctx, a.run), a.setAside),
	}
	if err := a.prepare(); err != nil {
		return report, err
	}
	var rulesets []string
	for _, r := range Acceptance.Rulesets {
		rulesets = append(rulesets, r.Name)
	}
	used, err := a.used(rulesets)
	if err != nil {
		return report, err
	}
	report.Policies = used
	if err := a.tx.PickStanding(a.ctx, a.run); err != nil {
		return report, err
	}
	counts, err := a.counts()
	report.Counts = counts
	return report, err
}

// used are the versions that the run was pinned to.
func (a *account) used(rulesets []string) (used []reports.PolicyUsed, err error) {
	for _, ruleset := range rulesets {
		f, err := heldBy(a.run, ruleset, a.site, a.policy)
		if err != nil {
			return nil, err
		}
		versions := f.Pinned()
		if len(versions) == 0 {
			versions = append(versions, f.Policy())
		}
		for _, p := range versions {
			used = append(used, reports.PolicyUsed{Ruleset: p.Ruleset, Version: p.Version, Effective: p.From, Hash: p.Hash[:]})
		}
	}
	return used, nil
}

// prepare reads the runs whose decisions may stand, before the lists do: the
// connection carries one list at a time.
func (a *account) prepare() error {
	runs, err := a.tx.RunsUpTo(a.ctx, a.run.Job, a.run.Site, a.run.On)
	if err != nil {
		return err
	}
	for _, r := range runs {
		a.runs[r.ID] = r
		for _, hash := range r.Policies {
			if _, err := a.policy(hash); err != nil {
				return err
			}
		}
	}
	return nil
}

// policy is a rule text that was kept, compiled once.
func (a *account) policy(hash string) (*rules.Policy, error) {
	if p, ok := a.policies[hash]; ok {
		return p, nil
	}
	p, err := kept(a.ctx, a.engine.Store, a.site, hash)
	if err == nil {
		a.policies[hash] = p
	}
	return p, err
}

// because is the sentence of a rule in the version by which a run decided about
// an order that was placed then.
func (a *account) because(ruleset string, run int64, placed time.Time, rule string) (string, error) {
	if a.runs[run].Policies[ruleset] == "" {
		return "", nil
	}
	f, known := a.inForce[held{run, ruleset}]
	if !known {
		var err error
		if f, err = heldBy(a.runs[run], ruleset, a.site, a.policy); err != nil {
			return "", err
		}
		a.inForce[held{run, ruleset}] = f
	}
	return f.On(market.DateOf(placed, a.site.Zone)).Because(rule), nil
}

// counts are what the tables say, apart from the lists.
func (a *account) counts() (reports.AcceptanceCounts, error) {
	c := reports.AcceptanceCounts{Due: a.run.Candidates, Decided: a.run.Outcomes, Parked: a.run.Parked}
	var err error
	tally := func(t storage.Tally, failed error) reports.Tally {
		err = errors.Join(err, failed)
		return reports.Tally{Rows: t.Rows, Amount: t.Amount}
	}
	c.Accepted = tally(a.tx.TallySettled(a.ctx, a.run, market.Accept))
	c.Refunded = tally(a.tx.TallySettled(a.ctx, a.run, market.Refund))
	c.Waiting = tally(a.tx.TallyStanding(a.ctx, a.run, market.Wait))
	c.Held = tally(a.tx.TallyStanding(a.ctx, a.run, market.Hold))
	reminders, failed := a.tx.CountReminders(a.ctx, a.run)
	c.Reminders = reminders
	return c, errors.Join(err, failed)
}

func subject(l storage.OrderLine) reports.Subject {
	return reports.Subject{Order: l.Order, Buyer: l.Buyer, Seller: l.Seller, AccessType: l.AccessType, Amount: l.Amount}
}

func (a *account) accepted(v storage.Settled) (reports.AcceptedRow, error) {
	because, err := a.because(Acceptance.Name, v.RunID, v.Placed, v.Rule)
	return reports.AcceptedRow{Subject: subject(v.OrderLine), StartedAt: v.StartedAt, DueAt: v.DueAt,
		ValidFrom: v.ValidFrom, ValidUntil: v.ValidUntil, Rule: v.Rule, Because: because}, err
}

func (a *account) refunded(v storage.Settled) (reports.RefundedRow, error) {
	because, err := a.because(Acceptance.Name, v.RunID, v.Placed, v.Rule)
	return reports.RefundedRow{Subject: subject(v.OrderLine), StartedAt: v.StartedAt, DueAt: v.DueAt, Rule: v.Rule, Because: because}, err
}

func (a *account) waiting(v storage.Standing) (reports.WaitingRow, error) {
	row := reports.WaitingRow{Subject: subject(v.OrderLine), WaitsFor: v.WaitsFor, Since: v.Since, Rule: v.Rule, Because: v.Because}
	if v.LookAt.After(a.run.AsOf) {
		row.TurnsAt = v.LookAt // one that has passed was overtaken by what was reported since
	}
	if v.RunID == 0 {
		return row, nil
	}
	because, err := a.because(Acceptance.Name, v.RunID, v.Placed, v.Rule)
	row.Because = because
	return row, err
}

// mapped turns the rows of a list into those of a workbook.
func mapped[A, B any](rows iter.Seq2[A, error], row func(A) (B, error)) iter.Seq2[B, error] {
	return func(yield func(B, error) bool) {
		for v, err := range rows {
			var b B
			if err == nil {
				b, err = row(v)
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

// books are what a run did in each currency, in the site's own first.
func books[B any](currencies []market.Currency, own market.Currency, of func(market.Currency) (B, error)) ([]B, error) {
	all := make([]B, 1, len(currencies))
	for _, c := range currencies {
		book, err := of(c)
		if err != nil {
			return nil, err
		}
		if c == own {
			all[0] = book
		} else {
			all = append(all, book)
		}
	}
	return all, nil
}

// VerifyDocument writes a document of a run again, from the history, and
// compares it with the one that was kept; without a name it is the run's
// workbook. It answers the first difference, and nothing where both are the same
// bytes.
func (e *Engine) VerifyDocument(ctx context.Context, r market.Run, name string) (kept storage.Document, difference string, err error) {
	if name == "" {
		name = WorkbookName(r)
	}
	if kept, err = e.Store.Document(ctx, r.ID, name); err != nil {
		return kept, "", err
	}
	write, err := e.writerOf(ctx, r, name)
	if err != nil {
		return kept, "", err
	}
	sum := newSum()
	if err := tied(write(sum)); err != nil && !errors.Is(err, ErrControl) {
		return kept, "", err
	}
	if hex.EncodeToString(sum.Sum(nil)) == hex.EncodeToString(kept.SHA256) {
		return kept, "", nil
	}
	var before, now bytes.Buffer
	if err := e.Store.WriteDocument(ctx, kept, &before); err != nil {
		return kept, "", err
	}
	if err := tied(write(&now)); err != nil && !errors.Is(err, ErrControl) {
		return kept, "", err
	}
	difference, err = reports.Difference(&before, &now)
	if err == nil && difference == "" {
		difference = "the cells are the same, the bytes of the file are not"
	}
	if err == nil && r.Build != e.Build {
		difference += fmt.Sprintf("; it was written by build %s, this is build %s", r.Build, e.Build)
	}
	return kept, difference, err
}

// VerifyWorkbook is VerifyDocument of the run's workbook.
func (e *Engine) VerifyWorkbook(ctx context.Context, r market.Run) (kept storage.Document, difference string, err error) {
	return e.VerifyDocument(ctx, r, "")
}

// writerOf is what writes a document of a run.
func (e *Engine) writerOf(ctx context.Context, r market.Run, name string) (func(io.Writer) error, error) {
	switch {
	case name == WorkbookName(r):
		return func(w io.Writer) error { return e.Workbook(ctx, r, w) }, nil
	case r.Job == settlementJob && name == IncomeName(r):
		return func(w io.Writer) error {
			return e.accountOf(ctx, r, func(a *account) error { return incomeReport(a, w) })
		}, nil
	case r.Job != settlementJob:
		return nil, fmt.Errorf("%w: %s is no document that can be written again", ErrBadRequest, name)
	}
	return e.statementWriter(ctx, r, name)
}
