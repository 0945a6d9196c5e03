package market

import (
	"fmt"
	"time"
)

// Kinds of money that comes in or goes back.
const (
	MoneyTopUp      = "top_up"     // the buyer filled the account up
	MoneyCard       = "card"       // captured from a card
	MoneyBoleto     = "boleto"     // a boleto was paid
	MoneyRefundIn   = "refund_in"  // given back to the buyer's account from outside
	MoneyChargeback = "chargeback" // the buyer's bank took it back
	MoneyRepayment  = "repayment"  // pays what was used of credit, or is owed
	MoneyOpening    = "opening"    // what was there before the books began
)

// MoneyIn is money as the marketplace reports it: what a buyer paid in, or what
// went back. It is a fact; a run books it.
type MoneyIn struct {
	ID         int64
	Code       string
	Buyer      string
	Kind       string
	Account    string // of a repayment: credit, month_end or arrears, credit where empty; of an opening also cash, cash where empty
	Amount     Money  // zero or more; the kind says which way it goes
	At         time.Time
	Reference  string // the payment gateway's
	Instrument string // the buyer's means of payment
}

// MoneyKey is the key under which money of a site is booked.
func MoneyKey(site, code string) string { return "money/" + site + "/" + code }

// Throughput is what the money adds to what the gateway took in: below zero
// for what went back, nothing for what never passed through it.
func (m MoneyIn) Throughput() Money {
	switch m.Kind {
	case MoneyChargeback:
		return m.Amount.Neg()
	case MoneyOpening:
		return NewMoney(Decimal{}, m.Amount.Currency)
	}
	return m.Amount
}

// BookMoney is the journal of money, given the balances it meets. A chargeback
// takes the cash there is, and what cash does not cover is owed: it goes to the
// buyer's arrears. A repayment pays no more than was used; the rest is cash.
// An opening posts what was there at the cutover: cash in hand, or what was
// owed on an account.
func BookMoney(site string, m MoneyIn, books *Books) (Journal, error) {
	j := Journal{Key: MoneyKey(site, m.Code), Memo: m.memo(), At: m.At}
	cash := BuyerCash(m.Buyer)
	switch m.Kind {
	case MoneyTopUp, MoneyCard, MoneyBoleto, MoneyRefundIn:
		j.Post(PlatformBank, cash, m.Amount)
	case MoneyChargeback:
		covered := books.Available(cash, m.Amount.Currency, m.At).least(m.Amount)
		j.Post(cash, PlatformBank, covered)
		j.Post(BuyerArrears(m.Buyer), PlatformBank, m.Amount.less(covered))
	case MoneyRepayment:
		owing, err := m.owing(Credit)
		if err != nil {
			return Journal{}, err
		}
		owed := books.Balance(owing, m.Amount.Currency).Neg().least(m.Amount)
		if owed.Amount.Sign() < 0 {
			owed = NewMoney(Decimal{}, m.Amount.Currency)
		}
		j.Post(PlatformBank, owing, owed)
		j.Post(PlatformBank, cash, m.Amount.less(owed))
	case MoneyOpening:
		if m.Account == "" || m.Account == Cash {
			j.Post(PlatformOpening, cash, m.Amount)
			break
		}
		owing, err := m.owing("")
		if err != nil {
			return Journal{}, err
		}
		j.Post(owing, PlatformOpening, m.Amount)
	default:
		return Journal{}, fmt.Errorf("book money %s: unknown kind %q", m.Code, m.Kind)
	}
	return j, nil
}

// PayFromCash is the journal by which a buyer's cash pays what is owed on an
// account, credit, month end or arrears, as far as the cash goes. It has no
// postings where nothing is owed, or there is no cash.
func PayFromCash(key string, owing Account, c Currency, at time.Time, books *Books) Journal {
	j := Journal{Key: key, Memo: "paid from cash", At: at}
	cash := BuyerCash(owing.Owner())
	if owed := books.Balance(owing, c).Neg(); owed.Amount.Sign() > 0 {
		j.Post(cash, owing, books.Available(cash, c, at).least(owed))
	}
	return j
}

// owing is the account on which a buyer owes what is repaid or was open.
func (m MoneyIn) owing(otherwise string) (Account, error) {
	word := m.Account
	if word == "" {
		word = otherwise
	}
	switch word {
	case Credit:
		return BuyerCredit(m.Buyer), nil
	case MonthEnd:
		return BuyerMonthEnd(m.Buyer), nil
	case Arrears:
		return BuyerArrears(m.Buyer), nil
	}
	return "", fmt.Errorf("book money %s: a %s of the account %q: it is credit, month_end or arrears", m.Code, m.Kind, m.Account)
}

func (m MoneyIn) memo() string {
	memo := m.Kind
	if m.Instrument != "" {
		memo += " by " + m.Instrument
	}
	if m.Reference != "" {
		memo += ", gateway " + m.Reference
	}
	return memo
}

// least is the smaller of two amounts of one currency, less their difference;
// they are put together here alone, from one amount's own currency.
func (a Money) least(b Money) Money {
	if a.Amount.Cmp(b.Amount) <= 0 {
		return a
	}
	return b
}

func (a Money) less(b Money) Money { return NewMoney(a.Amount.Sub(b.Amount), a.Currency) }
