package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
)

// rest gives back what a night needed and an idle schedule does not: the heap, and
// the pages of the program's own code, which the kernel reads again where one of
// them is wanted. Of 51 MB that stay resident after a night without the second, 34
// are pages of the program's file that were touched once; with it 38 MB stay, of
// which 17 are data. It costs a fault a page in the next night, and nothing else: the
// pages are clean, and mostly still in the kernel's cache.
func rest() {
	debug.FreeOSMemory()
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return // a machine that does not tell keeps them
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(maps)) {
		var from, to uintptr
		var may string
		if n, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &may); err != nil || n < 3 {
			continue
		}
		if strings.HasSuffix(strings.TrimSpace(line), self) && may == "r-xp" { // code alone: never written, always in its file
			_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, from, to-from, syscall.MADV_DONTNEED)
		}
	}
}
