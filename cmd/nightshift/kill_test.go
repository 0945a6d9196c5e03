package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// killChunk is small, so that a run has many commits to be killed between.
const killChunk = "10"

// orders of every access type, a third of them to be accepted on 2024-03-15.
func fill(t testing.TB, s *storage.Store, n int) {
	t.Helper()
	for _, statement := range []string{
		`INSERT INTO buyers (site, code) SELECT 'cn', 'b' || i FROM generate_series(1, 100) i`,
		fmt.Sprintf(`
			INSERT INTO orders (site, code, buyer_id, access_type, charge_mode, placed_at, paid_at, term_count, term_unit, receiver_phone, amount, currency)
			SELECT 'cn', 'A-' || i, 1 + i %% 100, (ARRAY['hardware', 'license', 'human_service'])[1 + i %% 3], 'ONE_TIME',
			       timestamptz '2024-02-20 10:00+08' + i * interval '1 second', timestamptz '2024-02-20 10:00+08' + i * interval '1 second',
			       CASE i %% 3 WHEN 1 THEN 1 END, CASE i %% 3 WHEN 1 THEN 'month' END, '13800138000', 99 + i %% 100, 'CNY'
			FROM generate_series(1, %d) i`, n),
		`INSERT INTO deliveries (order_id, delivered_at) SELECT id, placed_at + interval '3 days' FROM orders WHERE id % 3 > 0`,
		`INSERT INTO shipments (order_id, shipped_at, signed_at, phone)
		 SELECT id, placed_at + interval '1 day', placed_at + id % 20 * interval '1 day', CASE WHEN id % 30 = 0 THEN '13900139000' ELSE '13800138000' END FROM orders WHERE id % 3 = 0`,
		`INSERT INTO appeals (order_id, code, opened_at) SELECT id, 'P-' || id, placed_at + interval '6 days' FROM orders WHERE id % 50 = 0`,
		`INSERT INTO due (job, site, subject, look_at) SELECT 'acceptance', site, id, placed_at FROM orders`,
	} {
		if _, err := s.DB().ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%v\n%s", err, statement)
		}
	}
}

// left is everything that a run leaves behind, without serial numbers and clocks.
func left(t *testing.T, s *storage.Store) string {
	t.Helper()
	var b strings.Builder
	for _, query := range []string{
		`SELECT subject, ruleset, business_date, no, outcome, rule, due_at, look_at, facts, carried FROM decisions`,
		`SELECT order_id, outcome, completed_at, valid_from, valid_until, business_date FROM completions`,
		`SELECT key, business_date, kind, subject, recipients, at FROM notices`,
		`SELECT key, business_date FROM event_keys`,
		`SELECT job, site, subject, look_at, stands FROM due`,
		`SELECT job, subject, reason FROM parked`,
		`SELECT name, size, sha256 FROM documents`,
	} {
		var n int64
		var sum string
		err := s.DB().QueryRowContext(t.Context(), `SELECT count(*), coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM (`+query+`) t`).Scan(&n, &sum)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%d rows %s: %s\n", n, sum, query)
	}
	return b.String()
}

// victim starts the real binary on a database.
func victim(t *testing.T, binary, url string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, "run", "acceptance", "--date", "2024-03-15", "--workers", "2", "--chunk", killChunk, "--json")
	cmd.Env = append(os.Environ(), "DATABASE_URL="+url)
	out := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

// outcome is the result hash of a run that came to its end.
func outcome(t *testing.T, cmd *exec.Cmd, out *bytes.Buffer) string {
	t.Helper()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var result struct {
		ResultHash string `json:"result_hash"`
		State      string `json:"state"`
	}
	if err := json.Unmarshal(out.Bytes(), &result); err != nil || result.State != "completed" {
		t.Fatalf("%v\n%s", err, out)
	}
	return result.ResultHash
}

// place is where a run stood when it was killed.
type place struct {
	kept  int64  // candidates whose chunks are committed
	state string // of the run; empty before it was written
	doing string // what its connections were doing
}

