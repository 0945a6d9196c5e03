package jobs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"nightshift/reports"
	"nightshift/rules"
	"nightshift/storage"
)

// chapter is a stretch of a subject's history in which the same facts held:
// from its instant until the next one's.
type chapter struct {
	from    time.Time
	facts   any
	instant []time.Time // at which something in them was reported or stopped
}

// stood is what stood about a subject at the end, kept or decided again.
type stood struct {
	outcome, rule, because string
	due                    time.Time
	carried                []byte
	final                  bool
	trouble                error // it could not be decided
}

// subject decides the history of one subject again and notes what changes.
func (b *backtest) subject(rows []storage.Past, j *judged) error {
	last := b.lastOf(rows, 0)
	if len(rows) == 0 || last == nil || b.line.final(last.Outcome) && last.On < b.From {
		return nil
	}
	chapters, err := b.chapters(rows)
	if err != nil {
		return err
	}
	j.counts.Orders++
	limit := b.asOf // of the rulesets after the first
	var known time.Time
	if b.line.final(last.Outcome) {
		known = last.DueAt
		limit = last.DueAt
	}
	for n, candidate := range b.candidates {
		if candidate == nil {
			continue
		}
		before := b.kept(b.lastOf(rows, n), n)
		var after stood
		if n == 0 {
			after = b.again(chapters, rows, candidate)
			if limit = b.asOf; after.final {
				limit = after.due
			}
		} else {
			after = b.walk(chapters, candidate, n, limit)
		}
		c := change(before, after, known)
		c.Ruleset, c.Subject = candidate.Ruleset, reports.Subject{Order: last.Order, Buyer: last.Buyer, Seller: last.Seller, AccessType: last.AccessType, Amount: last.Amount}
		if err := j.counts.Add(c); err != nil {
			return fmt.Errorf("add up order %s: %w", last.Order, err)
		}
		if c.Listed() {
			j.changed = append(j.changed, c)
		}
	}
	return nil
}

// lastOf is the newest row of a ruleset; nil where it said nothing.
func (b *backtest) lastOf(rows []storage.Past, n int) *storage.Past {
	for i := range slices.Backward(rows) {
		if rows[i].Ruleset == b.line.rulesets[n] {
			return &rows[i]
		}
	}
	return nil
}

// kept is what stood in history: the last row, or the outcome that says nothing.
func (b *backtest) kept(d *storage.Past, n int) stood {
	if d == nil {
		return stood{outcome: b.line.rests[n]}
	}
	return stood{outcome: d.Outcome, rule: d.Rule, due: d.DueAt, carried: d.Carried, final: n == 0 && b.line.final(d.Outcome), because: d.Decision.Because}
}

// again walks a subject under a candidate of the first ruleset. What a person
// decided ends the walk, where the candidate has not ended it before.
func (b *backtest) again(chapters []chapter, rows []storage.Past, candidate *rules.Policy) stood {
	limit, person := b.asOf, -1
	for i, d := range rows {
		if d.Actor != "" && b.line.final(d.Outcome) {
			limit, person = d.DueAt.Add(-time.Microsecond), i
			break
		}
	}
	said := b.walk(chapters, candidate, 0, limit)
	if person >= 0 && !said.final {
		return b.kept(&rows[person], 0)
	}
	return said
}

// walk asks a policy about the chapters, up to an instant.
func (b *backtest) walk(chapters []chapter, p *rules.Policy, n int, limit time.Time) (said stood) {
	at := 0
	w := walk{policy: p, from: chapters[0].from, asOf: limit, facts: func(t time.Time) any {
		for at+1 < len(chapters) && !chapters[at+1].from.After(t) {
			at++
		}
		return chapters[at].facts
	}}
	for _, c := range chapters {
		w.events = append(w.events, c.from)
		for clock := range p.Stopwatches(c.facts) {
			if !clock.Down() && !clock.Anchor().IsZero() {
				w.events = append(w.events, clock.Anchor())
			}
		}
	}
	slices.SortFunc(w.events, time.Time.Compare)
	var step Step
	_, err := w.run(func(s Step) bool {
		if step.At.IsZero() || !s.Answer.Same(step.Answer) {
			step = s
		}
		return n == 0 && b.line.final(s.Answer.Outcome)
	})
	a := step.Answer
	return stood{outcome: a.Outcome, rule: a.Rule, because: a.Because, due: step.At, carried: carried(a), final: n == 0 && b.line.final(a.Outcome), trouble: err}
}

