package reports

import (
	"fmt"
	"iter"
	"time"

	"nightshift/rules/market"
)

// list streams rows, as the database would.
func list[R any](rows ...R) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func yuan(text string) market.Money {
	m, err := market.ParseMoney(text + " CNY")
	if err != nil {
		panic(err)
	}
	return m
}

var shanghai = mustZone("Asia/Shanghai")

func mustZone(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return zone
}

func at8(text string) time.Time {
	t, err := time.ParseInLocation(time.DateTime, text, shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

// sampleNight is a small night with something of everything.
func sampleNight() AcceptanceReport {
	asOf := at8("2026-04-01 02:00:00")
	subject := func(n int, access, amount string) Subject {
		return Subject{Order: fmt.Sprintf("A-%04d", n), Buyer: fmt.Sprintf("buyer-%02d", n%7), Seller: fmt.Sprintf("seller-%02d", n%3), AccessType: access, Amount: yuan(amount)}
	}
	waiting := []WaitingRow{
		{subject(20, "hardware", "8999.00"), "courier", time.Time{}, time.Time{}, "no signature yet", "The courier has not reported a signature; the clock has not begun."},
		{subject(21, "hardware", "12.50"), "buyer", at8("2026-03-25 10:00:00"), at8("2026-04-04 10:00:00"), "otherwise", "Signed for less than ten days."},
		{subject(22, "consulting", "150000.00"), "buyer", at8("2025-08-01 09:00:00"), time.Time{}, "offline waits for the buyer", "Offline services are accepted by the buyer alone."},
		{subject(23, "license", "499.00"), "seller", at8("2026-03-30 23:00:00"), time.Time{}, "proof is missing", "=HYPERLINK(\"http://evil\",\"the seller has to upload the proof\")"},
		{subject(24, "image", "0.01"), "platform", at8("2026-02-20 00:00:00"), time.Time{}, "review is open", "The platform's reviewer has not passed the delivery."},
		{subject(25, "data_file", "33.00"), "auditor", at8("2026-03-12 00:00:00"), time.Time{}, "audit", "Somebody no list knows."},
	}
	return AcceptanceReport{
		Site: "cn", Zone: shanghai, Currency: "CNY", On: market.NewDate(2026, time.April, 1), AsOf: asOf,
		Build: "v0.1.0", Schema: 1,
		Policies: []PolicyUsed{
			{"acceptance", 2, market.NewDate(2020, time.January, 1), []byte{0xab, 0xcd, 0xef, 1, 2, 3}},
			{"reminders", 1, market.NewDate(2017, time.January, 1), []byte{9, 8, 7}},
		},
		ResultHash: []byte{0xde, 0xad, 0xbe, 0xef},
		Counts: AcceptanceCounts{
			Due: 12, Decided: map[string]int64{"accept": 3, "refund": 1, "wait": 5, "hold": 1, "unsupervised": 1}, Parked: 1,
			Accepted: Tally{3, yuan("9098.45")}, Refunded: Tally{1, yuan("0.30")},
			Waiting: Tally{6, yuan("159543.51")}, Held: Tally{1, yuan("77.00")}, Reminders: 2,
		},
		Accepted: list(
			AcceptedRow{subject(1, "hardware", "8999.00"), at8("2026-03-21 14:03:07"), at8("2026-03-31 14:03:07"), time.Time{}, time.Time{}, "hardware, ten days after the signature", "Ten days have passed since the parcel was signed for."},
			AcceptedRow{subject(2, "license", "99.00"), at8("2026-03-18 09:00:00"), at8("2026-03-31 23:59:59"), at8("2026-03-18 09:00:00"), at8("2027-03-18 09:00:00"), "online code, activated", "The buyer activated the code and the proof stood for seven days."},
			AcceptedRow{subject(3, "saas", "0.45"), at8("2026-03-24 00:00:00"), at8("2026-03-31 00:00:00"), at8("2026-03-31 00:00:00"), at8("2026-04-30 23:59:59"), "service, seven days", "@SUM(1+1) is only text."},
		),
		Refunded: list(RefundedRow{subject(10, "api", "0.30"), at8("2026-03-30 08:00:00"), at8("2026-03-31 12:00:00"), "appeal decided for the buyer", "The platform decided the appeal with a refund."}),
		Waiting:  list(waiting...),
		Held:     list(WaitingRow{subject(30, "hardware", "77.00"), "platform", at8("2026-03-29 12:00:00"), time.Time{}, "appeal is open", "An appeal is open; the clock stands still until it is decided."}),
		Reminders: list(
			ReminderRow{"A-0022", "overdue", []string{"buyer", "account_manager"}, at8("2026-01-28 09:00:00"), "180 days", "The delivery has waited for 180 days."},
			ReminderRow{"A-0023", "phone_mismatch", []string{"seller"}, at8("2026-03-31 10:00:00"), "phone of the parcel", "The phone of the tracking record is not the buyer's."}),
		Parked: list(ParkedRow{"A-0040", asOf, "amount 10.00 USD and 10.00 CNY: two currencies: correct the order, then nightshift runs requeue"}),
	}
}
