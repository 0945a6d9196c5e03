package market

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrBadJournal marks a journal that no book would take.
var ErrBadJournal = errors.New("journal cannot be kept")

// Posting moves an amount above zero from one account to another. What one
// account loses the other gains: a journal made of postings always balances.
type Posting struct {
	From, To Account
	Amount   Money
}

// Journal is the postings of one business event, under one key. It is kept
// for ever: a mistake is reversed by another journal.
type Journal struct {
	Key      string // the event's, such as order/cn/A-1/paid; never named after a run
	Memo     string
	At       time.Time // when it took effect, never when it was booked
	Reverses string    // the key of the journal that this one takes back; empty for others
	Postings []Posting
	Back     bool // cash that was spent, or set apart, comes back: what its buyer owes for use is paid with it next
}

// Post adds a posting. An amount of zero posts nothing, one below zero posts
// the other way round.
func (j *Journal) Post(from, to Account, amount Money) {
	switch amount.Amount.Sign() {
	case 1:
		j.Postings = append(j.Postings, Posting{From: from, To: to, Amount: amount})
	case -1:
		j.Postings = append(j.Postings, Posting{From: to, To: from, Amount: amount.Neg()})
	}
}

// Reverse is the journal that takes j back, posting by posting in reverse
// order, under a key of its own.
func (j Journal) Reverse(key string, at time.Time) Journal {
	r := Journal{Key: key, Memo: "Reversal of " + j.Key, At: at, Reverses: j.Key, Postings: make([]Posting, 0, len(j.Postings))}
	for i := len(j.Postings) - 1; i >= 0; i-- {
		p := j.Postings[i]
		r.Postings = append(r.Postings, Posting{From: p.To, To: p.From, Amount: p.Amount})
	}
	return r
}

// Check answers ErrBadJournal for a journal without a key or an instant, and
// for a posting of nothing, of no currency, of more than can be stored, from
// an account to itself or to what is no account. A journal without postings
// records an event that moved no money.
func (j Journal) Check() error {
	if j.Key == "" || j.At.IsZero() {
		return fmt.Errorf("journal %q: %w: it needs a key and an instant", clip(j.Key), ErrBadJournal)
	}
	if j.Reverses == j.Key {
		return fmt.Errorf("journal %q: %w: it reverses itself", clip(j.Key), ErrBadJournal)
	}
	for _, p := range j.Postings {
		if err := p.check(); err != nil {
			return fmt.Errorf("%s: %w: %s: %w", j.Key, ErrBadJournal, p, err)
		}
	}
	return nil
}

func (p Posting) check() error {
	switch {
	case p.Amount.Amount.Sign() <= 0:
		return errors.New("the amount is not above zero")
	case p.Amount.Currency == "":
		return errors.New("the amount has no currency")
	case p.From == p.To:
		return errors.New("it goes nowhere")
	}
	return errors.Join(p.Amount.Amount.Fits(), p.From.Check(), p.To.Check())
}

// String writes a posting like buyer:ann:cash -> seller:acme:accrued  99.00 CNY.
func (p Posting) String() string {
	return fmt.Sprintf("%s -> %s  %s", p.From, p.To, p.Amount)
}

// String writes a journal's postings, one a line, each after its key.
func (j Journal) String() string {
	var b strings.Builder
	for i, p := range j.Postings {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(j.Key + "  " + p.String())
	}
	if len(j.Postings) == 0 {
		return j.Key
	}
	return b.String()
}
