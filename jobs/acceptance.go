package jobs

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Acceptance settles what becomes of deliveries under supervision: the rules
// of the service supervision accept, refund, hold or wait in the buyer's place.
var Acceptance = Job[market.Supervision]{
	Name: "acceptance",
	Rulesets: []Ruleset{
		{Name: "acceptance"},
		{Name: "reminders", Rest: market.Quiet},
	},
	Read: func(tx *storage.Tx, ctx context.Context, subjects []int64, _ *rules.Site, _ time.Time) ([]market.Supervision, error) {
		return tx.Supervisions(ctx, subjects)
	},
	Code:   func(s *market.Supervision) string { return s.Order.Code },
	Begins: func(s *market.Supervision) time.Time { return s.Order.PlacedAt },
	Events: supervisionEvents,
	Facts:  acceptanceFacts,
	Effect: acceptanceEffect,
	Final:  endsSupervision,
}

func endsSupervision(outcome string) bool {
	return outcome == market.Accept || outcome == market.Refund || outcome == market.Unsupervised
}

// supervisionEvents are all the instants at which the facts of a supervision
// change by a report.
func supervisionEvents(s *market.Supervision, to []time.Time) []time.Time {
	o := &s.Order
	to = append(to, o.PlacedAt, o.PaidAt, o.CancelledAt, o.InvoicedAt)
	for i := range s.Deliveries {
		d := &s.Deliveries[i]
		to = append(to, d.DeliveredAt, d.ProofAt, d.CollectedAt, d.ReviewedAt, d.AcceptedAt, d.RejectedAt)
	}
	for i := range s.Shipments {
		to = append(to, s.Shipments[i].ShippedAt, s.Shipments[i].SignedAt)
	}
	for i := range s.Activations {
		to = append(to, s.Activations[i].ActivatedAt)
	}
	for i := range s.Appeals {
		to = append(to, s.Appeals[i].OpenedAt, s.Appeals[i].DecidedAt)
	}
	for i := range s.Corrections {
		to = append(to, s.Corrections[i].At)
	}
	return slices.DeleteFunc(to, time.Time.IsZero)
}

// acceptanceFacts are the facts of a supervision as they stood at an instant.
func acceptanceFacts(s *market.Supervision, at time.Time, site *rules.Site, room any) any {
	f, ok := room.(*rules.AcceptanceFacts)
	if !ok {
		f = new(rules.AcceptanceFacts)
	}
	v := asItStood(s, at)
	o := &s.Order
	stopped, sentBack, appealed := v.stopped(), v.sentBackAt(), v.appealOpenSince()
	clock := func(t time.Time) market.Stopwatch { return market.StartedAt(seen(t, at)).Without(stopped) }
	plain := func(t time.Time) market.Stopwatch { return market.StartedAt(seen(t, at)) }
	*f = rules.AcceptanceFacts{
		Buyer:   o.Buyer,
		Seller:  o.Seller,
		Product: o.Product,

		OrderType:    o.Type,
		AccessType:   o.AccessType,
		DeliveryMode: o.DeliveryMode,
		ChargeMode:   o.ChargeMode,
		Track:        o.Track,
		Cancelled:    !seen(o.CancelledAt, at).IsZero(),
		Invoiced:     !seen(o.InvoicedAt, at).IsZero(),
		Amount:       o.Amount,

		PlacedFor:     plain(o.PlacedAt),
		PaidFor:       plain(o.PaidAt),
		SupervisedFor: clock(o.PlacedAt),

		DeliveredFor: clock(v.delivery.DeliveredAt),
		ShippedFor:   plain(v.shipment.ShippedAt),
		SignedFor:    clock(v.signedAt(sentBack)),
		PhoneMatches: v.phoneMatches(),

		CollectedFor:     plain(v.delivery.CollectedAt),
		ActivatedFor:     clock(v.activatedAt()),
		ProofFor:         clock(v.delivery.ProofAt),
		ReviewedFor:      clock(v.delivery.ReviewedAt),
		BuyerAcceptedFor: plain(v.delivery.AcceptedAt),
		SentBackFor:      plain(sentBack),

		AppealOpenFor:     plain(appealed),
		AppealWorkingFor:  workingSince(appealed, site),
		AppealAcceptedFor: plain(v.appealDecided(market.AppealAccept)),
		AppealRefundedFor: plain(v.appealDecided(market.AppealRefund)),
	}
	return f
}

// deliveryView is a supervision as it could be known at an instant.
type deliveryView struct {
	s        *market.Supervision
	at       time.Time
	delivery *market.Delivery // the newest attempt of which anything was known
	shipment *market.Shipment
}

// Where nothing is known of a delivery or a parcel.
var (
	noDelivery market.Delivery
	noShipment market.Shipment
)

