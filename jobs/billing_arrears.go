package jobs

import (
	"fmt"
	"slices"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
)

// owing is what stands of what a buyer owes for use.
type owing struct {
	Since    time.Time     `json:",omitzero"` // the first deduction that was not paid in full; zero: nothing is owed for use
	Overdue  time.Time     `json:",omitzero"` // by when the first bill was to be paid that is not; zero: none is overdue
	Outcome  string        `json:",omitempty"`
	At       time.Time     `json:",omitzero"` // since when: clocks that ran out before do so once
	FrozenAt time.Time     `json:",omitzero"`
	Frozen   []market.Span `json:",omitempty"` // that are over: use in them is reported late
}

// freezes are the spans in which the buyer's instances could not be used.
func (o *owing) freezes() []market.Span {
	if o.FrozenAt.IsZero() {
		return o.Frozen
	}
	return append(o.Frozen[:len(o.Frozen):len(o.Frozen)], market.Span{From: o.FrozenAt})
}

// forgetFreezes drops the freezes that no record can be about any more, and has
// the buyer looked at when the next one is of that age. Afterwards nothing stands
// of who owes nothing.
func (b *bill) forgetFreezes() {
	o := &b.billed.stands.Owing
	old := func(s market.Span) bool { return !s.To.Add(market.Remembered).After(b.asOf) }
	if slices.ContainsFunc(o.Frozen, old) {
		o.Frozen = slices.DeleteFunc(slices.Clone(o.Frozen), old)
	}
	if len(o.Frozen) > 0 {
		b.billed.look = earliest(b.billed.look, o.Frozen[0].To.Add(market.Remembered))
	}
}

// payArrears has money that came, or came back, pay what is owed, before anything
// else does. Of is the event that brought it.
func (b *bill) payArrears(of string, currency market.Currency, at time.Time) error {
	j := market.PayFromCash("arrears/"+of, market.BuyerArrears(b.payer.Code), currency, at, b.books)
	if len(j.Postings) == 0 {
		return nil
	}
	j.Memo = "What " + b.payer.Code + " owed is paid"
	return b.book(j)
}

// planBack plans what others gave back: what is owed is paid with it as with money
// that comes.
func (b *bill) planBack() {
	for _, c := range b.back {
		if c.Seen {
			continue
		}
		b.when(c.At, moneyComes, func(at time.Time) error {
			b.settled("back", c.ID)
			b.billed.effects.Events = append(b.billed.effects.Events, market.Event{Key: c.Key()})
			return b.payArrears(c.Of, c.Currency, at)
		})
	}
}

// cash is what the buyer can pay with at an instant. What came back to who owes for
// use is for that.
func (b *bill) cash(c market.Currency, at time.Time) market.Money {
	if b.books.Balance(market.BuyerArrears(b.payer.Code), c).Amount.Sign() < 0 {
		return market.NewMoney(market.Decimal{}, c)
	}
	return b.books.Available(market.BuyerCash(b.payer.Code), c, at)
}

// owes tells whether a clock of what is owed runs.
func (o *owing) owes() bool { return !o.Since.IsZero() || !o.Overdue.IsZero() }

// watchArrears notes when a buyer begins to owe for use, when a bill is overdue,
// and when neither is any more.
func (b *bill) watchArrears(at time.Time) error {
	o := &b.billed.stands.Owing
	was := [2]time.Time{o.Since, o.Overdue}
	switch owes := b.owesForUse(); {
	case owes && o.Since.IsZero():
		o.Since = at
	case !owes:
		o.Since = time.Time{}
	}
	_, o.Overdue = b.overdue(latest(at, o.Overdue))
	if o.Since.Equal(was[0]) && o.Overdue.Equal(was[1]) {
		return nil
	}
	return b.decideArrears(at)
}

// owesForUse tells whether use is not paid, in whatever currency.
func (b *bill) owesForUse() bool {
	return slices.ContainsFunc(b.books.Currencies(), func(c market.Currency) bool {
		return b.books.Balance(market.BuyerArrears(b.payer.Code), c).Amount.Sign() < 0
	})
}

