package jobs

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"nightshift/jobs/metering"
	"nightshift/jobs/waterfall"
	"nightshift/rules"
	"nightshift/rules/market"
)

// bill is what a run of billing knows and decides about one buyer.
type bill struct {
	payer     *market.Payer
	money     []market.MoneyIn // not booked yet, in the order of its instants
	refunds   []market.RefundRequest
	usage     *market.Usage // not billed yet
	use       use
	meter     *metering.Meter
	seen      map[string]bool    // events that happened before: re-purchases, closed months
	onAccount []market.Spent     // since the first open bill
	noted     []market.MonthLine // of months that are to be rounded
	back      []market.CameBack
	books     *market.Books // of the buyer's accounts; what is booked here is spent here
	stands    stands        // what stands of earlier nights
	site      *rules.Site
	runID     int64
	asOf      time.Time
	version   map[string]*rules.Policy // by ruleset
	harvest   *harvest                 // of the chunk: facts are written down there

	happenings []happening
	tries      []orderTry
	purse      []market.Instrument // what one bill could be paid with
	owes       periods             // of the buyer's level, once the buyer owes
	metered    metering.Metered

	refunded      map[int64]market.Decimal // in this run, by order
	unconditional map[int]int64            // refunds in this run, by the year of their request
	billed        billed
}

// cleared is the room of an earlier buyer for the next one.
func (b *bill) cleared() *bill {
	of := &b.billed
	clear(of.outcomes)
	*b = bill{
		happenings: b.happenings[:0],
		tries:      b.tries[:0],
		purse:      b.purse[:0],
		billed: billed{
			journals:   of.journals[:0],
			deductions: of.deductions[:0],
			decisions:  of.decisions[:0],
			ends:       of.ends[:0],
			booked:     of.booked[:0],
			refunds:    of.refunds[:0],
			months:     of.months[:0],
			lines:      of.lines[:0],
			rounded:    of.rounded[:0],
			effects:    market.Effects{Events: of.effects.Events[:0], Completions: of.effects.Completions[:0], Notices: of.effects.Notices[:0]},
			outcomes:   of.outcomes,
		},
	}
	if b.billed.outcomes == nil {
		b.billed.outcomes = map[string]int64{}
	}
	return b
}

// billed is what became of a buyer: all of it is kept, or none.
type billed struct {
	journals   []market.Journal
	deductions []market.Deduction
	decisions  []market.Decision
	ends       []market.OrderEnd
	booked     []market.Booked
	refunds    []market.RefundResult
	months     []market.MonthBill
	lines      []market.MonthLine // to be noted for the end of their month
	rounded    []market.RoundedMonth
	effects    market.Effects
	turns      []turn // of the arrears, which sellers have to be told of
	stands     stands
	arrears    *market.Decision // what became of the buyer's resources; nil where nothing changed
	failed     *market.Decision // why a package was not bought again; nil where none should have been
	look       time.Time        // when there is next something to settle
	outcomes   map[string]int64
}

// happening is something that happens to a buyer's money at an instant. What
// happens in the same second goes by rank: money that comes is there before it
// is spent, and people come before clocks.
type happening struct {
	at   time.Time
	rank int
	do   func(at time.Time) error
}

// The ranks of what happens in one second.
const (
	moneyComes = iota
	orderIsTried
	useIsDeducted
)

