package cluster

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

const holderVariable = "NIGHTSHIFT_TEST_HOLDER"

func TestMain(m *testing.M) {
	GuardMain()
	if dir := os.Getenv(holderVariable); dir != "" {
		hold(dir)
	}
	// In memory, where there is plenty: making a database is mostly waiting
	// for a disk.
	const memory, plenty = "/dev/shm", 4 << 30
	var fs unix.Statfs_t
	if unix.Statfs(memory, &fs) == nil && fs.Bavail*uint64(fs.Bsize) > plenty && os.Getenv("TMPDIR") == "" {
		os.Setenv("TMPDIR", memory)
	}
	os.Exit(m.Run())
}

// hold is another process that uses the cluster until its input ends.
func hold(dir string) {
	c, err := Open(context.Background(), Config{Dir: dir, Settings: small})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("open", c.URL(Superuser, "postgres"))
	io.Copy(io.Discard, os.Stdin)
	if err := c.Close(); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	os.Exit(0)
}

var small = map[string]string{"shared_buffers": "16MB"}

// dataDir is a directory that the server's account can enter.
func dataDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { awaitNobody(t, dir) })
	return filepath.Join(dir, "data")
}

func open(t *testing.T, dir string) *Cluster {
	t.Helper()
	c, err := Open(t.Context(), Config{Dir: dir, Settings: small})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func ask(t *testing.T, c *Cluster, query string) string {
	t.Helper()
	var answer string
	var err error
	// A server that was just killed refuses for a moment; Ensure is what every
	// new connection of the store begins with.
	within(t, "an answer to "+query, func() bool {
		if err = c.Ensure(t.Context()); err != nil {
			t.Fatal(err)
		}
		var conn *pgx.Conn
		if conn, err = pgx.Connect(t.Context(), c.URL(Superuser, "postgres")); err != nil {
			return false
		}
		defer conn.Close(t.Context())
		err = conn.QueryRow(t.Context(), query).Scan(&answer)
		return err == nil
	})
	return answer
}

func within(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("waited 20 s for %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// processes are those that work in dir or name it in their arguments: the
// server, its children, guards and initdb.
func processes(dir string) []int {
	var found []int
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		cwd, _ := os.Readlink("/proc/" + e.Name() + "/cwd")
		args, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if strings.HasPrefix(cwd, dir) || strings.Contains(string(args), dir) {
			found = append(found, pid)
		}
	}
	return found
}

func awaitNobody(t *testing.T, dir string) {
	t.Helper()
	within(t, "all processes of "+dir+" to end", func() bool { return len(processes(dir)) == 0 })
}

func guardOf(t *testing.T, dir string) int {
	t.Helper()
	for _, pid := range processes(dir) {
		args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if strings.HasPrefix(string(args), "nightshift-guard") {
			return pid
		}
	}
	t.Fatal("there is no guard")
	return 0
}

func serverOf(t *testing.T, c *Cluster) int {
	t.Helper()
	pid, err := strconv.Atoi(c.place.status()[0])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	within(t, "a killed process to be gone", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || strings.Contains(string(stat), ") Z ")
	})
}

type holder struct {
	cmd *exec.Cmd
	in  io.Closer
	url string
}

func startHolder(dir, workDir string) (*holder, error) {
	cmd := exec.Command(os.Args[0])
	if abs, err := filepath.Abs(os.Args[0]); err == nil {
		cmd.Path = abs
	}
	return startHolderAs(cmd, dir, workDir)
}

func startHolderAs(cmd *exec.Cmd, dir, workDir string) (*holder, error) {
	cmd.Env = append(os.Environ(), holderVariable+"="+dir)
	cmd.Dir = workDir
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "open ")
	if !ok {
		in.Close()
		return nil, errors.Join(errors.New(line), cmd.Wait())
	}
	return &holder{cmd: cmd, in: in, url: url}, nil
}

