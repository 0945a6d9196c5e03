package cluster

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// initialise makes the database directory. It is made under another name and
// renamed when whole, so that a start that was killed leaves no half of one.
// The caller holds start.lock.
func (p place) initialise(ctx context.Context, bin programs, throwaway bool) error {
	const unfinished = "unfinished-"
	if err := removeAll(ctx, p.file(unfinished+"*")); err != nil {
		return fmt.Errorf("remove an unfinished database: %w", err)
	}
	dir, err := os.MkdirTemp(p.dir, unfinished)
	if err != nil {
		return fmt.Errorf("make the database directory: %w", err)
	}
	if err := p.server.own(dir); err != nil {
		return err
	}
	args := []string{"-D", dir, "-U", Superuser, "-E", "UTF8", "--locale=C", "--auth-local=trust", "--auth-host=reject"}
	if throwaway {
		args = append(args, "--no-sync")
	}
	if err := p.run(ctx, filepath.Join(bin.dir, "initdb"), args...); err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	if err := os.Rename(dir, p.data()); err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	return nil
}

// removeAll tries again while there is somebody, the child of a program that
// was killed, who still makes files.
func removeAll(ctx context.Context, pattern string) error {
	left, _ := filepath.Glob(pattern) // our own pattern is well formed
	for _, dir := range left {
		for err := os.RemoveAll(dir); err != nil; err = os.RemoveAll(dir) {
			select {
			case <-ctx.Done():
				return err
			case <-time.After(lockRetry):
			}
		}
	}
	return nil
}

// run carries a server program to its end as the server's account.
func (p place) run(ctx context.Context, program string, args ...string) error {
	cmd := p.server.command(syscall.SIGKILL, program, args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	done := make(chan error, 1)
	if err := startChild(cmd, done); err != nil {
		return fmt.Errorf("run %s: %w", program, err)
	}
	select {
	case <-ctx.Done():
		cmd.Process.Kill()
		<-done
		return fmt.Errorf("run %s: %w", program, ctx.Err())
	case err := <-done:
		if err != nil {
			return fmt.Errorf("run %s: %w: %s", program, err, firstError(said.String()))
		}
		return nil
	}
}

// firstError is the line of a program's output that says what went wrong.
func firstError(said string) string {
	for line := range strings.Lines(said) {
		if strings.Contains(line, "error:") || strings.Contains(line, "FATAL:") {
			return strings.TrimSpace(line)
		}
	}
	return strings.TrimSpace(said)
}
