package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nightshift/rules"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// machine is a network namespace of its own; where none can be made it is this
// machine, reached by TCP all the same.
type machine struct {
	name string
	host string // the address by which it reaches the database
}

const noNamespaces = "127.0.0.1"

// newMachine makes a namespace whose only way out is a cable to this one.
func newMachine(b *testing.B, n int) machine {
	b.Helper()
	m := machine{name: fmt.Sprintf("nightshift%d", n), host: fmt.Sprintf("10.213.%d.1", n)}
	ip := func(args ...string) error {
		out, err := exec.CommandContext(b.Context(), "ip", args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, out)
		}
		return nil
	}
	here, there := fmt.Sprint("ns", n, "here"), fmt.Sprint("ns", n, "there")
	for _, command := range []string{
		"netns add " + m.name, "link add " + here + " type veth peer name " + there, "link set " + there + " netns " + m.name,
		"addr add " + m.host + "/24 dev " + here, "link set " + here + " up",
		fmt.Sprintf("-n %s addr add 10.213.%d.2/24 dev %s", m.name, n, there), "-n " + m.name + " link set " + there + " up",
	} {
		if err := ip(strings.Fields(command)...); err != nil {
			b.Logf("without network namespaces, by TCP on one machine: %v", err)
			_ = ip("netns", "del", m.name) // what there is of it
			return machine{host: noNamespaces}
		}
	}
	b.Cleanup(func() {
		if out, err := exec.CommandContext(context.Background(), "ip", "netns", "del", m.name).CombinedOutput(); err != nil {
			b.Errorf("%v: %s", err, out)
		}
	})
	return m
}

// command is the program on the machine, with one worker.
func (m machine) command(b *testing.B, binary, address, dir string, helpers int, args ...string) (*exec.Cmd, *bytes.Buffer) {
	words := append([]string{binary}, args...)
	if m.name != "" {
		words = append([]string{"ip", "netns", "exec", m.name}, words...)
	}
	cmd := exec.CommandContext(b.Context(), words[0], words[1:]...)
	cmd.Env = append(os.Environ(), "DATABASE_URL="+address, "NIGHTSHIFT_RULES="+dir, "NIGHTSHIFT_WORKERS=1", "GOMAXPROCS=1", fmt.Sprint("NIGHTSHIFT_HELPERS=", helpers))
	out := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	return cmd, out
}

// heavyRules are the rules that ship, and an acceptance that asks each order ten
// thousand questions about money.
func heavyRules(b *testing.B) (dir string) {
	b.Helper()
	dir = b.TempDir()
	if err := os.CopyFS(dir, rules.Defaults()); err != nil {
		b.Fatal(err)
	}
	var text strings.Builder
	text.WriteString("ruleset: acceptance\nversion: 3\neffective: 2020-01-01\nhit: first\nrules:\n")
	for rule := range 1000 {
		var asks []string
		for ask := range 10 {
			asks = append(asks, fmt.Sprintf("amount == %d.00", 1_000_000+10*rule+ask))
		}
		fmt.Fprintf(&text, "  - {name: large %d, when: %s, then: hold, with: {waits_for: \"platform\"}, because: It is large.}\n", rule, strings.Join(asks, " or "))
	}
	text.WriteString("  - {name: silence, when: signed_for >= days(10), then: accept, because: Silence.}\notherwise: wait\n")
	old, err := filepath.Glob(filepath.Join(dir, "acceptance*"))
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			b.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "acceptance.yaml"), []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	return dir
}

// BenchmarkMachines carries one run by one machine and by two, each a process with
// one worker in a network namespace of its own, three times in turns; and it kills a
// machine in the middle of a run, and measures until another one has kept a chunk.
func BenchmarkMachines(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "nightshift")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	first, second, dir := newMachine(b, 1), newMachine(b, 2), heavyRules(b)
	var gains, takeovers []float64
	for b.Loop() {
		for range 3 {
			alone, hash := timedRun(b, binary, dir, first, nil)
			both, same := timedRun(b, binary, dir, first, &second)
			if hash != same {
				b.Fatalf("one machine came to %s, two to %s", hash, same)
			}
			took := takeOver(b, binary, dir, first, second)
			gains, takeovers = append(gains, alone.Seconds()/both.Seconds()), append(takeovers, took.Seconds())
			b.Logf("one machine %.2fs, two %.2fs; taken over after %.2fs", alone.Seconds(), both.Seconds(), took.Seconds())
		}
	}
	b.ReportMetric(middle(gains), "times-as-fast")
	b.ReportMetric(middle(takeovers), "s-take-over")
	b.ReportMetric(0, "ns/op")
}

var theRun = []string{"run", "acceptance", "--date", "2024-03-15", "--json", "--chunk", "200"}

// stage is a database with orders, and its address on a machine.
func stage(b *testing.B) (s *storage.Store, at func(machine) string) {
	b.Helper()
	url := storagetest.URL(b)
	s = storagetest.Open(b, url)
	fill(b, s, 20_000)
	return s, func(m machine) string { return storagetest.NewProxyAt(b, url, m.host).URL() }
}

// timedRun carries a run on one machine, with the help of another one or without.
func timedRun(b *testing.B, binary, dir string, starter machine, helper *machine) (time.Duration, string) {
	b.Helper()
	_, at := stage(b)
	helpers := 0
	if helper != nil {
		helpers = 1
		worker, said := helper.command(b, binary, at(*helper), dir, 0, "worker")
		if err := worker.Start(); err != nil {
			b.Fatal(err)
		}
		defer func() {
			_ = worker.Process.Kill()
			_ = worker.Wait()
		}()
		for !strings.Contains(said.String(), "waiting for runs") {
		}
	}
	cmd, out := starter.command(b, binary, at(starter), dir, helpers, theRun...)
	begun := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	took := time.Since(begun)
	var result struct {
		ResultHash string `json:"result_hash"`
	}
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return took, result.ResultHash
}

// takeOver kills a machine that carries a run, starts the run on another one, and
// answers how long it was until more was kept.
func takeOver(b *testing.B, binary, dir string, dies, lives machine) time.Duration {
	b.Helper()
	s, at := stage(b)
	kept := func() (n int64) {
		if err := s.DB().QueryRowContext(b.Context(), `SELECT coalesce(sum(candidates), 0) FROM shards`).Scan(&n); err != nil {
			b.Fatal(err)
		}
		return n
	}
	cmd, _ := dies.command(b, binary, at(dies), dir, 0, theRun...)
	next, _ := lives.command(b, binary, at(lives), dir, 0, theRun...)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	for kept() < 3000 {
	}
	_ = cmd.Process.Kill()
	begun := time.Now()
	_ = cmd.Wait()
	before := kept()
	if err := next.Start(); err != nil {
		b.Fatal(err)
	}
	for kept() == before {
	}
	took := time.Since(begun)
	_ = next.Process.Kill()
	_ = next.Wait()
	return took
}

func middle(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
