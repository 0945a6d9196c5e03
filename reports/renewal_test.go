package reports

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"nightshift/rules/market"
)

// sampleRenewal is a small night of renewals with something of everything.
func sampleRenewal() RenewalReport {
	s1 := SubscriptionSubject{"S-1", "ann", "acme", "pro", at8("2026-04-08 23:59:59")}
	s2 := SubscriptionSubject{"S-2", "bob", "acme", "pro", at8("2026-04-06 23:59:59")}
	s3 := SubscriptionSubject{"=cmd|' /C calc'!A0", "cid", "", "", at8("2026-03-17 23:59:59")}
	return RenewalReport{
		Site: "cn", Zone: shanghai, On: market.NewDate(2026, time.April, 1), AsOf: at8("2026-04-01 03:00:00"), Build: "v0.3.0", Schema: 19,
		Policies:   []PolicyUsed{{"renewal", 1, market.NewDate(2017, time.January, 1), []byte{1, 2}}, {"expiry", 1, market.NewDate(2017, time.January, 1), []byte{3, 4}}},
		ResultHash: []byte{0xde, 0xad},
		Counts: RenewalCounts{Buyers: 5, Parked: 1, Decided: map[string]int64{"renew": 1, "retry": 1, "hold": 1, "freeze": 1, "taken back: refund": 1, "policy change": 1, "policy refuse": 1, "wait": 2},
			Frozen: 1, ByHand: 1, Wishes: 2, Notices: 1, Calls: 2},
		Books: []RenewalBook{{
			Currency: "CNY",
			Counts: RenewalBookCounts{Deductions: 1, Terms: 1, Price: yuan("100.005"), Discounted: yuan("10.00"), Due: yuan("90.00"), Dropped: yuan("0.005"), Taken: yuan("90.00"), LetGo: yuan("0.005"),
				Tried: 1, Held: 1, Open: yuan("99.00"), Short: yuan("9.01"), TakenBack: 1, GaveBack: yuan("850.00"), Back: yuan("850.00")},
			Renewed: list(RenewedRow{s1, at8("2026-05-08 23:59:59"), at8("2026-04-01 03:00:00"), yuan("100.005"), "D-1", yuan("10.00"), yuan("0.005"), yuan("90.00"),
				"V-1 50.00, cash 40.00", "renewal/cn/S-1/2026-04-08", "paid", "The next term is paid in full."}),
			NotPaid: list(
				NotRenewedRow{s2, "retry", at8("2026-04-01 03:00:00"), yuan("99.00"), yuan("9.01"), at8("2026-04-02 03:00:00"), "otherwise", "The next term could not be paid in full, so nothing was deducted."},
				NotRenewedRow{s3, "hold", at8("2026-04-01 03:00:00"), yuan("0.00"), yuan("0.00"), time.Time{}, "no price", "Nobody has reported what the next term costs."}),
			TakenBack: list(TakenBackRow{"U-1", "S-4", "dee", "renewal/cn/S-4/2026-04-05", "refund", at8("2026-03-31 10:00:00"), yuan("850.00"), "renewal ahead", "The renewed term has not begun."}),
		}},
		Lapsing: list(LapsingRow{s3, "freeze", at8("2026-04-01 23:59:59"), at8("2026-04-16 23:59:59"), "grace is over", "It was not renewed until the end of the grace period."}),
		ByHand:  list(ByHandRow{"S-5", "eve", "M-1", at8("2026-04-02 23:59:59"), at8("2026-05-02 23:59:59"), at8("2026-03-31 12:00:00")}),
		Wishes: list(WishRow{"S-1", "ann", "auto", "change", at8("2026-03-31 09:00:00"), "otherwise", "The buyer decides."},
			WishRow{"S-2", "bob", "auto", "refuse", at8("2026-03-31 09:30:00"), "off the shelf", "The product is off the shelf."}),
		Notices: list(NoticeRow{"S-1", "ann", "subscription_renewed", []string{"buyer", "seller"}, at8("2026-04-01 03:00:00")}),
		Calls: list(CallRow{"S-1", "acme", "refreshInstance", "RENEWAL", "i-1", at8("2026-04-01 03:00:00"), `{"activity":"refreshInstance"}`},
			CallRow{"S-3", "", "updateInstanceStatus", "FREEZE", "i-3", at8("2026-04-01 23:59:59"), `{"activity":"updateInstanceStatus"}`}),
		Parked: list(ParkedRow{"fay", at8("2026-04-01 03:00:00"), "buyer fay has the level \"tin\""}),
	}
}

func renewalOf(t *testing.T, r RenewalReport) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := Renewal(&buf, r); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestRenewalIsAsGolden(t *testing.T) {
	got := renewalOf(t, sampleRenewal())
	if !bytes.Equal(got, renewalOf(t, sampleRenewal())) {
		t.Error("the same report gives other bytes")
	}
	golden(t, "renewal.golden", printed(t, got))
}

