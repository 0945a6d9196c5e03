package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// ErrNoRun marks a run that is not there.
var ErrNoRun = errors.New("there is no such run")

const runColumns = `id, job, site, business_date, as_of, state, build, schema, policies, due, candidates, parked, decisions, outcomes,
	coalesce(result_hash, ''), coalesce(failure, ''), started_at, coalesce(finished_at, 'epoch')`

func scanRun(row pgx.Row) (market.Run, error) {
	var r market.Run
	var policies, outcomes []byte
	err := row.Scan(&r.ID, &r.Job, &r.Site, &r.On, &r.AsOf, &r.State, &r.Build, &r.Schema, &policies, &r.Due, &r.Candidates, &r.Parked, &r.Decisions, &outcomes,
		&r.ResultHash, &r.Failure, &r.StartedAt, &r.FinishedAt)
	if err != nil {
		return market.Run{}, err
	}
	if r.FinishedAt.Unix() == 0 {
		r.FinishedAt = time.Time{}
	}
	return r, errors.Join(json.Unmarshal(policies, &r.Policies), json.Unmarshal(outcomes, &r.Outcomes))
}

// FindRun is the run of a job for a business date of a site, if there is one.
func (tx *Tx) FindRun(ctx context.Context, job, site string, on market.Date) (market.Run, bool, error) {
	runs, err := tx.runs(ctx, `WHERE job = $1 AND site = $2 AND business_date = $3`, job, site, on)
	if err != nil {
		return market.Run{}, false, fmt.Errorf("find the %s run of %s at %s: %w", job, on, site, err)
	}
	if len(runs) == 0 {
		return market.Run{}, false, nil
	}
	return runs[0], true, nil
}

// RunByID is one run.
func (tx *Tx) RunByID(ctx context.Context, id int64) (market.Run, error) {
	return tx.run(ctx, `WHERE id = $1`, id)
}

// ListRuns are the newest runs first; an empty job or site is any.
func (tx *Tx) ListRuns(ctx context.Context, job, site string, limit int) ([]market.Run, error) {
	runs, err := tx.runs(ctx, `
		WHERE ($1 = '' OR job = $1) AND ($2 = '' OR site = $2)
		ORDER BY business_date DESC, id DESC
		LIMIT $3`, job, site, limit)
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	return runs, nil
}

// RunsUpTo are the runs of a job and site up to a business date.
func (tx *Tx) RunsUpTo(ctx context.Context, job, site string, on market.Date) ([]market.Run, error) {
	runs, err := tx.runs(ctx, `WHERE job = $1 AND site = $2 AND business_date <= $3 ORDER BY business_date`, job, site, on)
	if err != nil {
		return nil, fmt.Errorf("list the %s runs at %s up to %s: %w", job, site, on, err)
	}
	return runs, nil
}

// PoliciesBefore are the policies of the last run of a job and site before a
// business date, in the real tables also where a dry run asks; nil for none.
func (tx *Tx) PoliciesBefore(ctx context.Context, job, site string, on market.Date) (policies map[string]string, err error) {
	var text []byte
	found, err := tx.one(ctx, `
		SELECT policies FROM public.runs WHERE job = $1 AND site = $2 AND business_date < $3
		ORDER BY business_date DESC LIMIT 1`, []any{job, site, on}, &text)
	if err == nil && found {
		err = json.Unmarshal(text, &policies)
	}
	if err != nil {
		return nil, fmt.Errorf("find the rules of the last %s run at %s before %s: %w", job, site, on, err)
	}
	return policies, nil
}

func (tx *Tx) run(ctx context.Context, where string, id int64) (market.Run, error) {
	runs, err := tx.runs(ctx, where, id)
	if err == nil && len(runs) == 0 {
		err = ErrNoRun
	}
	if err != nil {
		return market.Run{}, fmt.Errorf("find run %d: %w", id, err)
	}
	return runs[0], nil
}

func (tx *Tx) runs(ctx context.Context, where string, args ...any) (runs []market.Run, err error) {
	err = tx.Query(ctx, `SELECT `+runColumns+` FROM runs `+where, args, func(rows pgx.Rows) error {
		r, err := scanRun(rows)
		runs = append(runs, r)
		return err
	})
	return runs, err
}

// Shard is a key range of a run, (After, Upto], and how far it has come.
type Shard struct {
	No          int
	After, Upto int64
	Checkpoint  int64
	Candidates  int64
	Parked      int64
	Decisions   int64
	Outcomes    map[string]int64
	ResultHash  []byte
	Done        bool
}

// StartRun writes a run with its shards. A run that somebody wrote at the same time is an error of the
// unique key: look again.
func (tx *Tx) StartRun(ctx context.Context, r market.Run, shards []Shard) (market.Run, error) {
	policies, err := json.Marshal(r.Policies)
	if err != nil {
		return r, err
	}
	_, err = tx.one(ctx, `
		INSERT INTO runs (job, site, business_date, as_of, build, schema, policies, due)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id, started_at`,
		[]any{r.Job, r.Site, r.On, r.AsOf, r.Build, r.Schema, policies, r.Due}, &r.ID, &r.StartedAt)
	if err != nil {
		return r, fmt.Errorf("start the %s run of %s at %s: %w", r.Job, r.On, r.Site, err)
	}
	for _, s := range shards {
		if _, err := tx.Exec(ctx, `INSERT INTO shards (run_id, no, after_id, upto_id, checkpoint) VALUES ($1, $2, $3, $4, $3)`,
			r.ID, s.No, s.After, s.Upto); err != nil {
			return r, fmt.Errorf("cut run %d into shards: %w", r.ID, err)
		}
	}
	r.State = market.RunRunning
	return r, nil
}

