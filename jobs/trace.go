package jobs

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"nightshift/rules/market"
)

// Tracer begins spans: what took how long, within what. Without one nothing is
// noted down.
type Tracer struct{ OpenTelemetry trace.Tracer }

// ChunkSpan is what the span of a chunk is called: there may be thousands in a run.
const ChunkSpan = "chunk"

// Of begins a span within the one of the context; whoever begins it ends it. Its
// attributes name sites, jobs, dates and runs, and nobody.
func (t *Tracer) Of(ctx context.Context, name string, about ...attribute.KeyValue) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	ctx, span := t.OpenTelemetry.Start(ctx, name, trace.WithAttributes(about...))
	return ctx, &Span{span}
}

// Span is work that is being timed; nil where nobody asks.
type Span struct{ span trace.Span }

// Note adds to what a span says.
func (s *Span) Note(about ...attribute.KeyValue) {
	if s != nil {
		s.span.SetAttributes(about...)
	}
}

// Name gives a span another name, if it has any.
func (s *Span) Name(name string) {
	if s != nil && name != "" {
		s.span.SetName(name)
	}
}

// End ends a span with what came of it. Why a job stood is a word; only what broke
// is told in full, since what people wrote is none of a trace's business.
func (s *Span) End(err error) {
	if s == nil {
		return
	}
	if err != nil {
		word := InAWord(err)
		s.span.SetAttributes(attribute.String("error.type", word))
		if word == failedReason {
			s.span.RecordError(err)
			word = err.Error()
		}
		s.span.SetStatus(codes.Error, word)
	}
	s.span.End()
}

const failedReason = "failed"

// InAWord is why a job did not come to its end, in a word.
func InAWord(err error) string {
	for _, r := range []struct {
		is   error
		word string
	}{
		{ErrNoInput, "no_input"}, {ErrTooMuch, "too_much_input"}, {ErrWaits, "waits"}, {ErrPaused, "paused"}, {ErrManyMissed, "many_missed"}, {ErrClock, "clock"}, {ErrAlive, "alive"},
		{ErrControl, "control"}, {ErrParkLimit, "parked"}, {ErrBadRequest, "refused"}, {context.Canceled, "stopped"},
	} {
		if errors.Is(err, r.is) {
			return r.word
		}
	}
	return failedReason
}

// dated are the attributes of a job on a date.
func dated(job, site string, on market.Date) []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String("nightshift.job", job), attribute.String("nightshift.site", site), attribute.String("nightshift.date", on.String())}
}

// cameTo are the attributes of what a run came to.
func cameTo(r Result) []attribute.KeyValue {
	return []attribute.KeyValue{attribute.Int64("nightshift.run", r.Run.ID), attribute.String("nightshift.state", r.Run.State),
		attribute.Int64("nightshift.candidates", r.Run.Candidates), attribute.Int64("nightshift.parked", r.Run.Parked), attribute.Int64("nightshift.decisions", r.Run.Decisions)}
}
