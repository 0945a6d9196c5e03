package jobs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// ReverseAsk takes back a journal that should not have been booked.
type ReverseAsk struct {
	Site    string
	Key     string // of the journal
	Actor   string
	Because string
	At      time.Time
}

// takenBackOtherwise is, for what is more than its journal, how it is taken back:
// what was decided about it has to follow.
var takenBackOtherwise = []struct{ begins, how string }{
	{"order/", "give it back: `nightshift import refunds`, request granted"},
	{"renewal/", "take the renewal back: `nightshift import unsubscriptions`"},
	{"usage/", "report a charge below zero: `nightshift import charges`"},
	{"charge/", "report a charge below zero: `nightshift import charges`"},
	{"repurchase/", "report a charge below zero: `nightshift import charges`"},
	{"refund/", "report a charge: `nightshift import charges`"},
	{"unsubscription/", "report a charge: `nightshift import charges`"},
	{"settlement/", "issue the next version of the statement: `nightshift settlement reissue`"},
	{"payment/", "`nightshift settlement retry`, or the bank's answer, says what became of a payment"},
	{"hold/", "say what became of the payment: `nightshift ledger post`, `void` or `expire`"},
	{"reversal/", "a reversal stands: report the fact anew, under a code of its own"},
}

// ReverseJournal books the opposite of a journal, generated from it, under
// reversal/KEY: once, with who took it back and why, and not past the floor of an
// account. What is more than its journal is taken back by an act of its own.
func (e *Engine) ReverseJournal(ctx context.Context, ask ReverseAsk) (back market.Journal, err error) {
	site, err := e.inForce(ctx, ask.Site)
	if err != nil {
		return back, err
	}
	if err := (statementAct{name: "reverse", because: true}).valid(StatementAct{Actor: ask.Actor, Because: ask.Because}); err != nil {
		return back, err
	}
	for _, t := range takenBackOtherwise {
		if strings.HasPrefix(ask.Key, t.begins) {
			return back, fmt.Errorf("%w: reverse %s: it is more than its journal: %s", ErrBadRequest, ask.Key, t.how)
		}
	}
	key := "reversal/" + ask.Key
	err = e.bookByHand(ctx, site, "reverse "+ask.Key, ask.At, key, func(ctx context.Context, tx *storage.Tx) ([]market.Journal, error) {
		found, err := tx.JournalsByKey(ctx, []string{ask.Key, key})
		if err != nil {
			return nil, err
		}
		j, booked := found[ask.Key]
		if !booked {
			return nil, fmt.Errorf("%w: reverse %s: nothing was booked under this key: see `nightshift ledger journal`", ErrBadRequest, ask.Key)
		}
		if before, twice := found[key]; twice {
			return nil, fmt.Errorf("%w: reverse %s: it was taken back before: %s", ErrBadRequest, ask.Key, before.Memo)
		}
		back = j.Reverse(key, ask.At)
		back.Memo += ", by " + ask.Actor + ": " + ask.Because
		return []market.Journal{back}, nil
	})
	return back, err
}

// bookByHand books what a person makes of the books as they stand, one at a time
// under a lock, and has billing look at the buyers whom it concerns.
func (e *Engine) bookByHand(ctx context.Context, site *rules.Site, what string, at time.Time, lock string, make func(ctx context.Context, tx *storage.Tx) ([]market.Journal, error)) error {
	k := storage.Keeping{Site: site.Name, On: market.DateOf(at, site.Zone)}
	if err := e.Store.EnsureMonth(ctx, k.On); err != nil {
		return err
	}
	return e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		if err := tx.Serialise(ctx, lock); err != nil {
			return err
		}
		journals, err := make(ctx, tx)
		if err != nil {
			return err
		}
		if err := tx.KeepJournals(ctx, k, storage.PersonSource(k.On), journals); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		for i := range journals {
			if err := tx.WakeOwners(ctx, site.Name, journals[i]); err != nil {
				return err
			}
		}
		return nil
	})
}
