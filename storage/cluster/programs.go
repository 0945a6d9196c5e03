package cluster

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// oldest is the first major version that has everything we ask of a server
// (client_connection_check_interval came with 14).
const oldest = 14

// ErrNoServer says that the machine has no usable server programs.
var ErrNoServer = errors.New("no PostgreSQL server programs found")

// programs is a directory that holds initdb and postgres of one version.
type programs struct {
	dir   string
	major int
}

// installations are the directories that packagers put server programs in.
var installations = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/usr/libexec/postgresql*",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// findPrograms is the newest usable version, or, where a data directory of
// version made exists, that version. made is 0 for a directory yet to be made.
func findPrograms(made int, dir string) (programs, error) {
	var newest programs
	for _, p := range installed() {
		if p.major == made {
			return p, nil
		}
		if p.major > newest.major {
			newest = p
		}
	}
	switch {
	case newest.major == 0:
		return programs{}, fmt.Errorf("%w: install PostgreSQL %d or newer (Debian, Ubuntu: apt-get install postgresql) or set DATABASE_URL to a running server", ErrNoServer, oldest)
	case made != 0:
		return programs{}, fmt.Errorf("the data in %s was made by PostgreSQL %d and this machine has %d: install postgresql-%d, or move the data with pg_upgrade, or set NIGHTSHIFT_DATA to a new directory", dir, made, newest.major, made)
	}
	return newest, nil
}

func installed() []programs {
	var found []programs
	add := func(dir string) {
		if major, err := majorOf(dir); err == nil && major >= oldest {
			found = append(found, programs{dir: dir, major: major})
		}
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		add(filepath.Dir(path))
		if real, err := filepath.EvalSymlinks(path); err == nil {
			add(filepath.Dir(real))
		}
	}
	for _, pattern := range installations {
		dirs, _ := filepath.Glob(pattern) // our own patterns are well formed
		for _, dir := range dirs {
			add(dir)
		}
	}
	return found
}

var versionLine = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func majorOf(dir string) (int, error) {
	if _, err := exec.LookPath(filepath.Join(dir, "initdb")); err != nil {
		return 0, err
	}
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0, err
	}
	m := versionLine.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("%s/postgres does not tell its version: %q", dir, out)
	}
	return strconv.Atoi(string(m[1]))
}

// madeBy is the major version that made a database directory, 0 if none did.
func madeBy(dir string) (int, error) {
	text, err := os.ReadFile(filepath.Join(dir, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the version of the data: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("read the version of the data in %s: %q is not a major version", dir, text)
	}
	return major, nil
}
