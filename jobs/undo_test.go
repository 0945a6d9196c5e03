package jobs_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/storage/storagetest"
)

// A version that accepted after three days is undone, interrupted again and
// again, and the nights after come to what they would have come to without it.
func TestAWrongVersionIsUndoneOnceHoweverOftenItIsInterrupted(t *testing.T) {
	t.Parallel()
	s, other := storagetest.New(t), storagetest.New(t)
	marketplace(t, s, 2000)
	marketplace(t, other, 2000)
	wrong := engine(t, s)
	wrong.Book = defaultsWith(t, "acceptance.yaml", window, "acceptance_window: 1d")
	night := func(e *jobs.Engine, on string) {
		t.Helper()
		if _, err := e.Run(t.Context(), jobs.Request{Job: "acceptance", Site: "cn", On: date(t, on)}); err != nil {
			t.Fatal(err)
		}
	}
	night(wrong, "2024-02-22")
	ask := jobs.Undo{Site: "cn", Ruleset: "acceptance", Version: 2, Because: "A typing error.", Actor: "ann", At: time.Date(2024, 2, 22, 10, 0, 0, 0, shanghai(t))}
	if _, err := wrong.Undo(t.Context(), ask); err == nil || !strings.Contains(err.Error(), "still in force") {
		t.Errorf("undone while it is in force: %v", err)
	}
	// The right version has another number here, so that it is not the one undone.
	e := engine(t, s)
	e.Book = rightAgain(t)
	before, err := e.UndoList(t.Context(), ask, 5)
	if err != nil || before.Count < 400 || len(before.Orders) != 5 {
		t.Fatalf("%d can be reversed, %v", before.Count, err)
	}
	if ended := count(t, s, `SELECT count(*) FROM completions`); before.Decided["accept"]+before.Decided["refund"] != ended {
		t.Errorf("decided %v, %d supervisions ended", before.Decided, ended)
	}
	stopped := errors.New("killed")
	for tries := 0; ; tries++ {
		ctx, kill := context.WithCancelCause(t.Context())
		e.Progress = func(jobs.Progress) { kill(stopped) }
		if _, err := e.Undo(ctx, ask); err == nil {
			if tries < 2 {
				t.Errorf("it was interrupted %d times", tries)
			}
			break
		} else if !errors.Is(err, stopped) {
			t.Fatal(err)
		}
	}
	e.Progress = nil
	if n, err := e.Undo(t.Context(), ask); n != 0 || err != nil {
		t.Errorf("started once more it reversed %d, %v", n, err)
	}
	for query, want := range map[string]int64{
		`SELECT count(*) FROM notices WHERE kind = 'undone'`:                                                                 before.Count,
		`SELECT count(DISTINCT subject) FROM notices WHERE kind = 'undone'`:                                                  before.Count,
		`SELECT count(*) FROM decisions WHERE outcome = 'undo' AND actor = 'ann' AND evidence = 'acceptance@2'`:              before.Count,
		`SELECT count(*) FROM completions c WHERE NOT EXISTS (SELECT FROM reversals r WHERE r.order_id = c.order_id)`:        0,
		`SELECT count(*) FROM orders o WHERE NOT EXISTS (SELECT FROM due d WHERE d.subject = o.id AND d.job = 'acceptance')`: 0,
	} {
		if got := count(t, s, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}

	night(e, "2024-03-15")
	straight := engine(t, other)
	straight.Book = e.Book
	night(straight, "2024-03-15")
	const ends = `SELECT coalesce(sum(hashtextextended(concat_ws('|', order_id, outcome, completed_at, valid_from, valid_until), 0)::numeric %% 1000000007), 0)::bigint FROM completions c
		WHERE NOT EXISTS (SELECT FROM reversals r WHERE r.order_id = c.order_id AND r.no = c.no)`
	if got, want := count(t, s, strings.ReplaceAll(ends, "%%", "%")), count(t, other, strings.ReplaceAll(ends, "%%", "%")); got != want {
		t.Error("the nights after the undoing ended otherwise than those that never had the wrong version")
	}
	if twice := count(t, s, `SELECT count(*) FROM notices WHERE key LIKE 'accepted/%/2'`); twice == 0 {
		t.Error("nobody was told of the second acceptance")
	}
}
