//go:build !linux

package storagetest

import "os"

// home is the directory in which the test cluster is made.
func home() string { return os.TempDir() }
