package storage

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"
)

// CopySource is rows on their way into a table: Next, Values, Err.
type CopySource = pgx.CopyFromSource

// Tx is a transaction on a connection of its own. bun's queries, pgx's queries
// and COPY all belong to the same transaction.
type Tx struct {
	bun.Tx
	conn bun.Conn
}

// InTx keeps all that work does, or nothing if it answers an error. An error
// of the commit itself leaves open which: ask the database.
func (s *Store) InTx(ctx context.Context, work func(ctx context.Context, tx *Tx) error) error {
	tx, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	defer tx.conn.Close()
	defer tx.Rollback() // after a commit it does nothing
	if err := work(ctx, tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// begin passes over connections that broke while they were idle, as all do
// when the server is restarted. Nothing was done on them yet.
func (s *Store) begin(ctx context.Context) (*Tx, error) {
	for tries := 0; ; tries++ {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		tx, err := conn.BeginTx(ctx, nil)
		if err == nil {
			return &Tx{Tx: tx, conn: conn}, nil
		}
		broken := closed(conn)
		conn.Close()
		if !broken || tries > s.size || ctx.Err() != nil {
			return nil, err
		}
	}
}

// closed tells whether the connection is of no more use; the pool drops it then.
func closed(c bun.Conn) bool {
	err := raw(c, func(conn *pgx.Conn) error {
		if conn.IsClosed() {
			return driver.ErrBadConn
		}
		return nil
	})
	return errors.Is(err, driver.ErrBadConn)
}

func raw(c bun.Conn, use func(*pgx.Conn) error) error {
	return c.Raw(func(driverConn any) error { return use(driverConn.(*conn).Conn.Conn()) })
}

// Raw lends the transaction's connection to hot paths. Queries with arguments
// are prepared once and cached with the connection.
func (tx *Tx) Raw(use func(*pgx.Conn) error) error { return raw(tx.conn, use) }

// Query hands every row of a prepared query to each, which scans it.
func (tx *Tx) Query(ctx context.Context, query string, args []any, each func(pgx.Rows) error) error {
	return queryEach(ctx, tx.conn, query, args, each)
}

// query is Tx.Query where no transaction is needed.
func (s *Store) query(ctx context.Context, query string, args []any, each func(pgx.Rows) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return queryEach(ctx, conn, query, args, each)
}

// queryRow scans the first row, or answers pgx.ErrNoRows.
func (s *Store) queryRow(ctx context.Context, query string, args []any, targets ...any) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return raw(conn, func(c *pgx.Conn) error { return c.QueryRow(ctx, query, args...).Scan(targets...) })
}

func queryEach(ctx context.Context, conn bun.Conn, query string, args []any, each func(pgx.Rows) error) error {
	return raw(conn, func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := each(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// one scans the only row of a prepared query; it is false where there is none.
func (tx *Tx) one(ctx context.Context, query string, args []any, dest ...any) (found bool, err error) {
	err = tx.Query(ctx, query, args, func(rows pgx.Rows) error {
		found = true
		return rows.Scan(dest...)
	})
	return found, err
}

// Exec runs a prepared statement and answers how many rows it touched.
func (tx *Tx) Exec(ctx context.Context, statement string, args ...any) (int64, error) {
	var n int64
	err := tx.Raw(func(c *pgx.Conn) error {
		tag, err := c.Exec(ctx, statement, args...)
		n = tag.RowsAffected()
		return err
	})
	return n, err
}

// CopyFrom writes rows in bulk and answers how many. An error of the rows
// themselves is answered as it was, not as the server's echo of it.
func (tx *Tx) CopyFrom(ctx context.Context, table string, columns []string, rows CopySource) (int64, error) {
	var n int64
	err := tx.Raw(func(c *pgx.Conn) error {
		var err error
		n, err = c.CopyFrom(ctx, pgx.Identifier{table}, columns, rows)
		return err
	})
	if err != nil && rows.Err() != nil {
		err = rows.Err()
	}
	if err != nil {
		return 0, fmt.Errorf("copy into %s: %w", table, err)
	}
	return n, nil
}
