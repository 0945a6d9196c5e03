package watching_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"nightshift/cmd/nightshift/watching"
	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

func engine(t *testing.T) *jobs.Engine {
	t.Helper()
	book, err := rules.Load(rules.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	return &jobs.Engine{Store: storagetest.New(t), Book: book, Workers: 1, Build: "test"}
}

func at(t *testing.T, clock string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	instant, err := time.ParseInLocation("2006-01-02 15:04", clock, zone)
	if err != nil {
		t.Fatal(err)
	}
	return instant
}

// postbox is a mail server on this machine that takes what it is given.
type postbox struct {
	mu      sync.Mutex
	letters []string
	refuses bool
}

func (p *postbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &postman{box: p}, nil }

type postman struct {
	box *postbox
	to  []string
}

func (*postman) Reset()                                   {}
func (*postman) Logout() error                            { return nil }
func (*postman) Mail(_ string, _ *smtp.MailOptions) error { return nil }
func (p *postman) Rcpt(to string, _ *smtp.RcptOptions) error {
	p.to = append(p.to, to)
	return nil
}

func (p *postman) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	if p.box.refuses {
		return &smtp.SMTPError{Code: 451, Message: "come back later"}
	}
	p.box.letters = append(p.box.letters, "to: "+strings.Join(p.to, ",")+"\r\n"+string(text))
	return err
}

// open starts the server, and answers its address.
func (p *postbox) open(t *testing.T) string {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(p)
	server.AllowInsecureAuth = true
	go server.Serve(socket)
	t.Cleanup(func() { server.Close() })
	return "smtp://" + socket.Addr().String()
}

