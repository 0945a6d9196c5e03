package jobs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// StatementAct is what a person does with statements of a period.
type StatementAct struct {
	Site    string
	Act     string // one of StatementActs
	Period  market.Period
	Sellers []string // by code; none: all that stand where the act begins
	Actor   string
	Because string
	At      time.Time
}

// statementAct is a step that people take with statements.
type statementAct struct {
	name    string
	from    []string
	named   bool // only of sellers who are named
	because bool // a reason is needed
	to      func(c *calendar, s storage.StatementStand, on market.Date) (state string, until market.Date, err error)
}

// statementActs are the steps there are, in the order of a statement's way.
var statementActs = []statementAct{
	{name: "review", from: []string{market.StatementDraft}, to: func(c *calendar, s storage.StatementStand, _ market.Date) (string, market.Date, error) {
		day, err := c.site.BillDay(s.Period)
		if err != nil {
			return "", 0, err
		}
		until, err := c.after(day, "review", day)
		return market.StatementInReview, until, err
	}},
	{name: "send", from: []string{market.StatementInReview}, to: func(c *calendar, _ storage.StatementStand, on market.Date) (string, market.Date, error) {
		confirm, err := c.confirms(on)
		if err != nil || confirm {
			return market.StatementToConfirm, 0, err
		}
		until, err := c.after(on, "countersign", on)
		return market.StatementToCountersign, until, err
	}},
	{name: "confirm", from: []string{market.StatementToConfirm}, named: true, to: toCountersign},
	{name: "countersign", from: []string{market.StatementToCountersign}, to: func(c *calendar, s storage.StatementStand, on market.Date) (string, market.Date, error) {
		if s.Payout.IsZero() {
			return market.StatementNothingToPay, 0, nil
		}
		until, err := c.after(on, "pay", on)
		return market.StatementPayable, until, err
	}},
	{name: "dispute", from: []string{market.StatementToConfirm, market.StatementToCountersign, market.StatementPayable}, named: true, because: true,
		to: func(*calendar, storage.StatementStand, market.Date) (string, market.Date, error) {
			return market.StatementDisputed, 0, nil
		}},
	{name: "resolve", from: []string{market.StatementDisputed}, named: true, because: true, to: toCountersign},
	{name: "retry", from: []string{market.StatementPaymentFailed}, named: true, because: true, to: func(c *calendar, _ storage.StatementStand, on market.Date) (string, market.Date, error) {
		until, err := c.after(on, "pay", on)
		return market.StatementPayable, until, err
	}},
}

func toCountersign(c *calendar, _ storage.StatementStand, on market.Date) (string, market.Date, error) {
	until, err := c.after(on, "countersign", on)
	return market.StatementToCountersign, until, err
}

// calendar asks the settlement calendar of a site.
type calendar struct{ site *rules.Site }

// asked is what the calendar of a date answers.
func (c *calendar) asked(on market.Date) (rules.Answer, error) {
	policy, err := c.site.Policy(rules.CalendarRuleset, on)
	if err != nil {
		return rules.Answer{}, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	return policy.Decide(&rules.SettlementCalendarFacts{Site: c.site.Name, Model: market.ModelCommon}, on.At(market.TimeOfDay{}, c.site.Zone))
}

// after is the last day of a step that begins with an event on a date, by the
// calendar of that date: so many working days after it, its own not counted.
func (c *calendar) after(event market.Date, step string, on market.Date) (market.Date, error) {
	answer, err := c.asked(on)
	if err != nil {
		return 0, err
	}
	days, _ := answer.Value(step)
	if c.site.Calendar == nil {
		return 0, fmt.Errorf("%w: count %d working days after %s: site %s has no calendar of working days: name one in its site.yaml", ErrBadRequest, days.Int(), event, c.site.Name)
	}
	until, err := c.site.Calendar.AddWorkingDays(event, int(days.Int()))
	if err != nil {
		return 0, fmt.Errorf("find the last day to %s what began on %s: %w", step, event, err)
	}
	return until, nil
}

// confirms tells whether sellers confirm what is sent to them on a date.
func (c *calendar) confirms(on market.Date) (bool, error) {
	answer, err := c.asked(on)
	if err != nil {
		return false, err
	}
	confirm, _ := answer.Value("confirm")
	return confirm.Bool(), nil
}

// StatementStep is a step on the way of a statement.
type StatementStep struct {
	State string
	Until market.Date
	Done  time.Time // zero while it is not
}

// statementSteps are the steps of a statement with their last days: each counts
// from the end of the one before, or from its last day while it is not over.
func statementSteps(site *rules.Site, period market.Period, moves []storage.StatementMove) ([]StatementStep, error) {
	c := &calendar{site}
	event, err := site.BillDay(period)
	if err != nil {
		return nil, err
	}
	steps := []StatementStep{{State: market.StatementInReview}, {State: market.StatementToCountersign}, {State: market.StatementPayable}}
	for i, word := range []string{"review", "countersign", "pay"} {
		if steps[i].Until, err = c.after(event, word, event); err != nil {
			return nil, err
		}
		event = steps[i].Until
		for n, m := range moves {
			if left := n > 0 && moves[n-1].State == steps[i].State && m.State != steps[i].State; left && m.State != market.StatementDisputed {
				steps[i].Done = m.At
				event = market.DateOf(m.At, site.Zone)
			}
		}
	}
	return steps, nil
}

// StatementActs are the names of the steps that people take.
func StatementActs() (names []string) {
	for _, a := range statementActs {
		names = append(names, a.name)
	}
	return names
}

// MoveStatements carries an act out on every statement that stands where it
// begins, all or none; of sellers who are named each must. It answers the
// statements as they stood before, and where they went.
func (e *Engine) MoveStatements(ctx context.Context, ask StatementAct) (moved []storage.StatementStand, moves []storage.StatementMove, err error) {
	site, err := e.inForce(ctx, ask.Site)
	if err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(statementActs, func(a statementAct) bool { return a.name == ask.Act })
	if i < 0 {
		return nil, nil, fmt.Errorf("%w: there is no step %q: the steps are %v", ErrBadRequest, ask.Act, StatementActs())
	}
	act := statementActs[i]
	if err := act.valid(ask); err != nil {
		return nil, nil, err
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		moved, moves = nil, nil
		if err := tx.Serialise(ctx, payoutLock(ask.Site)); err != nil {
			return err
		}
		list, err := tx.Statements(ctx, storage.StatementQuery{Site: ask.Site, Period: ask.Period.Number(), Sellers: ask.Sellers})
		if err != nil {
			return err
		}
		if err := known(ask, list); err != nil {
			return err
		}
		for _, s := range list {
			m, skip, err := act.move(&calendar{site}, ask, s)
			if err != nil {
				return err
			}
			if skip {
				continue
			}
			if err := tx.MoveStatement(ctx, s, m); err != nil {
				return err
			}
			moved, moves = append(moved, s), append(moves, m)
		}
		return nil
	})
	return moved, moves, err
}

