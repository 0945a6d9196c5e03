package storagetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Restart ends the server at once, as pg_ctl restart -m immediate does, and starts
// it again: it recovers, and all connections are gone. Other tests of the binary
// must not be at work.
func Restart(ctx context.Context) error {
	c := running.Load()
	was, err := serverOf(c.Dir())
	if err == nil {
		err = syscall.Kill(was, syscall.SIGQUIT)
	}
	for is := was; is == was || is == 0; {
		if err = errors.Join(err, c.Ensure(ctx), ctx.Err()); err != nil {
			return fmt.Errorf("restart the test database: %w", err)
		}
		<-time.After(5 * time.Millisecond) // its guard has yet to see that it is gone
		is, err = serverOf(c.Dir())
	}
	return c.Ensure(ctx)
}

// serverOf is the process of the server in a cluster's directory; 0 for none.
func serverOf(dir string) (int, error) {
	text, err := os.ReadFile(filepath.Join(dir, "postgres", "postmaster.pid"))
	if err != nil && !os.IsNotExist(err) {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, _ := strconv.Atoi(first) // it may be being written
	return pid, nil
}
