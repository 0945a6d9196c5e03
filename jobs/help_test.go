package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"

	"nightshift/jobs"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// helpers are machines that help with runs until the test ends, each with
// connections of its own. They tell of each run that they begin to help with, and
// of its end.
func helpers(t *testing.T, address string, machines, slots int) (begun, ended chan int64) {
	t.Helper()
	begun, ended = make(chan int64, 1000), make(chan int64, 1000)
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range machines {
		e := engine(t, storagetest.Open(t, address))
		e.ChunkSize = 20
		all.Go(func() {
			if err := e.Store.Help(ctx, slots, slog.New(slog.DiscardHandler), func(ctx context.Context, run int64) error {
				begun <- run
				defer func() { ended <- run }()
				return e.Help(ctx, run)
			}); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() { stop(); all.Wait() })
	return begun, ended
}

// The result does not depend on who helped: one worker alone, eight slots on one
// machine, or two machines. A machine that starts a run and dies leaves it to those
// that help, and nobody has to do anything.
func TestOtherMachinesHelpAndTakeOver(t *testing.T) {
	alone := storagetest.New(t)
	marketplace(t, alone, 1500)
	e := engine(t, alone)
	e.Workers, e.ChunkSize = 1, 100
	want := mustRun(t, e, request(t, ides)).Run.ResultHash
	books := history(t, alone)
	for _, tt := range []struct {
		name            string
		machines, slots int
	}{{"one slot on one machine", 1, 1}, {"eight slots on one machine", 1, 8}, {"two machines", 2, 2}} {
		t.Run(tt.name, func(t *testing.T) {
			address := storagetest.URL(t)
			s := storagetest.Open(t, address)
			marketplace(t, s, 1500)
			begun, ended := helpers(t, address, tt.machines, tt.slots)
			starter := engine(t, s)
			starter.Workers, starter.ChunkSize, starter.Helpers = 1, 20, tt.machines*tt.slots
			ctx, die := context.WithCancel(t.Context())
			starter.Progress = func(jobs.Progress) {
				<-begun // somebody helps: the starter is not needed any more
				die()
			}
			if _, err := starter.Run(ctx, request(t, ides)); err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			var run struct {
				state string
				hash  []byte
			}
			for run.state != "completed" {
				<-ended
				err := s.DB().QueryRowContext(t.Context(), `SELECT state, coalesce(result_hash, '') FROM runs`).Scan(&run.state, &run.hash)
				if err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(run.hash, want) {
				t.Errorf("the result hash is %x, alone it is %x", run.hash, want)
			}
			if got := history(t, s); got != books {
				t.Error("what was left differs from what one worker leaves")
			}
		})
	}
}

// A machine that helps is killed, with all its lines, while it carries a shard: the
// others carry it on.
func TestARunOutlivesAMachineThatHelps(t *testing.T) {
	t.Parallel()
	alone, address := storagetest.New(t), storagetest.URL(t)
	s := storagetest.Open(t, address)
	marketplace(t, alone, 800)
	marketplace(t, s, 800)
	want := mustRun(t, engine(t, alone), request(t, ides)).Run.ResultHash
	proxy := storagetest.NewProxy(t, address)
	begun, _ := helpers(t, proxy.URL(), 1, 1)
	starter := engine(t, s)
	starter.Workers, starter.ChunkSize, starter.Helpers = 1, 20, 1
	kill := sync.OnceFunc(func() { <-begun; proxy.Kill() })
	starter.Progress = func(jobs.Progress) { kill() }
	if got := mustRun(t, starter, request(t, ides)).Run.ResultHash; !bytes.Equal(got, want) || history(t, s) != history(t, alone) {
		t.Errorf("the result hash is %x, alone it is %x", got, want)
	}
	proxy.Heal()
}

func TestARunOfAnotherBuildIsLeftToItsOwn(t *testing.T) {
	s := storagetest.New(t)
	marketplace(t, s, 10)
	exec(t, s, `INSERT INTO runs (id, job, site, business_date, as_of, build, schema, policies, due) VALUES (7, 'acceptance', 'cn', '2024-03-15', '2024-03-15', 'another', 1, '{}', 10)`)
	e := engine(t, s)
	if err := e.Help(t.Context(), 7); !errors.Is(err, storage.ErrNotYet) {
		t.Errorf("%v", err)
	}
	if err := e.Help(t.Context(), 8); err != nil {
		t.Errorf("a run that is not there: %v", err)
	}
}