func mustHold(t *testing.T, dir string) *holder {
	t.Helper()
	h, err := startHolder(dir, "/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.cmd.Process.Kill(); h.cmd.Wait() })
	return h
}

func TestOpenMakesAClusterAndCloseLeavesNothingRunning(t *testing.T) {
	dir := dataDir(t)
	c := open(t, dir)
	if got := ask(t, c, "SHOW listen_addresses"); got != "" {
		t.Errorf("the server listens on %q", got)
	}
	ask(t, c, "WITH made AS (SELECT lo_create(4711)) SELECT 'x' FROM made")
	info, err := os.Stat(c.Host())
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("socket directory: %v %v, want 0700", info.Mode(), err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if left := processes(dir); len(left) != 0 {
		t.Errorf("processes %v are left right after Close", left)
	}
	if got := ask(t, open(t, dir), "SELECT count(*)::text FROM pg_largeobject_metadata WHERE oid = 4711"); got != "1" {
		t.Errorf("second start: %q", got)
	}
}

func TestALongDirectoryGetsAShortSocket(t *testing.T) {
	dir := filepath.Join(dataDir(t), strings.Repeat("long", 20), strings.Repeat("longer", 20))
	c := open(t, dir)
	if n := len(socketIn(c.Host())); n > longestSocketPath {
		t.Errorf("socket path of %d bytes", n)
	}
	ask(t, c, "SELECT 'x'")
	host := c.Host()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(host); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket directory %s is left: %v", host, err)
	}
}

func TestADirectoryMayHaveAnyName(t *testing.T) {
	dir := filepath.Join(dataDir(t), "Jo Doe's 数据+1%20")
	if got := ask(t, open(t, dir), "SELECT 'x'"); got != "x" {
		t.Errorf("asked in %q: %q", dir, got)
	}
}

func TestASocketDirectoryMadeBySomebodyElseIsRefused(t *testing.T) {
	dir := filepath.Join(dataDir(t), strings.Repeat("long", 20), strings.Repeat("trap", 20))
	p := place{dir: dir}
	if err := os.Mkdir(p.socketDir(), 0o777); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(p.socketDir())
	_, err := Open(t.Context(), Config{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("got %v", err)
	}
}

func TestManyFirstStartsAtOnceShareOneServer(t *testing.T) {
	dir := dataDir(t)
	const many = 5
	holders := make([]*holder, many)
	errs := make([]error, many)
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() { holders[i], errs[i] = startHolder(dir, "/") })
	}
	all.Wait()
	for i, h := range holders {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if h.url != holders[0].url {
			t.Errorf("two servers: %s and %s", h.url, holders[0].url)
		}
	}
	for i, h := range holders[:many-1] {
		if i%2 == 0 {
			h.cmd.Process.Kill()
		} else {
			h.in.Close()
		}
		h.cmd.Wait()
	}
	conn, err := pgx.Connect(t.Context(), holders[many-1].url)
	if err != nil {
		t.Fatalf("the last of %d lost its server: %v", many, err)
	}
	conn.Close(t.Context())
	holders[many-1].in.Close()
	if err := holders[many-1].cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	awaitNobody(t, dir)
}

func TestNothingOutlivesKilledUsers(t *testing.T) {
	dir := dataDir(t)
	h := mustHold(t, dir)
	kill(t, h.cmd.Process.Pid)
	h.cmd.Wait()
	awaitNobody(t, dir)
	ask(t, open(t, dir), "SELECT 'x'")
}

func TestNothingOutlivesEverybodyKilledAtOnce(t *testing.T) {
	dir := dataDir(t)
	h := mustHold(t, dir)
	guard := guardOf(t, dir)
	syscall.Kill(h.cmd.Process.Pid, syscall.SIGKILL)
	syscall.Kill(guard, syscall.SIGKILL)
	h.cmd.Wait()
	awaitNobody(t, dir)
	ask(t, open(t, dir), "SELECT 'x'")
}

func TestAKilledGuardIsReplacedWithItsServer(t *testing.T) {
	dir := dataDir(t)
	c := open(t, dir)
	other := mustHold(t, dir)
	before := guardOf(t, dir)
	kill(t, before)
	ask(t, c, "SELECT 'x'")
	if after := guardOf(t, dir); after == before {
		t.Error("the guard was not replaced")
	}
	other.in.Close()
	other.cmd.Wait()
}

func TestAKilledServerComesBack(t *testing.T) {
	dir := dataDir(t)
	c := open(t, dir)
	ask(t, c, "WITH made AS (SELECT lo_create(4711)) SELECT 'x' FROM made")
	kill(t, serverOf(t, c))
	if got := ask(t, c, "SELECT count(*)::text FROM pg_largeobject_metadata WHERE oid = 4711"); got != "1" {
		t.Errorf("got %q", got)
	}
}

