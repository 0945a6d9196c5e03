package storage

import (
	"context"
	"fmt"
)

// What queries are planned by, where the planner cannot know better: its figures
// are older than the last night. All of it ends with the transaction.

// hint keeps the planner from a way of working until unhint.
func (tx *Tx) hint(ctx context.Context, way string) error {
	_, err := tx.Exec(ctx, `SELECT set_config($1, 'off', true)`, way)
	return err
}

func (tx *Tx) unhint(ctx context.Context, way string) error {
	_, err := tx.Exec(ctx, `SELECT set_config($1, 'on', true)`, way)
	return err
}

// bulkWays turns the ways of reading many rows off or on.
const bulkWays = `SELECT set_config(way, $1, true) FROM unnest(ARRAY['enable_hashjoin', 'enable_mergejoin', 'enable_seqscan']) AS way`

// lookingUp has the planner look few rows up among many.
func (tx *Tx) lookingUp(ctx context.Context, read func() error) error {
	if _, err := tx.Exec(ctx, bulkWays, "off"); err != nil {
		return err
	}
	if err := read(); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, bulkWays, "on")
	return err
}

// ReadsFew has the rest of the transaction look few rows up among many: of a
// seller's month, not of everybody's.
func (tx *Tx) ReadsFew(ctx context.Context) error {
	_, err := tx.Exec(ctx, bulkWays, "off")
	if err == nil {
		_, err = tx.Exec(ctx, `SELECT set_config('max_parallel_workers_per_gather', '0', true)`)
	}
	if err != nil {
		return fmt.Errorf("plan for few rows: %w", err)
	}
	return nil
}

// ReadsMany gives the rest of the transaction room to sort and join the rows of a
// whole night without writing them down in between.
func (tx *Tx) ReadsMany(ctx context.Context) error {
	if _, err := tx.Exec(ctx, `SELECT set_config('work_mem', '64MB', true)`); err != nil {
		return fmt.Errorf("plan for many rows: %w", err)
	}
	return nil
}