func asItStood(s *market.Supervision, at time.Time) deliveryView {
	v := deliveryView{s: s, at: at, delivery: &noDelivery, shipment: &noShipment}
	newest := 0
	for i := range s.Deliveries {
		if d := &s.Deliveries[i]; d.Attempt >= newest && v.anySeen(d.DeliveredAt, d.ProofAt, d.CollectedAt, d.ReviewedAt, d.AcceptedAt, d.RejectedAt) {
			newest, v.delivery = d.Attempt, d
		}
	}
	for i := range s.Shipments {
		p := &s.Shipments[i]
		if p.Attempt < newest || !v.anySeen(p.ShippedAt, p.SignedAt) {
			continue
		}
		if p.Attempt > newest {
			newest, v.delivery = p.Attempt, &noDelivery
		}
		v.shipment = p
	}
	return v
}

func (v *deliveryView) anySeen(instants ...time.Time) bool {
	for _, t := range instants {
		if !t.IsZero() && !t.After(v.at) {
			return true
		}
	}
	return false
}

// stopped are the spans in which the clocks stand still: while an appeal is open.
func (v *deliveryView) stopped() []market.Span {
	var spans []market.Span
	for i := range v.s.Appeals {
		if s, ok := seenSpan(v.s.Appeals[i].OpenedAt, v.s.Appeals[i].DecidedAt, v.at); ok {
			spans = append(spans, s)
		}
	}
	return spans
}

// handedOver is when the seller last did his part of the newest delivery.
func (v *deliveryView) handedOver() time.Time {
	return latest(seen(v.delivery.DeliveredAt, v.at), latest(seen(v.shipment.ShippedAt, v.at), seen(v.shipment.SignedAt, v.at)))
}

// sentBackAt is when the newest delivery was sent back to the seller, by the
// buyer or by the platform's decision; zero when there is none or a newer
// delivery has come since.
func (v *deliveryView) sentBackAt() time.Time {
	back := latest(seen(v.delivery.RejectedAt, v.at), v.corrected("sent_back_at", time.Time{}))
	for i := range v.s.Appeals {
		if a := &v.s.Appeals[i]; a.Decision == market.AppealBack {
			if t := seen(a.DecidedAt, v.at); t.After(back) {
				back = t
			}
		}
	}
	if back.Before(v.handedOver()) {
		return time.Time{}
	}
	return back
}

// signedAt is the courier's signature that the window runs from: one of a
// delivery that was sent back counts no more.
func (v *deliveryView) signedAt(sentBack time.Time) time.Time {
	signed := seen(v.corrected("signed_at", v.shipment.SignedAt), v.at)
	if !sentBack.IsZero() && !signed.After(sentBack) {
		return time.Time{}
	}
	return signed
}

// activatedAt is the first activation: a code's start never moves.
func (v *deliveryView) activatedAt() time.Time {
	if len(v.s.Activations) == 0 {
		return time.Time{}
	}
	return seen(v.s.Activations[0].ActivatedAt, v.at)
}

// appealOpenSince is when the earliest appeal that is still open was raised.
func (v *deliveryView) appealOpenSince() time.Time {
	var since time.Time
	for i := range v.s.Appeals {
		if s, ok := seenSpan(v.s.Appeals[i].OpenedAt, v.s.Appeals[i].DecidedAt, v.at); ok && s.Open() {
			since = earliest(since, s.From)
		}
	}
	return since
}

// appealDecided is when the platform first decided an appeal that way.
func (v *deliveryView) appealDecided(decision string) time.Time {
	var at time.Time
	for i := range v.s.Appeals {
		if a := &v.s.Appeals[i]; a.Decision == decision {
			at = earliest(at, seen(a.DecidedAt, v.at))
		}
	}
	return at
}

// phoneMatches compares the phone of the tracking record with the buyer's.
// Where either is unknown nothing differs. Only the comparison's result is
// kept with decisions, never a number.
func (v *deliveryView) phoneMatches() bool {
	if said := v.correction("phone_matches"); said != "" {
		return said == "true"
	}
	if v.s.Order.Phone == v.shipment.Phone {
		return true
	}
	a, b := digits(v.s.Order.Phone), digits(v.shipment.Phone)
	return a == "" || b == "" || a == b
}

// digits is a phone number as it is dialled at home: people write it with and
// without the country's prefix, spaces and dashes.
func digits(phone string) string {
	trimmed := strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(phone), "+86"), "0086")
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, trimmed)
}

// correction is what a person last established about a field by then.
func (v *deliveryView) correction(field string) string {
	value := ""
	for i := range v.s.Corrections {
		if c := &v.s.Corrections[i]; c.Field == field && !c.At.After(v.at) {
			value = c.Value
		}
	}
	return value
}

