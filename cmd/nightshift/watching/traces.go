package watching

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"nightshift/jobs"
)

// Traces sends spans to an OpenTelemetry collector by HTTP, as the OTEL_
// variables of the environment say.
type Traces struct {
	Tracer   *jobs.Tracer
	provider *sdk.TracerProvider
}

// lastSpans is how long a program that ends waits for its last spans to be taken.
const lastSpans = 5 * time.Second

// NewTraces begins to send spans to an address, of every chunk or of some. The
// address may hold a secret: only its host is told.
func NewTraces(ctx context.Context, address, build string, everyChunk bool, log *slog.Logger) (*Traces, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("read OTEL_EXPORTER_OTLP_ENDPOINT: write it like http://collector:4318")
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Warn("spans were not taken: nights go on without", "to", u.Host, "error", withoutAddress(err))
	}))
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("send spans to %s: %s", u.Host, withoutAddress(err))
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(attribute.String("service.name", "nightshift"), attribute.String("service.version", build)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("read OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	var way sdk.SpanProcessor = sdk.NewBatchSpanProcessor(exporter)
	if !everyChunk {
		way = &someChunks{SpanProcessor: way, counted: map[[8]byte]int{}}
	}
	provider := sdk.NewTracerProvider(sdk.WithResource(about), sdk.WithSpanProcessor(way))
	return &Traces{Tracer: &jobs.Tracer{OpenTelemetry: provider.Tracer("nightshift")}, provider: provider}, nil
}

// Close sends what is left.
func (t *Traces) Close() {
	soon, cancel := context.WithTimeout(context.Background(), lastSpans)
	defer cancel()
	if err := t.provider.Shutdown(soon); err != nil {
		otel.Handle(err)
	}
}

var anyAddress = regexp.MustCompile(`https?://[^\s":]+(:\d+)?[^\s":]*`)

// withoutAddress is an error without the address that it may name.
func withoutAddress(err error) string {
	return anyAddress.ReplaceAllString(err.Error(), "the collector")
}

// Which chunks of a run have spans: the first ones, one of many, and those that
// failed or took long.
const (
	firstChunks = 10
	oneChunkOf  = 100
	longChunk   = 5 * time.Second
)

// someChunks leaves most spans of chunks out.
type someChunks struct {
	sdk.SpanProcessor
	mu      sync.Mutex
	counted map[[8]byte]int // by the run's span
}

// OnEnd passes on what is to be sent.
func (s *someChunks) OnEnd(span sdk.ReadOnlySpan) {
	if span.Name() == jobs.ChunkSpan && !s.keeps(span) {
		return
	}
	s.mu.Lock()
	delete(s.counted, span.SpanContext().SpanID())
	s.mu.Unlock()
	s.SpanProcessor.OnEnd(span)
}

func (s *someChunks) keeps(span sdk.ReadOnlySpan) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	run := [8]byte(span.Parent().SpanID())
	s.counted[run]++
	n := s.counted[run]
	return n <= firstChunks || n%oneChunkOf == 0 || span.Status().Code == codes.Error || span.EndTime().Sub(span.StartTime()) > longChunk
}

// untraced is what machines ask for all the time.
var untraced = []string{"/healthz", "/readyz", "/metrics"}

// Traced has a span for each request that next answers with a page: named after
// its route, since what was asked for may name somebody.
func Traced(t *jobs.Tracer, next http.Handler) http.Handler {
	if t == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(untraced, r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := t.Of(ctx, r.Method, attribute.String("http.request.method", r.Method))
		seen := &status{ResponseWriter: w}
		r = r.WithContext(ctx)
		defer func() {
			span.Name(r.Pattern)
			span.Note(attribute.Int("http.response.status_code", cmp.Or(seen.code, http.StatusOK)))
			var err error
			if seen.code >= http.StatusInternalServerError {
				err = fmt.Errorf("it answered %d", seen.code)
			}
			span.End(err)
		}()
		next.ServeHTTP(seen, r)
	})
}

// status remembers what was answered.
type status struct {
	http.ResponseWriter
	code int
}

// WriteHeader notes the status.
func (s *status) WriteHeader(code int) {
	s.code = cmp.Or(s.code, code)
	s.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController through.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }
