package jobs

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"nightshift/rules/market"
	"nightshift/storage"
)

// ClearAsk settles lines of the bank that no payment explains.
type ClearAsk struct {
	Site    string
	Lines   []int64        // by the numbers that the list gives them
	Account market.Account // of the platform: the other side of the bank; empty: nothing is booked
	Actor   string
	Because string
	At      time.Time
}

// ClearBankLines keeps who settled lines of the bank and why, all or none, and books
// each, where an account is named, under bank/SITE/NUMBER/cleared. They are not
// among what does not match any more; nobody can settle them a second time.
func (e *Engine) ClearBankLines(ctx context.Context, ask ClearAsk) (cleared []storage.BankLine, err error) {
	site, err := e.inForce(ctx, ask.Site)
	if err != nil {
		return nil, err
	}
	if err := (statementAct{name: "clear", because: true}).valid(StatementAct{Actor: ask.Actor, Because: ask.Because}); err != nil {
		return nil, err
	}
	if err := ask.Account.Check(); ask.Account != "" && (err != nil || !strings.HasPrefix(string(ask.Account), "platform:") || ask.Account == market.PlatformBank) {
		return nil, fmt.Errorf("%w: clear: --account %s: it is an account of the platform other than its bank, such as %s", ErrBadRequest, ask.Account, market.PlatformAdjustments)
	}
	if err := e.Store.EnsureMonth(ctx, market.DateOf(ask.At, site.Zone)); err != nil {
		return nil, err
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		cleared = nil
		if err := tx.Serialise(ctx, payoutLock(ask.Site)); err != nil {
			return err
		}
		var journals []market.Journal
		for _, no := range ask.Lines {
			b, found, err := tx.BankLine(ctx, ask.Site, no)
			switch {
			case err != nil:
				return err
			case !found:
				return fmt.Errorf("%w: clear %d: the bank told no such line: see `nightshift settlement unmatched`", ErrBadRequest, no)
			case b.Matches():
				return fmt.Errorf("%w: clear %d: it is the payment %s, which the statement knows of", ErrBadRequest, no, b.Reference)
			case b.Cleared != nil:
				return fmt.Errorf("%w: clear %d: %s settled it at %s: %s", ErrBadRequest, no, b.Cleared.Actor, b.Cleared.At.Format(time.RFC3339), b.Cleared.Because)
			}
			b.Cleared = &storage.Clearing{Account: ask.Account, At: ask.At, Actor: ask.Actor, Because: ask.Because}
			if err := tx.KeepClearing(ctx, ask.Site, b); err != nil {
				return err
			}
			if cleared = append(cleared, b); ask.Account != "" {
				journals = append(journals, clearingJournal(ask, b))
			}
		}
		owner := storage.Keeping{Site: ask.Site, On: market.DateOf(ask.At, site.Zone)}
		return tx.KeepJournals(ctx, owner, storage.PersonSource(owner.On), journals)
	})
	return cleared, err
}

// clearingJournal books what the bank did against an account: what left goes to the
// bank's side, what came in comes from it.
func clearingJournal(ask ClearAsk, b storage.BankLine) market.Journal {
	j := market.Journal{Key: strings.Join([]string{"bank", ask.Site, strconv.FormatInt(b.No, 10), "cleared"}, "/"), Memo: b.File + ", " + b.Place + ": " + ask.Because, At: ask.At}
	from, to := ask.Account, market.PlatformBank
	if b.CameIn() {
		from, to = to, from
	}
	j.Post(from, to, b.Amount)
	return j
}