// hook is a web server that keeps what is posted to it.
func hook(t *testing.T, status func() int) (address string, posted func() []map[string]any) {
	t.Helper()
	var mu sync.Mutex
	var all []map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		body["idempotency"] = r.Header.Get("Idempotency-Key")
		mu.Lock()
		defer mu.Unlock()
		if s := status(); s != 200 {
			w.WriteHeader(s)
			return
		}
		all = append(all, body)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/t0ken", func() []map[string]any {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

func ran(t *testing.T, e *jobs.Engine, job, on string) {
	t.Helper()
	date, err := market.ParseDate(on)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Run(t.Context(), jobs.Request{Job: job, Site: "cn", On: date}); err != nil {
		t.Fatal(err)
	}
}

func TestANightIsToldOnceByMailAndWebhook(t *testing.T) {
	e := engine(t)
	box, status := &postbox{}, 503
	address, posted := hook(t, func() int { return status })
	letters, err := watching.NewMail(box.open(t), "night@example.org", []string{"ops@example.org", "finance@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	web, err := watching.NewWebhook(address)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	w := watching.New(e, []string{"cn"}, slog.New(slog.NewTextHandler(&log, nil)), letters, web)
	site, err := e.Book.Site("cn")
	if err != nil {
		t.Fatal(err)
	}
	tick := func(clock string) {
		w.Tick(t.Context(), site, at(t, clock))
		w.Close()
	}
	ran(t, e, "settlement", "2024-02-29")
	for _, job := range []string{"acceptance", "renewal"} {
		ran(t, e, job, "2024-03-15")
	}
	tick("2024-03-15 04:30")
	if len(box.letters) != 0 {
		t.Fatalf("told while billing is under way: %q", box.letters)
	}
	ran(t, e, "billing", "2024-03-14")
	tick("2024-03-15 04:40")
	if len(box.letters) != 1 || len(posted()) != 0 || !strings.Contains(log.String(), "webhook at 127.0.0.1") {
		t.Fatalf("with a webhook that is down: %d letters, %d posts\n%s", len(box.letters), len(posted()), &log)
	}
	status = 200
	for _, clock := range []string{"2024-03-15 04:41", "2024-03-15 04:42", "2024-03-15 07:00"} {
		tick(clock)
	}
	told := posted()
	if len(told) != 1 || told[0]["kind"] != "digest" || told[0]["night"] != "2024-03-15" || told[0]["needs_a_person"] != false || told[0]["idempotency"] != "digest/cn/2024-03-15" {
		t.Fatalf("posted %v\n%s", told, &log)
	}
	letter, err := mail.ReadMessage(strings.NewReader(box.letters[0][strings.Index(box.letters[0], "\r\n")+2:]))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(letter.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(box.letters[0], "to: ops@example.org,finance@example.org") || letter.Header.Get("Subject") != "Nightshift cn, night of 2024-03-15: 3 runs" ||
		!strings.Contains(string(body), "billing of 2024-03-14: completed, run 4") || letter.Header.Get("Message-Id") == "" {
		t.Errorf("the letter is\n%s", box.letters[0])
	}
	if len(box.letters) != 1 { // the webhook alone did not take the first
		t.Errorf("%d letters", len(box.letters))
	}
	if strings.Contains(log.String(), "t0ken") {
		t.Errorf("the log tells the address of the webhook:\n%s", &log)
	}
}

func TestAnAlarmComesBeforeADeadlineIsMissed(t *testing.T) {
	e := engine(t)
	address, posted := hook(t, func() int { return 200 })
	web, err := watching.NewWebhook(address)
	if err != nil {
		t.Fatal(err)
	}
	w := watching.New(e, []string{"cn"}, slog.New(slog.DiscardHandler), web)
	site, err := e.Book.Site("cn")
	if err != nil {
		t.Fatal(err)
	}
	ran(t, e, "settlement", "2024-02-29")
	for _, job := range []string{"acceptance", "renewal"} {
		ran(t, e, job, "2024-03-15")
	}
	ran(t, e, "billing", "2024-03-13")
	if _, err := e.Store.DB().ExecContext(t.Context(), `UPDATE runs SET finished_at = started_at + interval '40 minutes' WHERE job = 'billing'`); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		clock string
		want  string
	}{
		{"2024-03-15 05:19", "[]"}, // 41 minutes are left
		{"2024-03-15 05:21", "[Nightshift cn: billing of 2024-03-14 will not be done by 2024-03-15 06:00]"},
		{"2024-03-15 05:30", "[Nightshift cn: billing of 2024-03-14 will not be done by 2024-03-15 06:00]"}, // once
	} {
		w.Tick(t.Context(), site, at(t, tt.clock))
		w.Close()
		subjects := []any{}
		for _, m := range posted() {
			subjects = append(subjects, m["subject"])
		}
		if fmt.Sprint(subjects) != tt.want {
			t.Errorf("at %s: %v, want %s", tt.clock, subjects, tt.want)
		}
	}
}

func TestTheFiguresAreReadByPrometheus(t *testing.T) {
	e := engine(t)
	ran(t, e, "acceptance", "2024-03-15")
	w := watching.New(e, []string{"cn"}, slog.New(slog.DiscardHandler))
	w.Leads("cn", true)
	w.Woken("cn", "acceptance", time.Second, nil)
	w.Stood(t.Context(), "cn", "billing", fmt.Errorf("billing: %w for renewal", jobs.ErrWaits))
	answer := httptest.NewRecorder()
	w.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	lint, err := promlint.New(strings.NewReader(answer.Body.String())).Lint()
	if err != nil || len(lint) > 0 {
		t.Errorf("promtool would say %v, %v", lint, err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	value := func(name string, labels map[string]string) (v float64, found bool) {
		for _, m := range families[name].GetMetric() {
			match := 0
			for _, l := range m.GetLabel() {
				if labels[l.GetName()] == l.GetValue() {
					match++
				}
			}
			if match == len(labels) {
				return m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount()), true
			}
		}
		return 0, false
	}
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range families {
		if strings.HasPrefix(name, "nightshift_") && !strings.Contains(string(readme), "`"+name+"`") {
			t.Errorf("README.md does not say what %s is", name)
		}
	}
	for _, tt := range []struct {
		name   string
		labels map[string]string
		least  float64
	}{
		{"nightshift_runs", map[string]string{"site": "cn", "job": "acceptance", "state": "completed"}, 1},
		{"nightshift_rows", map[string]string{"site": "cn", "job": "acceptance", "state": "completed"}, 0},
		{"nightshift_parked", map[string]string{"site": "cn", "job": "acceptance"}, 0},
		{"nightshift_due_dates", map[string]string{"site": "cn", "job": "billing"}, 1},
		{"nightshift_lag_seconds", map[string]string{"site": "cn", "job": "acceptance"}, 1},
		{"nightshift_leader", map[string]string{"site": "cn"}, 1},
		{"nightshift_wakes_total", map[string]string{"site": "cn", "job": "acceptance", "result": "done"}, 1},
		{"nightshift_wake_seconds", map[string]string{"site": "cn", "job": "acceptance"}, 1},
		{"nightshift_runs_stood_total", map[string]string{"site": "cn", "job": "billing", "reason": "waits"}, 1},
		{"go_goroutines", nil, 1},
	} {
		if v, found := value(tt.name, tt.labels); !found || v < tt.least {
			t.Errorf("%s%v is %v, found: %v", tt.name, tt.labels, v, found)
		}
	}
	if margin, found := value("nightshift_deadline_margin_seconds", map[string]string{"site": "cn", "job": "acceptance"}); !found || margin >= 0 {
		t.Errorf("the deadline of years ago is missed by %v, found: %v", margin, found)
	}
}

func TestSettingsOfMailAndWebhookThatAreWrongAreSaidWithoutTheirSecrets(t *testing.T) {
	for _, address := range []string{"mail.example.org", "http://ann:hush@mail.example.org", "smtp://ann:hush@mail.example.org:x"} {
		if _, err := watching.NewMail(address, "a@example.org", []string{"b@example.org"}); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := watching.NewMail("smtp://localhost", "nobody", []string{"b@example.org"}); err == nil || !strings.Contains(err.Error(), "NIGHTSHIFT_MAIL_FROM") {
		t.Errorf("%v", err)
	}
	if _, err := watching.NewWebhook("ftp://hush"); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("%v", err)
	}
	web, err := watching.NewWebhook("http://127.0.0.1:1/hush")
	if err != nil {
		t.Fatal(err)
	}
	if err := web.Send(context.Background(), jobs.Message{}); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("%v", err)
	}
}
