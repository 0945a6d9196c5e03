package storage

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// Exclusive takes a named lock for as long as a connection of its own lives:
// until release, or until the process dies in whatever way. It does not wait:
// free is false when somebody else holds it.
func (s *Store) Exclusive(ctx context.Context, name string) (release func(), free bool, err error) {
	lock, err := s.Lock(ctx, name)
	if err != nil || lock == nil {
		return nil, false, err
	}
	return func() { lock.Release(ctx) }, true, nil
}

// Lock is a named lock that a connection of its own holds.
type Lock struct {
	conn bun.Conn
	name string
}

// Lock takes a named lock as Exclusive does; nil where somebody else holds it.
func (s *Store) Lock(ctx context.Context, name string) (*Lock, error) {
	conn, err := s.locks.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("take the lock %s: %w", name, err)
	}
	var free bool
	err = conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock(hashtextextended(current_schema() || ?, 0))`, name).Scan(&free)
	if err != nil || !free {
		conn.Close()
		if err != nil {
			err = fmt.Errorf("take the lock %s: %w", name, err)
		}
		return nil, err
	}
	return &Lock{conn: conn, name: name}, nil
}

// Held asks the connection for a sign of life: the lock went where it went. A
// schema that was migrated meanwhile is for another binary to hold it.
func (l *Lock) Held(ctx context.Context) error {
	var at int
	err := l.conn.QueryRowContext(ctx, schemaAt).Scan(&at)
	if err == nil {
		err = ours(at)
	}
	if err != nil {
		return fmt.Errorf("hold the lock %s: %w", l.name, err)
	}
	return nil
}

// Release lets go of the lock. The context may be over by now; the lock must go
// all the same, and goes with the connection if this fails.
func (l *Lock) Release(ctx context.Context) {
	if _, err := l.conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock_all()`); err != nil {
		discard(l.conn)
	}
	l.conn.Close()
}

// Serialise waits until nobody else holds the name, and holds it until the end
// of the transaction.
func (tx *Tx) Serialise(ctx context.Context, name string) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || $1, 0))`, name)
	if err != nil {
		return fmt.Errorf("wait for the lock %s: %w", name, err)
	}
	return nil
}
