package market

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/text/currency"
)

// ErrMixedCurrencies marks an operation on amounts of two currencies.
var ErrMixedCurrencies = errors.New("two currencies")

// ErrUnknownCurrency marks a code that ISO 4217 does not know.
var ErrUnknownCurrency = errors.New("unknown currency")

// Currency is an ISO 4217 code such as CNY. The zero value is no currency.
type Currency string

// The parser is slow, and imports and workbooks ask it a million times.
var (
	knownCurrencies sync.Map // of string to Currency
	currencyPlaces  sync.Map // of Currency to int32
)

// ParseCurrency reads an ISO 4217 code in capitals.
func ParseCurrency(code string) (Currency, error) {
	if known, ok := knownCurrencies.Load(code); ok {
		return known.(Currency), nil
	}
	unit, err := currency.ParseISO(code)
	if err != nil || unit.String() != code || code == "XXX" || code == "XTS" {
		return "", fmt.Errorf("%w %q: use an ISO 4217 code such as CNY, USD or BRL", ErrUnknownCurrency, clip(code))
	}
	// The key is a copy: code may be part of a large line of a file.
	known := Currency(strings.Clone(code))
	knownCurrencies.Store(string(known), known)
	return known, nil
}

// Places is how many decimals amounts of c are usually written with.
func (c Currency) Places() int32 {
	if known, ok := currencyPlaces.Load(c); ok {
		return known.(int32)
	}
	places := int32(2)
	if unit, err := currency.ParseISO(string(c)); err == nil {
		scale, _ := currency.Standard.Rounding(unit)
		places = int32(scale)
	}
	currencyPlaces.Store(c, places)
	return places
}

// Money is an exact amount of one currency. It is rounded only by Round.
type Money struct {
	Amount   Decimal
	Currency Currency
}

// NewMoney is amount of currency c.
func NewMoney(amount Decimal, c Currency) Money { return Money{Amount: amount, Currency: c} }

// ParseMoney reads an amount as people write it: "99.00 CNY".
func ParseMoney(text string) (Money, error) {
	number, code, ok := strings.Cut(strings.TrimSpace(text), " ")
	if !ok {
		return Money{}, fmt.Errorf("read amount %q: it has no currency: write it like 99.00 CNY", clip(text))
	}
	amount, err := ParseDecimal(number)
	if err != nil {
		return Money{}, err
	}
	c, err := ParseCurrency(strings.TrimSpace(code))
	if err != nil {
		return Money{}, err
	}
	return NewMoney(amount, c), nil
}

func (a Money) same(b Money, doing string) error {
	if a.Currency != b.Currency {
		return fmt.Errorf("%s %s and %s: %w", doing, a, b, ErrMixedCurrencies)
	}
	return nil
}

// Add is a + b, exactly. Amounts of two currencies are ErrMixedCurrencies.
func (a Money) Add(b Money) (Money, error) {
	if err := a.same(b, "add"); err != nil {
		return Money{}, err
	}
	return NewMoney(a.Amount.Add(b.Amount), a.Currency), nil
}

// Sub is a - b, exactly. Amounts of two currencies are ErrMixedCurrencies.
func (a Money) Sub(b Money) (Money, error) {
	if err := a.same(b, "subtract"); err != nil {
		return Money{}, err
	}
	return NewMoney(a.Amount.Sub(b.Amount), a.Currency), nil
}

// Cmp is -1, 0 or +1. Amounts of two currencies are ErrMixedCurrencies.
func (a Money) Cmp(b Money) (int, error) {
	if a.Currency != b.Currency {
		return 0, a.same(b, "compare")
	}
	return a.Amount.Cmp(b.Amount), nil
}

// Mul is a × rate, exactly.
func (a Money) Mul(rate Decimal) Money { return NewMoney(a.Amount.Mul(rate), a.Currency) }

// Neg is -a.
func (a Money) Neg() Money { return NewMoney(a.Amount.Neg(), a.Currency) }

// IsZero tells whether the amount is 0.
func (a Money) IsZero() bool { return a.Amount.IsZero() }

// Round is a with at most places decimals, in its currency.
func (a Money) Round(places int32, how Rounding) (Money, error) {
	r, err := a.Amount.Round(places, how)
	return NewMoney(r, a.Currency), err
}

// String writes a as people do: "99.00 CNY", with more decimals where it has more.
func (a Money) String() string {
	if a.Currency == "" {
		return a.Amount.String()
	}
	return a.Amount.Fixed(a.Currency.Places()) + " " + string(a.Currency)
}

// MarshalText writes a as String does.
func (a Money) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what ParseMoney reads; empty text is the zero Money.
func (a *Money) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*a = Money{}
		return nil
	}
	v, err := ParseMoney(string(text))
	*a = v
	return err
}
