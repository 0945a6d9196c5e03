package jobs

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// pace is how carefully a worker goes. The database refusing a chunk slows it
// down until the one candidate is found that has to be parked.
type pace struct {
	limit   int    // candidates a chunk
	careful bool   // look every event up before it is kept
	refused string // why the database refused this one candidate; empty usually
}

// harvest is what a chunk leaves behind, all in one transaction.
type harvest struct {
	decisions []market.Decision
	effects   market.Effects
	doubtful  []string // keys of events that may have been kept before
	facts     []byte   // of all decisions, one after the other
	back      storage.PutBack
	dismissed []int64
	parked    []storage.Parked
	shadows   []storage.ShadowDifference

	journals   []market.Journal // of billing and renewal
	deductions []market.Deduction
	ends       []market.OrderEnd
	booked     []market.Booked
	refunds    []market.RefundResult
	months     []market.MonthBill
	lines      []market.MonthLine // of months that are to be rounded
	rounded    []market.RoundedMonth
	turns      []turn // of what buyers owe, which sellers have to be told of
	metered    market.MeteredUse
	terms      []market.BoughtTerm // of renewal
	changes    []market.PolicyResult
	takenBack  []market.UnsubscriptionResult

	statements []market.Statement // of settlement
	waiting    []storage.SellerWaiting
	troubled   []storage.Parked // sellers with lines that a person has to mend
}

// cleared is the room of an earlier chunk for the next one.
func (k *harvest) cleared() *harvest {
	*k = harvest{
		decisions: k.decisions[:0],
		effects:   market.Effects{Events: k.effects.Events[:0], Completions: k.effects.Completions[:0], Notices: k.effects.Notices[:0], Calls: k.effects.Calls[:0], Endings: k.effects.Endings[:0]},
		doubtful:  k.doubtful[:0],
		facts:     k.facts[:0],
		back:      k.back.Cleared(),
		dismissed: k.dismissed[:0],
		shadows:   k.shadows[:0],

		journals:   k.journals[:0],
		deductions: k.deductions[:0],
		ends:       k.ends[:0],
		booked:     k.booked[:0],
		refunds:    k.refunds[:0],
		months:     k.months[:0],
		lines:      k.lines[:0],
		rounded:    k.rounded[:0],
		turns:      k.turns[:0],
		metered:    k.metered.Cleared(),
		terms:      k.terms[:0],
		changes:    k.changes[:0],
		takenBack:  k.takenBack[:0],

		statements: k.statements[:0],
		waiting:    k.waiting[:0],
		troubled:   k.troubled[:0],
	}
	return k
}

// rows are about as many as a chunk writes; a line of a statement, which is read with
// all there is about its order, weighs as much as some of them.
func (k *harvest) rows() int {
	const line = 3
	n := len(k.decisions) + len(k.journals) + len(k.deductions) + len(k.metered.Results) + len(k.metered.Rated)
	for i := range k.statements {
		n += line * len(k.statements[i].Lines)
	}
	for i := range k.waiting {
		n += line * len(k.waiting[i].Lines)
	}
	return n
}

// step takes a claimed shard one chunk further: read what is due, decide it,
// keep it. The transaction holds all of it or none.
func (j Job[C]) step(ctx context.Context, tx *storage.Tx, x *execution, shard *storage.Shard, p pace) error {
	due, err := tx.DueChunk(ctx, j.Name, x.run.Site, x.run.AsOf, shard.Checkpoint, shard.Upto, p.limit, x.sparse)
	if err != nil {
		return err
	}
	candidates, err := j.Read(tx, ctx, subjects(due), x.site, x.run.AsOf)
	if err != nil {
		return err
	}
	k := x.harvest.cleared()
	for i := range candidates {
		if err := j.decide(x, &candidates[i], due[i], p, shard, k); err != nil {
			return err
		}
	}
	if err := k.keep(ctx, tx, x, p); err != nil {
		return err
	}
	advance(shard, due, p, k)
	return tx.KeepShard(ctx, x.run.ID, *shard)
}

// advance counts a chunk, and moves the checkpoint behind it.
func advance(shard *storage.Shard, due []storage.Due, p pace, k *harvest) {
	shard.Candidates += int64(len(due))
	shard.Parked += int64(len(k.parked))
	shard.Decisions += int64(len(k.decisions))
	shard.Checkpoint, shard.Done = shard.Upto, len(due) < p.limit
	if !shard.Done {
		shard.Checkpoint = due[len(due)-1].Subject
	}
}