func TestAServerWaitsForTheChildrenOfAKilledOne(t *testing.T) {
	dir := dataDir(t)
	c := open(t, dir)
	conn, err := pgx.Connect(t.Context(), c.URL(Superuser, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	child := int(conn.PgConn().PID())
	if err := syscall.Kill(child, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	kill(t, serverOf(t, c))
	back := make(chan error, 1)
	go func() {
		within(t, "the guard to go with its server", func() bool { alive, _ := c.place.guarded(); return !alive })
		back <- c.Ensure(t.Context())
	}()
	within(t, "a new server to find the old one's child", func() bool {
		text, _ := os.ReadFile(c.place.log())
		return strings.Contains(string(text), "pre-existing shared memory")
	})
	if err := syscall.Kill(child, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := <-back; err != nil {
		t.Fatal(err)
	}
	ask(t, c, "SELECT 'x'")
}

func TestAStalePidOfAnotherProcessDoesNotStopAStart(t *testing.T) {
	dir := dataDir(t)
	c := open(t, dir)
	status := strings.Join(c.place.status(), "\n")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	// As after a crash of the machine: the number belongs to somebody else now.
	_, rest, _ := strings.Cut(status, "\n")
	stale := fmt.Sprintf("%d\n%s\n", os.Getpid(), rest)
	if err := os.WriteFile(filepath.Join(c.place.data(), "postmaster.pid"), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}
	ask(t, open(t, dir), "SELECT 'x'")
}

func TestAKilledFirstStartLeavesAWholeOrNoDatabase(t *testing.T) {
	dir := dataDir(t)
	for _, after := range []time.Duration{30 * time.Millisecond, 150 * time.Millisecond, 400 * time.Millisecond} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), holderVariable+"="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after)
		cmd.Process.Kill()
		cmd.Wait()
	}
	ask(t, open(t, dir), "SELECT 'x'")
	left, _ := filepath.Glob(filepath.Join(dir, "unfinished-*"))
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDataOfAnotherMajorVersionIsRefusedClearly(t *testing.T) {
	dir := dataDir(t)
	if err := os.MkdirAll(filepath.Join(dir, "postgres"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "postgres", "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Config{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "was made by PostgreSQL 9") {
		t.Errorf("got %v", err)
	}
}

func TestMissingServerProgramsAreOneClearSentence(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	was := installations
	installations = nil
	defer func() { installations = was }()
	_, err := Open(t.Context(), Config{Dir: dataDir(t)})
	if !errors.Is(err, ErrNoServer) || !strings.Contains(err.Error(), "install PostgreSQL 14 or newer") {
		t.Errorf("got %v", err)
	}
}

func TestADirectoryThatTheServerCannotEnterIsNamed(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root starts the server as somebody else")
	}
	closed := filepath.Join(filepath.Dir(dataDir(t)), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Config{Dir: filepath.Join(closed, "data")})
	if err == nil || !strings.Contains(err.Error(), "may not enter "+closed) {
		t.Errorf("got %v", err)
	}
}

func TestAThrowawayIsRemovedAfterItsLastUserIsGone(t *testing.T) {
	dir := dataDir(t)
	c, err := Open(t.Context(), Config{Dir: dir, Throwaway: true, Settings: small})
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(t, c, "SHOW fsync"); got != "off" {
		t.Errorf("fsync is %s", got)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is left: %v", err)
	}
}

func TestAnyWorkingDirectoryWillDo(t *testing.T) {
	dir := dataDir(t)
	elsewhere := t.TempDir()
	h, err := startHolder(dir, elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(elsewhere); err != nil {
		t.Fatal(err)
	}
	h.in.Close()
	if err := h.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestAUserRunsItsOwnServer(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the other tests do")
	}
	const nobody = 65534
	dir := dataDir(t)
	home := filepath.Dir(dir)
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "user.test"), binary, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(home, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(home, "user.test"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	h, err := startHolderAs(cmd, dir, "/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.in.Close(); h.cmd.Wait() })
	// Root joins in: the server goes on as the owner of the data.
	c := open(t, dir)
	ask(t, c, "SELECT 'x'")
	info, err := os.Stat(fmt.Sprintf("/proc/%d", serverOf(t, c)))
	if err != nil || info.Sys().(*syscall.Stat_t).Uid != nobody {
		t.Errorf("the server does not run as the user: %v", err)
	}
}

func TestAFileInTheWayIsSaidSo(t *testing.T) {
	file := filepath.Join(filepath.Dir(dataDir(t)), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Config{Dir: filepath.Join(file, "data")})
	if err == nil || !strings.Contains(err.Error(), "set NIGHTSHIFT_DATA to a directory you can write to") {
		t.Errorf("got %v", err)
	}
}

func TestAGuardIgnoresBeingAskedToStopWhileTheServerIsUsed(t *testing.T) {
	dir := dataDir(t)
	c := open(t, dir)
	guard := guardOf(t, dir)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		if err := syscall.Kill(guard, sig); err != nil {
			t.Fatal(err)
		}
	}
	ask(t, c, "SELECT 'x'")
	if after := guardOf(t, dir); after != guard {
		t.Error("the guard went")
	}
}

func TestAServerThatCannotStartSaysWhy(t *testing.T) {
	_, err := Open(t.Context(), Config{Dir: dataDir(t), Settings: map[string]string{"shared_buffers": "plenty"}})
	if err == nil || !strings.Contains(err.Error(), `invalid value for parameter "shared_buffers"`) {
		t.Errorf("got %v", err)
	}
}
