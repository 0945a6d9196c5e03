package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"nightshift/storage"
)

// work has the engine's workers carry shards until none is left.
func (x *execution) work(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t := &tally{x: x, done: x.behind}
	var workers sync.WaitGroup
	for range max(x.engine.Workers, 1) {
		workers.Go(func() {
			if err := (&worker{execution: *x, tally: t, wait: wait{most: x.engine.patience()}}).carry(ctx); err != nil {
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

// tally counts what was done of a run: by all workers of this process, and
// before it went on with the run.
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

// worker carries one shard after the other, a chunk at a time.
type worker struct {
	execution
	tally   *tally
	refused refusal
	wait    wait
	size    int // candidates of the next chunk, where they weigh differently; 0: of the first
}

// refusal is where the database refused a chunk, and how careful the worker
// has become about it.
type refusal struct {
	shard      int
	checkpoint int64
	pace       pace
}

// How long a worker waits for shards that others hold, and how long at first and
// at most between questions for a database that went away.
const (
	otherShards  = 50 * time.Millisecond
	firstRetry   = 300 // a part of the time that it is waited for
	longestRetry = 15
)

// carry works until no shard is left. The world's trouble is an error, unless
// it passes: a database that restarts is waited for.
func (w *worker) carry(ctx context.Context) error {
	w.events = make([]time.Time, 0, 32)
	for {
		left, claimed, err := w.chunk(ctx)
		switch {
		case err != nil && storage.Transient(err):
			if err := w.wait.again(ctx, err); err != nil {
				return err
			}
		case err != nil:
			return err
		case !left:
			return nil
		case !claimed:
			if !sleep(ctx, otherShards) {
				return context.Cause(ctx)
			}
		default:
			w.wait.waited = 0
		}
	}
}

// wait is how long somebody has waited for a database that has trouble.
type wait struct{ waited, most time.Duration }

// errTooLong says that the database was waited for as long as one may.
var errTooLong = errors.New("the database did not recover in time")

// again waits before another try, longer each time; it answers the trouble
// where it was waited for long enough, and why the run was stopped meanwhile.
func (w *wait) again(ctx context.Context, trouble error) error {
	if w.waited >= w.most {
		return fmt.Errorf("%w: %w", errTooLong, trouble)
	}
	pause := min(max(w.waited, w.most/firstRetry), w.most/longestRetry) + 1
	w.waited += pause
	if !sleep(ctx, pause) {
		return context.Cause(ctx)
	}
	return nil
}

// patiently does again what the world's trouble, which may pass, has ended. All
// that a run does may be done again: it goes on after what was kept.
func (e *Engine) patiently(ctx context.Context, do func() error) error {
	w := wait{most: e.patience()}
	for {
		err := do()
		if !storage.Transient(err) || errors.Is(err, errTooLong) {
			return err
		}
		if err := w.again(ctx, err); err != nil {
			return err
		}
	}
}

func (e *Engine) patience() time.Duration { return cmp.Or(e.Patience, usualPatience) }

// sleep waits; it is false when the run was stopped meanwhile.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// chunk claims a shard and takes it one chunk further, in one transaction.
// Whoever asks the run to stop waits for the chunk to end.
func (w *worker) chunk(ctx context.Context) (left, claimed bool, err error) {
	if ctx.Err() != nil {
		return false, false, context.Cause(ctx)
	}
	var shard, before storage.Shard
	ctx, span := w.engine.Tracer.Of(ctx, ChunkSpan)
	defer func() {
		if !claimed && err == nil {
			return // nothing was done: a span that does not end is not told
		}
		span.Note(attribute.Int64("nightshift.run", w.run.ID), attribute.Int("nightshift.shard", shard.No), attribute.Int64("nightshift.candidates", shard.Candidates-before.Candidates))
		span.End(err)
	}()
	err = w.engine.Store.InTx(context.WithoutCancel(ctx), func(ctx context.Context, tx *storage.Tx) error {
		s, more, err := tx.ClaimShard(ctx, w.run.ID)
		left, claimed = more, s != nil
		if err != nil || !claimed {
			return err
		}
		if err := w.goesOn(ctx, tx); err != nil {
			return err
		}
		if !w.dry { // what is put back is a copy's: nobody waits for it
			if err := tx.HoldFacts(ctx, w.run.Site); err != nil {
				return err
			}
		}
		shard, before = *s, *s
		if shard.Outcomes == nil {
			shard.Outcomes = map[string]int64{}
		}
		return w.line.step(ctx, tx, &w.execution, &shard, w.pace(before))
	})
	if claimed && err != nil && storage.Refused(err) {
		return true, true, w.slowDown(before, err)
	}
	if err != nil || !claimed {
		return left, claimed, err
	}
	w.speedUp()
	w.weigh(shard.Candidates - before.Candidates)
	return true, true, w.tally.add(shard.Candidates-before.Candidates, shard.Parked-before.Parked)
}

// goesOn asks whether somebody, on whatever machine, wants the run to stop, or has
// migrated the database for another build.
func (w *worker) goesOn(ctx context.Context, tx *storage.Tx) error {
	if w.dry {
		return nil
	}
	if err := tx.SameSchema(ctx); err != nil {
		return err
	}
	h, stopped, err := tx.Stopped(ctx, w.run)
	return errors.Join(err, paused(h, stopped))
}

// mostRows is about as many rows as one chunk should write: a buyer may have one
// order or a thousand records of use, and memory is to stay the same.
const mostRows = 32_000

func (w *worker) chunkSize() int {
	if w.engine.ChunkSize == 0 && w.line.uneven && w.size == 0 {
		w.size = w.line.chunk / 8 // nobody knows yet what they weigh
	}
	return cmp.Or(w.engine.ChunkSize, w.size, w.line.chunk, usualChunk)
}

// weigh finds the size of the next chunk by what the candidates of the last one
// weighed.
func (w *worker) weigh(candidates int64) {
	if w.size == 0 || candidates == 0 {
		return
	}
	fit := mostRows * int(candidates) / max(w.harvest.rows(), 1)
	w.size = max(min(fit, 2*w.size, w.line.chunk), 1)
}

// pace is how to go on with a shard: carefully where it was refused before.
func (w *worker) pace(s storage.Shard) pace {
	p := w.refused.pace
	if p.limit == 0 {
		return pace{limit: w.chunkSize()}
	}
	if s.No != w.refused.shard || s.Checkpoint != w.refused.checkpoint {
		p.refused = "" // another place: nothing was refused there
	}
	return p
}

// slowDown bisects: a refused chunk is tried again with every event looked up,
// then by halves, until one candidate alone is refused; that one is parked.
func (w *worker) slowDown(s storage.Shard, cause error) error {
	p := w.pace(s)
	switch {
	case p.refused != "":
		return cause // parking it was refused too: not the candidate's trouble
	case !p.careful:
		p.careful = true
	case p.limit > 1:
		p.limit = (p.limit + 1) / 2
	default:
		p.refused = "the database refused it: " + storage.Reason(cause)
	}
	w.refused = refusal{shard: s.No, checkpoint: s.Checkpoint, pace: p}
	return nil
}

// speedUp forgets a refusal step by step once chunks are kept again.
func (w *worker) speedUp() {
	p := &w.refused.pace
	p.refused = ""
	if p.limit *= 2; p.limit >= w.chunkSize() {
		*p = pace{}
	}
}
