package market

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Limits of a stored number: numeric(38,12).
const (
	MaxIntegerDigits  = 26
	MaxFractionDigits = 12
)

// ErrOutOfRange marks a number that numeric(38,12) cannot hold exactly.
var ErrOutOfRange = errors.New("number out of range")

// ErrNotANumber marks text that is not a plain decimal number.
var ErrNotANumber = errors.New("not a plain decimal number")

// Decimal is an exact decimal number: a price, a rate, a quantity. It has no
// currency and is never rounded except by Round and Quo. The zero value is 0.
type Decimal struct{ d apd.Decimal }

// exact computes without a precision, so that nothing is ever rounded away.
var exact = apd.BaseContext

// ParseDecimal reads a plain decimal such as 12, -0.05 or +99.00. Exponents,
// grouping, NaN and infinities are refused.
func ParseDecimal(text string) (Decimal, error) {
	digits := strings.TrimLeft(text, "+-")
	whole, fraction, point := strings.Cut(digits, ".")
	if len(text)-len(digits) > 1 || !allDigits(whole) || (point && !allDigits(fraction)) {
		return Decimal{}, fmt.Errorf("read number %q: %w: write it like 1234.56", clip(text), ErrNotANumber)
	}
	if len(digits) > MaxIntegerDigits+MaxFractionDigits+1 {
		return Decimal{}, fmt.Errorf("read number %q: %w: at most %d digits before the point and %d after", clip(text), ErrOutOfRange, MaxIntegerDigits, MaxFractionDigits)
	}
	var v Decimal
	if n, ok := shortNumber(whole, fraction); ok {
		v.d.SetFinite(n, -int32(len(fraction)))
		v.d.Negative = text[0] == '-'
		return v, nil
	}
	if _, _, err := v.d.SetString(text); err != nil {
		return Decimal{}, fmt.Errorf("read number %q: %w", clip(text), ErrNotANumber)
	}
	return v, v.Fits()
}

