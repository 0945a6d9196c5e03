package market_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nightshift/rules/market"
)

func day(t interface{ Fatal(...any) }, text string) time.Time {
	d, err := market.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d.At(market.TimeOfDay{}, zone(t, "Asia/Shanghai"))
}

func pack(t interface{ Fatal(...any) }, code, quota, from, until string, reset market.Reset) *market.PackUse {
	return &market.PackUse{Pack: market.Pack{
		Code: code, Quota: dec(t, quota), ValidFrom: day(t, from), ValidUntil: day(t, until), PurchasedAt: day(t, from), Reset: reset,
	}}
}

// drawn is use of a day, as "A 200, B 500, over 0" with what each package gave.
func drawn(t *testing.T, packs []*market.PackUse, on, quantity string) string {
	draws, excess := market.DrawDown(packs, day(t, on), dec(t, quantity), zone(t, "Asia/Shanghai"))
	var b strings.Builder
	for _, d := range draws {
		fmt.Fprintf(&b, "%s %s, ", d.Pack, d.Quantity)
	}
	return b.String() + "over " + excess.String()
}

func TestPackagesAreDrawnInTheirOrder(t *testing.T) {
	type use struct{ on, quantity, want string }
	for _, tt := range []struct {
		name  string
		packs []*market.PackUse
		uses  []use
	}{
		{"the one that expires first gives first",
			[]*market.PackUse{pack(t, "A", "1000", "2024-01-01", "2024-06-30", market.ResetNone), pack(t, "B", "500", "2024-01-01", "2024-05-31", market.ResetNone)},
			[]use{{"2024-05-01", "700", "B 500, A 200, over 0"}, {"2024-05-02", "800", "A 800, over 0"}, {"2024-05-03", "1", "over 1"}}},
		{"of a package that is reset, the end of its window counts",
			[]*market.PackUse{pack(t, "1", "100", "2019-10-10", "2020-10-10", market.ResetMonth), pack(t, "2", "100", "2019-10-12", "2019-11-12", market.ResetNone)},
			[]use{
				{"2019-10-11", "60", "1 60, over 0"},
				{"2019-10-20", "60", "1 40, 2 20, over 0"},
				{"2019-11-09", "70", "2 70, over 0"},
				{"2019-11-10", "60", "2 10, 1 50, over 0"},
				{"2019-12-09", "60", "1 50, over 10"},
			}},
		{"what is left of a month is lost",
			[]*market.PackUse{pack(t, "M", "1000", "2024-01-01", "2024-04-01", market.ResetMonth)},
			[]use{{"2024-01-20", "800", "M 800, over 0"}, {"2024-02-20", "1200", "M 1000, over 200"}, {"2024-03-20", "960", "M 960, over 0"}, {"2024-04-01", "1", "over 1"}}},
		{"use of an earlier month that is reported later draws on that month",
			[]*market.PackUse{pack(t, "M", "1000", "2024-01-01", "2024-04-01", market.ResetMonth)},
			[]use{{"2024-01-20", "800", "M 800, over 0"}, {"2024-02-20", "1000", "M 1000, over 0"}, {"2024-01-31", "300", "M 200, over 100"}}},
		{"of two that expire together the one effective first gives first",
			[]*market.PackUse{pack(t, "late", "10", "2024-02-01", "2024-06-01", market.ResetNone), pack(t, "early", "10", "2024-01-01", "2024-06-01", market.ResetNone)},
			[]use{{"2024-03-01", "5", "early 5, over 0"}, {"2024-03-01", "10", "early 5, late 5, over 0"}}},
		{"nothing is drawn before a package is effective",
			[]*market.PackUse{pack(t, "A", "10", "2024-02-01", "2024-06-01", market.ResetNone)},
			[]use{{"2024-01-31", "5", "over 5"}, {"2024-02-01", "5", "A 5, over 0"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, u := range tt.uses {
				if got := drawn(t, tt.packs, u.on, u.quantity); got != u.want {
					t.Errorf("%s of %s: got %s, want %s", u.quantity, u.on, got, u.want)
				}
			}
		})
	}
}

func TestOfTwoEqualPackagesTheOneBoughtFirstGivesFirst(t *testing.T) {
	a, b := pack(t, "A", "10", "2024-01-01", "2024-06-01", market.ResetNone), pack(t, "B", "10", "2024-01-01", "2024-06-01", market.ResetNone)
	b.PurchasedAt = b.PurchasedAt.Add(-time.Second)
	if got := drawn(t, []*market.PackUse{a, b}, "2024-02-01", "5"); got != "B 5, over 0" {
		t.Errorf("got %s", got)
	}
}

func TestAWindowKeepsItsAnchorDay(t *testing.T) {
	shanghai := zone(t, "Asia/Shanghai")
	for _, tt := range []struct {
		from, until string
		reset       market.Reset
		at          string
		want        string
	}{
		{"2024-01-31", "2025-01-31", market.ResetMonth, "2024-02-15", "2024-01-31 to 2024-02-29"},
		{"2024-01-31", "2025-01-31", market.ResetMonth, "2024-02-29", "2024-02-29 to 2024-03-31"},
		{"2024-01-31", "2025-01-31", market.ResetMonth, "2024-04-01", "2024-03-31 to 2024-04-30"},
		{"2024-01-31", "2024-03-15", market.ResetMonth, "2024-03-01", "2024-02-29 to 2024-03-15"},
		{"2024-02-29", "2029-02-28", market.ResetYear, "2025-03-01", "2025-02-28 to 2026-02-28"},
		{"2024-02-29", "2029-02-28", market.ResetYear, "2028-03-01", "2028-02-29 to 2029-02-28"},
		{"2024-01-01", "2024-12-31", market.ResetNone, "2024-03-01", "2024-01-01 to 2024-12-31"},
		{"2024-01-01", "2024-12-31", market.ResetWeek, "2024-01-09", "2024-01-08 to 2024-01-15"},
		{"2024-01-01", "2024-12-31", market.ResetDay, "2024-01-09", "2024-01-09 to 2024-01-10"},
	} {
		w, ok := pack(t, "P", "1", tt.from, tt.until, tt.reset).Window(day(t, tt.at), shanghai)
		if got := w.From.In(shanghai).Format(time.DateOnly) + " to " + w.To.In(shanghai).Format(time.DateOnly); !ok || got != tt.want {
			t.Errorf("%s, %s, on %s: got %s, %t, want %s", tt.from, tt.reset, tt.at, got, ok, tt.want)
		}
	}
}

// However use falls on packages: none gives more than its quota in a window,
// and what was drawn and what exceeds them is what was used.
func TestAQuotaIsNeverOverdrawn(t *testing.T) {
	shanghai := zone(t, "Asia/Shanghai")
	start := day(t, "2024-01-01")
	resets := []market.Reset{market.ResetNone, market.ResetHour, market.ResetDay, market.ResetWeek, market.ResetMonth, market.ResetYear}
	rapid.Check(t, func(t *rapid.T) {
		var packs []*market.PackUse
		for i := range rapid.IntRange(0, 4).Draw(t, "packages") {
			from := start.Add(time.Duration(rapid.Int64Range(0, 400*24).Draw(t, "effective")) * time.Hour)
			packs = append(packs, &market.PackUse{Pack: market.Pack{
				ID: int64(i), Code: fmt.Sprint(i), Quota: market.DecimalOf(rapid.Int64Range(1, 500).Draw(t, "quota")), ValidFrom: from,
				ValidUntil: from.Add(time.Duration(rapid.Int64Range(1, 800*24).Draw(t, "length")) * time.Hour), Reset: rapid.SampledFrom(resets).Draw(t, "reset"),
			}})
		}
		given := map[string]market.Decimal{}
		for range rapid.IntRange(1, 30).Draw(t, "uses") {
			at := start.Add(time.Duration(rapid.Int64Range(0, 1000*24*60).Draw(t, "at")) * time.Minute)
			quantity := market.DecimalFrom(big64(rapid.Int64Range(1, 3_000_000).Draw(t, "quantity")), -4)
			draws, excess := market.DrawDown(packs, at, quantity, shanghai)
			for _, d := range draws {
				if at.Before(d.Window.From) || !at.Before(d.Window.To) || d.Quantity.Sign() <= 0 {
					t.Fatalf("use at %s drew %s from %v", at, d.Quantity, d.Window)
				}
				key := fmt.Sprint(d.PackID, d.Window.From.Unix())
				given[key] = given[key].Add(d.Quantity)
				if quota := packs[d.PackID].Quota; given[key].Cmp(quota) > 0 || given[key].Add(d.Left).Cmp(quota) != 0 {
					t.Fatalf("window %s gave %s of %s, %s left", key, given[key], quota, d.Left)
				}
				excess = excess.Add(d.Quantity)
			}
			if excess.Cmp(quantity) != 0 {
				t.Fatalf("%s became %s", quantity, excess)
			}
		}
	})
}

func TestTheWindowsOfUseAreAllThatItTouches(t *testing.T) {
	const longer = "20240420T000000Z" // than any record may be
	for _, tt := range []struct{ name, begin, end, want string }{
		{"within one", "20240205T000000Z", "20240206T000000Z", "02-01"},
		{"over the end of one", "20240229T100000Z", "20240229T170000Z", "02-01 03-01"},
		{"before it is valid", "20231230T100000Z", "20231231T100000Z", ""},
		{"beyond its end", "20240331T100000Z", "20240401T100000Z", "03-01"},
		{"of what is on the error list the first", "20240205T000000Z", longer, "02-01"},
		{"of what ends before it begins, too", "20240205T000000Z", "20240101T000000Z", "02-01"},
		{"of what has no time none", "yesterday", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, cn := pack(t, "P", "10", "2024-01-01", "2024-04-01", market.ResetMonth), zone(t, "Asia/Shanghai")
			var from []string
			for _, w := range p.WindowsOf([]market.UsageRecord{{BeginTime: tt.begin, EndTime: tt.end}, {BeginTime: tt.begin, EndTime: tt.end}}, cn) {
				from = append(from, w.From.In(cn).Format("01-02"))
			}
			if got := strings.Join(from, " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
