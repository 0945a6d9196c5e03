package main

import (
	"strconv"
	"time"
)

// demoHandover is one attempt of a delivery.
type demoHandover struct {
	*demoOrder
	attempt                                                               int
	delivered, starts, proof, collected, reviewed, acceptedAt, rejectedAt time.Time
}

// handover begins an attempt; a parcel's has the number of its shipment.
func (o *demoOrder) handover(delivered time.Time) *demoHandover {
	if !delivered.IsZero() {
		o.attempts++
	}
	return &demoHandover{demoOrder: o, attempt: o.attempts, delivered: delivered}
}

// write puts the attempt into its file, if anything is known of it.
func (h *demoHandover) write() {
	cells := []string{h.code, strconv.Itoa(h.attempt)}
	known := false
	for _, t := range []time.Time{h.delivered, h.starts, h.proof, h.collected, h.reviewed, h.acceptedAt, h.rejectedAt} {
		cells = append(cells, h.text(t))
		known = known || h.text(t) != ""
	}
	if known && (h.delivered.IsZero() || h.text(h.delivered) != "") {
		h.add("deliveries", cells...)
	}
}

// answer tells what the buyer does with a delivery: accept it by hand, say
// nothing, send it back, or appeal.
func (o *demoOrder) answer(h *demoHandover, from time.Time) {
	again := time.Time{} // when the seller has to deliver once more
	switch most := 3; {
	case o.patient && o.chance(88):
	case o.patient: // an appeal after months, in the nights of the demo
		again = o.appeal(o.later(o.nights.From.AddDays(-10).At(noon, o.zone), 0, 50*day))
	default:
		slow, silent := 26, 12
		if o.product.access == "hardware" { // silence is enough there
			slow, silent = 2, 38
		}
		switch o.choose(44, silent, 7, 9, slow) {
		case 0:
			h.acceptedAt = o.later(from, 2*hour, 12*day)
		case 4:
			h.acceptedAt = o.later(from, 12*day, 60*day)
		case 2:
			h.rejectedAt = o.later(from, 4*hour, 5*day)
			again = h.rejectedAt
		case 3:
			again = o.appeal(o.later(from, 6*hour, 9*day))
		}
		if o.attempts >= most {
			again = time.Time{}
		}
	}
	h.write()
	if !again.IsZero() && o.text(again) != "" {
		o.deliver(again)
	}
}

// appeal opens a dispute. Most are decided within a working day or two, some
// late, a few not at all. It answers when the delivery was sent back; zero
// where it was not.
func (o *demoOrder) appeal(opened time.Time) (back time.Time) {
	if o.text(opened) == "" {
		return time.Time{}
	}
	var decided time.Time
	switch o.choose(55, 35, 10) {
	case 0:
		decided = o.later(opened, 20*hour, 60*hour)
	case 1:
		decided = o.later(opened, 6*day, 14*day)
	}
	decision := []string{"continue", "accept", "refund", "back"}[o.choose(45, 20, 25, 10)]
	if o.text(decided) == "" {
		decided, decision = time.Time{}, ""
	}
	o.appeals++
	party := []string{"buyer", "seller"}[o.choose(80, 20)]
	o.add("appeals", o.code, "AP-"+o.code+"-"+strconv.Itoa(o.appeals), party, o.text(opened), o.text(decided), decision)
	if decision == "back" {
		return decided
	}
	return time.Time{}
}