// decide settles one candidate. It touches neither database nor clock; what
// it cannot decide is parked with the reason. A calendar that ends too early is
// nothing that could be mended about a candidate: it stops the run.
func (j Job[C]) decide(x *execution, c *C, due storage.Due, p pace, shard *storage.Shard, k *harvest) error {
	var v verdict
	err := errors.New(p.refused)
	if p.refused == "" {
		v, err = j.settle(x, c, due)
	}
	if errors.Is(err, market.ErrOutsideCalendar) {
		return fmt.Errorf("decide %s: %w", j.Code(c), err)
	}
	if err != nil {
		k.parked = append(k.parked, storage.Parked{Subject: due.Subject, Code: j.Code(c), Reason: err.Error()})
		shard.ResultHash = addHash(shard.ResultHash, newDigest(j.Code(c)).text("parked").bytes)
		return nil
	}
	k.add(v, due, p)
	shard.Outcomes[v.outcome]++
	shard.ResultHash = addHash(shard.ResultHash, v.digest(j.Code(c)).bytes)
	return nil
}

// verdict is what the walk of one candidate came to.
type verdict struct {
	outcome   string // of the first ruleset
	final     bool
	decisions []market.Decision
	effects   market.Effects
	look      time.Time
	stands    fingerprints
	shadows   []storage.ShadowDifference
}

// settle walks a candidate through the job's rulesets. The first of them may
// end the work; the others are asked up to that instant.
func (j Job[C]) settle(x *execution, c *C, due storage.Due) (verdict, error) {
	v := verdict{look: x.nextVersion, stands: standing(due.Stands, len(j.Rulesets))}
	x.moments = x.moments[:0]
	x.events = j.Events(c, x.events[:0])
	slices.SortFunc(x.events, time.Time.Compare)
	w := walk{events: x.events, asOf: x.run.AsOf, facts: func(at time.Time) any {
		return x.factsAt(at, func(room any) any { return j.Facts(c, at, x.site, room) })
	}}
	for n, ruleset := range j.Rulesets {
		w.from = j.Begins(c)
		w.policy = x.inForce[n].For(w.facts(w.from))
		var step Step
		var failed error
		end, err := w.run(func(s Step) bool {
			if step.At.IsZero() || !s.Answer.Same(step.Answer) {
				step = s
				failed = j.Effect(c, ruleset.Name, s, x.site, &v.effects)
			}
			return failed != nil || n == 0 && j.Final(s.Answer.Outcome)
		})
		if err = cmp.Or(err, failed); err != nil {
			return v, err
		}
		if x.shadows != nil {
			v.shadows = j.shadow(x, w, n, step, due, v.shadows)
		}
		if n == 0 {
			v.outcome, v.final = step.Answer.Outcome, j.Final(step.Answer.Outcome)
			w.asOf = step.At
			if !v.final {
				w.asOf = x.run.AsOf
			}
		}
		v.look = earliest(v.look, end.looks)
		d := market.Decision{Subject: due.Subject, Ruleset: ruleset.Name, RunID: x.run.ID, Outcome: step.Answer.Outcome, Rule: step.Answer.Rule,
			DueAt: step.At, LookAt: end.turns, Carried: carried(step.Answer)}
		if v.stands.turns(n, d, ruleset.Rest) {
			d.Facts = x.harvest.keepFacts(w.policy, end.facts)
			v.decisions = append(v.decisions, d)
		}
	}
	if v.final && j.Endings {
		v.effects.Endings = append(v.effects.Endings, market.Ending{Job: j.Name, Subject: due.Subject, Outcome: v.outcome, At: w.asOf})
	}
	v.effects.Once()
	return v, nil
}

// keepFacts writes facts behind those of the decisions before.
func (k *harvest) keepFacts(p *rules.Policy, facts any) []byte {
	from := len(k.facts)
	k.facts = p.AppendFacts(k.facts, facts)
	return slices.Clip(k.facts[from:])
}

// digest is the candidate's part of the result hash.
func (v verdict) digest(code string) *digest {
	d := newDigest(code)
	for _, decision := range v.decisions {
		d.decision(decision)
	}
	for _, e := range v.effects.Events {
		d.event(e)
	}
	return d
}

// add puts a verdict to what the chunk leaves behind.
func (k *harvest) add(v verdict, due storage.Due, p pace) {
	k.decisions = append(k.decisions, v.decisions...)
	k.effects.Append(v.effects)
	k.shadows = append(k.shadows, v.shadows...)
	if p.careful || due.Stands != nil {
		for _, e := range v.effects.Events {
			k.doubtful = append(k.doubtful, e.Key)
		}
	}
	if v.final {
		k.dismissed = append(k.dismissed, due.Subject)
	} else {
		k.back.Add(due.Subject, v.look, v.stands)
	}
}

// carried are the values that came with an answer, as JSON; nil for none.
func carried(a rules.Answer) []byte {
	if len(a.Values) == 0 {
		return nil
	}
	buf := []byte{'{'}
	for i, v := range a.Values {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = append(strconv.AppendQuote(buf, v.Name), ':')
		buf = v.AppendJSON(buf)
	}
	return append(buf, '}')
}