func (p place) between() bool { return p.state == "running" && p.kept > 0 && p.kept < killOrders }

// watch looks at a run from a connection of its own, as an administrator, who
// sees what others are doing. A look takes a moment, so that looking again and again
// leaves the run its processor.
func watch(t *testing.T, s *storage.Store) func() place {
	t.Helper()
	conn, err := s.DB().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := conn.ExecContext(t.Context(), `SET ROLE NONE`); err != nil {
		t.Fatal(err)
	}
	return func() (p place) {
		err := conn.QueryRowContext(t.Context(), `
			SELECT coalesce((SELECT sum(candidates) FROM shards), 0), coalesce((SELECT min(state) FROM runs), ''),
			       coalesce((SELECT string_agg(regexp_replace(left(trim(query, E' \n\t'), 32), '\s+', ' ', 'g') || ' (' || state || ')', '; ')
			                 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'), '')
			FROM pg_sleep(0.002)`).Scan(&p.kept, &p.state, &p.doing)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

// killed lets a run work until it has kept so much, and a moment longer, and
// kills it. It is false when the run ended before by itself: done, or because
// the server has not yet noticed that the one before is dead.
func killed(stand func() place, cmd *exec.Cmd, until int64) (place, bool) {
	ended := make(chan struct{})
	go func() { _, _ = cmd.Process.Wait(); close(ended) }()
	moment := time.NewTimer(rand.N(120 * time.Millisecond)) // while it starts, or soon after
	defer moment.Stop()
	for waiting := true; waiting; {
		select {
		case <-ended:
			return stand(), false
		case <-moment.C:
			waiting = until > 0
		default:
			waiting = until == 0 || stand().kept < until
		}
	}
	hit := stand()
	_ = cmd.Process.Kill() // SIGKILL; if it has just ended by itself, the next look says so
	<-ended
	return hit, true
}

// TestKilledAnywhere kills the real binary again and again. What is left in the
// end is what a run leaves that nobody disturbed.
func TestKilledAnywhere(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "nightshift")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	calmURL, url := storagetest.URL(t), storagetest.URL(t)
	calm, s := storagetest.Open(t, calmURL), storagetest.Open(t, url)
	fill(t, calm, killOrders)
	fill(t, s, killOrders)
	cmd, out := victim(t, binary, calmURL)
	want := outcome(t, cmd, out)

	stand, between, refused := watch(t, s), 0, 0
	for n := 0; n < killings; {
		before := stand()
		until := int64(0) // the first few anywhere, also while they start
		if n >= killings/10 {
			// Half of a fair share: on a busy machine the run goes on a good while
			// before it is hit.
			step := (killOrders - before.kept) / int64(killings-n+1)
			until = max(before.kept+rand.Int64N(max(step, 1)), 1)
		}
		cmd, _ := victim(t, binary, url)
		hit, ok := killed(stand, cmd, until)
		if !ok {
			if refused++; refused > 10*killings || hit.state == "completed" {
				t.Fatalf("after %d kills the run is %s with %d candidates kept", n, hit.state, hit.kept)
			}
			continue
		}
		n++
		if hit.between() {
			between++
		}
		t.Logf("kill %2d: %4d of %d kept, run %q: %s", n, hit.kept, killOrders, hit.state, hit.doing)
	}
	t.Logf("%d kills, %d of them between the first and the last commit; %d starts found the dead one's lock", killings, between, refused)
	if between < killings*4/5 {
		t.Errorf("%d kills between the first and the last commit, want %d", between, killings*4/5)
	}
	for range 100 { // the last one's lock is gone within seconds
		cmd, _ = victim(t, binary, url)
		if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != exitAlive {
			break
		}
	}
	cmd, out = victim(t, binary, url)
	if hash := outcome(t, cmd, out); hash != want {
		t.Errorf("result hash %s, undisturbed it is %s", hash, want)
	}
	if a, b := left(t, s), left(t, calm); a != b {
		t.Errorf("killed runs left\n%s\nthe undisturbed one\n%s", a, b)
	}
}
