package cluster

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// guardVariable carries the guard's orders to the re-executed binary.
const guardVariable = "NIGHTSHIFT_CLUSTER_GUARD"

// guardWatch is how long a server can outlive a last user that was killed.
const guardWatch = 50 * time.Millisecond

// ready is what the guard says on its pipe; anything else is what went wrong.
const ready = "ready"

// orders are what a guard needs to know.
type orders struct {
	Config Config
	Bin    string // the directory of the server programs
}

// GuardMain is the first call of every main and TestMain that opens a cluster.
// In the process that was started as a guard it does the guard's work and does
// not return; in any other it does nothing.
func GuardMain() {
	text := os.Getenv(guardVariable)
	if text == "" {
		return
	}
	pipe := os.NewFile(3, "starter")
	if err := guard(text, pipe); err != nil {
		// Told to the starter while it listens, to the log in any case.
		fmt.Fprintln(pipe, strings.ReplaceAll(err.Error(), "\n", "; "))
		fmt.Fprintln(os.Stderr, "guard:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// spawnGuard makes the database where there is none, starts a guard and waits
// until its server takes connections. The caller holds start.lock.
func (c *Cluster) spawnGuard(ctx context.Context) error {
	made, err := madeBy(c.place.data())
	if err != nil {
		return err
	}
	bin, err := findPrograms(made, c.place.dir)
	if err != nil {
		return err
	}
	if made == 0 {
		if err := c.place.initialise(ctx, bin, c.cfg.Throwaway); err != nil {
			return err
		}
	}
	cfg := c.cfg
	cfg.Dir = c.place.dir
	text, err := json.Marshal(orders{Config: cfg, Bin: bin.dir})
	if err != nil {
		return fmt.Errorf("write the guard's orders: %w", err)
	}
	answer, err := c.place.execGuard(string(text))
	if err != nil {
		return fmt.Errorf("start the guard of the server: %w", err)
	}
	defer answer.Close()
	stop := context.AfterFunc(ctx, func() { answer.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	line, err := bufio.NewReader(answer).ReadString('\n')
	if line = strings.TrimSpace(line); line == ready {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("wait for the server to start: %w: see %s", ctx.Err(), c.place.log())
	}
	if line == "" {
		return fmt.Errorf("start the server: its guard ended without a word (%w): see %s", err, c.place.log())
	}
	return errors.New(line)
}

// execGuard starts this binary again as a guard, apart from our terminal and
// our pipes, and answers the end of its pipe.
func (p place) execGuard(text string) (*os.File, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat("/proc/self/exe"); err == nil {
		self = "/proc/self/exe" // works for a binary that was replaced or removed since
	}
	log, err := p.rotatedLog()
	if err != nil {
		return nil, err
	}
	defer log.Close()
	answer, pipe, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer pipe.Close()
	cmd := exec.Command(self)
	cmd.Args = []string{"nightshift-guard", p.dir} // for whoever lists processes
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), guardVariable+"="+text)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{pipe}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		answer.Close()
		return nil, err
	}
	go cmd.Wait() // leaves no zombie when the guard ends before us
	return answer, nil
}

// rotatedLog opens the log, putting one that has grown long aside.
func (p place) rotatedLog() (*os.File, error) {
	const longestLog = 10 << 20
	if info, err := os.Stat(p.log()); err == nil && info.Size() > longestLog {
		if err := os.Rename(p.log(), p.log()+".1"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(p.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// guard runs the server until nobody uses the cluster. It ignores being asked
// to stop: a supervisor asks all processes of a service at once, and the ones
// that use the server need it to finish.
func guard(text string, starter *os.File) error {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE)
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return fmt.Errorf("read the guard's orders: %w", err)
	}
	p := place{dir: o.Config.Dir}
	var err error
	if p.server, err = serverAccount(p.data()); err != nil {
		return err
	}
	lock := flock.New(p.file("guard.lock"))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock the guard's file: %w", err)
	}
	defer runtime.KeepAlive(lock) // held until the process is gone, which is what Close waits for
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	s, err := launchOnCleanGround(ctx, o, p)
	if err != nil {
		return err
	}
	fmt.Fprintln(starter, ready)
	starter.Close()
	return watch(s, p, o.Config.Throwaway)
}

func launchOnCleanGround(ctx context.Context, o orders, p place) (*server, error) {
	if err := p.clearStale(ctx); err != nil {
		return nil, err
	}
	for {
		s, err := launch(ctx, o.Config, p, programs{dir: o.Bin})
		// The children of a server that was killed take a moment to notice,
		// and hold its shared memory until then.
		if err == nil || !strings.Contains(err.Error(), "pre-existing shared memory") || ctx.Err() != nil {
			return s, err
		}
		time.Sleep(guardWatch)
	}
}

// watch returns when the server is gone: because it ended by itself, or
// because nobody uses the cluster any more.
func watch(s *server, p place, throwaway bool) error {
	how := syscall.SIGINT // ends sessions, writes everything down, then stops
	if throwaway {
		how = syscall.SIGQUIT
	}
	start, users := flock.New(p.file("start.lock")), flock.New(p.file("users.lock"))
	tick := time.NewTicker(guardWatch)
	defer tick.Stop()
	for {
		select {
		case err := <-s.done:
			return fmt.Errorf("the server ended by itself: %w", errors.Join(err, errors.New(p.lastWords(s.cmd.Process.Pid))))
		case <-tick.C:
		}
		if mine, err := start.TryLock(); err != nil || !mine {
			continue // somebody is coming
		}
		if free, err := users.TryLock(); err == nil && free {
			defer start.Unlock()
			return errors.Join(users.Unlock(), s.stop(how), p.cleanUp(throwaway))
		}
		start.Unlock()
	}
}

// cleanUp leaves nothing of a throwaway, and no socket directory outside the
// data directory.
func (p place) cleanUp(throwaway bool) error {
	if dir := p.socketDir(); filepath.Dir(dir) != p.dir {
		os.Remove(dir) // only if empty: a later start makes it again
	}
	if !throwaway {
		return nil
	}
	return os.RemoveAll(p.dir)
}