// payoutLock is held by whoever moves statements or money of a site, so that
// one comes after the other.
func payoutLock(site string) string { return "payout/" + site }

func (a statementAct) valid(ask StatementAct) error {
	switch {
	case ask.Actor == "":
		return fmt.Errorf("%w: %s: nobody is named as doing it: name yourself with --actor", ErrBadRequest, a.name)
	case a.named && len(ask.Sellers) == 0:
		return fmt.Errorf("%w: %s: name the sellers", ErrBadRequest, a.name)
	case a.because && ask.Because == "":
		return fmt.Errorf("%w: %s: a reason is needed: --because \"…\"", ErrBadRequest, a.name)
	}
	return nil
}

// known says which of the sellers who were named have no statement.
func known(ask StatementAct, list []storage.StatementStand) error {
	for _, seller := range ask.Sellers {
		if !slices.ContainsFunc(list, func(s storage.StatementStand) bool { return s.Seller == seller }) {
			return fmt.Errorf("%w: %w: %s has none for %s: see `nightshift settlement list --period %s`", ErrBadRequest, storage.ErrNoStatement, seller, ask.Period, ask.Period)
		}
	}
	return nil
}

// move is the move of one statement. One that stands elsewhere is skipped, unless
// its seller was named.
func (a statementAct) move(c *calendar, ask StatementAct, s storage.StatementStand) (m storage.StatementMove, skip bool, err error) {
	if !slices.Contains(a.from, s.State()) {
		if len(ask.Sellers) == 0 {
			return m, true, nil
		}
		return m, false, fmt.Errorf("%w: %s %s of %s: it is %s, it must be %s", ErrBadRequest, a.name, s.Period, s.Seller, s.State(), strings.Join(a.from, " or "))
	}
	if a.name == "dispute" && s.OnItsWay() {
		return m, false, fmt.Errorf("%w: dispute %s of %s: its payment is with the bank in %s: what is agreed is an adjustment of the next period", ErrBadRequest, s.Period, s.Seller, s.Ordered)
	}
	if s.Move.At.After(ask.At) {
		return m, false, fmt.Errorf("%w: %s %s of %s: it was moved at %s, which is later", ErrBadRequest, a.name, s.Period, s.Seller, s.Move.At.Format(time.RFC3339))
	}
	state, until, err := a.to(c, s, market.DateOf(ask.At, c.site.Zone))
	return storage.StatementMove{State: state, Until: until, At: ask.At, Actor: ask.Actor, Because: ask.Because}, false, err
}

// StatementList are the newest versions of statements and where they stand.
func (e *Engine) StatementList(ctx context.Context, q storage.StatementQuery) (list []storage.StatementStand, err error) {
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		list, err = tx.Statements(ctx, q)
		return err
	})
	return list, err
}

// StatementWay is one statement with its moves and steps.
func (e *Engine) StatementWay(ctx context.Context, siteName, seller string, period market.Period) (s storage.StatementStand, moves []storage.StatementMove, steps []StatementStep, err error) {
	site, err := e.inForce(ctx, siteName)
	if err != nil {
		return s, nil, nil, err
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		list, err := tx.Statements(ctx, storage.StatementQuery{Site: siteName, Period: period.Number(), Sellers: []string{seller}})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fmt.Errorf("%w: %w: %s has none for %s", ErrBadRequest, storage.ErrNoStatement, seller, period)
		}
		s = list[0]
		moves, err = tx.MovesOf(ctx, s)
		return err
	})
	if err == nil {
		steps, err = statementSteps(site, period, moves)
	}
	return s, moves, steps, err
}
