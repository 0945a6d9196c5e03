package jobs_test

import (
	"bytes"
	"testing"

	"nightshift/jobs"
	"nightshift/storage/storagetest"
)

// What waits was put back to the instant at which the rules of its night would
// answer otherwise. Rules that nobody knew of that night must not wait for it.
func TestRulesThatNobodyKnewOfWakeWhatWaits(t *testing.T) {
	s, other := storagetest.New(t), storagetest.New(t)
	marketplace(t, s, 500)
	marketplace(t, other, 500)
	e := engine(t, s)
	first := jobs.Request{Job: "acceptance", Site: "cn", On: date(t, "2024-02-25")}
	if _, err := e.Run(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	exec(t, s, `INSERT INTO parked (job, site, subject, run_id, business_date, reason)
		SELECT 'acceptance', 'cn', subject, 1, '2024-02-25', 'broken' FROM due ORDER BY subject LIMIT 1`)
	exec(t, s, `UPDATE due SET look_at = 'infinity' WHERE subject = (SELECT subject FROM parked)`)

	e.Book = defaultsWith(t, "acceptance.yaml", window, "acceptance_window: 3d")
	second := jobs.Request{Job: "acceptance", Site: "cn", On: date(t, "2024-02-26"), DryRun: true}
	preview, err := e.Run(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	second.DryRun = false
	real, err := e.Run(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(preview.Run.ResultHash, real.Run.ResultHash) {
		t.Errorf("the preview came to %v, the run to %v", preview.Run.Outcomes, real.Run.Outcomes)
	}
	if open := count(t, s, `SELECT count(*) FROM due WHERE look_at <= '2024-02-26 02:00+08'`); real.Run.Candidates < 100 || open != 0 {
		t.Errorf("the run looked at %d, and left %d to be looked at", real.Run.Candidates, open)
	}
	if n := count(t, s, `SELECT count(*) FROM due WHERE look_at = 'infinity' AND subject = (SELECT subject FROM parked)`); n != 1 {
		t.Error("what was parked was woken")
	}

	e = engine(t, other)
	e.Book = defaultsWith(t, "acceptance.yaml", window, "acceptance_window: 3d")
	second.DryRun = false
	if _, err := e.Run(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	const ends = `SELECT count(*) FROM completions WHERE completed_at < '2024-02-26' AND order_id <> 1`
	parked := count(t, s, `SELECT subject FROM parked`)
	if got, want := count(t, s, ends), count(t, other, ends); got != want && got != want-1 || parked == 0 {
		t.Errorf("%d orders were accepted by the new rules, %d are accepted where they held all along", got, want)
	}
	third := jobs.Request{Job: "acceptance", Site: "cn", On: date(t, "2024-02-27")}
	e.Store = s
	if again, err := e.Run(t.Context(), third); err != nil || again.Run.Candidates > real.Run.Candidates/2 {
		t.Errorf("the night after looked at %d again, %v", again.Run.Candidates, err)
	}
}