// settle takes the buyer through everything that happened up to the as-of, in
// the order of its instants, so that a late run pays what punctual runs would
// have paid. It touches neither database nor clock.
func (b *bill) settle() error {
	b.billed.stands.Unrounded, b.billed.stands.Owing = b.stands.Unrounded, b.stands.Owing
	b.billed.stands.Account, b.billed.stands.Bills = b.stands.Account, slices.Clone(b.stands.Bills)
	b.awaitNoted()
	b.planMoney()
	b.planBack()
	b.planInstruments()
	b.refunded, b.unconditional = map[int64]market.Decimal{}, map[int]int64{}
	for i := range b.refunds {
		r := &b.refunds[i]
		if r.Return != nil {
			if err := b.planReturn(r); err != nil {
				return err
			}
			continue
		}
		b.when(r.At, moneyComes, func(time.Time) error { return b.refund(r) })
	}
	for i := range b.payer.Charges {
		c := &b.payer.Charges[i]
		b.when(c.At, useIsDeducted, func(time.Time) error {
			b.settled("charge", c.ID)
			return b.charge(c)
		})
	}
	tries := slices.Grow(b.tries, len(b.payer.Orders))[:len(b.payer.Orders)]
	b.tries = tries
	for i := range b.payer.Orders {
		if err := b.priceUpgrade(&b.payer.Orders[i]); err != nil {
			return err
		}
		tries[i] = orderTry{bill: b, order: &b.payer.Orders[i]}
		tries[i].plan()
	}
	b.arrange()
	if err := b.happen(); err != nil {
		return err
	}
	for i := range tries {
		if err := tries[i].rest(); err != nil {
			return err
		}
	}
	if b.use.walk != nil {
		var err error
		if b.metered, err = b.use.walk.End(); err != nil {
			return err
		}
		b.billed.look = earliest(b.billed.look, b.metered.NextDue)
	}
	b.watchAccount(b.asOf)
	if err := b.pass(b.asOf); err != nil {
		return err
	}
	if err := b.watchArrears(b.asOf); err != nil { // renewals may have given back what was bought on account
		return err
	}
	next, err := b.passOwed(b.asOf)
	if err != nil {
		return err
	}
	b.billed.look = earliest(b.billed.look, next)
	b.billed.keepLast()
	b.forgetFreezes()
	b.billed.look = earliest(b.billed.look, b.billed.stands.Account)
	b.noteUnrounded()
	return nil
}

// keepLast keeps what was decided last of what may turn often in a run.
func (b *billed) keepLast() {
	for _, last := range []*market.Decision{b.arrears, b.failed} {
		if last != nil {
			b.decisions = append(b.decisions, *last)
		}
	}
}

// planMoney plans the money that came or went.
func (b *bill) planMoney() {
	for i := range b.money {
		m := &b.money[i]
		b.when(m.At, moneyComes, func(time.Time) error {
			b.settled("money", m.ID)
			return b.bookMoney(m)
		})
	}
}

// planInstruments plans what the buyer was given to pay with.
func (b *bill) planInstruments() {
	for i := range b.payer.Granted {
		if g := &b.payer.Granted[i]; g.Account != "" && !g.Issued {
			b.when(g.GrantedAt, moneyComes, func(time.Time) error {
				b.settled("instrument", g.ID)
				return b.book(g.Issue(b.payer.Site))
			})
		}
	}
}

// arrange puts what is planned in the order of its instants.
func (b *bill) arrange() {
	slices.SortStableFunc(b.happenings, func(x, y happening) int {
		return cmp.Or(x.at.Compare(y.at), cmp.Compare(x.rank, y.rank))
	})
}

// happen takes what is planned and what is metered in the order of its instants.
func (b *bill) happen() error {
	if err := b.begin(); err != nil {
		return err
	}
	for planned := b.happenings; ; {
		at, metered := b.nextUse()
		do := b.deductUse
		switch {
		case len(planned) > 0 && (!metered || !planned[0].at.After(at)):
			at, do, planned = planned[0].at, planned[0].do, planned[1:]
		case !metered: // a freeze up to the as-of may leave errors behind
			_, err := b.passOwed(b.asOf)
			if _, more := b.nextUse(); err != nil || !more {
				return err
			}
			continue
		}
		if err := b.pass(at); err != nil {
			return err
		}
		if err := do(at); err != nil {
			return err
		}
		if err := b.watchArrears(at); err != nil {
			return err
		}
		b.watchAccount(at)
	}
}

// pass lets pass what comes by itself before an instant: months end, and
// periods in which nothing was paid.
func (b *bill) pass(at time.Time) error {
	for end := b.nextMonthEnd(); !end.IsZero() && !end.After(at); end = b.nextMonthEnd() {
		if _, err := b.passOwed(end.Add(-time.Microsecond)); err != nil {
			return err
		}
		if err := b.roundMonths(end); err != nil {
			return err
		}
		if err := b.billMonths(end); err != nil {
			return err
		}
		if err := b.watchArrears(end); err != nil {
			return err
		}
	}
	_, err := b.passOwed(at.Add(-time.Microsecond))
	return err
}

// nextMonthEnd is when the next month ends that is to be rounded or billed; zero
// where none is.
func (b *bill) nextMonthEnd() time.Time {
	end := b.billed.stands.Account
	for _, u := range b.billed.stands.Unrounded {
		end = earliest(end, b.monthEnd(u.Month))
	}
	return end
}

