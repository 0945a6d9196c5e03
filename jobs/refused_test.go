package jobs_test

import (
	"strings"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// passing is trouble of the server that may be gone the next time.
var passing = []string{"40001", "40P01", "53100", "57P01"}

// eachKindOnce refuses the first statement of each kind, after a transaction in
// which nothing was refused.
type eachKindOnce struct {
	seen map[string]bool
	calm bool
}

func (r *eachKindOnce) which(_ int, kind string) string {
	if r.calm && !r.seen[kind] {
		r.seen[kind], r.calm = true, false
		return passing[len(r.seen)%len(passing)]
	}
	r.calm = r.calm || strings.EqualFold(kind, "commit")
	return ""
}

// The server refuses a statement of every kind, as it does where it is out of
// room, finds a deadlock or is about to restart. The nights get over it by
// themselves, and leave what undisturbed ones leave.
func TestNightsGetOverEveryStatementThatIsRefused(t *testing.T) {
	t.Parallel()
	taken := newWorld(5, 8, 4).taken(t)
	untouched := anew(t, taken)
	url := storagetest.CopyOf(t, taken)
	proxy := storagetest.NewProxy(t, url)
	behind, refuser := storagetest.Open(t, proxy.URL()), &eachKindOnce{seen: map[string]bool{}}
	proxy.FailWith(refuser.which)
	for night := range 2 {
		for _, job := range []string{"renewal", "billing"} {
			req := billingNight(night)
			req.Job = job
			mustRun(t, smallChunks(t, untouched), req)
			mustRun(t, smallChunks(t, behind), req)
		}
	}
	proxy.FailWith(nil)
	if t.Logf("%d kinds", len(refuser.seen)); len(refuser.seen) < 45 {
		t.Errorf("only %d kinds of statements were refused", len(refuser.seen))
	}
	if want, got := booksOf(t, untouched), booksOf(t, behind); got != want || head(t, behind) != head(t, untouched) {
		t.Errorf("the nights left other books:\n%s", differs(want, got))
	}
}

// smallChunks is an engine that tries again soon.
func smallChunks(t *testing.T, s *storage.Store) *jobs.Engine {
	e := engine(t, s)
	e.Workers, e.ChunkSize, e.Patience = 1, 1, 3*time.Second
	return e
}
