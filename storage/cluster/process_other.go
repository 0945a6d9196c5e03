//go:build unix && !linux

package cluster

import "syscall"

// dieWithParent is Linux's alone. Elsewhere a server whose guard was killed is
// found and stopped by the next start.
func dieWithParent(attr *syscall.SysProcAttr, _ syscall.Signal) *syscall.SysProcAttr { return attr }

// isServer trusts postmaster.pid where the process of that number lives.
func isServer(pid int, _ string) bool { return syscall.Kill(pid, 0) == nil }
