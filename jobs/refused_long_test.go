//go:build long

package jobs_test

import (
	"fmt"
	"testing"

	"nightshift/storage/storagetest"
)

// Every statement of a run of billing is refused, each in a run of its own:
//
//	go test -tags long ./jobs -run EveryStatementInTurn -timeout 2h
func TestARunGetsOverEveryStatementInTurn(t *testing.T) {
	taken := newWorld(5, 8, 4).taken(t)
	untouched := anew(t, taken)
	mustRun(t, smallChunks(t, untouched), billingNight(3))
	want, last := booksOf(t, untouched), head(t, untouched)
	for n, refused := 1, true; refused && !t.Failed(); n++ {
		t.Run(fmt.Sprintf("statement %d", n), func(t *testing.T) {
			url := storagetest.CopyOf(t, taken)
			proxy := storagetest.NewProxy(t, url)
			behind := storagetest.Open(t, proxy.URL())
			var what string
			proxy.FailWith(func(at int, kind string) string {
				if at != n {
					return ""
				}
				what = kind
				return passing[n%len(passing)]
			})
			mustRun(t, smallChunks(t, behind), billingNight(3))
			proxy.FailWith(nil)
			refused = what != ""
			if got := booksOf(t, behind); got != want || head(t, behind) != last {
				t.Errorf("after %q was refused the run left other books:\n%s", what, differs(want, got))
			}
		})
	}
}
