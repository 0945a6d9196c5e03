package watching_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"nightshift/cmd/nightshift/watching"
	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage"
)

// collects is an OpenTelemetry collector on this machine: its address, and the
// spans that it took.
func collects(t *testing.T, answers int) (address string, taken func() []*otlp.Span) {
	t.Helper()
	var mu sync.Mutex
	var all []*otlp.Span
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		request := &collector.ExportTraceServiceRequest{}
		if err = errors.Join(err, proto.Unmarshal(body, request)); err != nil || r.URL.Path != "/hush/v1/traces" || r.Header.Get("Api-Key") != "s3cret" {
			t.Errorf("%s with the key %q: %v", r.URL, r.Header.Get("Api-Key"), err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, of := range request.GetResourceSpans() {
			for _, scope := range of.GetScopeSpans() {
				all = append(all, scope.GetSpans()...)
			}
		}
		w.WriteHeader(answers)
	}))
	t.Cleanup(server.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL+"/hush")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "Api-Key=s3cret")
	return server.URL + "/hush", func() []*otlp.Span {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// told is a span in a line: its name, that of the one it is within, its
// attributes and what came of it.
func told(s *otlp.Span, all []*otlp.Span) string {
	within := slices.IndexFunc(all, func(p *otlp.Span) bool { return string(p.GetSpanId()) == string(s.GetParentSpanId()) })
	line := s.GetName()
	if within >= 0 {
		line += " in " + all[within].GetName()
	}
	for _, a := range s.GetAttributes() {
		if v := a.GetValue(); v.GetStringValue() != "" {
			line += fmt.Sprintf(" %s=%s", a.GetKey(), v.GetStringValue())
		} else {
			line += fmt.Sprintf(" %s=%d", a.GetKey(), v.GetIntValue())
		}
	}
	if said := s.GetStatus().GetMessage(); said != "" {
		line += ": " + said
	}
	return line
}

func TestANightLeavesSpansWithTheCollector(t *testing.T) {
	address, taken := collects(t, http.StatusOK)
	e := engine(t)
	traces, err := watching.NewTraces(t.Context(), address, "test", false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	e.Tracer = traces.Tracer
	night, err := market.ParseDate("2024-03-15")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Halt(t.Context(), storage.Halt{Site: "cn", Job: "billing", Actor: "ann", Because: "bob's prices are wrong"}); err != nil {
		t.Fatal(err)
	}
	ctx, span := e.Tracer.Of(t.Context(), "night")
	err = e.Night(ctx, "cn", night, at(t, "2024-03-15 04:30"), func(r jobs.Result) {
		if _, err := e.KeepWorkbook(ctx, r.Run); err != nil {
			t.Error(err)
		}
	})
	span.End(err)
	traces.Close()
	var lines []string
	for _, s := range taken() {
		lines = append(lines, told(s, taken()))
		if s.GetEndTimeUnixNano() < s.GetStartTimeUnixNano() {
			t.Errorf("%s ended before it began", s.GetName())
		}
	}
	slices.Sort(lines)
	got := strings.Join(lines, "\n")
	for _, want := range []string{
		"night error.type=paused: paused",
		"run acceptance in night nightshift.job=acceptance nightshift.site=cn nightshift.date=2024-03-15 nightshift.run=1 nightshift.state=completed nightshift.candidates=0",
		"workbook acceptance in night nightshift.job=acceptance nightshift.site=cn nightshift.date=2024-03-15 nightshift.run=1 nightshift.bytes=",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no span %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "ann") || strings.Contains(got, "bob") {
		t.Errorf("spans tell who paused and why:\n%s", got)
	}
}

func TestOfManyChunksSomeLeaveSpans(t *testing.T) {
	for _, tt := range []struct {
		every bool
		want  int
	}{{false, 10 + 3 + 1}, {true, 302}} { // the first ten, one in a hundred, and the one that failed
		address, taken := collects(t, http.StatusOK)
		t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2048")
		traces, err := watching.NewTraces(t.Context(), address, "test", tt.every, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, run := traces.Tracer.Of(t.Context(), "run")
		for n := range 301 {
			_, chunk := traces.Tracer.Of(ctx, jobs.ChunkSpan)
			if n == 55 {
				chunk.End(errors.New("the line was cut"))
				continue
			}
			chunk.End(nil)
		}
		run.End(nil)
		traces.Close()
		if got := len(taken()) - 1; got != tt.want && got != tt.want-1 {
			t.Errorf("every chunk %v: %d spans of chunks, want %d", tt.every, got, tt.want)
		}
	}
}

func TestASpanOfAPageIsCalledAfterItsRouteAndBelongsToWhoAsked(t *testing.T) {
	address, taken := collects(t, http.StatusOK)
	traces, err := watching.NewTraces(t.Context(), address, "test", false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /explain/{order}", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) })
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	pages := watching.Traced(traces.Tracer, mux)
	for _, path := range []string{"/explain/of-ann?token=hush", "/healthz"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
		pages.ServeHTTP(httptest.NewRecorder(), r)
	}
	traces.Close()
	all := taken()
	if len(all) != 1 || fmt.Sprintf("%x", all[0].GetTraceId()) != "4bf92f3577b34da6a3ce929d0e0e4736" {
		t.Fatalf("%v", all)
	}
	if got, want := told(all[0], nil), "GET /explain/{order} http.request.method=GET http.response.status_code=503 error.type=failed: it answered 503"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestACollectorThatIsNotThereIsSaidWithoutItsSecrets(t *testing.T) {
	address, _ := collects(t, http.StatusForbidden)
	for _, to := range []string{address, "http://ann:s3cret@127.0.0.1:1/hush"} {
		var log strings.Builder
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", to)
		traces, err := watching.NewTraces(t.Context(), to, "test", false, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		_, span := traces.Tracer.Of(t.Context(), "night")
		span.End(fmt.Errorf("acceptance: %w: ann says so", jobs.ErrPaused))
		traces.Close()
		if said := log.String(); !strings.Contains(said, "spans were not taken") || strings.Contains(said, "hush") || strings.Contains(said, "s3cret") {
			t.Errorf("the log says %q", said)
		}
	}
	if _, err := watching.NewTraces(t.Context(), "s3cret", "test", false, slog.New(slog.DiscardHandler)); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
	var none *jobs.Tracer
	ctx, span := none.Of(t.Context(), "night")
	span.End(nil)
	if ctx != t.Context() {
		t.Error("without a collector the context is another one")
	}
}
