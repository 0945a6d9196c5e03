package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// Vitals is how a database is.
type Vitals struct {
	Version       string // of the server
	Schema        int
	Now           time.Time // by its clock
	Bytes         int64     // of this database
	Connections   int       // in use, and
	Most          int       // as many as there may be
	WALArchivedAt time.Time // when the server last archived; zero where it does not
	DataDir       string    // of the embedded database; empty for another
}

// Now is the time by the database's clock.
func (s *Store) Now(ctx context.Context) (now time.Time, err error) {
	if err := s.queryRow(ctx, `SELECT clock_timestamp()`, nil, &now); err != nil {
		return now, fmt.Errorf("ask the database for the time: %w", err)
	}
	return now, nil
}

// Vitals asks the database how it is.
func (s *Store) Vitals(ctx context.Context) (v Vitals, err error) {
	var archived *time.Time
	err = s.queryRow(ctx, `
		SELECT current_setting('server_version'), (SELECT max(name::int) FROM public.schema_migrations), clock_timestamp(), pg_database_size(current_database()),
		       (SELECT sum(numbackends)::int FROM pg_stat_database), current_setting('max_connections')::int,
		       (SELECT last_archived_time FROM pg_stat_archiver)`, nil,
		&v.Version, &v.Schema, &v.Now, &v.Bytes, &v.Connections, &v.Most, &archived)
	if err != nil {
		return v, fmt.Errorf("ask the database how it is: %w", err)
	}
	if archived != nil {
		v.WALArchivedAt = *archived
	}
	if s.cluster != nil {
		v.DataDir = s.cluster.Dir()
	}
	return v, nil
}

// MissingMonths are the histories that have no partition for the month of a day.
func (s *Store) MissingMonths(ctx context.Context, on market.Date) (missing []string, err error) {
	err = s.query(ctx, `
		SELECT l.name::text FROM schema_laws l
		WHERE l.by_month AND to_regclass(format('public.%I', l.name || '_' || to_char($1::date, 'YYYY_MM'))) IS NULL
		ORDER BY 1`, []any{on}, func(rows pgx.Rows) error {
		var name string
		err := rows.Scan(&name)
		missing = append(missing, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for the partitions of the month of %s: %w", on, err)
	}
	return missing, nil
}

// Unfinished are the runs that did not come to their end, oldest first, and
// whether a process is at each.
func (s *Store) Unfinished(ctx context.Context) (runs []market.Run, alive []bool, err error) {
	err = s.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		if runs, err = tx.runs(ctx, `WHERE state <> 'completed' ORDER BY business_date, id LIMIT 100`); err != nil {
			return err
		}
		alive = make([]bool, len(runs))
		for i, r := range runs {
			// The lock's key in two halves, as pg_locks shows it.
			_, err := tx.one(ctx, `
				SELECT EXISTS (
					SELECT FROM pg_locks l, (SELECT hashtextextended(current_schema() || $1, 0) AS key) k
					WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
					  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
					  AND l.classid::bigint = (k.key >> 32) & 4294967295 AND l.objid::bigint = k.key & 4294967295)`,
				[]any{fmt.Sprintf("run/%s/%s/%s", r.Job, r.Site, r.On)}, &alive[i])
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("look for runs that did not come to their end: %w", err)
	}
	return runs, alive, nil
}
