package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nightshift/jobs/metering"
	"nightshift/jobs/settling"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Request asks for one run.
type Request struct {
	Job    string
	Site   string
	On     market.Date
	AsOf   time.Time // zero: the job's scheduled local time on the business date
	DryRun bool      // decide on a scratch copy and keep nothing
	Join   bool      // help a run that somebody else has started
	Adopt  bool      // go on with a run that another build began
	Actor  string    // the person who starts it; a run that was stopped goes on. Empty: the schedule
}

// Result is what a run came to.
type Result struct {
	Run     market.Run
	Already bool // it had been completed before: nothing was changed
	DryRun  bool
	Shadows []storage.ShadowTally // how the shadows differ from what was decided

	Statements []market.Statement // of a settlement, without their lines
}

// execution is one run under way in this process.
type execution struct {
	engine      *Engine
	line        line
	site        *rules.Site
	dry         bool // keeps nothing
	run         market.Run
	inForce     []*rules.InForce  // one a ruleset of the job
	shadows     [][]*rules.Policy // what is decided beside each of them; nil usually
	nextVersion time.Time         // when another version will hold; zero if none is known
	sparse      bool              // few keys are due
	behind      int64             // candidates that were done before this process went on with the run
	meter       *metering.Meter   // of a worker of billing
	settling    *settling.Desk    // of a worker of settlement,
	supervising *rules.InForce    // the rules of acceptance that it asks,
	looks       time.Time         // and when sellers are looked at again
	events      []time.Time       // room of a worker for the instants of a candidate,
	moments     []moment          // for its facts
	bill        bill              // for what becomes of a buyer,
	harvest     harvest           // and for what a chunk leaves behind
}

// Run carries one job through one business date of one site. A run that was
// completed is answered as it was; one that was interrupted goes on after its
// last chunk; one that is alive is ErrAlive, unless the request joins it.
func (e *Engine) Run(ctx context.Context, req Request) (result Result, err error) {
	ctx, span := e.Tracer.Of(ctx, "run "+req.Job, dated(req.Job, req.Site, req.On)...)
	defer func() {
		span.Note(cameTo(result)...)
		span.End(err)
	}()
	return e.runOnce(ctx, req)
}

func (e *Engine) runOnce(ctx context.Context, req Request) (Result, error) {
	l, err := find(req.Job)
	if err != nil {
		return Result{}, err
	}
	site, err := e.inForce(ctx, req.Site)
	if err != nil {
		return Result{}, err
	}
	if req.AsOf.IsZero() {
		if req.AsOf, err = asOf(site, req.Job, req.On); err != nil {
			return Result{}, fmt.Errorf("%w: %w", ErrBadRequest, err)
		}
	}
	if has, err := site.Has(req.Job, req.On); !has && !errors.Is(err, rules.ErrNoJob) {
		return Result{}, errors.Join(ErrBadRequest, err, noDate(req, has))
	}
	if req.DryRun {
		return e.dryRun(ctx, l, site, req)
	}
	var result Result
	err = e.patiently(ctx, func() error {
		if err := e.allowed(ctx, req); err != nil {
			return err
		}
		if result, err = e.carry(ctx, l, site, req); err != nil {
			return err
		}
		if req.Job == settlementJob {
			if result.Statements, err = e.Store.StatementsOf(ctx, result.Run.ID); err != nil {
				return err
			}
		}
		_, err = e.Store.Seal(ctx, site.Name) // also what people booked, and what a run that was killed here left open
		return err
	})
	return result, err
}

// dryRun is the same run on a scratch copy of the tables it writes.
func (e *Engine) dryRun(ctx context.Context, l line, site *rules.Site, req Request) (Result, error) {
	scratch, drop, err := e.Store.Scratch(ctx)
	if err != nil {
		return Result{}, err
	}
	defer drop()
	if err := scratch.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		changed, err := rulesChanged(ctx, tx, site, l, req.On)
		if err != nil {
			return err
		}
		return tx.BorrowDue(ctx, l.name, site.Name, req.AsOf, changed || l.whole)
	}); err != nil {
		return Result{}, err
	}
	preview := *e
	preview.Store = scratch
	result, err := preview.carry(ctx, l, site, req)
	if err == nil && req.Job == settlementJob {
		result.Statements, err = scratch.StatementsOf(ctx, result.Run.ID)
	}
	result.DryRun = true
	return result, err
}

