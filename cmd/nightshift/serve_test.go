package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"nightshift/rules"
	"nightshift/storage/storagetest"
)

// TestServeWakesShowsAndStops starts the program as a scheduler would, looks at
// its page, and asks it to stop.
func TestServeWakesShowsAndStops(t *testing.T) {
	url := storagetest.URL(t)
	cmd := exec.CommandContext(t.Context(), filepath.Join(named(t), "nightshift"), "serve", "--listen", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "DATABASE_URL="+url, "NIGHTSHIFT_TOKEN=hush")
	logs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address, all := "", &strings.Builder{}
	lines := bufio.NewScanner(io.TeeReader(logs, all))
	for woken := false; (address == "" || !woken) && lines.Scan(); {
		if found := regexp.MustCompile(`address=(http://\S+)`).FindStringSubmatch(lines.Text()); found != nil {
			address = found[1]
		}
		woken = woken || strings.Contains(lines.Text(), `msg="run completed" job=acceptance site=cn`)
	}
	if status, body := get(t, address+"/healthz", ""); status != 200 || body != "well\n" {
		t.Errorf("health: status %d, %q\n%s", status, body, all)
	}
	if status, _ := get(t, address+"/", ""); status != 401 {
		t.Errorf("without the token: status %d", status)
	}
	if status, body := get(t, address+"/", "hush"); status != 200 || !strings.Contains(body, "acceptance") {
		t.Errorf("with the token: status %d\n%s", status, body)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // until it has said its last
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("asked to stop, it ended with %v\n%s", err, all)
	}
	if strings.Contains(all.String(), "hush") {
		t.Errorf("the log tells the token:\n%s", all)
	}
}

// Whoever wakes the night by cron gets the digest as well, and once.
func TestANightThatCronWakesIsTold(t *testing.T) {
	var posted []string
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		posted = append(posted, string(body))
	}))
	defer hook.Close()
	dir, zone := filepath.Join(t.TempDir(), "rules"), time.FixedZone("Asia/Shanghai", 8*3600)
	if err := os.CopyFS(dir, rules.Defaults()); err != nil {
		t.Fatal(err)
	}
	const timetable = "site: cn\ncurrency: CNY\ntime_zone: Asia/Shanghai\ncalendar: calendar.csv\njobs:\n  acceptance: {as_of: \"00:00\"}\n"
	if err := os.WriteFile(filepath.Join(dir, "site.yaml"), []byte(timetable), 0o600); err != nil {
		t.Fatal(err)
	}
	url, on := storagetest.URL(t), time.Now().In(zone).Format(time.DateOnly)
	for range 2 {
		cmd := exec.CommandContext(t.Context(), filepath.Join(named(t), "nightshift"), "night", "--date", on)
		cmd.Env = append(os.Environ(), "DATABASE_URL="+url, "NIGHTSHIFT_RULES="+dir, "NIGHTSHIFT_WEBHOOK="+hook.URL+"/hush")
		if said, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(said), "hush") {
			t.Errorf("%v\n%s", err, said)
		}
	}
	if len(posted) != 1 || !strings.Contains(posted[0], "Nightshift cn, night of "+on+": 1 run\\n") {
		t.Errorf("posted %q", posted)
	}
}

func get(t *testing.T, url, token string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// TestARunThatIsAskedToStopGoesOnLater sends SIGTERM in the middle.
func TestARunThatIsAskedToStopGoesOnLater(t *testing.T) {
	url := storagetest.URL(t)
	s := storagetest.Open(t, url)
	fill(t, s, killOrders)
	binary := filepath.Join(named(t), "nightshift")
	stand := watch(t, s)
	cmd, out := victim(t, binary, url)
	for stand().kept == 0 {
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != exitFailed || !bytes.Contains(out.Bytes(), []byte("start it again to go on")) {
		t.Fatalf("asked to stop, the run ended with %v\n%s", err, out)
	}
	if p := stand(); !p.between() {
		t.Fatalf("the run is %s with %d candidates kept", p.state, p.kept)
	}
	cmd, out = victim(t, binary, url)
	outcome(t, cmd, out)
}

// TestNothingSecretIsPrinted tries every way of printing the settings.
func TestNothingSecretIsPrinted(t *testing.T) {
	var out, errs bytes.Buffer
	env := func(name string) string {
		return map[string]string{"DATABASE_URL": "postgres://night:hush@127.0.0.1:1/x", "NIGHTSHIFT_TOKEN": "hush", "NIGHTSHIFT_USER": "ann", "NIGHTSHIFT_PASSWORD": "hush"}[name]
	}
	for _, args := range [][]string{{"help", "settings"}, {"runs", "list"}, {"migrate", "up", "--json"}, {"serve", "--listen", "127.0.0.1:0"}} {
		run(t.Context(), args, env, &out, &errs)
	}
	p := program{}
	var err error
	if p.settings, err = readSettings(env); err != nil {
		t.Fatal(err)
	}
	p.out = &out
	p.printf("%v %+v %#v %s", p.settings, p.settings, p.settings, p.settings.Token)
	if err := p.printJSON(p.settings); err != nil {
		t.Fatal(err)
	}
	if text := out.String() + errs.String(); strings.Contains(text, "hush") {
		t.Errorf("a secret is printed:\n%s", text)
	}
}