// chapters are the stretches of a subject's history. A row's facts hold from
// the earliest instant at which they say something that the row before did not;
// where that does not explain the instant of its decision (a fact without an
// instant has changed, such as a cancellation), from the decision's.
func (b *backtest) chapters(rows []storage.Past) ([]chapter, error) {
	var out []chapter
	var text []byte
	for i := range rows {
		d := &rows[i]
		if d.Actor != "" || bytes.Equal(d.Facts, text) {
			continue
		}
		text = d.Facts
		live := b.live[held{d.RunID, d.Ruleset}]
		if live == nil {
			return nil, fmt.Errorf("decide order %s again: run %d of its decision of %s is not there", d.Order, d.RunID, d.On)
		}
		facts, err := live.Policy().ParseFacts(d.Facts)
		if err != nil {
			return nil, fmt.Errorf("decide order %s again: %w", d.Order, err)
		}
		p := live.For(facts)
		next := chapter{facts: facts, instant: instants(p, facts)}
		var before chapter
		if len(out) > 0 {
			before = out[len(out)-1]
		}
		next.from = b.begins(d, p, before, next)
		out = append(out, next)
	}
	return out, nil
}

// begins is when the facts of a row began to hold.
func (b *backtest) begins(d *storage.Past, p *rules.Policy, before, next chapter) time.Time {
	from := before.from
	var first time.Time
	for _, t := range next.instant {
		if !slices.ContainsFunc(before.instant, t.Equal) {
			first = earliest(first, t)
		}
	}
	from = latest(from, first)
	n := slices.Index(b.line.rulesets, d.Ruleset)
	next.from = from
	if said := b.walk([]chapter{next}, p, n, latest(d.DueAt, from)); said.outcome == d.Outcome && said.rule == d.Rule && said.due.Equal(d.DueAt) {
		return from
	}
	return latest(before.from, d.DueAt)
}

// instants are those at which something in the facts was reported, stopped or
// went on.
func instants(p *rules.Policy, facts any) []time.Time {
	var out []time.Time
	for clock := range p.Stopwatches(facts) {
		if clock.Down() || clock.Anchor().IsZero() {
			continue
		}
		out = append(out, clock.Anchor())
		for _, s := range clock.Stopped() {
			if out = append(out, s.From); !s.Open() {
				out = append(out, s.To)
			}
		}
	}
	return out
}

// change compares what stood with what would have. Known is the instant at
// which history ended; what happened after it was never recorded.
func change(before, after stood, known time.Time) reports.ChangedDecision {
	c := reports.ChangedDecision{
		Before: reports.Stood{Outcome: before.outcome, Rule: before.rule, Since: before.due},
		After:  reports.Stood{Outcome: after.outcome, Rule: after.rule, Since: after.due},
		Final:  before.final && after.final, Because: after.because,
	}
	if after.trouble != nil {
		c.After, c.Because, c.Kind = reports.Stood{}, after.trouble.Error(), reports.ChangeUndecidable
		return c
	}
	c.Unknown = !known.IsZero() && (!after.final || after.due.After(known))
	switch {
	case before.outcome != after.outcome:
		c.Kind = reports.ChangeOutcome
	case c.Final && after.due.Before(before.due):
		c.Kind = reports.ChangeEarlier
	case c.Final && after.due.After(before.due):
		c.Kind = reports.ChangeLater
	case before.rule == "": // the outcome that says nothing is not kept, and neither is its rule
	case !sameCarried(before.carried, after.carried):
		c.Kind = reports.ChangeValues
	case before.rule != after.rule:
		c.Kind = reports.ChangeRule
	}
	return c
}

// sameCarried tells whether two texts of carried values, one of which the
// database has rewritten in its own way, say the same.
func sameCarried(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 || bytes.Equal(a, b) {
		return len(a) == len(b)
	}
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	return reflect.DeepEqual(x, y)
}
