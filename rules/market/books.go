package market

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrOverLimit marks a journal that would take an account past its floor.
var ErrOverLimit = errors.New("account over its limit")

// Limit is how much credit a buyer has from an instant on.
type Limit struct {
	From   time.Time
	Amount Money
}

// Books are the balances of some accounts in memory: what a run knows of a
// buyer while it takes one event after the other. An account that was never
// posted to has a balance of zero. Not safe for concurrent use.
type Books struct {
	balances   map[purse]Decimal
	currencies []Currency
	limits     map[Account][]Limit
}

// purse is one currency of an account.
type purse struct {
	account  Account
	currency Currency
}

// NewBooks are books in which nothing is posted yet.
func NewBooks() *Books {
	return &Books{balances: map[purse]Decimal{}, limits: map[Account][]Limit{}}
}

// SetBalance opens an account with what is on it.
func (b *Books) SetBalance(a Account, balance Money) {
	b.balances[purse{a, balance.Currency}] = balance.Amount
	b.know(balance.Currency)
}

// Currencies are those that anything was posted in.
func (b *Books) Currencies() []Currency { return b.currencies }

func (b *Books) know(c Currency) {
	if !slices.Contains(b.currencies, c) {
		b.currencies = append(b.currencies, c)
	}
}

// SetLimits says how much credit a credit account had from when on; the latest
// that has begun holds. Without any there is no credit.
func (b *Books) SetLimits(a Account, limits []Limit) {
	limits = slices.Clone(limits)
	slices.SortStableFunc(limits, func(x, y Limit) int { return x.From.Compare(y.From) })
	b.limits[a] = limits
}

// Balance is what was posted to the account less what was posted from it.
func (b *Books) Balance(a Account, c Currency) Money {
	return NewMoney(b.balances[purse{a, c}], c)
}

// Floor is the balance that an account cannot pass at an instant: zero, or the
// credit limit of that instant below zero. It is false for accounts without one.
func (b *Books) Floor(a Account, c Currency, at time.Time) (floor Money, limited bool) {
	floor = NewMoney(Decimal{}, c)
	for _, l := range b.limits[a] {
		if !l.From.After(at) {
			if floor.Amount = (Decimal{}); l.Amount.Currency == c {
				floor.Amount = l.Amount.Amount.Neg()
			}
		}
	}
	return floor, a.Limited()
}

// Available is what can be posted from a limited account at an instant; zero
// where a limit was lowered below what is used. Ask it of limited accounts.
func (b *Books) Available(a Account, c Currency, at time.Time) Money {
	floor, _ := b.Floor(a, c, at)
	left := b.balances[purse{a, c}].Sub(floor.Amount)
	if left.Sign() < 0 {
		left = Decimal{}
	}
	return NewMoney(left, c)
}

// Keep posts a journal, whole or not at all. A limited account that would end
// below its floor, and lower than it was, is ErrOverLimit: the error names the
// journal, the account and by how much; of several accounts the first by name.
func (b *Books) Keep(j Journal) error {
	if err := j.Check(); err != nil {
		return err
	}
	changes := j.changes()
	var over Account
	var excess Money
	for _, c := range changes {
		floor, limited := b.Floor(c.account, c.currency, j.At)
		after := b.balances[c.purse].Add(c.amount)
		if limited && c.amount.Sign() < 0 && after.Cmp(floor.Amount) < 0 && (over == "" || c.account < over) {
			over, excess = c.account, NewMoney(floor.Amount.Sub(after), c.currency)
		}
	}
	if over != "" {
		return OverLimit(j.Key, over, excess)
	}
	for _, c := range changes {
		b.balances[c.purse] = b.balances[c.purse].Add(c.amount)
		b.know(c.currency)
	}
	return nil
}

// change is what a journal adds to one purse.
type change struct {
	purse
	amount Decimal
}

// changes is what a journal adds to each purse, in the order in which the
// postings name them. Journals are short: a look through them beats a map.
func (j Journal) changes() []change {
	changes := make([]change, 0, len(j.Postings)+1)
	add := func(p purse, amount Decimal) {
		for i := range changes {
			if changes[i].purse == p {
				changes[i].amount = changes[i].amount.Add(amount)
				return
			}
		}
		changes = append(changes, change{p, amount})
	}
	for _, p := range j.Postings {
		add(purse{p.From, p.Amount.Currency}, p.Amount.Amount.Neg())
		add(purse{p.To, p.Amount.Currency}, p.Amount.Amount)
	}
	return changes
}

// OverLimit is the error of a journal that wants more than an account has.
func OverLimit(key string, a Account, excess Money) error {
	return fmt.Errorf("%s: %w: %s by %s", key, ErrOverLimit, a, excess)
}
