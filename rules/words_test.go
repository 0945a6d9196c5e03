package rules

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightshift/rules/market"
)

// spoken are conditions about the facts below, each put into words.
var spoken = []string{
	`cancelled`, `not cancelled`, `not happened(paid_for)`, `happened(appeal_open_for)`, `not happened(appeal_open_for)`,
	`order_type == "renewal"`, `track == ""`, `access_type != "hardware"`, `access_type in at_once`, `access_type not in ["saas", "image"]`,
	`signed_for >= window`, `days(10) <= signed_for`, `signed_for > days(10) + hours(1)`, `not (signed_for < window)`, `delivered_for >= days(3)`, `shipped_for < days(1)`,
	`amount >= 500000`, `amount in 10..20`, `100 > amount`, `amount * 2 == large`, `order_type contains "new"`, `min(amount, large) == amount`,
	`access_type == "hardware" and (track == "" or happened(reviewed_for))`, `late`, `not late and phone_matches`, `cancelled ? invoiced : phone_matches`,
	`divide(amount, amount - amount, 2, "half up") > 1`, `order_type == charge_mode ?? "a"`,
}

func wordsFacts() *AcceptanceFacts {
	at := func(text string) market.Stopwatch {
		t, err := time.ParseInLocation(time.DateTime, text, shanghai)
		if err != nil {
			panic(err)
		}
		return market.StartedAt(t)
	}
	signed := at("2024-03-01 10:00:00")
	return &AcceptanceFacts{
		OrderType: "new", AccessType: "hardware", ChargeMode: "ONE_TIME", Amount: money("99.00 CNY"), PhoneMatches: true,
		PlacedFor: at("2024-02-20 10:00:00"), PaidFor: at("2024-02-20 10:05:00"), ShippedFor: at("2024-02-21 12:00:00"), SignedFor: signed,
		DeliveredFor: signed.Without([]market.Span{{From: at("2024-03-02 10:00:00").Anchor(), To: at("2024-03-04 10:00:00").Anchor()}}),
	}
}

var shanghai = time.FixedZone("Shanghai", 8*3600)

// TestWords compares sentences with golden text; go test ./rules -run Words
// -update rewrites it.
func TestWords(t *testing.T) {
	asOf := time.Date(2024, 3, 11, 10, 0, 0, 0, shanghai)
	lets := "let:\n  window: 10d\n  large: 500000.00 CNY\n  at_once: [\"image\", \"api\"]\n  late: signed_for >= window and placed_for > days(30)\n"
	var b strings.Builder
	for _, condition := range spoken {
		text := "ruleset: acceptance\nversion: 1\neffective: 2020-01-01\nhit: first\n" + lets + "rules:\n  - name: it\n    when: " + yamlText(condition) + "\n    then: accept\n    because: So.\notherwise: wait\n"
		e := mustCompile(t, text).Explain(wordsFacts(), asOf)
		fmt.Fprintf(&b, "%s\n", condition)
		for _, r := range []Reader{{"en", shanghai}, {"zh", shanghai}} {
			for _, line := range r.Lines(e.Rules[0].Tree) {
				fmt.Fprintf(&b, "    %s%v  %s\n", strings.Repeat("  ", line.Depth), line.Yes, line.Says)
			}
			for _, missed := range e.Rules[0].Missed {
				fmt.Fprintf(&b, "    missed: %s\n", r.Say(missed))
			}
		}
	}
	const golden = "testdata/words.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("said differently (-golden +now):\n%s", diff)
	}
}

func yamlText(text string) string { return "|-\n      " + text }

// TestEveryFactOfADeliveryIsSaidInChinese: finance reads why it was accepted.
func TestEveryFactOfADeliveryIsSaidInChinese(t *testing.T) {
	for _, v := range Vocabularies() {
		for _, fact := range v.Facts() {
			if fact.Chinese == "" && (v.Ruleset == "acceptance" || v.Ruleset == "reminders") {
				t.Errorf("%s: %s has no Chinese", v.Ruleset, fact.Name)
			}
		}
	}
}
