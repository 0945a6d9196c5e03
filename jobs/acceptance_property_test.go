package jobs

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nightshift/rules"
	"nightshift/rules/market"
)

// never is the hour of what does not happen.
const never = 1 << 30

// life is what happens to one order, in whole hours since it was placed.
type life struct {
	orderType, accessType, deliveryMode, track string

	paid, invoiced, activated int
	phoneDiffers              bool
	attempts                  [2]attempt
	sentBack                  int // the hour at which the first attempt goes back
	byPlatform                bool
	appeals                   []dispute
}

// attempt is one handover and what follows from it.
type attempt struct{ delivered, shipped, signed, proof, reviewed, accepted int }

type dispute struct {
	opened, decided int
	decision        string
}

// anyLife draws an order's life. The first attempt may go back; nothing happens
// to it then, and the second begins with a handover.
func anyLife(t *rapid.T) life {
	kind := rapid.SampledFrom([][3]string{
		{"new", "hardware", ""}, {"new", "hardware", ""}, {"new", "license", "online_code"}, {"new", "license", "online_code"},
		{"new", "license", "identification_code"}, {"new", "saas", "offline"}, {"change", "human_service", ""},
		{"new", "image", ""}, {"new", "saas", "instant"}, {"renewal", "license", "online_code"},
	}).Draw(t, "kind")
	l := life{orderType: kind[0], accessType: kind[1], deliveryMode: kind[2], sentBack: never}
	l.track = rapid.SampledFrom([]string{"", "", "empowerment", "base"}).Draw(t, "track")
	l.paid = maybe(t, "paid", 9, 0, 5)
	l.invoiced = maybe(t, "invoiced", 5, 0, 9000)
	l.activated = maybe(t, "activated", 7, 0, 300)
	l.phoneDiffers = rapid.IntRange(0, 9).Draw(t, "phone differs") == 0
	l.attempts = [2]attempt{anyAttempt(t, "first", 0), noAttempt}
	for i := range rapid.IntRange(0, 3).Draw(t, "appeals") {
		l.appeals = append(l.appeals, anyDispute(t, fmt.Sprintf("appeal %d", i)))
	}
	if back := maybe(t, "sent back", 3, 0, 400); back < never {
		l.goBack(t, back)
	}
	return l
}

// goBack sends the first attempt back, by the buyer or by the platform.
func (l *life) goBack(t *rapid.T, hour int) {
	l.sentBack = hour
	l.byPlatform = rapid.Bool().Draw(t, "by the platform")
	if l.byPlatform {
		l.appeals = append(l.appeals, dispute{rapid.IntRange(0, hour).Draw(t, "appealed"), hour, market.AppealBack})
	}
	for _, at := range l.attempts[0].instants() {
		if *at >= hour {
			*at = never
		}
	}
	next := anyAttempt(t, "second", hour+1)
	handover := &next.delivered
	if l.accessType == "hardware" {
		handover = &next.shipped
	}
	if *handover == never {
		return
	}
	for _, at := range next.instants() {
		*at = max(*at, *handover)
	}
	l.attempts[1] = next
}

var noAttempt = attempt{never, never, never, never, never, never}

func (a *attempt) instants() []*int {
	return []*int{&a.delivered, &a.shipped, &a.signed, &a.proof, &a.reviewed, &a.accepted}
}

func anyAttempt(t *rapid.T, name string, from int) attempt {
	return attempt{
		delivered: maybe(t, name+" delivered", 8, from, from+200),
		shipped:   maybe(t, name+" shipped", 8, from, from+100),
		signed:    maybe(t, name+" signed", 8, from, from+200),
		proof:     maybe(t, name+" proof", 7, from, from+300),
		reviewed:  maybe(t, name+" reviewed", 6, from, from+500),
		accepted:  maybe(t, name+" accepted", 2, from, from+600),
	}
}

func anyDispute(t *rapid.T, name string) dispute {
	d := dispute{opened: rapid.IntRange(0, 500).Draw(t, name+" opened"), decided: never}
	if length := maybe(t, name+" lasts", 8, 0, 200); length < never {
		d.decided = d.opened + length
		d.decision = rapid.SampledFrom([]string{"continue", "continue", "continue", "continue", "accept", "refund"}).Draw(t, name+" decision")
	}
	return d
}

// maybe draws an hour; in so many of ten cases it comes at all.
func maybe(t *rapid.T, name string, ofTen, from, to int) int {
	if rapid.IntRange(1, 10).Draw(t, name+" happens") > ofTen {
		return never
	}
	return rapid.IntRange(from, to).Draw(t, name)
}

// live tells an order's life hour by hour, as somebody would who watches it
// all the time: no anchors, no crossings, only a count of the hours in which
// the clocks ran. It answers how the supervision ended, and when.
func (l *life) live(until int, closedAfter int) (outcome string, hour int) {
	if l.orderType == "renewal" || l.accessType == "image" || l.deliveryMode == "instant" {
		return market.Unsupervised, 0
	}
	signedHours, supervisedHours, current := 0, 0, 0
	for t := 0; t <= until; t++ {
		if current == 0 && l.attempts[1].begun(t) {
			current, signedHours = 1, 0
		}
		a := l.attempts[current]
		back := current == 0 && l.sentBack <= t
		frozen := l.frozen(t)
		if l.paid <= t {
			if ends := l.decided(t); ends != "" {
				return ends, t
			}
			if !frozen {
				if ends := l.answer(a, t, back, signedHours, supervisedHours >= closedAfter); ends != "" {
					return ends, t
				}
			}
		}
		if !frozen {
			supervisedHours++
			if a.signed <= t && !back {
				signedHours++
			}
		}
	}
	return "", 0
}

func (a *attempt) begun(t int) bool {
	for _, at := range a.instants() {
		if *at <= t {
			return true
		}
	}
	return false
}

