//go:build !linux

package storage

import "errors"

// DiskFree is known on Linux alone.
func DiskFree(string) (free, all uint64, err error) {
	return 0, 0, errors.New("ask for the free space of a disk: it is known on Linux alone")
}
