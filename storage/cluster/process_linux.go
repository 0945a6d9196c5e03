package cluster

import (
	"fmt"
	"os"
	"syscall"
)

// dieWithParent has the kernel signal the child when its parent is gone,
// however it went.
func dieWithParent(attr *syscall.SysProcAttr, signal syscall.Signal) *syscall.SysProcAttr {
	attr.Pdeathsig = signal
	return attr
}

// isServer tells whether the process is a server on the data: a postmaster
// works in its data directory.
func isServer(pid int, data string) bool {
	dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return err == nil && dir == data
}
