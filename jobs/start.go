package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

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
		if err := tx.SameSchema(ctx); err != nil {
			return err
		}
		run, found, err := tx.FindRun(ctx, req.Job, req.Site, req.On)
		if err != nil {
			return err
		}
		if found {
			x.run = run
			return x.resume(ctx, tx, req)
		}
		return x.begin(ctx, tx, req)
	})
}

// begin writes a new run and cuts it into shards of what is due.
func (x *execution) begin(ctx context.Context, tx *storage.Tx, req Request) error {
	x.run = market.Run{Job: req.Job, Site: req.Site, On: req.On, AsOf: req.AsOf, Build: x.engine.Build, Schema: storage.SchemaVersion(), Policies: map[string]string{}}
	for _, ruleset := range x.line.rulesets {
		f, err := x.site.InForce(ruleset, req.On)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBadRequest, x.engine.unreleased(err, ruleset, req.On))
		}
		if err := keepPolicy(ctx, tx, x.site, f.Policy()); err != nil {
			return err
		}
		for _, policy := range f.Pinned() {
			if err := keepPolicy(ctx, tx, x.site, policy); err != nil {
				return err
			}
		}
		pin(f, x.run.Policies)
		x.inForce = append(x.inForce, f)
		if err := x.castShadows(ctx, tx, ruleset); err != nil {
			return err
		}
	}
	changed, err := rulesChanged(ctx, tx, x.site, x.line, req.On)
	if err != nil {
		return err
	}
	if changed {
		if err := tx.WakeOpen(ctx, req.Job, req.Site, req.AsOf); err != nil {
			return err
		}
	}
	if x.line.whole {
		if err := tx.WakeSellers(ctx, req.Job, req.Site, req.AsOf); err != nil {
			return err
		}
	}
	due, err := tx.DueAt(ctx, req.Job, req.Site, req.AsOf)
	if err != nil {
		return err
	}
	x.run.Due, x.sparse = due.Count, due.Sparse()
	if x.run, err = tx.StartRun(ctx, x.run, cut(due)); err != nil {
		return err
	}
	x.orient()
	if x.line.first != nil {
		if err := x.line.first(ctx, tx, x); err != nil {
			return err
		}
	}
	return x.askForHelp(ctx, tx)
}

// askForHelp asks other machines, where there are any and there is work for them.
func (x *execution) askForHelp(ctx context.Context, tx *storage.Tx) error {
	if x.dry || x.run.Due == 0 {
		return nil
	}
	return tx.AskForHelp(ctx, x.run.ID, x.engine.Helpers)
}

// rulesChanged tells whether the last run before a business date decided by
// other rules. A version that was known then has put what waits back to its own
// first night; one that nobody knew of wakes it. Where orders stay pinned to what
// held when they were placed, another version is none of theirs: only another
// text of one that they are pinned to is.
func rulesChanged(ctx context.Context, tx *storage.Tx, site *rules.Site, l line, on market.Date) (bool, error) {
	before, err := tx.PoliciesBefore(ctx, l.name, site.Name, on)
	if err != nil || before == nil {
		return false, err
	}
	for _, ruleset := range l.rulesets {
		f, err := site.InForce(ruleset, on)
		if err != nil {
			continue // the run will say so
		}
		now := map[string]string{}
		pin(f, now)
		pinned := false
		for name, hash := range before {
			if strings.HasPrefix(name, ruleset+"/") {
				pinned = true
				if now[name] != hash {
					return true, nil
				}
			}
		}
		if !pinned && before[ruleset] != now[ruleset] {
			return true, nil
		}
	}
	return false, nil
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
func (x *execution) resume(ctx context.Context, tx *storage.Tx, req Request) error {
	if x.run.State == market.RunCompleted {
		return nil
	}
	if x.run.Build != x.engine.Build || x.run.Schema != storage.SchemaVersion() {
		if err := x.adopt(ctx, tx, req); err != nil {
			return err
		}
	}
	for _, ruleset := range x.line.rulesets {
		f, err := ruleHeldBy(ctx, tx, x.site, x.run, ruleset)
		if err != nil {
			return err
		}
		x.inForce = append(x.inForce, f)
		if err := x.findShadows(ctx, tx, ruleset); err != nil {
			return err
		}
	}
	x.orient()
	shards, err := tx.Shards(ctx, x.run.ID)
	if err != nil {
		return err
	}
	for _, s := range shards {
		x.behind += s.Candidates
	}
	if len(shards) > 0 {
		x.sparse = storage.DueSpan{Count: x.run.Due, First: shards[0].After + 1, Last: shards[len(shards)-1].Upto}.Sparse()
	}
	if err := tx.ResumeRun(ctx, x.run.ID); err != nil {
		return err
	}
	return x.askForHelp(ctx, tx)
}

// adopt has this build go on with a run of another one, where a person says so.
func (x *execution) adopt(ctx context.Context, tx *storage.Tx, req Request) error {
	if !req.Adopt {
		return fmt.Errorf("resume run %d: %w: it began under build %s and schema %d, this is build %s and schema %d: finish it with the build it began with, or have this one decide the rest with `nightshift run %s --date %s --adopt`",
			x.run.ID, ErrBadRequest, x.run.Build, x.run.Schema, x.engine.Build, storage.SchemaVersion(), req.Job, req.On)
	}
	if err := tx.KeepHalt(ctx, storage.Halt{Site: req.Site, Job: req.Job, On: req.On, Resumes: true, Actor: cmp.Or(req.Actor, "nobody"),
		Because: fmt.Sprintf("begun by build %s, build %s decides the rest", x.run.Build, x.engine.Build)}); err != nil {
		return err
	}
	x.run.Build, x.run.Schema = x.engine.Build, storage.SchemaVersion()
	return tx.AdoptRun(ctx, x.run.ID, x.engine.Build)
}

// asOf is the instant at which a job evaluates for a business date.
func asOf(site *rules.Site, job string, on market.Date) (time.Time, error) {
	at, err := site.AsOf(job, on)
	if errors.Is(err, rules.ErrNoJob) {
		return at, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	return at, err
}

// orient finds when other versions of the run's rules will hold.
func (x *execution) orient() {
	x.nextVersion = nextVersions(x.site, x.line, x.run.On, func(on market.Date) time.Time {
		at, err := asOf(x.site, x.run.Job, on)
		if err != nil {
			return time.Time{}
		}
		return at
	})
}
