package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
)

// riverSchema holds River's tables. They are the engine's; ours never refer to them.
const riverSchema = "river"

// How often a worker looks for runs to help with, and how long it may take to
// let go of them when it is asked to stop.
const (
	helpPoll = 500 * time.Millisecond
	helpStop = time.Minute
)

// helpWith is what a worker on another machine is asked for: to help with a run.
type helpWith struct {
	RunID int64 `json:"run_id"`
}

// Kind is what River calls it.
func (helpWith) Kind() string { return "help_with_run" }

// AskForHelp asks as many worker slots on other machines to help with a run, in
// the transaction that starts it: either both are there, or neither.
func (tx *Tx) AskForHelp(ctx context.Context, run int64, slots int) error {
	if slots <= 0 {
		return nil
	}
	client, err := river.NewClient(riverdatabasesql.New(nil), &river.Config{Schema: riverSchema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("ask for help with run %d: %w", run, err)
	}
	asked := make([]river.InsertManyParams, slots)
	for i := range asked {
		asked[i] = river.InsertManyParams{Args: helpWith{RunID: run}}
	}
	if _, err := client.InsertManyTx(ctx, tx.Tx.Tx, asked); err != nil {
		return fmt.Errorf("ask for help with run %d: %w", run, err)
	}
	return nil
}

// ErrNotYet says that a run cannot be helped with by this worker now: it is
// asked again, or another one is.
var ErrNotYet = errors.New("not yet")

// notYet is how long it is until then.
const notYet = 2 * time.Second

// helper is the River worker of this process.
type helper struct {
	river.WorkerDefaults[helpWith]
	help func(ctx context.Context, run int64) error
}

// Work helps with one run until none of its shards is left.
func (h *helper) Work(ctx context.Context, job *river.Job[helpWith]) error {
	err := h.help(ctx, job.Args.RunID)
	if errors.Is(err, ErrNotYet) {
		return river.JobSnooze(notYet)
	}
	return err
}

// Timeout is none: a run takes as long as it takes.
func (h *helper) Timeout(*river.Job[helpWith]) time.Duration { return -1 }

// Help works in so many slots, until the context ends. Help is called for each
// run that asks, a slot at a time.
func (s *Store) Help(ctx context.Context, slots int, log *slog.Logger, help func(ctx context.Context, run int64) error) error {
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &helper{help: help}); err != nil {
		return fmt.Errorf("help with runs: %w", err)
	}
	client, err := river.NewClient(riverdatabasesql.New(s.db.DB), &river.Config{
		Schema: riverSchema, Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: slots}},
		PollOnly: true, FetchPollInterval: helpPoll, Logger: log, ReindexerSchedule: river.NeverSchedule(),
	})
	if err != nil {
		return fmt.Errorf("help with runs: %w", err)
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("help with runs: %w", err)
	}
	<-ctx.Done()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), helpStop)
	defer cancel()
	if err := client.StopAndCancel(last); err != nil {
		return fmt.Errorf("stop helping with runs: %w", err)
	}
	return nil
}