// carry starts or resumes a run and works until every shard is done.
func (e *Engine) carry(ctx context.Context, l line, site *rules.Site, req Request) (Result, error) {
	x := &execution{engine: e, line: l, site: site, dry: req.DryRun}
	if err := x.open(ctx, req); err != nil {
		return Result{}, err
	}
	if x.run.State == market.RunCompleted {
		shadows, err := e.ShadowsOf(ctx, x.run)
		return Result{Run: x.run, Already: true, Shadows: shadows}, err
	}
	release, err := x.own(ctx, req.Join)
	if err != nil {
		return Result{Run: x.run}, err
	}
	defer release()
	if err := x.work(ctx); err != nil {
		return Result{Run: x.run}, x.failed(ctx, err)
	}
	if err := x.finish(ctx); err != nil {
		return Result{Run: x.run}, err
	}
	if x.run.Candidates >= worthGathering {
		if err := e.Store.GatherGrown(ctx); err != nil {
			return Result{Run: x.run}, err
		}
	}
	shadows, err := e.ShadowsOf(ctx, x.run)
	return Result{Run: x.run, Shadows: shadows}, err
}

// own makes this process the one that runs it. The server lets go of a killed
// process's lock when it notices, so a lock that is held is asked for again
// before the run counts as alive; who joins does not ask.
func (x *execution) own(ctx context.Context, join bool) (release func(), err error) {
	name := fmt.Sprintf("run/%s/%s/%s", x.run.Job, x.run.Site, x.run.On)
	for waited := time.Duration(0); ; waited += lockRetry {
		release, free, err := x.engine.Store.Exclusive(ctx, name)
		switch {
		case err != nil:
			return nil, err
		case free:
			return release, nil
		case join:
			return func() {}, nil
		case waited >= lockLingers || !sleep(ctx, lockRetry):
			return nil, fmt.Errorf("run %s of %s at %s: %w: wait for it, or add workers with --join", x.run.Job, x.run.On, x.run.Site, ErrAlive)
		}
	}
}

// allowed asks whether people let a run go on. Whoever starts it by name lets one
// go on that was stopped.
func (e *Engine) allowed(ctx context.Context, req Request) error {
	return e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		h, halted, err := tx.HaltOf(ctx, req.Site, req.Job, req.On)
		if err != nil || !halted {
			return err
		}
		if req.Actor == "" || h.On == 0 {
			return paused(h, true)
		}
		h.Resumes, h.Actor, h.Because = true, req.Actor, "started again"
		return tx.KeepHalt(ctx, h)
	})
}

// noDate says that a day is none of the job's business dates.
func noDate(req Request, has bool) error {
	if has {
		return nil
	}
	return fmt.Errorf("%s is no business date of %s at %s: see jobs: in its site.yaml", req.On, req.Job, req.Site)
}

// failed keeps why a run stopped. A run that was only interrupted keeps
// nothing: whoever starts it again goes on.
func (x *execution) failed(ctx context.Context, cause error) error {
	if !errors.Is(cause, ErrParkLimit) && !errors.Is(cause, ErrPaused) {
		return cause
	}
	x.run.State, x.run.Failure = market.RunFailed, cause.Error()
	err := x.engine.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		if run, err := tx.LockRun(ctx, x.run.ID); err != nil || run.State == market.RunCompleted {
			return err // somebody else came to its end
		}
		if err := x.total(ctx, tx); err != nil {
			return err
		}
		x.run.ResultHash = nil
		return tx.FinishRun(ctx, x.run)
	})
	return errors.Join(cause, err)
}

// finish adds the shards up and completes the run, once.
func (x *execution) finish(ctx context.Context) error {
	return x.engine.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		if err := tx.SameSchema(ctx); err != nil {
			return err
		}
		run, err := tx.LockRun(ctx, x.run.ID)
		if err != nil || run.State == market.RunCompleted {
			x.run = run
			return err
		}
		if err := x.total(ctx, tx); err != nil {
			return err
		}
		x.run.State = market.RunCompleted
		if err := tx.FinishRun(ctx, x.run); err != nil {
			return err
		}
		x.run, err = tx.RunByID(ctx, x.run.ID)
		return err
	})
}

// total adds up the shards of a run.
func (x *execution) total(ctx context.Context, tx *storage.Tx) error {
	shards, err := tx.Shards(ctx, x.run.ID)
	if err != nil {
		return err
	}
	x.run.Candidates, x.run.Parked, x.run.Decisions = 0, 0, 0
	x.run.Outcomes, x.run.ResultHash = map[string]int64{}, make([]byte, 32)
	for _, s := range shards {
		x.run.Candidates += s.Candidates
		x.run.Parked += s.Parked
		x.run.Decisions += s.Decisions
		for outcome, n := range s.Outcomes {
			x.run.Outcomes[outcome] += n
		}
		x.run.ResultHash = addSums(x.run.ResultHash, s.ResultHash)
	}
	return nil
}
