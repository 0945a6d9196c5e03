package console_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nightshift/cmd/nightshift/console"
	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

// nights is an engine with two nights of one hardware order behind it.
func nights(t *testing.T) *jobs.Engine {
	t.Helper()
	book, err := rules.Load(rules.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	e := &jobs.Engine{Store: storagetest.New(t), Book: book, Workers: 1, Build: "test"}
	for _, statement := range []string{
		`INSERT INTO buyers (site, code) VALUES ('cn', 'ann')`,
		`INSERT INTO orders (site, code, buyer_id, access_type, placed_at, paid_at) VALUES ('cn', 'A-1', 1, 'hardware', '2024-02-20 10:00+08', '2024-02-20 10:00+08')`,
		`INSERT INTO shipments (order_id, shipped_at, signed_at) VALUES (1, '2024-02-21 10:00+08', '2024-02-25 10:00+08')`,
		`INSERT INTO due (job, site, subject, look_at) VALUES ('acceptance', 'cn', 1, '2024-02-20 10:00+08')`,
	} {
		if _, err := e.Store.DB().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, on := range []market.Date{market.NewDate(2024, 3, 5), market.NewDate(2024, 3, 7)} {
		r, err := e.Run(t.Context(), jobs.Request{Job: "acceptance", Site: "cn", On: on})
		if err != nil {
			t.Fatal(err)
		}
		if on == market.NewDate(2024, 3, 5) { // the other one's is written when it is asked for
			if _, err := e.KeepWorkbook(t.Context(), r.Run); err != nil {
				t.Fatal(err)
			}
		}
	}
	return e
}

// ask sends one request and answers what came back.
func ask(t *testing.T, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPages(t *testing.T) {
	e := nights(t)
	if err := e.Halt(t.Context(), storage.Halt{Site: "cn", Job: "acceptance", Actor: "ann", Because: "the feed is being mended"}); err != nil {
		t.Fatal(err)
	}
	h := console.Routes(console.Config{Engine: e, Log: slog.New(slog.DiscardHandler)})
	for _, tt := range []struct {
		name, path, language string
		status               int
		want                 []string
	}{
		{"what does not begin", "/", "en", 200, []string{"What does not begin", "acceptance of 2024-03-06 at cn: it is paused: acceptance at cn is paused by ann"}},
		{"the runs, newest first", "/", "en", 200, []string{"2024-03-07", "2024-03-05", "completed", `href="/runs/2/acceptance-cn-2024-03-07.xlsx"`, "Business date"}},
		{"in Chinese where the browser asks", "/", "zh-CN,zh;q=0.9", 200, []string{"业务日期", "验收", "完成", `lang="zh-CN"`}},
		{"in Chinese where it was clicked", "/?lang=zh", "en", 200, []string{"业务日期"}},
		{"one run", "/runs/2", "", 200, []string{"acceptance 2024-03-07", "accepted", "2024-03-07 02:00", `href="/runs/2/acceptance-cn-2024-03-07.xlsx"`}},
		{"the first page asks for an order", "/", "en", 200, []string{`action="/explain"`, "Why was this order decided as it was?"}},
		{"an order is found", "/explain?order=A-1&lang=zh", "", 303, nil},
		{"why an order was accepted", "/explain/A-1", "en", 200, []string{"silence after the signature", "2024-03-06 10:00:00",
			"10 days since the courier reported the newest parcel signed (2024-02-25 10:00:00); asked: at least 10 days (acceptance_window)", "2024-03-05", "Turns", "→ accepted"}},
		{"in Chinese too", "/explain/A-1?lang=zh", "", 200, []string{"自快递报告最近一个包裹已签收起 10 天", "验收"}},
		{"no such order", "/explain/A-404", "", 404, []string{"Not Found"}},
		{"an order of no site", "/explain/A-1?site=mars", "", 404, nil},
		{"the style", "/style.css", "", 200, []string{"body {"}},
		{"the health", "/healthz", "", 200, []string{"well"}},
		{"whether it can work", "/readyz", "", 200, []string{"ready"}},
		{"no such run", "/runs/99", "", 404, []string{"Not Found"}},
		{"no number of a run", "/runs/../etc", "", 307, nil},
		{"no such document", "/runs/1/secret.txt", "", 404, nil},
		{"no such page", "/admin", "", 404, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // many people look at once
			w := ask(t, h, tt.path, "Accept-Language", tt.language)
			if w.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			for _, text := range tt.want {
				if !strings.Contains(w.Body.String(), text) {
					t.Errorf("%q is not on the page:\n%s", text, w.Body)
				}
			}
			if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("the page is not secured: %v", w.Header())
			}
		})
	}
}

func TestDocumentsAreDownloadedWhole(t *testing.T) {
	e := nights(t)
	h := console.Routes(console.Config{Engine: e, Log: slog.New(slog.DiscardHandler)})
	for _, path := range []string{"/runs/1/acceptance-cn-2024-03-05.xlsx", "/runs/2/acceptance-cn-2024-03-07.xlsx"} {
		w := ask(t, h, path)
		if w.Code != 200 || !bytes.HasPrefix(w.Body.Bytes(), []byte("PK")) {
			t.Fatalf("%s: status %d, %d bytes", path, w.Code, w.Body.Len())
		}
		if got := w.Header().Get("Content-Disposition"); got != "attachment; filename="+filepath.Base(path) {
			t.Errorf("%s is saved as %s", path, got)
		}
	}
	// A document whose bytes changed is cut off, never taken for the whole.
	if _, err := e.Store.DB().ExecContext(t.Context(), `UPDATE documents SET sha256 = decode(repeat('00', 32), 'hex') WHERE run_id = 1`); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	response, err := http.Get(server.URL + "/runs/1/acceptance-cn-2024-03-05.xlsx")
	if err == nil {
		var body bytes.Buffer
		_, err = body.ReadFrom(response.Body)
		response.Body.Close()
	}
	if err == nil && response.StatusCode == http.StatusOK {
		t.Error("a changed document was sent as if it were whole")
	}
}

func TestOnlyThoseWhoSignInSeePages(t *testing.T) {
	e := nights(t)
	basic := func(user, password string) string {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.SetBasicAuth(user, password)
		return r.Header.Get("Authorization")
	}
	both := console.Config{Engine: e, Log: slog.New(slog.DiscardHandler), Token: "t0ken", User: "ann", Password: "hush"}
	token := both
	token.User, token.Password = "", ""
	name := both
	name.Token = ""
	for _, tt := range []struct {
		name   string
		config console.Config
		header string
		path   string
		status int
	}{
		{"nobody", both, "", "/", 401},
		{"nobody asks for the style", both, "", "/style.css", 401},
		{"nobody asks for a document", both, "", "/runs/1/acceptance-cn-2024-03-05.xlsx", 401},
		{"nobody asks for what is not there", both, "", "/nothing", 401},
		{"health is for everybody", both, "", "/healthz", 200},
		{"so is whether it can work", both, "", "/readyz", 200},
		{"the figures are not", both, "", "/metrics", 401},
		{"the token", both, "Bearer t0ken", "/", 200},
		{"another token", both, "Bearer t0kem", "/", 401},
		{"no token", both, "Bearer ", "/", 401},
		{"the password", both, basic("ann", "hush"), "/", 200},
		{"another password", both, basic("ann", "hushh"), "/", 401},
		{"another name", both, basic("bob", "hush"), "/", 401},
		{"a password where only a token is known", token, basic("", ""), "/", 401},
		{"a token where only a password is known", name, "Bearer ", "/", 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := ask(t, console.Routes(tt.config), tt.path, "Authorization", tt.header)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
			if w.Code == 401 && w.Header().Get("WWW-Authenticate") == "" {
				t.Error("the browser is not told how to sign in")
			}
		})
	}
}

