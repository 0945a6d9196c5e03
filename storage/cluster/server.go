package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// settings are what the server always runs with.
func (c Config) settings(socketDir string) map[string]string {
	s := map[string]string{
		"listen_addresses":                 "",
		"unix_socket_directories":          socketDir,
		"unix_socket_permissions":          "0700",
		"port":                             port,
		"max_connections":                  "100",
		"shared_buffers":                   "256MB",
		"max_wal_size":                     "4GB",
		"checkpoint_timeout":               "15min",
		"jit":                              "off",
		"timezone":                         "UTC",
		"log_timezone":                     "UTC",
		"log_checkpoints":                  "off",
		"client_connection_check_interval": "1s",
		"logging_collector":                "off",
		"log_destination":                  "stderr",
		"log_line_prefix":                  "%m [%p] ",
	}
	if c.Throwaway {
		maps.Copy(s, map[string]string{"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"})
	}
	for name, value := range c.Settings {
		if _, ours := fixed[name]; !ours {
			s[name] = value
		}
	}
	return s
}

// fixed are the settings that keep the server private; nobody tunes these.
var fixed = map[string]struct{}{"listen_addresses": {}, "unix_socket_directories": {}, "unix_socket_permissions": {}, "port": {}}

// environment is all that the server's programs see of ours: PGDATA, PGPORT
// and their like would lead them astray.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

// server is a running postmaster, child of this process.
type server struct {
	cmd  *exec.Cmd
	done chan error // its exit
}

// launch starts the postmaster and waits until it takes connections.
func launch(ctx context.Context, cfg Config, p place, bin programs) (*server, error) {
	socketDir, err := p.prepareSocketDir()
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(p.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the server's log: %w", err)
	}
	defer log.Close()
	args := []string{"-D", p.data()}
	settings := cfg.settings(socketDir)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	s := &server{cmd: p.server.command(syscall.SIGINT, filepath.Join(bin.dir, "postgres"), args...), done: make(chan error, 1)}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := startChild(s.cmd, s.done); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	for !p.ready() {
		select {
		case <-s.done:
			return nil, fmt.Errorf("start the server: it ended: %s (log: %s)", p.lastWords(s.cmd.Process.Pid), p.log())
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("start the server: %w: see %s", ctx.Err(), p.log()), s.stop(syscall.SIGQUIT))
		case <-time.After(lockRetry):
		}
	}
	return s, nil
}

// command prepares a server program to run as the account, in a session of its
// own, so that an interrupt typed at the terminal does not reach it.
func (a account) command(onDeath syscall.Signal, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = "/" // the account may not be able to enter ours
	cmd.Env = environment()
	cmd.SysProcAttr = dieWithParent(&syscall.SysProcAttr{Setsid: true, Credential: a.credential()}, onDeath)
	return cmd
}

// startChild starts the command and sends its exit to done. The kernel ties a
// child to the thread that started it, so that thread waits for it.
func startChild(cmd *exec.Cmd, done chan<- error) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			done <- cmd.Wait()
		}
	}()
	return <-started
}

// stop ends the server with the signal, then harder if it does not end.
func (s *server) stop(signal syscall.Signal) error {
	for _, sig := range []syscall.Signal{signal, syscall.SIGQUIT, syscall.SIGKILL} {
		if err := s.cmd.Process.Signal(sig); err != nil {
			return nil // it has ended
		}
		select {
		case <-s.done:
			return nil
		case <-time.After(stopTimeout / 2):
		}
	}
	return fmt.Errorf("stop the server: process %d does not end", s.cmd.Process.Pid)
}

// clearStale makes way for a new server. The caller holds guard.lock: whatever
// server there is has lost its guard. postmaster.pid itself stays: it leads
// the new server to the old one's shared memory, which it clears away, after
// making sure that no child of the old one is still at work on the data.
func (p place) clearStale(ctx context.Context) error {
	lines := p.status()
	if lines == nil {
		return nil
	}
	pid, err := strconv.Atoi(strings.TrimPrefix(lines[0], "-"))
	if err != nil || !isServer(pid, p.data()) {
		return p.disown(lines)
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop the server that was left behind, process %d: %w", pid, err)
		}
		if ended(ctx, pid, p.data()) {
			return nil
		}
	}
	return fmt.Errorf("stop the server that was left behind: process %d does not end", pid)
}

// disown puts the guard's number in the place of a dead server's, which may
// belong to some other process by now and keep a new server from starting. A
// server does not mistake its parent for another server.
func (p place) disown(lines []string) error {
	lines[0] = strconv.Itoa(os.Getpid())
	file, text := filepath.Join(p.data(), "postmaster.pid"), strings.Join(lines, "\n")+"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return fmt.Errorf("clear up after a server that was killed: %w", err)
	}
	return p.server.own(file)
}

func ended(ctx context.Context, pid int, data string) bool {
	ctx, cancel := context.WithTimeout(ctx, startTimeout/4)
	defer cancel()
	for isServer(pid, data) {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(lockRetry):
		}
	}
	return true
}
