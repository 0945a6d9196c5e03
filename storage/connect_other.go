//go:build !linux

package storage

import "syscall"

// limitUnconfirmed is Linux's alone; elsewhere the keepalives must do.
func limitUnconfirmed(_, _ string, _ syscall.RawConn) error { return nil }
