package jobs

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

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
}

// Result is what a run came to.
type Result struct {
	Run     market.Run
	Already bool // it had been completed before: nothing was changed
	DryRun  bool
}

// execution is one run under way in this process.
type execution struct {
	engine      *Engine
	line        line
	site        *rules.Site
	run         market.Run
	policies    []*rules.Policy // one a ruleset of the job
	begins      []time.Time     // the instant from which each policy is in force
	nextVersion time.Time       // when another version will hold; zero if none is known
	sparse      bool            // few keys are due
	events      []time.Time     // scratch space of a worker
}

// Run carries one job through one business date of one site. A run that was
// completed is answered as it was; one that was interrupted goes on after its
// last chunk; one that is alive is ErrAlive, unless the request joins it.
func (e *Engine) Run(ctx context.Context, req Request) (Result, error) {
	l, err := find(req.Job)
	if err != nil {
		return Result{}, err
	}
	site, err := e.Book.Site(req.Site)
	if err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	if req.AsOf.IsZero() {
		if req.AsOf, err = asOf(site, req.Job, req.On); err != nil {
			return Result{}, fmt.Errorf("%w: %w", ErrBadRequest, err)
		}
	}
	if req.DryRun {
		return e.dryRun(ctx, l, site, req)
	}
	return e.carry(ctx, l, site, req)
}

// dryRun is the same run on a scratch copy of the tables it writes.
func (e *Engine) dryRun(ctx context.Context, l line, site *rules.Site, req Request) (Result, error) {
	scratch, drop, err := e.Store.Scratch(ctx)
	if err != nil {
		return Result{}, err
	}
	defer drop()
	if err := scratch.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		return tx.BorrowDue(ctx, l.name, site.Name, req.AsOf)
	}); err != nil {
		return Result{}, err
	}
	preview := *e
	preview.Store = scratch
	result, err := preview.carry(ctx, l, site, req)
	result.DryRun = true
	return result, err
}

// carry starts or resumes a run and works until every shard is done.
func (e *Engine) carry(ctx context.Context, l line, site *rules.Site, req Request) (Result, error) {
	x := &execution{engine: e, line: l, site: site}
	if err := x.open(ctx, req); err != nil {
		return Result{}, err
	}
	if x.run.State == market.RunCompleted {
		return Result{Run: x.run, Already: true}, nil
	}
	release, free, err := e.Store.Exclusive(ctx, fmt.Sprintf("run/%s/%s/%s", req.Job, req.Site, req.On))
	if err != nil {
		return Result{}, err
	}
	if !free && !req.Join {
		return Result{Run: x.run}, fmt.Errorf("run %s of %s at %s: %w: wait for it, or add workers with --join", req.Job, req.On, req.Site, ErrAlive)
	}
	if free {
		defer release()
	}
	if err := x.work(ctx); err != nil {
		return Result{Run: x.run}, x.failed(ctx, err)
	}
	err = x.finish(ctx)
	return Result{Run: x.run}, err
}

// open finds the run or writes it, pinned to its rules, build and schema.
func (x *execution) open(ctx context.Context, req Request) error {
	if err := x.engine.Store.EnsureMonth(ctx, req.On); err != nil {
		return err
	}
	return x.engine.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		// Two starters at once: the second waits here and finds the first's run.
		if err := tx.Serialise(ctx, fmt.Sprintf("start/%s/%s/%s", req.Job, req.Site, req.On)); err != nil {
			return err
		}
		run, found, err := tx.FindRun(ctx, req.Job, req.Site, req.On)
		if err != nil {
			return err
		}
		if found {
			x.run = run
			return x.resume(ctx, tx)
		}
		return x.begin(ctx, tx, req)
	})
}

// begin writes a new run and cuts it into shards of what is due.
func (x *execution) begin(ctx context.Context, tx *storage.Tx, req Request) error {
	x.run = market.Run{Job: req.Job, Site: req.Site, On: req.On, AsOf: req.AsOf, Build: x.engine.Build, Schema: storage.SchemaVersion(), Policies: map[string]string{}}
	for _, ruleset := range x.line.rulesets {
		policy, err := x.site.Policy(ruleset, req.On)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBadRequest, err)
		}
		if err := tx.KeepRuleVersion(ctx, storage.RuleVersion{Hash: policy.Hash[:], Site: x.site.Name, Ruleset: policy.Ruleset,
			Version: policy.Version, Effective: storage.Day{Date: policy.Effective}, File: policy.File, Text: policy.Text}); err != nil {
			return err
		}
		x.run.Policies[ruleset] = fmt.Sprintf("%x", policy.Hash)
		x.policies = append(x.policies, policy)
	}
	due, err := tx.DueAt(ctx, req.Job, req.Site, req.AsOf)
	if err != nil {
		return err
	}
	x.run.Due, x.sparse = due.Count, due.Sparse()
	x.run, err = tx.StartRun(ctx, x.run, cut(due))
	x.orient()
	return err
}

