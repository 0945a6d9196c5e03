package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"nightshift/reports"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Backtest asks what would have become of history under candidate rule files.
type Backtest struct {
	Site       string
	From, To   market.Date     // business dates, both included
	Candidates []*rules.Policy // one a ruleset, all of one job; they judge every date, whatever their effective date, with the values of the last
}

// BacktestResult is what a backtest came to. Its workbook lists each change.
type BacktestResult struct {
	Job      string
	AsOf     time.Time // of the last night up to then
	Policies []reports.PolicyUsed
	Counts   reports.BacktestCounts
}

// backtest is a backtest under way. What it reads it never changes.
type backtest struct {
	Backtest
	engine     *Engine
	site       *rules.Site
	line       line
	asOf       time.Time
	candidates []*rules.Policy         // by ruleset of the job; nil where there is none
	history    storage.History         // what is read
	live       map[held]*rules.InForce // what the runs decided by
	counts     reports.BacktestCounts
	total      int64
}

// Backtest decides history again with candidates, from the facts that were kept
// with each decision, and writes the workbook of what they would have changed.
// Nothing in the database changes. Lists that do not tie to the database are
// ErrControl.
func (e *Engine) Backtest(ctx context.Context, ask Backtest, w io.Writer) (BacktestResult, error) {
	b := &backtest{Backtest: ask, engine: e, counts: reports.NewBacktestCounts(), live: map[held]*rules.InForce{}}
	if err := b.prepare(); err != nil {
		return BacktestResult{}, err
	}
	var shards []storage.Shard
	err := b.reading(ctx, func(ctx context.Context, tx *storage.Tx) (err error) {
		shards, err = b.measure(ctx, tx)
		return err
	})
	if err != nil {
		return BacktestResult{}, err
	}
	result := BacktestResult{Job: b.line.name, AsOf: b.asOf}
	for _, p := range ask.Candidates {
		result.Policies = append(result.Policies, reports.PolicyUsed{Ruleset: p.Ruleset, Version: p.Version, Effective: p.Effective, Hash: p.Hash[:]})
	}
	err = reports.Backtest(w, reports.BacktestReport{
		Site: b.site.Name, Zone: b.site.Zone, Currency: b.site.Currency, From: ask.From, To: ask.To, AsOf: b.asOf,
		Policies: result.Policies, Rows: b.total, Changed: b.changes(ctx, shards), Counts: &b.counts,
	})
	if errors.Is(err, reports.ErrDoesNotTie) {
		err = fmt.Errorf("%w: %w", ErrControl, err)
	}
	result.Counts = b.counts
	return result, err
}

// prepare checks what was asked for, before anything is read.
func (b *backtest) prepare() (err error) {
	if b.site, err = b.engine.Book.Site(b.Site); err != nil {
		return fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	switch {
	case b.To < b.From:
		return fmt.Errorf("%w: backtest from %s to %s: the first date is after the last", ErrBadRequest, b.From, b.To)
	case len(b.Candidates) == 0:
		return fmt.Errorf("%w: backtest: there is no candidate: name a rule file", ErrBadRequest)
	}
	for _, p := range b.Candidates {
		i := slices.IndexFunc(timetable, func(l line) bool { return slices.Contains(l.rulesets, p.Ruleset) })
		switch {
		case i < 0:
			return fmt.Errorf("%w: backtest %s: no job asks ruleset %s", ErrBadRequest, p.File, p.Ruleset)
		case timetable[i].final == nil:
			return fmt.Errorf("%w: backtest %s: each answer of %s changes what the next is asked about, so that history cannot be decided again: try it in a dry run of %s", ErrBadRequest, p.File, p.Ruleset, timetable[i].name)
		case b.line.name != "" && b.line.name != timetable[i].name:
			return fmt.Errorf("%w: backtest: %s and %s are of two jobs: test them one after the other", ErrBadRequest, b.Candidates[0].Ruleset, p.Ruleset)
		}
		b.line = timetable[i]
	}
	b.candidates = make([]*rules.Policy, len(b.line.rulesets))
	for _, p := range b.Candidates {
		n := slices.Index(b.line.rulesets, p.Ruleset)
		if b.candidates[n] != nil {
			return fmt.Errorf("%w: backtest: %s and %s are both candidates for %s: name one of them", ErrBadRequest, b.candidates[n].File, p.File, p.Ruleset)
		}
		b.candidates[n] = p.On(b.To)
	}
	b.history = storage.History{Site: b.site.Name, To: b.To}
	for n, ruleset := range b.line.rulesets {
		if n == 0 || b.candidates[n] != nil { // the first ruleset ends the work, so its history is always needed
			b.history.Rulesets = append(b.history.Rulesets, ruleset)
		}
	}
	return nil
}

func (b *backtest) reading(ctx context.Context, work func(context.Context, *storage.Tx) error) error {
	return b.engine.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		if err := tx.ReadOnly(ctx); err != nil {
			return err
		}
		return work(ctx, tx)
	})
}

