//go:build long

package jobs_test

import (
	"fmt"
	"testing"

	"nightshift/jobs"
	"nightshift/rules/market"
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

// So do the small jobs, where the first statement of each kind is refused.
func TestSmallJobsGetOverEveryStatementThatIsRefused(t *testing.T) {
	taken := storagetest.URL(t)
	t.Run("import", func(t *testing.T) {
		s := storagetest.Open(t, taken)
		takeInFiles(t, s, engine(t, s), smallWorld(7), func(lines []string) []string { return lines })
	})
	untouched := anew(t, taken)
	url := storagetest.CopyOf(t, taken)
	proxy := storagetest.NewProxy(t, url)
	behind, refuser := storagetest.Open(t, proxy.URL()), &eachKindOnce{seen: map[string]bool{}}
	proxy.FailWith(refuser.which)
	for _, on := range []market.Date{market.NewDate(2024, 5, 30), market.NewDate(2024, 6, 5)} {
		for _, job := range smallJobs {
			req := jobs.Request{Job: job, Site: "cn", On: on}
			a, b := smallChunks(t, untouched), smallChunks(t, behind)
			a.ChunkSize, b.ChunkSize = 20, 20
			mustRun(t, a, req)
			mustRun(t, b, req)
		}
	}
	proxy.FailWith(nil)
	t.Logf("%d kinds", len(refuser.seen))
	if want, got := cameSmall(t, untouched), cameSmall(t, behind); got != want {
		t.Errorf("the nights came to something else:\n%s", differs(want, got))
	}
}
