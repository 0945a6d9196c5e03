//go:build !linux

package main

import "runtime/debug"

// rest gives back the heap that a night needed and an idle schedule does not.
func rest() { debug.FreeOSMemory() }
