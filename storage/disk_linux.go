package storage

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// DiskFree is how many bytes of the disk that holds a directory are free for
// us, and how many there are.
func DiskFree(dir string) (free, all uint64, err error) {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return 0, 0, fmt.Errorf("ask for the free space of %s: %w", dir, err)
	}
	return disk.Bavail * uint64(disk.Bsize), disk.Blocks * uint64(disk.Bsize), nil
}