// owed is what is owed for use in the currency of the site.
func (b *bill) owed() market.Money {
	return b.books.Balance(market.BuyerArrears(b.payer.Code), b.site.Currency).Neg()
}

// passArrears lets the clocks of what is owed run out up to an instant, and
// tells when the next one does; zero where none runs.
func (b *bill) passArrears(upto time.Time) (next time.Time, err error) {
	o := &b.billed.stands.Owing
	if !o.owes() {
		return time.Time{}, nil
	}
	if err := b.askPeriods(); err != nil {
		return time.Time{}, err
	}
	return passClocks(b.version["arrears"], latest(earliest(o.Since, o.Overdue), o.At), upto, func() any { return b.arrearsFacts() }, b.decideArrears, o.owes)
}

// askPeriods asks for the periods of the buyer's level, once one of them runs.
func (b *bill) askPeriods() (err error) {
	if !b.owes.known {
		b.owes, err = b.periodsOf(b.version["periods"])
	}
	return err
}

func (b *bill) arrearsFacts() *rules.ArrearsFacts {
	owed := b.owed()
	if owed.Amount.Sign() < 0 {
		owed.Amount = market.Decimal{}
	}
	o := &b.billed.stands.Owing
	late, _ := b.overdue(o.Overdue)
	return &rules.ArrearsFacts{Level: b.payer.Level, GraceDays: b.owes.grace, KeptDays: b.owes.retention, Owed: owed, OwedFor: market.StartedAt(o.Since),
		Overdue: late, OverdueFor: market.StartedAt(o.Overdue)}
}

// decideArrears asks the rules what becomes of the buyer's resources at an
// instant, and does it where that changes.
func (b *bill) decideArrears(at time.Time) error {
	if err := b.askPeriods(); err != nil {
		return err
	}
	policy, facts, o := b.version["arrears"], b.arrearsFacts(), &b.billed.stands.Owing
	answer, err := policy.Decide(facts, at)
	if err != nil || answer.Outcome == o.Outcome {
		return err
	}
	was := o.Outcome
	switch answer.Outcome {
	case "freeze", "release":
		if o.FrozenAt.IsZero() {
			o.FrozenAt = at
			err = b.freeze(at)
		}
	case "clear", "grace":
		if !o.FrozenAt.IsZero() {
			err = b.thaw(o.FrozenAt, at)
			o.Frozen, o.FrozenAt = append(o.Frozen, market.Span{From: o.FrozenAt, To: at}), time.Time{}
		}
	default:
		return fmt.Errorf("carry out %q of ruleset arrears: billing does not know this outcome", answer.Outcome)
	}
	if err != nil {
		return err
	}
	o.Outcome, o.At = answer.Outcome, at
	d := market.Decision{Subject: b.payer.ID, Ruleset: policy.Ruleset, RunID: b.runID, Outcome: answer.Outcome, Rule: answer.Rule, DueAt: at,
		Facts: b.harvest.keepFacts(policy, facts), Carried: carried(answer)}
	if next, turns := policy.Next(facts, at, answer); turns {
		d.LookAt = next
	}
	if call := sellersAct(was, answer.Outcome); call != "" {
		b.billed.turns = append(b.billed.turns, turn{buyer: b.payer.ID, call: call, at: at})
	}
	b.billed.arrears = &d // the last of a run is kept
	notify(&b.billed.effects, market.Notice{Key: fmt.Sprintf("arrears_%s/%s/%s/%s", answer.Outcome, b.payer.Site, b.payer.Code, at.UTC().Format(time.RFC3339)),
		Kind: "arrears_" + answer.Outcome, Subject: b.payer.ID, Recipients: []string{"buyer"}, At: at})
	b.billed.outcomes["arrears "+answer.Outcome]++
	return nil
}

// freeze and thaw have the use on its way judged by them, too: the night of a
// freeze, or one that is late, knows of it no later than the nights after it.
func (b *bill) freeze(at time.Time) error {
	if b.use.walk == nil {
		return nil
	}
	return b.use.walk.Freeze(at)
}

func (b *bill) thaw(since, at time.Time) error {
	if b.use.walk == nil {
		return nil
	}
	return b.use.walk.Thaw(since, at)
}
