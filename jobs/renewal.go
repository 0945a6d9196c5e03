package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"nightshift/rules/market"
	"nightshift/storage"
)

// renewalJob is what the job is called.
const renewalJob = "renewal"

// renewal settles what becomes of subscriptions whose term is about to end, or
// is over. Its subject is a buyer, as that of billing is: both spend the same
// money. The attempt of a night is made at its as-of; what runs by the clock is
// dated to its own second.
var renewal = line{
	name:     renewalJob,
	counted:  "buyers",
	rulesets: renewalRulesets,
	chunk:    500,
	step:     renewalStep,
	report:   renewalReport,
}

var renewalRulesets = []string{"renewal", "expiry", "periods", "renewal_reminders", "renewal_policy", "waterfall", "rounding", "refunds"}

// renewalStep takes a shard of buyers one chunk further: read, settle, keep.
func renewalStep(ctx context.Context, tx *storage.Tx, x *execution, shard *storage.Shard, p pace) error {
	due, err := tx.DueChunk(ctx, x.run.Job, x.run.Site, x.run.AsOf, shard.Checkpoint, shard.Upto, p.limit, x.sparse)
	if err != nil {
		return err
	}
	buyers := subjects(due)
	desk, err := readPayers(ctx, tx, x, buyers, slices.Repeat([]time.Time{x.run.AsOf}, len(buyers)), nil)
	if err != nil {
		return err
	}
	subscriptions, err := tx.SubscriptionsOf(ctx, buyers)
	if err != nil {
		return err
	}
	k := x.harvest.cleared()
	for i := range due {
		r := renewing{bill: desk.bill(i), on: x.run.On}
		r.settleBuyer(subscriptions[r.payer.ID], due[i], p, shard, k, x)
	}
	if err := k.openMonths(ctx, tx, x.run.Site, desk.payers); err != nil {
		return err
	}
	if err := k.keep(ctx, tx, x, p); err != nil {
		return err
	}
	if err := tx.WakeBilling(ctx, x.run.Site, buyersOf(k.lines)); err != nil {
		return err
	}
	advance(shard, due, p, k)
	return tx.KeepShard(ctx, x.run.ID, *shard)
}

// settleBuyer settles one buyer; what cannot be settled is parked, and nothing
// of that buyer is kept.
func (r *renewing) settleBuyer(all []market.Subscription, due storage.Due, p pace, shard *storage.Shard, k *harvest, x *execution) {
	err := errors.New(p.refused)
	if p.refused == "" {
		err = r.settle(all, due.Stands)
	}
	if err != nil {
		k.parked = append(k.parked, storage.Parked{Subject: due.Subject, Code: r.payer.Code, Reason: err.Error()})
		shard.ResultHash = addHash(shard.ResultHash, newDigest(r.payer.Code).text("parked").bytes)
		return
	}
	b := &r.billed
	b.look = earliest(b.look, x.nextVersion)
	k.money(b)
	k.terms = append(k.terms, r.bought...)
	k.changes = append(k.changes, r.changed...)
	k.takenBack = append(k.takenBack, r.takenBack...)
	stands, err := json.Marshal(r.left)
	if err != nil {
		panic("write what stands of the subscriptions of a buyer: " + err.Error()) // texts and numbers alone
	}
	k.back.Add(due.Subject, b.look, stands)
	for outcome, count := range b.outcomes {
		shard.Outcomes[outcome] += count
	}
	shard.ResultHash = addHash(shard.ResultHash, b.digest(r.payer.Code).bytes)
}

// standingSubscription is what stands of a subscription from night to night.
type standingSubscription struct {
	Subscription int64
	End          int64        // of its last term, in microseconds: what follows is about that
	Price        market.Money `json:",omitzero"`  // that the first attempt fixed,
	For          market.Term  `json:",omitzero"`  // for this long,
	Priced       int64        `json:",omitempty"` // and when, in microseconds: discounts are those of then
	Failed       bool         `json:",omitempty"`
	Shortfall    market.Money `json:",omitzero"`
	Print        uint64       `json:",omitempty"` // the fingerprint of the decision of the last night
	State        string       // what the rules of expiries answered
	Seen         int64        // up to which the clocks were looked at, in microseconds
}

// renewing is what a run knows and decides about the subscriptions of one buyer.
type renewing struct {
	*bill
	on     market.Date
	stood  []standingSubscription
	left   []standingSubscription
	bought []market.BoughtTerm

	changed   []market.PolicyResult
	takenBack []market.UnsubscriptionResult
	periods   periods // of the buyer's level
}

// settle books the buyer's money that came, and takes the subscriptions one after
// the other, those that end first before others. It touches neither database nor
// clock.
func (r *renewing) settle(all []market.Subscription, stands []byte) error {
	if len(stands) > 0 {
		if err := json.Unmarshal(stands, &r.stood); err != nil {
			return fmt.Errorf("read what stands of the subscriptions of the buyer: %w", err)
		}
	}
	if err := r.bookWhatCame(); err != nil {
		return err
	}
	if len(all) > 0 {
		var err error
		if r.periods, err = r.periodsOf(r.version["periods"]); err != nil {
			return err
		}
	}
	slices.SortStableFunc(all, func(a, b market.Subscription) int { return a.EndsAt().Compare(b.EndsAt()) })
	for i := range all {
		s := &all[i]
		if s.Start.After(r.asOf) {
			r.billed.look = earliest(r.billed.look, s.Start)
			continue
		}
		l := lifetime{renewing: r, s: s}
		if err := l.live(); err != nil {
			return fmt.Errorf("subscription %s: %w", s.Code, err)
		}
	}
	return nil
}

// bookWhatCame books money and instruments as billing does. Where the buyer owes
// for use, the money is left to billing: what is owed is paid before anything
// else, and billing has to know since when it is.
func (r *renewing) bookWhatCame() error {
	r.money = slices.DeleteFunc(r.money, func(m market.MoneyIn) bool { return m.Account == "month_end" }) // billing has to know when a bill was paid
	r.planInstruments()
	if r.owed().Amount.Sign() <= 0 {
		r.planMoney()
	}
	r.arrange()
	for _, h := range r.happenings {
		if err := h.do(h.at); err != nil {
			return err
		}
	}
	return nil
}