func TestARunUnderWayShowsHowFarItIsAndAsksAgain(t *testing.T) {
	e := nights(t)
	for _, statement := range []string{
		`UPDATE runs SET state = 'running', result_hash = NULL, due = 10 WHERE id = 2`,
		`INSERT INTO shards (run_id, no, after_id, upto_id, checkpoint, candidates) VALUES (2, 7, 0, 8, 2, 4)`,
	} {
		if _, err := e.Store.DB().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	h := console.Routes(console.Config{Engine: e, Log: slog.New(slog.DiscardHandler)})
	page := ask(t, h, "/runs/2").Body.String()
	for _, want := range []string{`http-equiv="refresh"`, `<progress aria-label="Shard 7" max="100" value="25">`, "/ 10"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s\n%s", want, page)
		}
	}
	if page := ask(t, h, "/runs/1").Body.String(); strings.Contains(page, "refresh") || strings.Contains(page, "<progress") {
		t.Errorf("a run that is completed asks again\n%s", page)
	}
}

func TestADatabaseThatIsGoneIsSaid(t *testing.T) {
	e := nights(t)
	var log bytes.Buffer
	h := console.Routes(console.Config{Engine: e, Log: slog.New(slog.NewTextHandler(&log, nil))})
	gone, err := storage.Open(t.Context(), storage.Config{DatabaseURL: "postgres://night:hush@127.0.0.1:1/gone"})
	if err == nil {
		defer gone.Close()
		e.Store = gone
		if w := ask(t, h, "/readyz"); w.Code < 500 {
			t.Errorf("status %d of a database that is gone", w.Code)
		}
		if w := ask(t, h, "/healthz"); w.Code != 200 {
			t.Errorf("status %d: starting the program again does not bring the database back", w.Code)
		}
	}
	if strings.Contains(log.String(), "hush") {
		t.Errorf("the log tells the password: %s", &log)
	}
}

// chromium is the browser that tests look through.
func chromium(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("NIGHTSHIFT_NO_SKIP") == "1" {
			t.Fatal("chromium is not installed")
		}
		t.Skip("chromium is not installed: .ci/run installs it")
	}
	return path
}

// TestTheBrowserShowsIt takes pictures, so that a person can look at them, and
// measures that everybody can read them.
func TestTheBrowserShowsIt(t *testing.T) {
	browser := chromium(t)
	pages := console.Routes(console.Config{Engine: nights(t), Log: slog.New(slog.DiscardHandler)})
	standsOut(t, browser, pages)
	server := httptest.NewServer(pages)
	defer server.Close()
	dir := os.Getenv("NIGHTSHIFT_PICTURES")
	if dir == "" {
		dir = t.TempDir()
	}
	for name, path := range map[string]string{"runs-zh": "/?lang=zh", "run-zh": "/runs/2?lang=zh", "explain-en": "/explain/A-1?lang=en"} {
		picture := filepath.Join(dir, name+".png")
		out, err := exec.CommandContext(t.Context(), browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
			"--user-data-dir="+t.TempDir(), "--window-size=1100,700", "--screenshot="+picture, server.URL+path).CombinedOutput()
		if err != nil {
			t.Fatalf("take a picture of %s: %v\n%s", path, err, out)
		}
		if info, err := os.Stat(picture); err != nil || info.Size() < 5_000 {
			t.Errorf("%s is empty: %v", picture, err)
		}
	}
}