func (l *life) frozen(t int) bool {
	for _, d := range l.appeals {
		if d.opened <= t && t < d.decided {
			return true
		}
	}
	return false
}

// decided is what the platform decided by then; for the delivery first.
func (l *life) decided(t int) string {
	for _, decision := range []string{market.AppealAccept, market.AppealRefund} {
		for _, d := range l.appeals {
			if d.decided <= t && d.decision == decision {
				return decision
			}
		}
	}
	return ""
}

// answer is what the hour brings where nothing is frozen; empty to go on.
func (l *life) answer(a attempt, t int, back bool, signedHours int, yearOver bool) string {
	reviewed := a.reviewed <= t
	if a.accepted <= t && !back && (reviewed || l.track == "" && l.deliveryMode != "identification_code") {
		return market.Accept
	}
	if yearOver && l.invoiced <= t {
		return market.Accept
	}
	if yearOver {
		return market.Refund
	}
	if back || l.track != "" && !reviewed {
		return ""
	}
	if l.accessType == "hardware" && !l.phoneDiffers && a.signed <= t && signedHours >= 240 {
		return market.Accept
	}
	if l.deliveryMode == "online_code" && l.activated <= t && a.proof <= t {
		return market.Accept
	}
	return ""
}

// supervision is the same life as the marketplace reports it.
func (l *life) supervision(placed time.Time) *market.Supervision {
	at := func(hour int) time.Time {
		if hour >= never {
			return time.Time{}
		}
		return placed.Add(time.Duration(hour) * time.Hour)
	}
	s := &market.Supervision{Order: market.Order{ID: 1, Site: "cn", Code: "A", Type: l.orderType, AccessType: l.accessType, DeliveryMode: l.deliveryMode,
		ChargeMode: "ONE_TIME", Track: l.track, PlacedAt: placed, PaidAt: at(l.paid), InvoicedAt: at(l.invoiced), Phone: "13800000001"}}
	for i, a := range l.attempts {
		if a == noAttempt && i > 0 {
			break
		}
		d := market.Delivery{OrderID: 1, Attempt: i + 1, DeliveredAt: at(a.delivered), ProofAt: at(a.proof), ReviewedAt: at(a.reviewed), AcceptedAt: at(a.accepted)}
		if i == 0 && !l.byPlatform {
			d.RejectedAt = at(l.sentBack)
		}
		p := market.Shipment{OrderID: 1, Attempt: i + 1, ShippedAt: at(a.shipped), SignedAt: at(a.signed)}
		if l.phoneDiffers {
			p.Phone = "13900000002"
		}
		s.Deliveries, s.Shipments = append(s.Deliveries, d), append(s.Shipments, p)
	}
	if l.activated < never {
		s.Activations = []market.Activation{{OrderID: 1, Code: "K", ActivatedAt: at(l.activated)}}
	}
	for i, d := range l.appeals {
		s.Appeals = append(s.Appeals, market.Appeal{OrderID: 1, Code: fmt.Sprint(i), OpenedAt: at(d.opened), DecidedAt: at(d.decided), Decision: d.decision})
	}
	return s
}

// TestAWatcherWouldHaveDecidedTheSame holds the default rules, the facts and
// the walk against somebody who watches every hour of an order's life.
func TestAWatcherWouldHaveDecidedTheSame(t *testing.T) {
	book, err := rules.Load(rules.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	site, err := book.Site("cn")
	if err != nil {
		t.Fatal(err)
	}
	for _, era := range []struct {
		name        string
		placed      market.Date
		closedAfter int
	}{
		{"the rules in force since 2020", market.NewDate(2024, 2, 20), never},
		{"the rules of before, which close after a year", market.NewDate(2018, 3, 5), 365 * 24},
	} {
		t.Run(era.name, rapid.MakeCheck(func(t *rapid.T) {
			l := anyLife(t)
			placed := era.placed.At(market.TimeOfDay{Hour: rapid.IntRange(0, 23).Draw(t, "placed at")}, site.Zone)
			policy, err := site.Policy("acceptance", era.placed)
			if err != nil {
				t.Fatal(err)
			}
			hours := rapid.OneOf(rapid.IntRange(0, 1500), rapid.IntRange(8500, 9500)).Draw(t, "hours watched")
			s := l.supervision(placed)
			got := decideAlone(t, policy, site, s, placed.Add(time.Duration(hours)*time.Hour))
			want, hour := l.live(hours, era.closedAfter)
			if !endsSupervision(got.Answer.Outcome) {
				got = Step{}
			}
			if want == "" && got.At.IsZero() {
				return
			}
			if due := placed.Add(time.Duration(hour) * time.Hour); got.Answer.Outcome != want || !got.At.Equal(due) {
				t.Fatalf("%+v\nthe watcher says %q at hour %d (%s)\nthe rules say %q by rule %q at %s", l, want, hour, due, got.Answer.Outcome, got.Answer.Rule, got.At)
			}
		}))
	}
}

// decideAlone is the answer that stands for one supervision at an as-of.
func decideAlone(t *rapid.T, policy *rules.Policy, site *rules.Site, s *market.Supervision, asOf time.Time) Step {
	events := supervisionEvents(s, nil)
	slices.SortFunc(events, time.Time.Compare)
	var last Step
	w := walk{policy: policy, events: events, from: s.Order.PlacedAt, asOf: asOf, facts: func(at time.Time) any { return acceptanceFacts(s, at, site, nil) }}
	_, err := w.run(func(step Step) bool {
		if last.At.IsZero() || !step.Answer.Same(last.Answer) {
			last = step
		}
		return endsSupervision(step.Answer.Outcome)
	})
	if err != nil {
		t.Fatal(err)
	}
	return last
}