// fingerprints are eight bytes a ruleset, of the decision that stands.
type fingerprints []byte

func standing(kept []byte, rulesets int) fingerprints {
	f := make(fingerprints, 8*rulesets)
	copy(f, kept)
	return f
}

// turns tells whether a decision differs from the one that stands, and has it
// stand from now on. An outcome that says nothing differs from no decision
// only after another one was kept.
func (f fingerprints) turns(n int, d market.Decision, rest string) bool {
	is := fnv1a(fnv1a(fnv1a(fnvBasis, d.Outcome), d.Rule), d.Carried)
	was := binary.BigEndian.Uint64(f[8*n:])
	if was == is || was == 0 && rest != "" && d.Outcome == rest {
		return false
	}
	binary.BigEndian.PutUint64(f[8*n:], is)
	return true
}

// keep writes a chunk. What happened before is left out: an event is looked up
// where the candidate was decided earlier, and always at a careful pace.
func (k *harvest) keep(ctx context.Context, tx *storage.Tx, x *execution, p pace) error {
	if err := k.forget(ctx, tx, p); err != nil {
		return err
	}
	owner := storage.Keeping{RunID: x.run.ID, Site: x.run.Site, On: x.run.On}
	if err := tx.KeepDecisions(ctx, owner, k.decisions); err != nil {
		return err
	}
	if err := tx.KeepEffects(ctx, owner, k.effects); err != nil {
		return err
	}
	if err := k.keepBilled(ctx, tx, owner); err != nil {
		return err
	}
	if err := tx.KeepShadows(ctx, owner, k.shadows); err != nil {
		return err
	}
	if err := tx.Dismiss(ctx, x.run.Job, k.dismissed); err != nil {
		return err
	}
	if err := tx.PutBack(ctx, x.run.Job, k.back); err != nil {
		return err
	}
	return tx.Park(ctx, x.run.Job, owner, k.parked)
}

// keepBilled writes what billing, renewal and settlement leave behind.
func (k *harvest) keepBilled(ctx context.Context, tx *storage.Tx, owner storage.Keeping) error {
	if err := tx.KeepJournals(ctx, owner, storage.RunSource(owner.RunID), k.journals); err != nil {
		return err
	}
	if err := tx.KeepDeductions(ctx, owner, k.deductions); err != nil {
		return err
	}
	if err := tx.KeepOrderEnds(ctx, owner, k.ends); err != nil {
		return err
	}
	if err := tx.KeepBooked(ctx, k.booked); err != nil {
		return err
	}
	if err := tx.KeepRefunds(ctx, owner, k.refunds); err != nil {
		return err
	}
	if err := tx.KeepMonthBills(ctx, owner, k.months); err != nil {
		return err
	}
	if err := tx.KeepUnrounded(ctx, k.lines); err != nil {
		return err
	}
	if err := tx.KeepRounded(ctx, owner, k.rounded); err != nil {
		return err
	}
	if err := tx.KeepTerms(ctx, owner, k.terms); err != nil {
		return err
	}
	if err := tx.KeepPolicies(ctx, owner, k.changes); err != nil {
		return err
	}
	if err := tx.KeepUnsubscriptions(ctx, owner, k.takenBack); err != nil {
		return err
	}
	if err := k.keepSettled(ctx, tx, owner); err != nil {
		return err
	}
	return tx.KeepUsage(ctx, owner, k.metered)
}

// forget drops the effects of events that were kept before.
func (k *harvest) forget(ctx context.Context, tx *storage.Tx, p pace) error {
	seen, err := tx.EventsSeen(ctx, k.doubtful)
	if err != nil {
		return err
	}
	if len(seen) > 0 {
		k.effects.Events = slices.DeleteFunc(k.effects.Events, func(e market.Event) bool { return seen[e.Key] })
		k.effects.Notices = slices.DeleteFunc(k.effects.Notices, func(n market.Notice) bool { return seen[n.Key] })
		k.effects.Calls = slices.DeleteFunc(k.effects.Calls, func(c market.Call) bool { return seen[c.Key] })
	}
	if !p.careful || len(k.effects.Completions) == 0 {
		return nil
	}
	var orders []int64
	for _, c := range k.effects.Completions {
		orders = append(orders, c.OrderID)
	}
	done, err := tx.Completed(ctx, orders)
	k.effects.Completions = slices.DeleteFunc(k.effects.Completions, func(c market.Completion) bool { return done[c.OrderID] })
	return err
}

// nextVersions is the as-of of the first night on which another version of one
// of the rulesets holds: whatever waits is looked at again then.
func nextVersions(site *rules.Site, l line, on market.Date, asOf func(market.Date) time.Time) time.Time {
	var look time.Time
	for _, ruleset := range l.rulesets {
		if next, ok := site.NextVersion(ruleset, on); ok {
			look = earliest(look, asOf(next))
		}
	}
	return look
}