// measure reads what the decisions were taken by, and cuts history into shards.
func (b *backtest) measure(ctx context.Context, tx *storage.Tx) ([]storage.Shard, error) {
	runs, err := tx.RunsUpTo(ctx, b.line.name, b.site.Name, b.To)
	if err != nil {
		return nil, err
	}
	if len(runs) == 0 {
		return nil, fmt.Errorf("%w: backtest: no %s run at %s has decided anything up to %s", ErrBadRequest, b.line.name, b.site.Name, b.To)
	}
	if err := allThere(ctx, tx, "backtest", b.From, b.To); err != nil {
		return nil, err
	}
	// What the last night could not know yet is not held against it.
	b.asOf = runs[len(runs)-1].AsOf
	found := map[string]*rules.Policy{}
	for _, r := range runs {
		if r.State != market.RunCompleted {
			return nil, fmt.Errorf("%w: backtest: the %s run of %s is not completed: start it again first", ErrBadRequest, r.Job, r.On)
		}
		for _, ruleset := range b.history.Rulesets {
			if r.Policies[ruleset] == "" {
				continue
			}
			if b.live[held{r.ID, ruleset}], err = heldBy(r, ruleset, b.site, func(hash string) (*rules.Policy, error) {
				if found[hash] == nil {
					found[hash], err = kept(ctx, b.engine.Store, b.site, hash)
				}
				return found[hash], err
			}); err != nil {
				return nil, err
			}
		}
	}
	span, err := tx.MeasurePast(ctx, b.history)
	b.total = span.Count
	return b.cut(span), err
}

// rowsAShard is about how many decisions are held in memory for one shard.
const rowsAShard = 4000

func (b *backtest) cut(s storage.PastSpan) []storage.Shard {
	if s.Count == 0 {
		return nil
	}
	width := max((s.Last-s.First+1)*rowsAShard/s.Count, 1)
	var shards []storage.Shard
	for after := s.First - 1; after < s.Last; after += width {
		shards = append(shards, storage.Shard{No: len(shards), After: after, Upto: min(after+width, s.Last)})
	}
	return shards
}

// judged is what a shard came to.
type judged struct {
	rows    int64
	changed []reports.ChangedDecision
	counts  reports.BacktestCounts
	err     error
}

// changes decides the shards with all workers and hands out what changed in the
// order of the subjects. Only as many shards are held as there are workers.
func (b *backtest) changes(ctx context.Context, shards []storage.Shard) iter.Seq2[reports.ChangedDecision, error] {
	return func(yield func(reports.ChangedDecision, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		inOrder := b.decideAll(ctx, shards)
		defer func() {
			stop()
			for range inOrder { // nobody reads on after this
			}
		}()
		var done int64
		for next := range inOrder {
			j := <-next
			if j.err == nil {
				j.err = b.counts.Join(j.counts)
			}
			if j.err != nil {
				yield(reports.ChangedDecision{}, j.err)
				return
			}
			if done += j.rows; b.engine.Progress != nil {
				b.engine.Progress(Progress{Job: "backtest", On: b.To, Done: done, Total: b.total})
			}
			for _, c := range j.changed {
				if !yield(c, nil) {
					return
				}
			}
		}
	}
}

// decideAll has workers decide the shards. What it answers is one promise a
// shard, in order.
func (b *backtest) decideAll(ctx context.Context, shards []storage.Shard) <-chan chan judged {
	workers := max(b.engine.Workers, 1)
	inOrder := make(chan chan judged, workers)
	go func() {
		defer close(inOrder)
		var g errgroup.Group
		defer func() { _ = g.Wait() }() // each promise has its error
		g.SetLimit(workers)
		for _, shard := range shards {
			promise := make(chan judged, 1)
			select {
			case inOrder <- promise:
			case <-ctx.Done():
				return
			}
			g.Go(func() error {
				promise <- b.decideShard(ctx, shard)
				return nil
			})
		}
	}()
	return inOrder
}

// decideShard reads a shard and decides subject after subject.
func (b *backtest) decideShard(ctx context.Context, shard storage.Shard) (j judged) {
	j.counts = reports.NewBacktestCounts()
	j.err = b.reading(ctx, func(ctx context.Context, tx *storage.Tx) error {
		var subject []storage.Past
		for row, err := range tx.Past(ctx, b.history, shard.After, shard.Upto) {
			if err != nil {
				return err
			}
			if j.rows++; len(subject) > 0 && subject[0].Subject != row.Subject {
				if err := b.subject(subject, &j); err != nil {
					return err
				}
				subject = subject[:0]
			}
			subject = append(subject, row)
		}
		return b.subject(subject, &j)
	})
	j.counts.Rows = j.rows
	return j
}
