package jobs

import (
	"context"
	"slices"
	"time"

	"nightshift/rules/market"
	"nightshift/storage"
)

// openBill is a bill of a month that is not repaid yet.
type openBill struct {
	At    time.Time // the end of its month
	DueAt time.Time
	Owed  market.Decimal // on account then, of its month and of those before
	Later market.Decimal `json:",omitzero"` // of those months, but reported after the bill was made: the next one asks for it
}

// readOnAccount reads what the buyers with open bills have bought on account since
// the first of them.
func (d *billingDesk) readOnAccount(ctx context.Context, tx *storage.Tx, due []storage.Due) (err error) {
	var accounts []market.Account
	var since []time.Time
	for i := range due {
		s, err := parseStands(due[i].Stands)
		if err != nil || len(s.Bills) == 0 {
			continue // what cannot be read parks its buyer, later
		}
		accounts, since = append(accounts, market.BuyerMonthEnd(d.payers[i].Code)), append(since, s.Bills[0].At)
	}
	d.onAccount, err = tx.SpentSince(ctx, d.x.run.Site, accounts, since)
	return err
}

// noteSpent notes what a journal spends on account.
func (b *bill) noteSpent(j *market.Journal) {
	account := market.BuyerMonthEnd(b.payer.Code)
	for _, p := range j.Postings {
		if p.From == account && p.Amount.Currency == b.site.Currency {
			b.onAccount = append(b.onAccount, market.Spent{At: j.At, Amount: p.Amount.Amount})
			for i := range b.billed.stands.Bills {
				if o := &b.billed.stands.Bills[i]; j.At.Before(o.At) {
					o.Later = o.Later.Add(p.Amount.Amount)
				}
			}
		}
	}
}

// left is what is not repaid of a bill: what comes back pays the oldest first.
func (b *bill) left(o openBill) market.Decimal {
	left := b.owedOnAccount().Amount.Sub(o.Later)
	for _, s := range b.onAccount {
		if !s.At.Before(o.At) {
			left = left.Sub(s.Amount)
		}
	}
	if left.Cmp(o.Owed) > 0 {
		left = o.Owed
	}
	return left
}

// overdue is what is left at an instant of the bills that were to be paid by then,
// and since when the first of them is; nothing where all are paid. Bills that are
// paid are forgotten.
func (b *bill) overdue(at time.Time) (left market.Money, since time.Time) {
	left = market.NewMoney(market.Decimal{}, b.site.Currency)
	bills := &b.billed.stands.Bills
	*bills = slices.DeleteFunc(*bills, func(o openBill) bool { return b.left(o).Sign() <= 0 })
	for _, o := range *bills {
		if o.DueAt.After(at) {
			continue
		}
		if since.IsZero() || o.DueAt.Before(since) {
			since = o.DueAt
		}
		if l := b.left(o); l.Cmp(left.Amount) > 0 {
			left.Amount = l
		}
	}
	return left, since
}

// nextDue is when the next of the open bills is to be paid; zero where one is
// overdue already, or none is open.
func (b *bill) nextDue() (next time.Time) {
	if !b.billed.stands.Owing.Overdue.IsZero() {
		return next
	}
	for _, o := range b.billed.stands.Bills {
		next = earliest(next, o.DueAt)
	}
	return next
}

// passOwed lets pass, up to an instant, the days by which bills were to be paid
// and the clocks of what is owed, and tells when there is next one; zero for none.
func (b *bill) passOwed(upto time.Time) (next time.Time, err error) {
	for {
		due := b.nextDue()
		if due.IsZero() || due.After(upto) {
			break
		}
		if _, err := b.passArrears(due.Add(-time.Microsecond)); err != nil {
			return next, err
		}
		if err := b.watchArrears(due); err != nil {
			return next, err
		}
	}
	if next, err = b.passArrears(upto); err != nil {
		return next, err
	}
	return earliest(next, b.nextDue()), nil
}
