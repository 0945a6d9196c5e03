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

// After a trial of days a month is a month from its end.
func TestTheAnchorAfterATrial(t *testing.T) {
	start := time.Date(2024, 2, 8, 10, 0, 0, 0, time.UTC)
	s := Subscription{Bought: Term{Count: 23, Unit: UnitDay}, Start: start, End: Term{Count: 23, Unit: UnitDay}.End(start, time.UTC)}
	for _, want := range []string{"2024-03-02", "2024-04-02", "2024-05-02"} {
		if got := DateOf(s.EndsAt(), time.UTC).String(); got != want {
			t.Errorf("ends on %s, not %s", got, want)
		}
		s.Extend(Term{Count: 1, Unit: UnitMonth}, "k", true, start, time.UTC)
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
	month := Term{Count: 1, Unit: UnitMonth}
	at := time.Date(2024, 3, 8, 23, 59, 59, 0, time.UTC)
	s := Subscription{Reported: Wish{Policy: RenewAuto, Renewals: 1}, Bought: month, End: at}
	s.Extend(month, "by hand", false, s.End, time.UTC)
	if s.PolicyAt(at) != RenewAuto {
		t.Error("a renewal by hand counts as one by itself")
	}
	s.Extend(month, "by itself", true, s.End, time.UTC)
	if s.PolicyAt(at) != RenewManual {
		t.Error("after the last renewal it is not renewed by hand")
	}
	s.Changes = []PolicyChange{
		{At: at, Wish: Wish{Policy: RenewAuto, Renewals: 2}, Outcome: Change},
		{At: at.Add(time.Hour), Wish: Wish{Policy: RenewAuto, Renewals: 9}, Outcome: Refuse},
	}
	if s.PolicyAt(at.Add(2*time.Hour)) != RenewAuto {
		t.Error("renewals are not counted from the change that asked for them")
	}
	s.Extend(month, "by itself again", true, at.Add(time.Minute), time.UTC)
	if s.PolicyAt(at.Add(2*time.Hour)) != RenewManual {
		t.Error("a change that was refused gives renewals")
	}
	s.Changes = nil
	for _, policy := range []string{RenewManual, RenewNever} {
		if s.Reported.Policy = policy; s.PolicyAt(at) != policy {
			t.Errorf("%s became %s", policy, s.PolicyAt(at))
		}
	}
	if s.Reported = (Wish{Policy: RenewAuto, Renewals: -1}); s.PolicyAt(at) != RenewAuto {
		t.Error("renewals without end have run out")
	}
}

// A term that is taken back leaves its place to another one from the same instant,
// of another name.
func TestATermThatIsTakenBack(t *testing.T) {
	month := Term{Count: 1, Unit: UnitMonth}
	at := time.Date(2024, 3, 1, 3, 0, 0, 0, time.UTC)
	s := Subscription{Site: "cn", Code: "S-1", Reported: Wish{Policy: RenewAuto, Renewals: -1}, Bought: month, End: time.Date(2024, 3, 8, 23, 59, 59, 0, time.UTC)}
	first := s.RenewalKey(time.UTC)
	s.Extend(month, first, true, at, time.UTC)
	if took := s.TakeBack(at.Add(time.Hour)); took.PaidBy != first || !s.EndsAt().Equal(s.End) {
		t.Errorf("took back %+v, and it ends at %s", took, s.EndsAt())
	}
	if !s.Unwanted(at.Add(2*time.Hour)) || s.RenewalKey(time.UTC) != first+"/2" {
		t.Errorf("wanted again, as %s", s.RenewalKey(time.UTC))
	}
	s.Changes = []PolicyChange{{At: at.Add(3 * time.Hour), Wish: Wish{Policy: RenewAuto, Renewals: -1}, Outcome: Change}}
	if s.Unwanted(at.Add(4 * time.Hour)) {
		t.Error("what the buyer has asked for since is not wanted")
	}
	if next := s.Extend(month, s.RenewalKey(time.UTC), true, at.Add(4*time.Hour), time.UTC); next.No != 2 || next.Again != 1 || !next.Span.From.Equal(s.End) {
		t.Errorf("the next one is %+v", next)
	}
}

func TestTheListedPriceGoesBeforeTheReportedOne(t *testing.T) {
	month, year := Term{Count: 1, Unit: UnitMonth}, Term{Count: 1, Unit: UnitYear}
	cny := func(text string) Money {
		m, err := ParseMoney(text + " CNY")
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	at := time.Date(2024, 3, 1, 3, 0, 0, 0, time.UTC)
	s := Subscription{Bought: month, Price: cny("99.00"), Prices: []TermPrice{
		{Term: year, From: at, Price: cny("990.00"), SoldAs: "pro-year"}, {Term: month, From: at, Price: cny("89.00")}, {Term: year, From: at.Add(time.Hour), Price: cny("900.00")}}}
	for _, tt := range []struct {
		name   string
		term   Term
		at     time.Time
		price  string
		soldAs string
	}{
		{"a second before the list what was reported holds", month, at.Add(-time.Second), "99.00 CNY", ""},
		{"from its instant on the list does", month, at, "89.00 CNY", ""},
		{"nobody reported what a year costs", year, at.Add(-time.Second), " ", ""},
		{"a year has a number of its own", year, at, "990.00 CNY", "pro-year"},
		{"the newest price holds", year, at.Add(time.Hour), "900.00 CNY", ""},
	} {
		price, soldAs := s.PriceAt(tt.term, tt.at)
		want := Money{}
		if tt.price != " " {
			want = cny(tt.price[:len(tt.price)-4])
		}
		if price.String() != want.String() || soldAs != tt.soldAs {
			t.Errorf("%s: %s as %q", tt.name, price, soldAs)
		}
	}
}
