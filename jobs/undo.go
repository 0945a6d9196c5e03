package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Undo reverses what a wrong version of a ruleset decided, as far as it ended
// something: each order by a record of its own, so that its supervision goes on
// and the next night decides about it by the rules that hold then.
type Undo struct {
	Site    string
	Ruleset string
	Version int
	Because string
	Actor   string
	At      time.Time
}

// UndoOutcome is what history says of an order whose end was undone, and the
// kind of the notice that says so.
const (
	UndoOutcome = "undo"
	undone      = "undone"
)

// undoChunk is how many orders are reversed in one transaction.
const undoChunk = 200

// Undoing is what a version decided, and what of it can be reversed.
type Undoing struct {
	Decided map[string]int64 // by outcome, in the runs that it stood in
	Runs    int
	Count   int64              // reversible
	Orders  []storage.Undoable // the first of these
	Hinders error              // why it cannot be reversed yet; nil where it can
}

// undoing is an undo under way.
type undoing struct {
	Undo
	engine *Engine
	site   *rules.Site
	job    string
	on     market.Date
	hashes map[string]bool // of the version's texts
	query  storage.UndoQuery
	held   map[int64]*rules.InForce
	last   market.Date // of the job's newest run
}

// UndoList says what a version decided and what of it can be reversed, the
// first orders by name. It changes nothing.
func (e *Engine) UndoList(ctx context.Context, ask Undo, limit int) (list Undoing, err error) {
	u, err := e.undoing(ctx, ask)
	if err != nil {
		return list, err
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		if err := tx.ReadOnly(ctx); err != nil {
			return err
		}
		list.Runs, list.Hinders = len(u.query.Runs), u.replaced()
		if list.Decided, err = tx.CountOutcomes(ctx, u.query); err != nil {
			return err
		}
		return u.each(ctx, tx, func(found storage.Undoable) {
			if list.Count++; len(list.Orders) < limit {
				list.Orders = append(list.Orders, found)
			}
		})
	})
	return list, err
}

// each hands out everything that can be reversed.
func (u *undoing) each(ctx context.Context, tx *storage.Tx, hand func(storage.Undoable)) error {
	for after := int64(0); ; {
		list, last, err := u.next(ctx, tx, after)
		if err != nil || last == after {
			return err
		}
		for _, found := range list {
			hand(found)
		}
		after = last
	}
}

// next are the reversible decisions among the next of the runs', and the key of
// the last of those that were looked at: a run whose rules pin orders may have
// decided some by other versions.
func (u *undoing) next(ctx context.Context, tx *storage.Tx, after int64) (list []storage.Undoable, last int64, err error) {
	found, err := tx.Undoables(ctx, u.query, after, undoChunk)
	if err != nil || len(found) == 0 {
		return nil, after, err
	}
	last = found[len(found)-1].Subject
	for _, d := range found {
		by := u.held[d.RunID]
		facts, err := by.Policy().ParseFacts(d.Facts)
		if err != nil {
			return nil, after, fmt.Errorf("undo the decision about %s: %w", d.Order, err)
		}
		if u.hashes[hexHash(by.For(facts))] {
			list = append(list, d)
		}
	}
	return list, last, nil
}

// undoing finds the runs that a version stood in.
func (e *Engine) undoing(ctx context.Context, ask Undo) (*undoing, error) {
	site, err := e.inForce(ctx, ask.Site)
	if err != nil {
		return nil, err
	}
	u := &undoing{Undo: ask, engine: e, site: site, on: market.DateOf(ask.At, site.Zone), hashes: map[string]bool{}, held: map[int64]*rules.InForce{}}
	i := slices.IndexFunc(timetable, func(l line) bool { return slices.Contains(l.rulesets, ask.Ruleset) })
	if i < 0 || timetable[i].final == nil {
		return nil, fmt.Errorf("%w: undo %s: no job decides by this ruleset and keeps decisions that can be undone", ErrBadRequest, ask.Ruleset)
	}
	words, err := rules.VocabularyOf(ask.Ruleset)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	u.job = timetable[i].name
	u.query = storage.UndoQuery{Site: site.Name, Ruleset: ask.Ruleset, Outcomes: []string{}}
	for _, o := range words.Outcomes {
		if ask.Ruleset == timetable[i].rulesets[0] && timetable[i].final(o.Name) {
			u.query.Outcomes = append(u.query.Outcomes, o.Name)
		}
	}
	return u, e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error { return u.find(ctx, tx) })
}

func (u *undoing) find(ctx context.Context, tx *storage.Tx) error {
	hashes, err := tx.VersionHashes(ctx, u.site.Name, u.Ruleset, u.Version)
	if err != nil {
		return err
	}
	for _, hash := range hashes {
		u.hashes[fmt.Sprintf("%x", hash)] = true
	}
	const everyDate = market.Date(1 << 30)
	runs, err := tx.RunsUpTo(ctx, u.job, u.site.Name, everyDate)
	if err != nil {
		return err
	}
	for _, r := range runs {
		if !u.stoodIn(r) {
			continue
		}
		if u.held[r.ID], err = ruleHeldBy(ctx, u.engine.Store, u.site, r, u.Ruleset); err != nil {
			return err
		}
		if len(u.query.Runs) == 0 {
			u.query.From = r.On
		}
		u.query.Runs, u.query.To = append(u.query.Runs, r.ID), r.On
	}
	if len(u.query.Runs) == 0 {
		return fmt.Errorf("%w: undo %s@%d: no run at %s decided by it: see `nightshift rules list` and `nightshift runs list`", ErrBadRequest, u.Ruleset, u.Version, u.site.Name)
	}
	u.last = runs[len(runs)-1].On
	return allThere(ctx, tx, fmt.Sprintf("undo %s@%d", u.Ruleset, u.Version), u.query.From, u.query.To)
}

