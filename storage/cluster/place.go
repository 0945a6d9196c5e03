package cluster

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// longestSocketPath is what every Unix's socket address holds: 108 bytes on
// Linux, 104 elsewhere, one of them the final zero.
const longestSocketPath = 103

// place is the data directory and what lies where in it:
//
//	postgres/       the server's own files
//	socket/         the server's socket, unless the path would be too long
//	*.lock          see the package's comment
//	postgres.log    what the server and the guard have to say
type place struct {
	dir    string
	server account
}

func (p place) file(name string) string { return filepath.Join(p.dir, name) }
func (p place) data() string            { return p.file("postgres") }
func (p place) log() string             { return p.file("postgres.log") }

// preparePlace makes the data directory, and settles who the server runs as.
func preparePlace(dir string) (place, error) {
	if dir == "" {
		var err error
		if dir, err = DefaultDir(); err != nil {
			return place{}, err
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return place{}, fmt.Errorf("find the data directory %s: %w", dir, err)
	}
	p := place{dir: dir}
	if p.server, err = serverAccount(p.data()); err != nil {
		return place{}, err
	}
	// The server's account must pass through the directory, not look into it.
	mode := os.FileMode(0o700)
	if !p.server.self() {
		mode = 0o711
	}
	if err := os.MkdirAll(dir, mode); err != nil {
		return place{}, fmt.Errorf("make the data directory: %w: set NIGHTSHIFT_DATA to a directory you can write to", err)
	}
	// One directory has one name, or two processes would not find each other.
	if p.dir, err = filepath.EvalSymlinks(dir); err != nil {
		return place{}, fmt.Errorf("find the data directory: %w", err)
	}
	if err := writable(p.dir); err != nil {
		return place{}, err
	}
	return p, p.server.canEnter(p.dir)
}

// writable asks before the lock files are made, for a plain answer.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".write-")
	if err != nil {
		return fmt.Errorf("write to the data directory: %w: set NIGHTSHIFT_DATA to a directory you can write to", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// guarded tells whether a guard lives, and with it, or soon, a server.
func (p place) guarded() (bool, error) {
	l := flock.New(p.file("guard.lock"))
	free, err := l.TryRLock()
	if err != nil {
		return false, fmt.Errorf("ask for the guard of %s: %w", p.dir, err)
	}
	if free {
		err = l.Unlock()
	}
	return !free, err
}

// socketDir is where the server puts its socket: in the data directory or,
// where that path is too long for a socket, in a short one named after it.
func (p place) socketDir() string {
	dir := p.file("socket")
	if socketFits(dir) {
		return dir
	}
	sum := sha256.Sum256([]byte(p.dir))
	name := "nightshift-" + hex.EncodeToString(sum[:8])
	if dir := filepath.Join(os.TempDir(), name); socketFits(dir) {
		return dir
	}
	return filepath.Join("/tmp", name)
}

func socketFits(dir string) bool { return len(socketIn(dir)) <= longestSocketPath }

func socketIn(dir string) string { return filepath.Join(dir, ".s.PGSQL."+port) }

// prepareSocketDir makes the socket's directory the server's alone. Another
// account could have made one of that name in the temporary directory first,
// to be spoken to in the server's place; that one is refused.
func (p place) prepareSocketDir() (string, error) {
	dir := p.socketDir()
	if err := os.Mkdir(dir, 0o700); err == nil {
		return dir, p.server.own(dir)
	} else if !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("make the socket directory: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", fmt.Errorf("look at the socket directory: %w", err)
	}
	if !info.IsDir() || info.Mode().Perm() != 0o700 || !p.server.owns(info) {
		return "", fmt.Errorf("use the socket directory %s: it is not a directory that only %s can enter: remove it", dir, p.server.name)
	}
	return dir, nil
}

// status is what the server wrote of itself into its postmaster.pid, line by line.
func (p place) status() []string {
	text, err := os.ReadFile(filepath.Join(p.data(), "postmaster.pid"))
	if err != nil {
		return nil
	}
	return strings.Split(string(bytes.TrimSpace(text)), "\n")
}

// listening is the directory of the running server's socket. The server says
// it itself, because its starter may have had another temporary directory.
func (p place) listening() string {
	const socketLine = 4
	if lines := p.status(); len(lines) > socketLine {
		return strings.TrimSpace(lines[socketLine])
	}
	return p.socketDir()
}

// ready tells whether the server takes connections.
func (p place) ready() bool {
	const stateLine = 7 // what pg_ctl waits for
	lines := p.status()
	if len(lines) <= stateLine || strings.TrimSpace(lines[stateLine]) != "ready" {
		return false
	}
	conn, err := net.DialTimeout("unix", socketIn(p.listening()), time.Second)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// lastWords is what the server process wrote into the log before it ended.
// Others write there too: the children of a server that was killed.
func (p place) lastWords(pid int) string {
	text, err := os.ReadFile(p.log())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	its := fmt.Sprintf(" [%d] ", pid)
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.Contains(lines[i], its) && (strings.Contains(lines[i], "FATAL:") || strings.Contains(lines[i], "PANIC:")) {
			return lines[i]
		}
	}
	return lines[len(lines)-1]
}
