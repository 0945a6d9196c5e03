package jobs_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/jobs/intake"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// cut lets the lines of a machine die at some message.
func (s *simulated) cut(arm func(n int), now time.Time) {
	arm(1 + s.IntN(600))
	_ = s.wake(s.engine(s.behind), now) // dies somewhere, or comes to its end before
	s.proxy.Heal()
}

// atBoth wakes the twin at a wrong time as well: which nights were missed, and which
// come too early, is then the same for both.
func (s *simulated) atBoth(wrong time.Time) {
	s.twin.night(s.twin.engine(s.twin.direct), wrong)
	s.night(s.engine(s.direct), wrong)
}

// killed lets a machine die after a chunk, with all its lines at once.
func (s *simulated) killed(now time.Time) {
	e := s.engine(s.behind)
	left := s.IntN(6)
	var die sync.Once
	e.Progress = func(jobs.Progress) {
		if left--; left < 0 {
			die.Do(func() { go s.proxy.Kill() })
		}
	}
	e.Workers = 1
	_ = s.wake(e, now)
	s.proxy.Kill()
	s.proxy.Heal()
}

// doubled has two machines wake at the same moment.
func (s *simulated) doubled(now time.Time) {
	var both sync.WaitGroup
	for _, e := range []*jobs.Engine{s.engine(s.direct), s.engine(s.behind)} {
		both.Go(func() {
			// One may find the other at a job that its own next one waits for.
			if err := s.wake(e, now); err != nil && !errors.Is(err, jobs.ErrWaits) && !errors.Is(err, jobs.ErrAlive) {
				s.t.Error(err)
			}
		})
	}
	both.Wait()
}

// badFile brings files that are refused as a whole.
func (s *simulated) badFile(time.Time) {
	s.files++
	const good = "BAD-1,b000,top_up,,12.00 CNY,2024-06-01T10:00:00\n"
	packed := packedText(s.t, "code,buyer,kind,account,amount,at\n"+strings.Repeat(good, 1000))
	for _, bad := range []struct{ kind, name, text string }{
		{"money", "a cell.csv", "code,buyer,kind,account,amount,at\n" + good + "BAD-2,b000,top_up,,many,2024-06-01T10:00:00\n"},
		{"money", "the columns of another feed.csv", "code,seller,product,amount\n" + good},
		{"money", "cut off.csv.gz", packed[:len(packed)/2]},
		{"orders", "a row that is too short.csv", "code,buyer,access_type,placed_at\nBAD-3,nobody's,saas\n"},
		{"buyers", "unended.csv", "code\n\"unended\n"},
	} {
		kind, path := bad.kind, filepath.Join(s.t.TempDir(), fmt.Sprint(s.files, " ", bad.name))
		if err := os.WriteFile(path, []byte(bad.text), 0o600); err != nil {
			s.t.Fatal(err)
		}
		if _, err := intake.Import(s.t.Context(), s.direct, intake.Request{Kind: kind, Site: "cn", Zone: shanghai(s.t), Files: []string{path}}); err == nil {
			s.t.Errorf("%s was taken", bad.name)
		}
	}
}

// paused has a person pause a job for a wake.
func (s *simulated) paused(now time.Time) {
	e := s.engine(s.direct)
	job := []string{"acceptance", "renewal", "billing", ""}[s.IntN(4)]
	say := func(resumes bool) {
		if err := e.Halt(s.t.Context(), storage.Halt{Site: "cn", Job: job, Resumes: resumes, Actor: "ann", Because: "a simulation"}); err != nil {
			s.t.Fatal(err)
		}
	}
	say(false)
	if err := s.wake(e, now); err != nil && !errors.Is(err, jobs.ErrPaused) {
		s.t.Error(err)
	}
	say(true)
}

// stopped has a person stop a run after some chunk, and start it again.
func (s *simulated) stopped(now time.Time) {
	e := s.engine(s.direct)
	var stop sync.Once
	var run jobs.Request
	e.Progress = func(p jobs.Progress) {
		stop.Do(func() {
			run = jobs.Request{Job: p.Job, Site: "cn", On: p.On, Actor: "bob"}
			if err := e.Halt(context.Background(), storage.Halt{Site: "cn", Job: p.Job, On: p.On, Actor: "ann", Because: "a simulation"}); err != nil {
				s.t.Error(err)
			}
		})
	}
	if err := s.wake(e, now); err != nil && !errors.Is(err, jobs.ErrPaused) && !errors.Is(err, jobs.ErrWaits) {
		s.t.Error(err)
	}
	if run.Job == "" {
		return // nothing was due
	}
	e.Progress = nil
	if _, err := e.Run(s.t.Context(), run); err != nil {
		s.t.Error(err)
	}
}

// packedText is a text as gzip.
func packedText(t *testing.T, text string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// refused has the server refuse statements here and there; a machine gets over it.
func (s *simulated) refused(now time.Time) {
	next := 1 + s.IntN(200)
	s.proxy.FailWith(func(n int, _ string) string {
		if n < next {
			return ""
		}
		next = n + 20 + s.IntN(400)
		return passing[s.IntN(len(passing))]
	})
	e := s.engine(s.behind)
	e.Workers, e.Patience = 1, time.Minute/2
	s.night(e, now)
	s.proxy.FailWith(nil)
}

// full has the disk full while a night works. It stops, or needs no room; once there
// is room again the next wake goes on.
func (s *simulated) full(now time.Time) {
	if s.disk == nil {
		return
	}
	empty := s.disk.Fill(s.t)
	if err := s.wake(s.engine(s.direct), now); err != nil {
		s.happened["a night that stopped for want of room"]++
		if !storage.Transient(err) && !errors.Is(err, jobs.ErrWaits) {
			s.t.Error(err)
		}
	}
	empty()
}

// restarted has the server restarted while a night works: the machine waits for it.
func (s *simulated) restarted(now time.Time) {
	e := s.engine(s.direct)
	e.Patience = time.Minute
	left := s.IntN(6)
	restarted, restart := make(chan error), sync.Once{}
	again := func() { go func() { restarted <- storagetest.Restart(context.Background()) }() }
	e.Progress = func(jobs.Progress) {
		if left--; left < 0 {
			restart.Do(again)
		}
	}
	e.Workers = 1
	s.night(e, now)
	restart.Do(again)
	if err := <-restarted; err != nil {
		s.t.Fatal(err)
	}
}