func (v *deliveryView) corrected(field string, reported time.Time) time.Time {
	if said := v.correction(field); said != "" {
		if t, err := time.Parse(time.RFC3339, said); err == nil {
			return t
		}
	}
	return reported
}

// daysAhead is how far the working days of an open appeal are laid out.
const daysAhead = 60

var errTooFar = fmt.Errorf("working days are laid out for %d days after an appeal: let the rule ask for fewer", daysAhead)

// workingSince is a clock that begins with the day after an instant's and runs
// on working days only. It is not known beyond the calendar: a rule to whose
// answer such a day matters cannot be asked.
func workingSince(t time.Time, site *rules.Site) market.Stopwatch {
	if t.IsZero() || site.Calendar == nil {
		return market.Stopwatch{}
	}
	var off []market.Span
	why := errTooFar
	first := market.DateOf(t, site.Zone) + 1
	d := first
	for ; d < first+daysAhead; d++ {
		worked, err := site.Calendar.IsWorkingDay(d)
		if err != nil {
			why = err
			break
		}
		if !worked {
			off = append(off, market.Span{From: d.At(market.TimeOfDay{}, site.Zone), To: (d + 1).At(market.TimeOfDay{}, site.Zone)})
		}
	}
	return market.StartedAt(first.At(market.TimeOfDay{}, site.Zone)).Without(off).KnownUntil(d.At(market.TimeOfDay{}, site.Zone), why)
}

// acceptanceEffect is what a step of the acceptance job changes.
func acceptanceEffect(s *market.Supervision, ruleset string, step Step, site *rules.Site, to *market.Effects) error {
	name := s.Order.Site + "/" + s.Order.Code
	again := "" // the end of a supervision that was reopened is another event
	if s.Reopened > 0 {
		again = "/" + strconv.Itoa(s.Reopened+1)
	}
	switch outcome := step.Answer.Outcome; outcome {
	case market.Accept:
		from, until, err := validity(s, step.At, site)
		if err != nil {
			return fmt.Errorf("accept order %s: %w", s.Order.Code, err)
		}
		complete(to, market.Completion{OrderID: s.Order.ID, No: s.Reopened, Outcome: outcome, CompletedAt: step.At, ValidFrom: from, ValidUntil: until}, "accepted/"+name+again, "accepted")
	case market.Refund:
		complete(to, market.Completion{OrderID: s.Order.ID, No: s.Reopened, Outcome: outcome, CompletedAt: step.At}, "refunded/"+name+again, "refunded")
	case market.Remind:
		for _, kind := range words(step.Answer, "notices") {
			notify(to, market.Notice{Key: kind + "/" + name, Kind: kind, Subject: s.Order.ID, Recipients: words(step.Answer, "recipients"), At: step.At})
		}
	case market.Wait, market.Hold, market.Quiet, market.Unsupervised:
	default:
		return fmt.Errorf("carry out %q of ruleset %s: the job does not know this outcome", outcome, ruleset)
	}
	return nil
}

// words is a list that came with an answer; nil where none did.
func words(a rules.Answer, name string) []string {
	v, _ := a.Value(name)
	return v.List()
}

// concerned are those who hear of the end of a supervision.
var concerned = []string{"buyer", "seller"}

func complete(to *market.Effects, c market.Completion, key, kind string) {
	to.Completions = append(to.Completions, c)
	notify(to, market.Notice{Key: key, Kind: kind, Subject: c.OrderID, Recipients: concerned, At: c.CompletedAt})
}

func notify(to *market.Effects, n market.Notice) {
	to.Events = append(to.Events, market.Event{Key: n.Key})
	to.Notices = append(to.Notices, n)
}

// validity is what the buyer may use: from the activation of an online code,
// from the actual start where the seller filled it in, or else from the
// acceptance, for the term that was bought. It may be over already. A one-off
// sale has none.
func validity(s *market.Supervision, accepted time.Time, site *rules.Site) (from, until time.Time, err error) {
	if s.Order.Term.IsZero() || s.Order.ChargeMode != "PERIOD" {
		return time.Time{}, time.Time{}, nil
	}
	v := asItStood(s, accepted)
	from = accepted
	if start := v.delivery.StartAt; !start.IsZero() {
		from = start
	}
	if start := v.activatedAt(); s.Order.DeliveryMode == "online_code" && !start.IsZero() {
		from = start
	}
	until = s.Order.Term.End(from, site.Zone)
	if until.Year() > lastYear || !until.After(from) {
		return from, until, fmt.Errorf("its term of %s from %s ends in no year of a calendar: mend term_count", s.Order.Term, from.In(site.Zone).Format(time.DateOnly))
	}
	return from, until, nil
}

// lastYear is the last that workbooks and most calendars can write.
const lastYear = 9999