// stoodIn tells whether a run had the version among its rules.
func (u *undoing) stoodIn(r market.Run) bool {
	for name, hash := range r.Policies {
		if (name == u.Ruleset || strings.HasPrefix(name, u.Ruleset+"/")) && u.hashes[hash] {
			return true
		}
	}
	return false
}

var errStillInForce = errors.New("it is still in force")

// replaced refuses to undo what the night after the last would decide again.
func (u *undoing) replaced() error {
	f, err := u.site.InForce(u.Ruleset, u.last+1)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	for _, p := range append(f.Pinned(), f.Policy()) {
		if u.hashes[hexHash(p)] {
			return fmt.Errorf("%w: undo %s@%d: %w on %s, so that the next night would decide the same again: put another version in force first", ErrBadRequest, u.Ruleset, u.Version, errStillInForce, u.last+1)
		}
	}
	return nil
}

// Undo reverses what UndoList lists, a chunk a transaction. Started again it
// goes on: what was reversed is on no list any more. It answers how many it
// reversed.
func (e *Engine) Undo(ctx context.Context, ask Undo) (n int64, err error) {
	switch {
	case ask.Because == "":
		return 0, fmt.Errorf("%w: undo %s@%d: a reason is needed: --because \"…\"", ErrBadRequest, ask.Ruleset, ask.Version)
	case ask.Actor == "":
		return 0, fmt.Errorf("%w: undo %s@%d: nobody is named as deciding: name yourself with --actor", ErrBadRequest, ask.Ruleset, ask.Version)
	}
	u, err := e.undoing(ctx, ask)
	if err != nil {
		return 0, err
	}
	if err := u.replaced(); err != nil {
		return 0, err
	}
	if u.query.To > u.on {
		return 0, fmt.Errorf("%w: undo %s@%d: it decided on %s, after %s: undo it as of a later instant", ErrBadRequest, ask.Ruleset, ask.Version, u.query.To, u.on)
	}
	if err := e.Store.EnsureMonth(ctx, u.on); err != nil {
		return 0, err
	}
	for after, last := int64(0), int64(-1); after != last; {
		if ctx.Err() != nil {
			return n, context.Cause(ctx)
		}
		err := e.Store.InTx(context.WithoutCancel(ctx), func(ctx context.Context, tx *storage.Tx) error {
			last = after
			done, upto, err := u.chunk(ctx, tx, after)
			n, after = n+done, upto
			return err
		})
		if err != nil {
			return n, err
		}
		if e.Progress != nil {
			e.Progress(Progress{Job: "undo", On: u.on, Done: n})
		}
	}
	return n, nil
}

// chunk reverses the next orders, in one transaction: the decision that says so,
// the reversal of the end, the notice, and the waking of the order.
func (u *undoing) chunk(ctx context.Context, tx *storage.Tx, after int64) (n, upto int64, err error) {
	// Two who undo at once: the second waits here, and finds less to do.
	if err := tx.Serialise(ctx, "undo/"+u.site.Name+"/"+u.Ruleset); err != nil {
		return 0, after, err
	}
	if err := tx.ChangeFacts(ctx, u.site.Name); err != nil {
		return 0, after, err
	}
	list, upto, err := u.next(ctx, tx, after)
	if err != nil {
		return 0, after, err
	}
	for _, d := range list {
		if err := u.reverse(ctx, tx, d); err != nil {
			return 0, after, err
		}
	}
	return int64(len(list)), upto, nil
}

func (u *undoing) reverse(ctx context.Context, tx *storage.Tx, d storage.Undoable) error {
	version := fmt.Sprintf("%s@%d", u.Ruleset, u.Version)
	owner := storage.Keeping{Site: u.site.Name, On: u.on}
	if err := tx.KeepPersonDecision(ctx, owner, market.Decision{Subject: d.Subject, Ruleset: u.Ruleset, Outcome: UndoOutcome, Rule: "undone by version",
		DueAt: u.At, Facts: d.Facts, Actor: u.Actor, Because: u.Because, Evidence: version}); err != nil {
		return err
	}
	if d.Complete {
		if err := tx.Reverse(ctx, storage.Reversal{OrderID: d.Subject, No: d.No, On: u.on, At: u.At, Undone: version, Actor: u.Actor, Because: u.Because}); err != nil {
			return err
		}
	}
	var effects market.Effects
	notify(&effects, market.Notice{Key: fmt.Sprintf("undo/%s/%s/%s/%s", d.Outcome, u.site.Name, d.Order, d.On), Kind: undone, Subject: d.Subject, Recipients: concerned, At: u.At})
	if err := tx.KeepEffects(ctx, owner, effects); err != nil {
		return err
	}
	return tx.Wake(ctx, u.job, u.site.Name, d.Subject, d.PlacedAt)
}
