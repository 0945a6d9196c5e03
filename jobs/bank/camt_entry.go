package bank

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"nightshift/rules/market"
)

// entry takes a line of the account in, or the payments that it adds up.
func (c *camtReader) entry(n camtEntry) error {
	where := fmt.Sprintf("statement %s, entry %d", c.one.id, c.one.entries+1)
	c.one.entries++
	total, err := signed(n.Amount, n.Direction)
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	switch status := strings.TrimSpace(n.Status.Code + n.Status.Text); status {
	case "BOOK":
	case "PDNG", "FUTR", "INFO":
		c.answer.Pending++
		return nil
	default:
		return fmt.Errorf("%s: its status is %q: it is BOOK, PDNG, FUTR or INFO", where, status)
	}
	if c.one.currency == "" {
		c.one.currency = total.Currency
	}
	if c.one.currency != total.Currency {
		return fmt.Errorf("%s: %w", where, market.ErrMixedCurrencies)
	}
	c.one.booked = c.one.booked.Add(total.Amount)
	on, err := n.on()
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	whole := Entry{Line: where, Amount: total, On: on, BankRef: n.BankRef}
	entries, err := n.apart(whole)
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	for i := range entries {
		e := &entries[i]
		e.Kind = kindOf(e.Amount, n.Reversal == "true" || n.Reversal == "1", e.Reference)
		e.Amount.Amount = e.Amount.Amount.Abs()
		if e.Kind == Returned && e.Reason == "" {
			e.Reason = n.Info
		}
		e.Key = c.key(n, *e)
	}
	c.answer.Entries = append(c.answer.Entries, entries...)
	return nil
}

// kindOf says what a line means to who ordered payments.
func kindOf(m market.Money, reversal bool, reference string) Kind {
	switch {
	case m.Amount.Sign() < 0 && reversal:
		return Reversed
	case m.Amount.Sign() < 0:
		return Paid
	case reversal || reference != "":
		return Returned
	}
	return Received
}

// apart is the line, payment by payment where the bank lists them. They must
// add up to it.
func (n camtEntry) apart(whole Entry) ([]Entry, error) {
	var entries []Entry
	var sum market.Decimal
	for _, d := range n.Details {
		if d.Batch != nil && len(d.Each) == 0 {
			if whole.Order = d.Batch.Payment; whole.Order == "" {
				whole.Order = d.Batch.Message
			}
			whole.Count, _ = strconv.Atoi(d.Batch.Count) // one that is no number says nothing
		}
		for _, t := range d.Each {
			e, err := t.entry(whole, n, len(d.Each) == 1 && len(n.Details) == 1)
			if err != nil {
				return nil, err
			}
			sum = sum.Add(e.Amount.Amount)
			entries = append(entries, e)
		}
	}
	if entries == nil {
		return []Entry{whole}, nil
	}
	if sum.Cmp(whole.Amount.Amount) != 0 {
		return nil, fmt.Errorf("its payments come to %s, the entry to %s", sum, whole.Amount)
	}
	return entries, nil
}

// entry is one payment of a line. Only of several must each have its amount.
func (t camtDetails) entry(whole Entry, n camtEntry, alone bool) (Entry, error) {
	e := whole
	e.Reference, e.Order, e.Account = ownReference(t.EndToEnd), t.Order, t.IBAN+t.Account
	for _, ref := range []string{t.BankRef, t.ID} {
		if ref != "" {
			e.BankRef = ref
			break
		}
	}
	if t.Return != nil {
		e.Reason = strings.TrimSpace(t.Return.Code + t.Return.Own + " " + strings.Join(t.Return.Texts, " "))
	}
	if alone {
		return e, nil
	}
	direction := t.Direction
	if direction == "" {
		direction = n.Direction
	}
	for _, a := range []*camtAmount{t.Amount, t.Booked, t.Ordered} {
		if a == nil {
			continue
		}
		m, err := signed(*a, direction)
		if err == nil && m.Currency != whole.Amount.Currency {
			err = market.ErrMixedCurrencies
		}
		e.Amount = m
		return e, err
	}
	return e, fmt.Errorf("the payment %q in it has no amount", t.EndToEnd)
}

// ownReference is empty where the bank had none to give back.
func ownReference(text string) string {
	if text = strings.TrimSpace(text); text == "NOTPROVIDED" {
		return ""
	}
	return text
}

// key is the same whenever the bank tells an entry again: by its own reference,
// or where it has none by the statement and the entry's number in it.
func (c *camtReader) key(n camtEntry, e Entry) string {
	ref := n.BankRef
	if ref == "" {
		ref = c.one.id + "/" + n.Ref
	}
	if n.BankRef == "" && n.Ref == "" {
		ref = c.one.id + "/" + strconv.Itoa(c.one.entries)
	}
	return strings.Join([]string{c.one.account, ref, e.BankRef, e.Reference, string(e.Kind), e.Amount.Amount.String()}, "|")
}

// on is the day of booking, else of value.
func (n camtEntry) on() (market.Date, error) {
	for _, d := range []camtDate{n.Booked, n.Value} {
		for _, text := range []string{d.Date, d.Time} {
			if text = strings.TrimSpace(text); len(text) < len(time.DateOnly) {
				continue
			}
			return market.ParseDate(text[:len(time.DateOnly)])
		}
	}
	return 0, errors.New("it has no date")
}
