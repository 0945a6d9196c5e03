package rules

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// inParallel does n things that do not touch each other, as many at a time as
// there are processors, and waits for all of them.
func inParallel(n int, do func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
}
