package market_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	. "nightshift/rules/market"
)

func TestTermsOfASubscription(t *testing.T) {
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		start  time.Time
		term   Term
		anchor int
		ends   []string // of the first term and those after it
	}{
		{"the 31st is kept where the month has it", time.Date(2024, 1, 31, 10, 0, 0, 0, shanghai), Term{Count: 1, Unit: UnitMonth}, 0, []string{"2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"}},
		{"29 February comes again", time.Date(2024, 2, 29, 10, 0, 0, 0, shanghai), Term{Count: 1, Unit: UnitYear}, 0, []string{"2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"}},
		{"an anchor day that was reported goes before the day of the start", time.Date(2024, 2, 29, 10, 0, 0, 0, shanghai), Term{Count: 1, Unit: UnitMonth}, 30, []string{"2024-03-30", "2024-04-30"}},
		{"days are days", time.Date(2024, 2, 20, 23, 59, 59, 0, shanghai), Term{Count: 30, Unit: UnitDay}, 0, []string{"2024-03-21", "2024-04-20"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Subscription{Bought: c.term, AnchorDay: c.anchor, Start: c.start, End: c.term.EndAfter(c.start, 1, c.anchor, shanghai)}
			for i, want := range c.ends {
				if got := s.EndsAt().In(shanghai).Format(time.DateTime); got != want+" 23:59:59" {
					t.Errorf("term %d ends on %s, not %s", i, got, want)
				}
				s.Extend(c.term, "k", true, c.start, shanghai)
			}
		})
	}
}

// Terms tile the time whatever they are bought for, and however late.
func TestTermsTile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Unix(rapid.Int64Range(1.5e9, 1.9e9).Draw(t, "start"), 0)
		s := Subscription{Start: start, AnchorDay: rapid.IntRange(0, 31).Draw(t, "anchor"), Bought: Term{Count: 1, Unit: UnitMonth}}
		s.End = s.Bought.EndAfter(start, 1, s.AnchorDay, time.UTC)
		for range rapid.IntRange(1, 30).Draw(t, "renewals") {
			end := s.EndsAt()
			term := Term{Count: rapid.IntRange(1, 3).Draw(t, "count"), Unit: rapid.SampledFrom([]Unit{UnitDay, UnitMonth, UnitYear}).Draw(t, "unit")}
			next := s.Extend(term, "k", true, start, time.UTC)
			if !next.Span.From.Equal(end) || !next.Span.To.After(end) || !s.EndsAt().Equal(next.Span.To) || next.No != len(s.Terms) {
				t.Fatalf("after %s comes %+v", end, next)
			}
		}
	})
}

func TestRenewalsRunOut(t *testing.T) {
	s := Subscription{Policy: RenewAuto, Renewals: 1, Bought: Term{Count: 1, Unit: UnitMonth}, End: time.Date(2024, 3, 8, 23, 59, 59, 0, time.UTC)}
	s.Extend(s.RenewsFor(), "by hand", false, s.End, time.UTC)
	if s.PolicyNow() != RenewAuto {
		t.Error("a renewal by hand counts as one by itself")
	}
	s.Extend(s.RenewsFor(), "by itself", true, s.End, time.UTC)
	if s.PolicyNow() != RenewManual {
		t.Error("after the last renewal it is not renewed by hand")
	}
	for _, policy := range []string{RenewManual, RenewNever} {
		if s.Policy = policy; s.PolicyNow() != policy {
			t.Errorf("%s became %s", policy, s.PolicyNow())
		}
	}
	if s.Policy, s.Renewals = RenewAuto, -1; s.PolicyNow() != RenewAuto {
		t.Error("renewals without end have run out")
	}
}