func TestARenewalThatDoesNotTieIsRed(t *testing.T) {
	for name, spoil := range map[string]func(*RenewalReport){
		"a renewal that no journal has": func(r *RenewalReport) { r.Books[0].Counts.Taken = yuan("89.99") },
		"a renewal without a term":      func(r *RenewalReport) { r.Books[0].Counts.Terms = 0 },
		"a call that is not listed":     func(r *RenewalReport) { r.Counts.Calls = 3 },
		"money that did not go back":    func(r *RenewalReport) { r.Books[0].Counts.Back = yuan("849.99") },
		"a decision that is not listed": func(r *RenewalReport) { r.Counts.Decided["retry"] = 2 },
	} {
		r := sampleRenewal()
		spoil(&r)
		if err := Renewal(&bytes.Buffer{}, r); !errors.Is(err, ErrDoesNotTie) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func sampleForecast() ForecastReport {
	day := func(n int, renewed, failed, first, lapsed int64, due, short, cost string) ForecastDay {
		return ForecastDay{On: market.NewDate(2026, time.April, n), Renewed: renewed, Due: yuan(due), Failed: failed, FailedNew: first, Short: yuan(short), Lapsed: lapsed, LapsedCost: yuan(cost)}
	}
	at := at8("2026-04-01 03:00:00")
	return ForecastReport{
		Site: "cn", Zone: shanghai, From: market.NewDate(2026, time.April, 1), To: market.NewDate(2026, time.April, 3), AsOf: at, Build: "v0.3.0", Schema: 19,
		Policies: []PolicyUsed{{"renewal", 1, market.NewDate(2017, time.January, 1), []byte{1, 2}}},
		Books: []ForecastBook{{Currency: "CNY",
			Days: []ForecastDay{day(1, 2, 0, 0, 0, "30.00", "0.00", "0.00"), day(2, 0, 1, 1, 0, "0.00", "5.00", "0.00"), day(3, 0, 1, 0, 1, "0.00", "5.00", "10.00")},
			Events: list(
				ForecastRow{market.NewDate(2026, time.April, 1), "renew", "S-1", "ann", "pro", at, yuan("10.00"), yuan("0.00"), ""},
				ForecastRow{market.NewDate(2026, time.April, 1), "renew", "S-2", "bob", "pro", at, yuan("20.00"), yuan("0.00"), ""},
				ForecastRow{market.NewDate(2026, time.April, 2), "retry", "S-3", "cid", "pro", at.AddDate(0, 0, 1), yuan("10.00"), yuan("5.00"), "otherwise"},
				ForecastRow{market.NewDate(2026, time.April, 3), "lapse", "S-3", "cid", "pro", at.AddDate(0, 0, 2), yuan("10.00"), yuan("0.00"), "otherwise"}),
		}},
		Parked: []ParkedRow{{"fay", at, "buyer fay has the level \"tin\""}},
	}
}

func TestForecastIsAsGolden(t *testing.T) {
	var first, second bytes.Buffer
	if err := errors.Join(Forecast(&first, sampleForecast()), Forecast(&second, sampleForecast())); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same report gives other bytes")
	}
	golden(t, "forecast.golden", printed(t, first.Bytes()))
	spoiled := sampleForecast()
	spoiled.Books[0].Days[0].Renewed = 3
	if err := Forecast(&bytes.Buffer{}, spoiled); !errors.Is(err, ErrDoesNotTie) {
		t.Errorf("days that its events do not add up to: %v", err)
	}
}

func TestRenewalCSV(t *testing.T) {
	for _, name := range RenewalLists {
		var buf bytes.Buffer
		if err := RenewalCSV(&buf, sampleRenewal(), name); err != nil || bytes.Count(buf.Bytes(), []byte("\n")) < 2 {
			t.Errorf("%s: %v\n%s", name, err, buf.String())
		}
	}
	if err := RenewalCSV(&bytes.Buffer{}, sampleRenewal(), "x"); err == nil {
		t.Error("an unknown list is written")
	}
}

func TestLibreOfficeComputesRenewalsAsTheyAreKept(t *testing.T) {
	quiet := sampleRenewal()
	quiet.Counts, quiet.Books = RenewalCounts{}, []RenewalBook{{Currency: "CNY"}}
	quiet.Lapsing, quiet.ByHand, quiet.Wishes, quiet.Notices, quiet.Calls, quiet.Parked = nil, nil, nil, nil, nil, nil
	for name, r := range map[string]RenewalReport{"a night": sampleRenewal(), "a night of nothing": quiet} {
		t.Run(name, func(t *testing.T) { recomputesAsKept(t, renewalOf(t, r), 40) })
	}
	t.Run("a forecast", func(t *testing.T) {
		var buf bytes.Buffer
		if err := Forecast(&buf, sampleForecast()); err != nil {
			t.Fatal(err)
		}
		recomputesAsKept(t, buf.Bytes(), 20)
	})
}
