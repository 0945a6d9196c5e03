package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"nightshift/jobs/bank"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// ReconcileAsk takes the bank's answer in.
type ReconcileAsk struct {
	Site  string
	Name  string // of the file
	File  io.Reader
	Actor string
	At    time.Time
}

// Reconciliation is what a file of the bank came to.
type Reconciliation struct {
	Matched []bank.Matched // of the lines that are new
	Known   int            // lines that were taken in before
	Pending int            // lines that the bank has not booked
}

// Unmatched are the lines that somebody has to look at.
func (r Reconciliation) Unmatched() (list []bank.Matched) {
	for _, m := range r.Matched {
		if m.Verdict != bank.Pays && m.Verdict != bank.Bounces {
			list = append(list, m)
		}
	}
	return list
}

// Reconcile matches the bank's answer with what was ordered and with what the
// statements say, moves the statements and books what happened, all or nothing.
// Taking the same lines in again, from whatever file, changes nothing.
func (e *Engine) Reconcile(ctx context.Context, ask ReconcileAsk) (r Reconciliation, err error) {
	site, err := e.inForce(ctx, ask.Site)
	if err != nil {
		return r, err
	}
	if ask.Actor == "" {
		return r, fmt.Errorf("%w: reconcile: nobody is named as doing it: name yourself with --actor", ErrBadRequest)
	}
	answer, err := bank.Read(ask.Name, ask.File)
	if errors.Is(err, bank.ErrBadAnswer) {
		return r, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	if err != nil {
		return r, err
	}
	if err := e.Store.EnsureMonth(ctx, market.DateOf(ask.At, site.Zone)); err != nil {
		return r, err
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		r = Reconciliation{Pending: answer.Pending}
		if err := tx.Serialise(ctx, payoutLock(ask.Site)); err != nil {
			return err
		}
		c := &clerk{ReconcileAsk: ask, site: site, result: &r}
		if err := c.match(ctx, tx, answer.Entries); err != nil {
			return err
		}
		return c.keep(ctx, tx)
	})
	return r, err
}

// clerk matches one file.
type clerk struct {
	ReconcileAsk
	site     *rules.Site
	result   *Reconciliation
	ordered  map[string]*storage.OrderedPayment // by reference
	before   map[string]bank.State              // where each payment stood
	moves    map[string]int                     // how many moves of its statement there were
	journals []market.Journal
}

// match leaves out what was taken in before and judges the rest.
func (c *clerk) match(ctx context.Context, tx *storage.Tx, entries []bank.Entry) error {
	var references, files, keys []string
	for _, e := range entries {
		references, files, keys = append(references, e.Reference), append(files, e.Order), append(keys, e.Key)
	}
	list, err := tx.OrderedPayments(ctx, c.Site, references, files)
	if err != nil {
		return err
	}
	c.ordered, c.before, c.moves = map[string]*storage.OrderedPayment{}, map[string]bank.State{}, map[string]int{}
	payments := make([]bank.Payment, 0, len(list))
	inFile := map[string][]string{}
	for i := range list {
		p := &list[i]
		c.ordered[p.Reference] = p
		c.before[p.Reference] = bank.State(p.State)
		inFile[p.Payout] = append(inFile[p.Payout], p.Reference)
		payments = append(payments, bank.Payment{Reference: p.Reference, Order: p.Payout, Seller: p.Seller, Statement: p.Statement, Amount: p.Amount, Account: p.Account.IBAN + p.Account.Number, State: bank.State(p.State)})
	}
	for _, e := range entries {
		if e.Reference == "" { // a sum for a whole file is kept payment by payment
			for _, reference := range inFile[e.Order] {
				keys = append(keys, e.Key+"/"+reference)
			}
		}
	}
	seen, err := tx.BankLinesSeen(ctx, c.Site, keys)
	if err != nil {
		return err
	}
	fresh := entries[:0:0]
	for _, e := range entries {
		known := seen[e.Key]
		for _, reference := range inFile[e.Order] {
			known = known || e.Reference == "" && seen[e.Key+"/"+reference]
		}
		if known {
			c.result.Known++
			continue
		}
		fresh = append(fresh, e)
	}
	c.result.Matched = bank.Match(payments, fresh)
	return nil
}

