package storage

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
)

// Transient tells whether an error is the connection's or the server's and may
// be gone when tried again: a restart, a cut line, a deadlock.
func Transient(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if state, ok := sqlState(err); ok {
		class := state[:min(2, len(state))]
		return class == "08" || class == "40" || class == "53" || state == "57P01" || state == "57P02" || state == "57P03"
	}
	var network net.Error
	var connect *pgconn.ConnectError
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &network) || errors.As(err, &connect) || pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed")
}

// Refused tells whether the database refused what was to be kept because of
// the data itself: a law of a table, or a value that cannot be.
func Refused(err error) bool {
	state, ok := sqlState(err)
	return ok && (strings.HasPrefix(state, "22") || strings.HasPrefix(state, "23"))
}

// Reason is the database's own sentence about a refusal, and the law's name. What
// is there already is named; a row that is wrong is not, since its cells may be
// somebody's own.
func Reason(err error) string {
	var refusal *pgconn.PgError
	if !errors.As(err, &refusal) {
		return err.Error()
	}
	if refusal.ConstraintName == "" {
		return refusal.Message
	}
	reason := refusal.Message + " (" + refusal.ConstraintName + ")"
	if refusal.Code == uniqueViolation {
		reason += ": " + refusal.Detail
	}
	return reason
}

const uniqueViolation = "23505"

func sqlState(err error) (string, bool) {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		return refusal.Code, true
	}
	return "", false
}

// discard has the pool drop a connection instead of lending it again.
func discard(c bun.Conn) {
	_ = c.Raw(func(any) error { return driver.ErrBadConn })
}