// when plans something that happens at an instant; what lies ahead is looked at
// again then.
func (b *bill) when(at time.Time, rank int, do func(at time.Time) error) {
	if at.After(b.asOf) {
		b.billed.look = earliest(b.billed.look, at)
		return
	}
	b.happenings = append(b.happenings, happening{at: at, rank: rank, do: do})
}

func (b *bill) bookMoney(m *market.MoneyIn) error {
	j, err := market.BookMoney(b.payer.Site, *m, b.books)
	if err != nil {
		return fmt.Errorf("book money %s: %w", m.Code, err)
	}
	if err := b.book(j); err != nil {
		return err
	}
	return b.payArrears(b.payer.Site+"/"+m.Code, m.Amount.Currency, m.At)
}

// settled notes that a fact need not be read again.
func (b *bill) settled(kind string, fact int64) {
	b.billed.booked = append(b.billed.booked, market.Booked{BuyerID: b.payer.ID, Kind: kind, Fact: fact})
}

// book keeps a journal, and spends what it spends.
func (b *bill) book(j market.Journal) error {
	if err := b.books.Keep(j); err != nil {
		return err
	}
	b.noteSpent(&j)
	b.billed.journals = append(b.billed.journals, j)
	return nil
}

// deduct books what a bill is paid with.
func (b *bill) deduct(d market.Deduction) error {
	d.BuyerID, d.Buyer = b.payer.ID, b.payer.Code
	if err := b.book(d.Journal()); err != nil {
		return err
	}
	b.billed.deductions = append(b.billed.deductions, d)
	return nil
}

// pay asks the waterfall how the buyer pays a bill of a kind of deduction, with
// what there is at the bill's instant.
func (b *bill) pay(kind string, m market.Bill) (market.Payment, error) {
	r, err := b.rounding(kind, m)
	if err != nil {
		return market.Payment{}, err
	}
	m.Places, m.Rounding = r.places, r.how
	m.Buyer, m.OnAccount = b.payer.Code, b.payer.OnAccount && m.Price.Currency == b.site.Currency // the account is kept in the site's
	payment, err := waterfall.Pay(b.version["waterfall"], m, b.instruments(m))
	payment.Refused = slices.DeleteFunc(payment.Refused, b.nobodyHas)
	return payment, err
}

// nobodyHas tells whether what was refused is nothing that the buyer has: no
// account of the month, and what stays owed. That is not worth a line of history.
func (b *bill) nobodyHas(r market.Refusal) bool {
	return r.Kind == market.Arrears || r.Kind == market.MonthEnd && !b.payer.OnAccount
}

// instruments are what the buyer could pay a bill with: what was granted by its
// instant, with what is left of it, and the buyer's own accounts.
func (b *bill) instruments(m market.Bill) []market.Instrument {
	currency := m.Price.Currency
	all := b.purse[:0]
	for n := range b.payer.Granted {
		if g := &b.payer.Granted[n]; g.Forgotten(m.At) || g.GrantedAt.After(m.At) || g.Kind == market.Discount && !m.PricedAt.IsZero() && g.GrantedAt.After(m.PricedAt) {
			continue
		}
		i := b.payer.Granted[n]
		if i.Account != "" {
			i.Balance = b.books.Available(i.Account, i.Granted.Currency, m.At)
		}
		if i.MinSpend.Currency == "" {
			i.MinSpend.Currency = currency
		}
		i.UsedBefore = slices.Contains(m.Promotions, i.Code)
		all = append(all, i)
	}
	code := b.payer.Code
	b.purse = append(all,
		market.Instrument{Code: market.Cash, Kind: market.Cash, Account: market.BuyerCash(code), Balance: b.cash(currency, m.At)},
		market.Instrument{Code: market.Credit, Kind: market.Credit, Account: market.BuyerCredit(code), Balance: b.books.Available(market.BuyerCredit(code), currency, m.At)},
		market.Instrument{Code: market.MonthEnd, Kind: market.MonthEnd, Account: market.BuyerMonthEnd(code), Balance: market.NewMoney(market.Decimal{}, b.site.Currency), Unlimited: true},
		market.Instrument{Code: market.Arrears, Kind: market.Arrears, Account: market.BuyerArrears(code), Unlimited: true})
	return b.purse
}
