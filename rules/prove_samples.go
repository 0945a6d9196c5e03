package rules

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"nightshift/rules/market"
)

// coin is the samples of what is not seen through.
var coin = []sample{{"false", false}, {"true", true}}

// choose picks the samples of an unknown: each fixed value it is compared with,
// what lies just beside it, and something from every stretch between.
func (u *unknown) choose(currency market.Currency) {
	switch {
	case u.fact == nil, u.fact.Kind == KindBool, u.fact.Kind == KindList:
		u.samples = coin
	case u.fact.Kind == KindText:
		u.texts()
	case u.fact.Kind == KindInt:
		u.wholes()
	case u.fact.Kind == KindMoney:
		u.amounts(currency)
	case u.fact.Kind == KindDecimal:
		u.numbers()
	default:
		u.lengths()
	}
}

// texts are all words of a fact, or those it is compared with and another one.
func (u *unknown) texts() {
	words := append([]string{""}, u.fact.Words...)
	if len(u.fact.Words) == 0 {
		another := "other"
		for _, m := range u.marks {
			words = append(words, m.text)
			another = max(another, m.text)
		}
		if len(u.marks) > 0 {
			another += "z" // longer than the last in order, so none of them
		}
		words = append(words, another)
	}
	for _, word := range distinct(words, itself) {
		u.samples = append(u.samples, sample{writtenWord(word), word})
	}
}

// writtenWord is a text as YAML writes it.
func writtenWord(word string) string {
	if isName(word) {
		return word
	}
	return strconv.Quote(word)
}

func (u *unknown) wholes() {
	var all []int64
	for _, m := range u.marks {
		n := m.whole
		if m.Kind == KindDecimal {
			cut, err := m.number.Round(0, market.RoundTruncate)
			if err != nil {
				continue
			}
			if n, err = strconv.ParseInt(cut.String(), 10, 64); err != nil {
				continue // beyond any whole number: nothing is divided by it
			}
		}
		for _, step := range []int64{0, 1, -1} {
			if beside, ok := addInt(n, step); ok {
				all = append(all, beside)
			}
		}
	}
	u.samples = []sample{{"0", int64(0)}}
	for _, n := range distinct(all, itself) {
		if n != 0 {
			u.samples = append(u.samples, sample{strconv.FormatInt(n, 10), n})
		}
	}
}

func (u *unknown) numbers() {
	var marks []market.Decimal
	for _, m := range u.marks {
		marks = append(marks, m.Decimal())
	}
	u.samples = []sample{{"0", market.Decimal{}}}
	for _, d := range between(marks, market.DecimalOf(1)) {
		if !d.IsZero() {
			u.samples = append(u.samples, sample{d.String(), d})
		}
	}
}

func (u *unknown) amounts(currency market.Currency) {
	var marks []market.Decimal
	for _, m := range u.marks {
		amount := m.Decimal()
		if m.Kind == KindMoney {
			amount, currency = m.money.Amount, m.money.Currency
		}
		marks = append(marks, amount)
	}
	u.samples = []sample{{money0(currency).String(), money0(currency)}}
	for _, d := range between(marks, smallest(currency)) {
		if m := market.NewMoney(d, currency); !d.IsZero() {
			u.samples = append(u.samples, sample{m.String(), m})
		}
	}
}

func money0(c market.Currency) market.Money { return market.NewMoney(market.Decimal{}, c) }

// smallest is the smallest amount of a currency that is paid: a fen, a yen.
func smallest(c market.Currency) market.Decimal { return smallestOf(int(c.Places())) }

// smallestOf is one in the last of some decimal places.
func smallestOf(places int) market.Decimal {
	text := "1"
	if places > 0 {
		text = "0." + strings.Repeat("0", places-1) + "1"
	}
	d, err := market.ParseDecimal(text)
	if err != nil {
		panic(err) // of our own making
	}
	return d
}

// between is the marks, a step beside each, and the middle of two that are no
// further apart than that.
func between(marks []market.Decimal, step market.Decimal) []market.Decimal {
	slices.SortFunc(marks, market.Decimal.Cmp)
	out := slices.Clone(marks)
	for _, m := range marks {
		out = append(out, m.Add(step), m.Sub(step))
	}
	for i, m := range marks[min(1, len(marks)):] {
		if gap := m.Sub(marks[i]); gap.Cmp(step) <= 0 {
			out = append(out, marks[i].Add(gap.Mul(half)))
		}
	}
	return distinct(out, market.Decimal.String)
}

// distinct leaves out what came before.
func distinct[T any, K comparable](all []T, key func(T) K) []T {
	seen := make(map[K]bool, len(all))
	var out []T
	for _, v := range all {
		if k := key(v); !seen[k] {
			seen[k] = true
			out = append(out, v)
		}
	}
	return out
}

func itself[T any](v T) T { return v }

var half = func() market.Decimal { d, _ := market.ParseDecimal("0.5"); return d }()

// lengths are how long a stopwatch has run, or what remains: never started is
// one of them, and one that counts up has run for nothing at least.
func (u *unknown) lengths() {
	all := []time.Duration{0}
	var marks []time.Duration
	for _, m := range u.marks {
		marks = append(marks, m.duration)
	}
	slices.Sort(marks)
	all = append(all, marks...)
	for i, d := range marks {
		all = append(all, d+time.Second, d-time.Second)
		if i > 0 && d-marks[i-1] <= time.Second {
			all = append(all, marks[i-1]+(d-marks[i-1])/2)
		}
	}
	u.samples = []sample{{"never", market.Stopwatch{}}}
	for _, d := range distinct(all, itself) {
		switch {
		case u.fact.Down:
			u.samples = append(u.samples, sample{FormatDuration(d), market.Until(proofInstant.Add(d))})
		case d >= 0:
			u.samples = append(u.samples, sample{FormatDuration(d), market.StartedAt(proofInstant.Add(-d))})
		}
	}
}