// shortNumber is the digits of a number that fits wherever numbers are kept, as
// most do: they are read several times faster.
func shortNumber(whole, fraction string) (n int64, ok bool) {
	const most = 18 // digits that 64 bits hold
	if len(whole)+len(fraction) > most || len(fraction) > MaxFractionDigits {
		return 0, false
	}
	for _, c := range []byte(whole) {
		n = n*10 + int64(c-'0')
	}
	for _, c := range []byte(fraction) {
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func allDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

func clip(s string) string {
	const longest = 60
	if len(s) > longest {
		return s[:longest] + "…"
	}
	return s
}

// DecimalOf is n as a Decimal.
func DecimalOf(n int64) Decimal {
	var v Decimal
	v.d.SetInt64(n)
	return v
}

// DecimalFrom is coefficient × 10^exponent, as databases send numbers.
func DecimalFrom(coefficient *big.Int, exponent int32) Decimal {
	var v Decimal
	v.d.Coeff.SetMathBigInt(coefficient)
	if coefficient.Sign() < 0 {
		v.d.Coeff.Abs(&v.d.Coeff)
		v.d.Negative = true
	}
	v.d.Exponent = exponent
	return v
}

// ShortDecimal is n × 10^exponent: DecimalFrom for what fits in 64 bits.
func ShortDecimal(n int64, exponent int32) Decimal {
	var v Decimal
	v.d.SetFinite(n, exponent)
	return v
}

// Coefficient is the signed number that, times ten to Exponent, is a.
func (a Decimal) Coefficient() *big.Int {
	n := a.d.Coeff.MathBigInt()
	if a.d.Negative {
		n.Neg(n)
	}
	return n
}

// Int64 is Coefficient where that fits in 64 bits, as it nearly always does.
func (a Decimal) Int64() (n int64, ok bool) {
	if !a.d.Coeff.IsInt64() {
		return 0, false
	}
	if n = a.d.Coeff.Int64(); a.d.Negative {
		n = -n
	}
	return n, true
}

// Exponent is the power of ten of Coefficient.
func (a Decimal) Exponent() int32 { return a.d.Exponent }

// Digits is how many digits a is written with, the point aside.
func (a Decimal) Digits() int64 { return a.d.NumDigits() }

// Fits answers ErrOutOfRange for a number that cannot be stored exactly.
func (a Decimal) Fits() error {
	if e := a.d.Exponent; e <= 0 && e >= -MaxFractionDigits && a.d.Coeff.IsInt64() {
		return nil // no more than 19 digits, none of them too far behind the point
	}
	r := a.reduced()
	if -r.d.Exponent > MaxFractionDigits || r.d.NumDigits()+int64(r.d.Exponent) > MaxIntegerDigits {
		return fmt.Errorf("%w: %s needs more than %d digits before the point or %d after", ErrOutOfRange, clip(a.String()), MaxIntegerDigits, MaxFractionDigits)
	}
	return nil
}

// Add is a + b, exactly.
func (a Decimal) Add(b Decimal) Decimal {
	var r Decimal
	must(exact.Add(&r.d, &a.d, &b.d))
	return r
}

// Sub is a - b, exactly.
func (a Decimal) Sub(b Decimal) Decimal {
	var r Decimal
	must(exact.Sub(&r.d, &a.d, &b.d))
	return r
}

// Mul is a × b, exactly.
func (a Decimal) Mul(b Decimal) Decimal {
	var r Decimal
	must(exact.Mul(&r.d, &a.d, &b.d))
	return r
}

// shifted is a × 10^n, exactly.
func (a Decimal) shifted(n int32) Decimal {
	if n == 0 {
		return a
	}
	r := a
	r.d.Exponent += n
	return r
}

// Neg is -a.
func (a Decimal) Neg() Decimal {
	r := a
	r.d.Negative = !a.d.Negative && !a.d.IsZero()
	return r
}

// Abs is a without its sign.
func (a Decimal) Abs() Decimal {
	r := a
	r.d.Negative = false
	return r
}

// Cmp is -1, 0 or +1: trailing zeros do not count, 0.1 equals 0.10.
func (a Decimal) Cmp(b Decimal) int { return a.d.Cmp(&b.d) }

// Sign is -1, 0 or +1.
func (a Decimal) Sign() int { return a.d.Sign() }

// IsZero tells whether a is 0.
func (a Decimal) IsZero() bool { return a.d.IsZero() }

// Rounding is a named way to drop decimals.
type Rounding string

// The ways to round one number. Sums are rounded by the policies of billing.
const (
	RoundTruncate Rounding = "truncate" // towards zero
	RoundHalfUp   Rounding = "half up"  // to nearest, half away from zero: a reversal equals its line
)

func (r Rounding) rounder() (apd.Rounder, error) {
	switch r {
	case RoundTruncate:
		return apd.RoundDown, nil
	case RoundHalfUp:
		return apd.RoundHalfUp, nil
	}
	return "", fmt.Errorf("unknown rounding %q: it is %q or %q", string(r), RoundTruncate, RoundHalfUp)
}

// workingDigits bounds every rounded result; what does not fit is an error.
const workingDigits = 3 * (MaxIntegerDigits + MaxFractionDigits)

// Round is a with at most places decimals.
func (a Decimal) Round(places int32, how Rounding) (Decimal, error) {
	if a.d.Exponent >= -places {
		return a, nil
	}
	rounder, err := how.rounder()
	if err != nil {
		return Decimal{}, err
	}
	var r Decimal
	c := exact.WithPrecision(workingDigits)
	c.Rounding = rounder
	if _, err := c.Quantize(&r.d, &a.d, -places); err != nil {
		return Decimal{}, fmt.Errorf("round %s to %d places: %w", clip(a.String()), places, ErrOutOfRange)
	}
	return r.unsignedZero(), nil
}

// Quo is a ÷ b with at most places decimals. Dividing by zero is an error.
func (a Decimal) Quo(b Decimal, places int32, how Rounding) (Decimal, error) {
	if b.IsZero() {
		return Decimal{}, fmt.Errorf("divide %s by zero", clip(a.String()))
	}
	if _, err := how.rounder(); err != nil {
		return Decimal{}, err
	}
	// Whole-number division keeps the rest, so that the rounding is decided on
	// the exact quotient and never on one that was rounded before.
	n, d := a.Coefficient(), b.Coefficient()
	if shift := int64(places) + int64(a.d.Exponent) - int64(b.d.Exponent); shift >= 0 {
		n.Mul(n, pow10(shift))
	} else {
		d.Mul(d, pow10(-shift))
	}
	q, rest := new(big.Int).QuoRem(n, d, new(big.Int))
	if how == RoundHalfUp && rest.Lsh(rest.Abs(rest), 1).CmpAbs(d) >= 0 {
		q.Add(q, big.NewInt(int64(n.Sign()*d.Sign())))
	}
	return DecimalFrom(q, -places), nil
}

func pow10(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }

func (a Decimal) unsignedZero() Decimal {
	if a.d.IsZero() {
		a.d.Negative = false
	}
	return a
}

func (a Decimal) reduced() Decimal {
	var r Decimal
	r.d.Reduce(&a.d)
	return r
}

// String writes a plainly: no exponent, no trailing zeros after the point.
func (a Decimal) String() string {
	r := a.reduced().unsignedZero()
	return r.d.Text('f')
}

// Fixed writes a with at least places decimals, and more where a has more.
func (a Decimal) Fixed(places int32) string {
	s := a.String()
	point := strings.IndexByte(s, '.')
	have := int32(0)
	if point >= 0 {
		have = int32(len(s) - point - 1)
	}
	if have >= places {
		return s
	}
	if point < 0 {
		s += "."
	}
	return s + strings.Repeat("0", int(places-have))
}

// MarshalText writes a as String does.
func (a Decimal) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what ParseDecimal reads.
func (a *Decimal) UnmarshalText(text []byte) error {
	v, err := ParseDecimal(string(text))
	*a = v
	return err
}

// must holds what cannot happen without a precision: a condition while adding,
// subtracting or multiplying finite numbers of bounded length.
func must(c apd.Condition, err error) {
	if err != nil || c.Inexact() {
		panic(fmt.Sprintf("exact arithmetic was not exact: %v %v", c, err))
	}
}