// ClaimShard locks a shard of the run that is not done and that nobody else
// holds, for as long as the transaction lasts. Left is false when every shard
// is done; the shard is nil when others hold what is left.
func (tx *Tx) ClaimShard(ctx context.Context, run int64) (s *Shard, left bool, err error) {
	var c Shard
	var outcomes []byte
	found, err := tx.one(ctx, `
		SELECT no, after_id, upto_id, checkpoint, candidates, parked, decisions, outcomes, result_hash
		FROM shards
		WHERE run_id = $1 AND NOT done
		ORDER BY no
		LIMIT 1
		FOR UPDATE SKIP LOCKED`, []any{run},
		&c.No, &c.After, &c.Upto, &c.Checkpoint, &c.Candidates, &c.Parked, &c.Decisions, &outcomes, &c.ResultHash)
	if err != nil {
		return nil, false, fmt.Errorf("claim a shard of run %d: %w", run, err)
	}
	if found {
		return &c, true, json.Unmarshal(outcomes, &c.Outcomes)
	}
	_, err = tx.one(ctx, `SELECT EXISTS (SELECT FROM shards WHERE run_id = $1 AND NOT done)`, []any{run}, &left)
	if err != nil {
		return nil, false, fmt.Errorf("look for a shard of run %d: %w", run, err)
	}
	return nil, left, nil
}

// KeepShard moves the checkpoint of a claimed shard.
func (tx *Tx) KeepShard(ctx context.Context, run int64, s Shard) error {
	outcomes, err := json.Marshal(s.Outcomes)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		UPDATE shards
		SET checkpoint = $3, candidates = $4, parked = $5, outcomes = $6, result_hash = $7, done = $8, decisions = $9
		WHERE run_id = $1 AND no = $2`,
		run, s.No, s.Checkpoint, s.Candidates, s.Parked, outcomes, s.ResultHash, s.Done, s.Decisions)
	if err != nil {
		return fmt.Errorf("keep the checkpoint of shard %d of run %d: %w", s.No, run, err)
	}
	return nil
}

// Shards are all the shards of a run.
func (tx *Tx) Shards(ctx context.Context, run int64) ([]Shard, error) {
	var shards []Shard
	err := tx.Query(ctx, `
		SELECT no, after_id, upto_id, checkpoint, candidates, parked, decisions, outcomes, result_hash, done
		FROM shards WHERE run_id = $1 ORDER BY no`, []any{run}, func(rows pgx.Rows) error {
		var s Shard
		var outcomes []byte
		err := rows.Scan(&s.No, &s.After, &s.Upto, &s.Checkpoint, &s.Candidates, &s.Parked, &s.Decisions, &outcomes, &s.ResultHash, &s.Done)
		shards = append(shards, s)
		if err != nil {
			return err
		}
		return json.Unmarshal(outcomes, &shards[len(shards)-1].Outcomes)
	})
	if err != nil {
		return nil, fmt.Errorf("read the shards of run %d: %w", run, err)
	}
	return shards, nil
}

// LockRun takes the run's row, so that one finisher at a time looks at it.
func (tx *Tx) LockRun(ctx context.Context, id int64) (market.Run, error) {
	return tx.run(ctx, `WHERE id = $1 FOR UPDATE`, id)
}

// FinishRun keeps what a run came to. Its state is completed, or failed with a
// reason; a failed run may be started again.
func (tx *Tx) FinishRun(ctx context.Context, r market.Run) error {
	outcomes, err := json.Marshal(r.Outcomes)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		UPDATE runs
		SET state = $2, candidates = $3, parked = $4, outcomes = $5, result_hash = $6, failure = nullif($7, ''), decisions = $8, finished_at = now()
		WHERE id = $1`, r.ID, r.State, r.Candidates, r.Parked, outcomes, r.ResultHash, r.Failure, r.Decisions)
	if err != nil {
		return fmt.Errorf("finish run %d: %w", r.ID, err)
	}
	return nil
}

// ResumeRun says that a failed run is going on.
func (tx *Tx) ResumeRun(ctx context.Context, id int64) error {
	_, err := tx.Exec(ctx, `UPDATE runs SET state = 'running', failure = NULL, finished_at = NULL WHERE id = $1 AND state = 'failed'`, id)
	if err != nil {
		return fmt.Errorf("resume run %d: %w", id, err)
	}
	return nil
}

// GatherGrown has Postgres look again at the tables that grew a good deal, so that
// what reads a night right after it is planned for what is there.
func (s *Store) GatherGrown(ctx context.Context) error {
	if s.scratch != "" {
		return nil
	}
	if _, err := s.db.ExecContext(ctx, `SELECT gather_grown()`); err != nil {
		return fmt.Errorf("gather the statistics of what grew: %w", err)
	}
	return nil
}

// AdoptRun has a run that another build began go on under this one.
func (tx *Tx) AdoptRun(ctx context.Context, id int64, build string) error {
	if _, err := tx.Exec(ctx, `UPDATE runs SET build = $2, schema = $3 WHERE id = $1`, id, build, SchemaVersion()); err != nil {
		return fmt.Errorf("have another build go on with run %d: %w", id, err)
	}
	return nil
}
