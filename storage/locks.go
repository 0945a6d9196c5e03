package storage

import (
	"context"
	"fmt"
)

// Exclusive takes a named lock for as long as a connection of its own lives:
// until release, or until the process dies in whatever way. It does not wait:
// free is false when somebody else holds it.
func (s *Store) Exclusive(ctx context.Context, name string) (release func(), free bool, err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("take the lock %s: %w", name, err)
	}
	err = conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock(hashtextextended(current_schema() || ?, 0))`, name).Scan(&free)
	if err != nil || !free {
		conn.Close()
		if err != nil {
			err = fmt.Errorf("take the lock %s: %w", name, err)
		}
		return nil, false, err
	}
	return func() {
		// The context may be over by now; the lock must go all the same, and goes
		// with the connection if this fails.
		if _, err := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock_all()`); err != nil {
			discard(conn)
		}
		conn.Close()
	}, true, nil
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
