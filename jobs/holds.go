package jobs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"nightshift/rules/market"
	"nightshift/storage"
)

// HoldAsk sets cash of a buyer apart for a payment in doubt.
type HoldAsk struct {
	Site    string
	Code    string // of the payment
	Buyer   string
	Amount  market.Money
	Actor   string
	Because string
	At      time.Time
}

// holdKey is the key of a hold; its end has one key behind it, whatever it is.
func holdKey(site, code string) string { return "hold/" + site + "/" + code }

// Hold books a hold: the cash can no longer be spent, and is not paid yet. Where
// there is not as much, the error is market.ErrOverLimit.
func (e *Engine) Hold(ctx context.Context, ask HoldAsk) (hold market.Journal, err error) {
	site, err := e.inForce(ctx, ask.Site)
	if err != nil {
		return hold, err
	}
	if err := (statementAct{name: "hold", because: true}).valid(StatementAct{Actor: ask.Actor, Because: ask.Because}); err != nil {
		return hold, err
	}
	if ask.Amount.Amount.Sign() <= 0 {
		return hold, fmt.Errorf("%w: hold %s: --amount %s: it is more than nothing", ErrBadRequest, ask.Code, ask.Amount)
	}
	hold = market.HoldCash(ask.Site+"/"+ask.Code, ask.Buyer, ask.Amount, ask.At)
	hold.Memo += ", by " + ask.Actor + ": " + ask.Because
	err = e.bookByHand(ctx, site, "hold "+ask.Code, ask.At, hold.Key, func(ctx context.Context, tx *storage.Tx) ([]market.Journal, error) {
		if _, err := tx.SubjectID(ctx, billingJob, ask.Site, ask.Buyer); err != nil {
			return nil, fmt.Errorf("%w: hold %s: %w", ErrBadRequest, ask.Code, err)
		}
		if found, err := tx.JournalsByKey(ctx, []string{hold.Key}); err != nil || len(found) > 0 {
			return nil, cmp.Or(err, fmt.Errorf("%w: hold %s: something was held under it before: see `nightshift ledger journal %s`", ErrBadRequest, ask.Code, hold.Key))
		}
		return []market.Journal{hold}, nil
	})
	return hold, err
}

// HoldEnd says what became of a payment in doubt.
type HoldEnd struct {
	Site    string
	Code    string
	Posted  bool           // it went through; otherwise it was called off
	To      market.Account // where to
	Amount  market.Money   // of what is held; without a currency all of it
	Actor   string
	Because string
	At      time.Time
}

// EndHold posts what was held, or gives it back. A hold ends once.
func (e *Engine) EndHold(ctx context.Context, end HoldEnd) (over market.Journal, err error) {
	site, err := e.inForce(ctx, end.Site)
	if err != nil {
		return over, err
	}
	if err := (statementAct{name: "end a hold", because: true}).valid(StatementAct{Actor: end.Actor, Because: end.Because}); err != nil {
		return over, err
	}
	key := holdKey(end.Site, end.Code)
	err = e.bookByHand(ctx, site, "end the hold "+end.Code, end.At, key, func(ctx context.Context, tx *storage.Tx) ([]market.Journal, error) {
		found, err := tx.JournalsByKey(ctx, []string{key, key + "/end"})
		if err != nil {
			return nil, err
		}
		hold, held := found[key]
		if !held {
			return nil, fmt.Errorf("%w: %s: nothing is held under it: see `nightshift ledger holds`", ErrBadRequest, end.Code)
		}
		if before, twice := found[key+"/end"]; twice {
			return nil, fmt.Errorf("%w: %s: it ended at %s: %s", ErrBadRequest, end.Code, before.At.In(site.Zone).Format(time.RFC3339), before.Memo)
		}
		if over, err = end.journal(hold); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
		}
		over.Memo += ", by " + end.Actor + ": " + end.Because
		return []market.Journal{over}, nil
	})
	return over, err
}

func (end HoldEnd) journal(hold market.Journal) (market.Journal, error) {
	if !end.Posted {
		return market.VoidHold(hold, end.At)
	}
	if err := end.To.Check(); err != nil {
		return market.Journal{}, err
	}
	amount := end.Amount
	if amount.Currency == "" {
		amount = hold.Postings[0].Amount
	}
	return market.PostHold(hold, end.To, amount, end.At)
}

// ExpireHolds gives back all that was held before an instant and of which nobody
// said what became of it.
func (e *Engine) ExpireHolds(ctx context.Context, siteName string, before time.Time, actor string, at time.Time) (over []market.Journal, err error) {
	site, err := e.inForce(ctx, siteName)
	if err != nil {
		return nil, err
	}
	if err := (statementAct{name: "expire"}).valid(StatementAct{Actor: actor}); err != nil {
		return nil, err
	}
	err = e.bookByHand(ctx, site, "expire holds", at, holdKey(siteName, ""), func(ctx context.Context, tx *storage.Tx) ([]market.Journal, error) {
		over = nil
		holds, err := tx.OpenHolds(ctx, siteName)
		if err != nil {
			return nil, err
		}
		for _, hold := range slices.DeleteFunc(holds, func(h market.Journal) bool { return !h.At.Before(before) }) {
			j, err := market.ExpireHold(hold, at)
			if err != nil {
				return nil, err
			}
			j.Memo += ", by " + actor
			over = append(over, j)
		}
		return over, nil
	})
	return over, err
}

// Holds are the payments in doubt, the oldest first.
func (e *Engine) Holds(ctx context.Context, siteName string) (holds []market.Journal, err error) {
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		holds, err = tx.OpenHolds(ctx, siteName)
		return err
	})
	return holds, err
}