// cut divides what is due into key ranges of about the same width.
func cut(due storage.DueSpan) []storage.Shard {
	if due.Count == 0 {
		return nil
	}
	n := min(max(due.Count/shardSize, min(due.Count/smallShard, fewShards), 1), mostShards)
	width := (due.Last - due.First + 1 + n - 1) / n
	var shards []storage.Shard
	for after := due.First - 1; after < due.Last; after += width {
		shards = append(shards, storage.Shard{No: len(shards), After: after, Upto: min(after+width, due.Last)})
	}
	return shards
}

// resume goes on with a run under the rules and the build it began with.
func (x *execution) resume(ctx context.Context, tx *storage.Tx) error {
	if x.run.State == market.RunCompleted {
		return nil
	}
	if x.run.Build != x.engine.Build || x.run.Schema != storage.SchemaVersion() {
		return fmt.Errorf("resume run %d: %w: it began under build %s and schema %d, this is build %s and schema %d: finish it with the build it began with",
			x.run.ID, ErrBadRequest, x.run.Build, x.run.Schema, x.engine.Build, storage.SchemaVersion())
	}
	for _, ruleset := range x.line.rulesets {
		policy, err := x.pinned(ctx, ruleset)
		if err != nil {
			return err
		}
		x.policies = append(x.policies, policy)
	}
	x.orient()
	shards, err := tx.Shards(ctx, x.run.ID)
	if err != nil {
		return err
	}
	if len(shards) > 0 {
		x.sparse = storage.DueSpan{Count: x.run.Due, First: shards[0].After + 1, Last: shards[len(shards)-1].Upto}.Sparse()
	}
	return tx.ResumeRun(ctx, x.run.ID)
}

// pinned is the policy a run began with, even if its file has changed since.
func (x *execution) pinned(ctx context.Context, ruleset string) (*rules.Policy, error) {
	if policy, err := x.site.Policy(ruleset, x.run.On); err == nil && fmt.Sprintf("%x", policy.Hash) == x.run.Policies[ruleset] {
		return policy, nil
	}
	return kept(ctx, x.engine.Store, x.site, x.run.Policies[ruleset])
}

// kept compiles a rule text that was kept, by its content hash.
func kept(ctx context.Context, store *storage.Store, site *rules.Site, hash string) (*rules.Policy, error) {
	raw, err := hex.DecodeString(hash)
	if err != nil {
		return nil, fmt.Errorf("find rule text %q: %w", hash, err)
	}
	v, err := store.RuleVersion(ctx, raw)
	if err != nil {
		return nil, err
	}
	ruleset, problems := rules.Parse(v.File, []byte(v.Text))
	if len(problems) > 0 {
		return nil, fmt.Errorf("restore rule file %s: %w", v.File, problems)
	}
	policy, problems := rules.Compile(ruleset, site.Currency)
	if len(problems) > 0 {
		return nil, fmt.Errorf("restore rule file %s: %w", v.File, problems)
	}
	return policy, nil
}

// asOf is the instant at which a job evaluates for a business date: its
// scheduled local time on that date.
func asOf(site *rules.Site, job string, on market.Date) (time.Time, error) {
	at, ok := site.AsOf[job]
	if !ok {
		return time.Time{}, fmt.Errorf("%w: site %s has no time for job %s: add jobs: %s: as_of: \"02:00\" to its site.yaml", ErrBadRequest, site.Name, job, job)
	}
	return on.At(at, site.Zone), nil
}

// orient derives what the run's date says about its policies.
func (x *execution) orient() {
	for _, p := range x.policies {
		x.begins = append(x.begins, p.Effective.At(market.TimeOfDay{}, x.site.Zone))
	}
	x.nextVersion = nextVersions(x.site, x.line, x.run.On, func(on market.Date) time.Time {
		at, err := asOf(x.site, x.run.Job, on)
		if err != nil {
			return time.Time{}
		}
		return at
	})
}

// failed keeps why a run stopped. A run that was only interrupted keeps
// nothing: whoever starts it again goes on.
func (x *execution) failed(ctx context.Context, cause error) error {
	if !errors.Is(cause, ErrParkLimit) {
		return cause
	}
	x.run.State, x.run.Failure = market.RunFailed, cause.Error()
	err := x.engine.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
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

// work has the engine's workers carry shards until none is left.
func (x *execution) work(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t := &tally{x: x}
	var workers sync.WaitGroup
	for range max(x.engine.Workers, 1) {
		workers.Go(func() {
			if err := (&worker{execution: *x, tally: t}).carry(ctx); err != nil {
				cancel(err)
			}
		})
	}
	workers.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return nil
}

// tally counts what all workers of this process have done.
type tally struct {
	x      *execution
	mu     sync.Mutex
	done   int64
	parked int64
}

func (t *tally) add(done, parked int64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done += done
	t.parked += parked
	if report := t.x.engine.Progress; report != nil {
		report(Progress{Job: t.x.run.Job, On: t.x.run.On, Done: t.done, Total: t.x.run.Due})
	}
	limit := int64(t.x.engine.ParkLimit)
	if limit == 0 {
		limit = usualParkLimit
	}
	if t.parked > limit {
		return fmt.Errorf("%w: %d candidates, the limit is %d: see `nightshift runs parked`, mend the cause and start the run again", ErrParkLimit, t.parked, limit)
	}
	return nil
}
