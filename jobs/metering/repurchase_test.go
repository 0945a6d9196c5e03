package metering_test

import (
	"testing"

	"nightshift/jobs/metering"
	"nightshift/rules/market"
)

func money(t *testing.T, text string) market.Money {
	m, err := market.ParseMoney(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAPackageIsBoughtAgain(t *testing.T) {
	for _, tt := range []struct {
		name    string
		change  func(*market.Pack)
		used    string
		balance string
		bought  bool
		want    string // empty: nobody asks
	}{
		{"five below the threshold, with enough money", nil, "905", "260.00 CNY", false, "buy"},
		{"without enough money", nil, "905", "150.00 CNY", false, "fail"},
		{"at the threshold", nil, "900", "260.00 CNY", false, "buy"},
		{"above it nobody asks", nil, "899.9999", "260.00 CNY", false, ""},
		{"where it is reset every hour it is never tried", func(p *market.Pack) { p.Reset = market.ResetHour }, "905", "260.00 CNY", false, "leave"},
		{"once for each quota", nil, "905", "260.00 CNY", true, "leave"},
		{"without the authorisation the buyer is told alone", func(p *market.Pack) { p.Rebuy = false }, "905", "260.00 CNY", false, "leave"},
		{"where it is reset every day it is never tried", func(p *market.Pack) { p.Reset = market.ResetDay }, "905", "260.00 CNY", false, "leave"},
		{"nor where every week", func(p *market.Pack) { p.Reset = market.ResetWeek }, "905", "260.00 CNY", false, "leave"},
		{"where it is reset every month it is bought", func(p *market.Pack) { p.Reset = market.ResetMonth }, "905", "260.00 CNY", false, "buy"},
		{"without a threshold nobody is told", func(p *market.Pack) { p.Watched = false }, "905", "260.00 CNY", false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.instance("api", "api", func(i *market.Instance) { i.ChargeMode = "ON_DEMAND_PKG" })
			w.pack("P", "1000", "06-01", "07-01", func(p *market.Pack) {
				p.Watched, p.Rebuy, p.Threshold, p.Price = true, true, w.dec("100"), money(t, "200.00 CNY")
				if tt.change != nil {
					tt.change(p)
				}
			})
			w.record("api", "calls", "06-01 10:00", "06-01 10:10", "1")
			w.record("api", "calls", "06-01 10:10", "06-01 10:20", w.dec(tt.used).Sub(w.dec("1")).String())
			out, err := w.meter.Meter(&w.buyer, w.at("06-02 04:00"))
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == "" {
				if len(out.Low) > 0 {
					t.Errorf("%d packages are low", len(out.Low))
				}
				return
			}
			policy, err := w.site.Policy(metering.RepurchaseRuleset, market.NewDate(2024, 6, 1))
			if err != nil || len(out.Low) != 1 {
				t.Fatalf("%d packages are low, %v", len(out.Low), err)
			}
			a, err := metering.Repurchase(policy, out.Low[0], out.Low[0].Facts(money(t, tt.balance), false, tt.bought))
			if err != nil || a.Outcome != tt.want {
				t.Errorf("got %s because %s, %v, want %q", a.Outcome, a.Because, err, tt.want)
			}
		})
	}
}

func TestAnOccasionHasAKey(t *testing.T) {
	w := newWorld(t)
	w.pack("P", "1000", "06-01", "07-01")
	l := metering.Low{Pack: w.buyer.Packs[0], Window: market.Span{From: w.at("06-01 00:00")}, At: w.at("06-30 23:30")}
	if got, want := l.Key("cn"), "repurchase/cn/P/2024-05-31T16:00:00Z"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := l.QuotaKey("cn"), "package_low/cn/P/2024-05-31T16:00:00Z"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := l.DayKey("cn", w.site.Zone), "package_low/cn/P/2024-06-30"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := l.FailureKey("cn", "ann", w.site.Zone), "repurchase_failed/cn/ann/2024-06-30"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