// keep writes the lines down, moves statements and books what happened.
func (c *clerk) keep(ctx context.Context, tx *storage.Tx) error {
	for _, m := range c.result.Matched {
		line := storage.BankLine{Key: m.Key, File: c.Name, Place: m.Line, Kind: string(m.Kind), Reference: m.Reference, Amount: m.Amount, On: m.On, BankRef: m.BankRef, Reason: m.Reason,
			Verdict: string(m.Verdict), Why: m.Why, Ours: m.Payment != nil, At: c.At, Actor: c.Actor}
		if err := tx.KeepBankLine(ctx, c.Site, line); err != nil {
			return err
		}
		if m.Verdict != bank.Pays && m.Verdict != bank.Bounces {
			continue
		}
		if err := c.happened(ctx, tx, m); err != nil {
			return err
		}
	}
	owner := storage.Keeping{Site: c.Site, On: market.DateOf(c.At, c.site.Zone)}
	return tx.KeepJournals(ctx, owner, storage.PersonSource(owner.On), c.journals)
}

// happened moves the statement of a payment, and books what the bank did.
func (c *clerk) happened(ctx context.Context, tx *storage.Tx, m bank.Matched) error {
	p := c.ordered[m.Reference]
	// The bank tells a day: what it did counts at the end of it.
	at := (m.On + 1).At(market.TimeOfDay{}, c.site.Zone).Add(-time.Second)
	move := storage.StatementMove{State: market.StatementPaid, At: c.At, Actor: c.Actor, Because: m.BankRef}
	j := market.Journal{At: at}
	switch {
	case m.Verdict == bank.Pays:
		j.Key, j.Memo = paymentKey(c.Site, m.Reference, "paid"), "The bank paid "+p.Period.String()+" to "+p.Seller
		j.Post(market.PlatformPayouts, market.PlatformBank, m.Amount)
	default:
		move.State, move.Because = market.StatementPaymentFailed, m.Reason
		j.Key, j.Memo = paymentKey(c.Site, m.Reference, "failed"), "The bank did not pay "+p.Period.String()+" to "+p.Seller+": "+m.Reason
		if c.before[m.Reference] == bank.Settled {
			j.Post(market.PlatformBank, market.PlatformPayouts, m.Amount) // what had left came back
		}
		j.Post(market.PlatformPayouts, market.SellerPayable(p.Seller), m.Amount)
	}
	if c.before[m.Reference] = bank.Bounced; m.Verdict == bank.Pays {
		c.before[m.Reference] = bank.Settled
	}
	c.journals = append(c.journals, j)
	key := p.Stand.Seller + "/" + p.Period.String()
	if c.moves[key] == 0 {
		c.moves[key] = p.Stand.Moves
	}
	stand := p.Stand
	stand.Moves = c.moves[key]
	c.moves[key]++
	return tx.MoveStatement(ctx, stand, move)
}

// UnmatchedLines are the lines of the bank that nobody's payment explains, and
// the payments that the bank has not told of; or the lines that somebody settled.
func (e *Engine) UnmatchedLines(ctx context.Context, site string, cleared bool, limit int) (lines []storage.BankLine, open []storage.OrderedPayment, err error) {
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		if lines, err = tx.Unmatched(ctx, site, cleared, limit); err == nil && !cleared {
			open, err = tx.OpenPayments(ctx, site, limit)
		}
		return err
	})
	return lines, open, err
}

// PayoutList are the newest payment files, with how many payments each has.
func (e *Engine) PayoutList(ctx context.Context, site string, limit int) (list []storage.Payout, counts []int, err error) {
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		list, counts, err = tx.Payouts(ctx, site, limit)
		return err
	})
	return list, counts, err
}
