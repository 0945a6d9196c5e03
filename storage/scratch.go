package storage

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"nightshift/rules/market"
)

// scratchLocks is the class of the advisory locks that say which scratch is in
// use. The lock belongs to a connection: it ends with its process.
const scratchLocks = 0x73637261 // "scra"

// Scratch is a store whose written tables are empty copies, for a dry run: the
// facts are the real ones, and nothing that is written is seen elsewhere. The
// function drops the copies. Those of processes that died are dropped by the
// next call.
func (s *Store) Scratch(ctx context.Context) (*Store, func() error, error) {
	name := "scratch_" + strings.ToLower(rand.Text())
	copies := *s
	copies.scratch = name
	copies.db = copies.pool(s.app, name)
	copies.db.SetMaxOpenConns(s.size + 2) // two of them only hold locks, of the copy and of the run
	copies.locks = copies.db
	holder, err := copies.db.DB.Conn(ctx)
	if err == nil {
		if err = openScratch(ctx, holder, name); err != nil {
			err = errors.Join(err, holder.Close())
		}
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open a scratch copy: %w", err), copies.db.Close())
	}
	return &copies, func() error { return closeScratch(&copies, holder) }, nil
}

// openScratch takes the lock before there is anything that it protects.
func openScratch(ctx context.Context, holder *sql.Conn, name string) error {
	if _, err := holder.ExecContext(ctx, `SELECT pg_advisory_lock($1, hashtext($2))`, scratchLocks, name); err != nil {
		return fmt.Errorf("lock it: %w", err)
	}
	if err := sweepScratches(ctx, holder); err != nil {
		return fmt.Errorf("drop those of processes that died: %w", err)
	}
	_, err := holder.ExecContext(ctx, `SELECT scratch_open($1)`, name)
	return err
}

// sweepScratches drops every scratch whose lock nobody holds.
func sweepScratches(ctx context.Context, conn *sql.Conn) error {
	left, err := scratchNames(ctx, conn)
	if err != nil {
		return err
	}
	for _, name := range left {
		var free bool
		if err := conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1, hashtext($2))`, scratchLocks, name).Scan(&free); err != nil {
			return err
		}
		if !free {
			continue
		}
		_, dropped := conn.ExecContext(ctx, `SELECT scratch_close($1)`, name)
		_, unlocked := conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1, hashtext($2))`, scratchLocks, name)
		if err := errors.Join(dropped, unlocked); err != nil {
			return err
		}
	}
	return nil
}

func scratchNames(ctx context.Context, conn *sql.Conn) ([]string, error) {
	rows, err := conn.QueryContext(ctx, `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'scratch\_%' ORDER BY nspname`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// closeScratch also works where the caller's context has ended.
func closeScratch(copies *Store, holder *sql.Conn) error {
	const patience = 30 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := holder.ExecContext(ctx, `SELECT scratch_close($1)`, copies.scratch)
	if err = errors.Join(err, holder.Close(), copies.db.Close()); err != nil {
		return fmt.Errorf("drop the scratch copy %s: %w", copies.scratch, err)
	}
	return nil
}

// EnsureMonth makes the months of history that the date falls in. Call it
// before the transactions that write them: attaching a month waits for nobody
// but another one who attaches.
func (s *Store) EnsureMonth(ctx context.Context, on market.Date) error {
	if s.scratch != "" {
		return nil // copies are not kept by month
	}
	if _, err := s.db.ExecContext(ctx, `SELECT ensure_months(?)`, Day{on}); err != nil {
		return fmt.Errorf("make the months of history for %s: %w", on, err)
	}
	return nil
}

// IsScratch tells whether the store is a scratch copy: what is written there is
// a dry run's.
func (s *Store) IsScratch() bool { return s.scratch != "" }
