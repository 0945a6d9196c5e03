// Package cluster runs a private Postgres server for as long as somebody uses it.
//
// Owns: finding the machine's server programs, the data directory, starting,
// sharing and stopping the server, recovering what a killed process left.
// Does not own: what is in the databases (package storage).
// Always: the server listens on a Unix socket in a directory that is its
// owner's alone; it runs as the child of a guard process and never outlives
// it, and the guard never outlives the last user.
//
// Three lock files in the data directory say who is there. A user of the
// cluster holds users.lock shared; the guard holds guard.lock; whoever starts
// or stops the server holds start.lock. users.lock is only ever taken while
// start.lock is held, so that the guard, holding start.lock and finding
// users.lock free, knows that nobody is there and nobody can come. The kernel
// drops the locks of a killed process, so that none of them is ever stale.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// Superuser is the role that owns everything in the cluster.
const Superuser = "nightshift"

// port only names the socket file; nothing listens on the network.
const port = "5432"

const (
	lockRetry    = 5 * time.Millisecond
	startTimeout = 60 * time.Second
	stopTimeout  = 60 * time.Second
)

// Config says where the cluster is and how its server is tuned.
type Config struct {
	Dir       string            // the data directory; empty for DefaultDir
	Settings  map[string]string // server settings beside our own, such as shared_buffers; those of the process that starts the server count
	Throwaway bool              // for tests: no write is forced to disk, and the directory is removed after the last user
}

// Cluster is one process's use of a private server. Close it to let go.
type Cluster struct {
	cfg   Config
	place place
	users *flock.Flock
	start *flock.Flock
	mu    sync.Mutex // serialises Ensure and Close in this process
	open  bool
}

// DefaultDir is where the data lives unless told otherwise: /var/lib/nightshift
// for root, else nightshift in the user's data directory (XDG_DATA_HOME, or
// ~/.local/share).
func DefaultDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/nightshift", nil
	}
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "nightshift"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the embedded database: %w: set NIGHTSHIFT_DATA to a directory", err)
	}
	return filepath.Join(home, ".local", "share", "nightshift"), nil
}

// Open joins the cluster in the directory of cfg. It makes the cluster and
// starts the server where that is needed; of several processes that come at
// once, one does it and the others wait.
func Open(ctx context.Context, cfg Config) (*Cluster, error) {
	if os.Getenv(guardVariable) != "" {
		return nil, errors.New("open the embedded database: this process was started as its guard: main must call cluster.GuardMain first")
	}
	place, err := preparePlace(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open the embedded database: %w", err)
	}
	c := &Cluster{
		cfg: cfg, place: place, open: true,
		users: flock.New(place.file("users.lock")),
		start: flock.New(place.file("start.lock")),
	}
	if err := c.join(ctx); err != nil {
		return nil, fmt.Errorf("open the embedded database in %s: %w", place.dir, err)
	}
	return c, nil
}

func (c *Cluster) join(ctx context.Context) (err error) {
	if err := c.lockStart(ctx); err != nil {
		return err
	}
	defer c.start.Unlock()
	if err := c.users.RLock(); err != nil {
		return fmt.Errorf("lock the cluster: %w", err)
	}
	if err := c.startServer(ctx); err != nil {
		return errors.Join(err, c.users.Unlock())
	}
	return nil
}

func (c *Cluster) lockStart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout+stopTimeout)
	defer cancel()
	if _, err := c.start.TryLockContext(ctx, lockRetry); err != nil {
		return fmt.Errorf("wait for another process to start or stop the server: %w", err)
	}
	return nil
}

// startServer returns when the server takes connections. The caller holds
// start.lock.
func (c *Cluster) startServer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		alive, err := c.place.guarded()
		if err != nil {
			return err
		}
		if !alive {
			return c.spawnGuard(ctx)
		}
		if c.place.ready() {
			return nil
		}
		// A guard whose starter was killed is still starting the server.
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the server to start: %w: see %s", ctx.Err(), c.place.log())
		case <-time.After(lockRetry):
		}
	}
}

// Ensure brings the server back if it is gone: killed, crashed, or taken along
// by a guard that was killed. It costs microseconds while the server is there,
// so that every new connection can begin with it.
func (c *Cluster) Ensure(ctx context.Context) error {
	if alive, err := c.place.guarded(); err != nil || alive {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.open {
		return errors.New("use the embedded database: it was closed")
	}
	if err := c.lockStart(ctx); err != nil {
		return fmt.Errorf("restart the embedded database in %s: %w", c.place.dir, err)
	}
	defer c.start.Unlock()
	if err := c.startServer(ctx); err != nil {
		return fmt.Errorf("restart the embedded database in %s: %w", c.place.dir, err)
	}
	return nil
}

// Close lets go of the cluster. The last process to do so returns when the
// server and its guard are gone.
func (c *Cluster) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.open {
		return nil
	}
	c.open = false
	if err := c.users.Unlock(); err != nil {
		return fmt.Errorf("leave the embedded database in %s: %w", c.place.dir, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	for c.lastToLeave() {
		if alive, err := c.place.guarded(); err != nil || !alive {
			return c.removeThrowaway()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("stop the embedded database in %s: it is still stopping after %s: see %s", c.place.dir, stopTimeout, c.place.log())
		case <-time.After(lockRetry):
		}
	}
	return nil
}

// removeThrowaway finishes what the guard does too, because asking for the
// locks makes their files again.
func (c *Cluster) removeThrowaway() error {
	if !c.cfg.Throwaway {
		return nil
	}
	return os.RemoveAll(c.place.dir)
}

// lastToLeave tells whether nobody uses the cluster any more. While the guard
// holds start.lock to stop the server, that is so.
func (c *Cluster) lastToLeave() bool {
	if mine, err := c.start.TryLock(); err != nil || !mine {
		return err == nil
	}
	defer c.start.Unlock()
	free, err := c.users.TryLock()
	if free {
		c.users.Unlock()
	}
	return err == nil && free
}

// Host is the directory of the server's socket.
func (c *Cluster) Host() string { return c.place.listening() }

// Dir is the data directory.
func (c *Cluster) Dir() string { return c.place.dir }

// URL is a connection string for the role and the database.
func (c *Cluster) URL(role, database string) string {
	q := url.Values{"host": {c.Host()}, "port": {port}, "user": {role}, "sslmode": {"disable"}}
	// As in libpq, a + in a connection string is a plus, never a space.
	return "postgres:///" + url.PathEscape(database) + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}
