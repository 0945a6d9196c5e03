package jobs

import (
	"context"
	"errors"
	"fmt"

	"nightshift/rules/market"
	"nightshift/storage"
)

// Help carries shards of a run that another machine has started, with one worker,
// until none is left; where its starter died this process brings the run to its
// end. A run of another build or schema is left to workers of that one.
func (e *Engine) Help(ctx context.Context, id int64) error {
	var run market.Run
	err := e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) (err error) {
		run, err = tx.RunByID(ctx, id)
		return err
	})
	switch {
	case errors.Is(err, storage.ErrNoRun):
		return nil
	case err != nil:
		return err
	case run.State != market.RunRunning:
		return nil // done, or stopped: whoever starts it again asks again
	case run.Build != e.Build || run.Schema != storage.SchemaVersion():
		return fmt.Errorf("help with run %d: %w: it began under build %s and schema %d", id, storage.ErrNotYet, run.Build, run.Schema)
	}
	one := *e
	one.Workers, one.Helpers = 1, 0
	_, err = one.Run(ctx, Request{Job: run.Job, Site: run.Site, On: run.On, AsOf: run.AsOf, Join: true})
	if errors.Is(err, ErrPaused) {
		return nil
	}
	return err
}
