package storagetest

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// mountMemory mounts so many megabytes of memory on a directory.
func mountMemory(dir string, megabytes int) (unmount func() error, err error) {
	if err := unix.Mount("nightshift-test", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0700", megabytes)); err != nil {
		return nil, fmt.Errorf("mount %s: %w", dir, err)
	}
	return func() error { return unix.Unmount(dir, unix.MNT_DETACH) }, nil
}

// ownedAs gives a directory to the owner of another one.
func ownedAs(like, dir string) error {
	info, err := os.Stat(like)
	if err != nil {
		return err
	}
	stat := info.Sys().(*syscall.Stat_t)
	return os.Chown(dir, int(stat.Uid), int(stat.Gid))
}
