package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"nightshift/jobs/metering"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

const billingJob = "billing"

// billing settles what buyers owe. Its subject is a buyer, so that one buyer's
// money is spent by one worker, in the order in which things happened; what it
// books is dated to its own second, however late the run is.
var billing = line{
	name:     billingJob,
	counted:  "buyers",
	rulesets: billingRulesets,
	chunk:    1000,
	uneven:   true,
	first:    judgeStrays,
	step:     billingStep,
	report:   billingReport,
}

var billingRulesets = []string{"payment", "waterfall", "rounding", "periods", "arrears", "month_end", "refunds", "returns", "upgrade", metering.Ruleset, metering.RepurchaseRuleset}

// billingStep takes a shard of buyers one chunk further: read, settle, keep.
func billingStep(ctx context.Context, tx *storage.Tx, x *execution, shard *storage.Shard, p pace) error {
	due, err := tx.DueChunk(ctx, x.run.Job, x.run.Site, x.run.AsOf, shard.Checkpoint, shard.Upto, p.limit, x.sparse)
	if err != nil {
		return err
	}
	desk, err := openDesk(ctx, tx, x, due)
	if err != nil {
		return err
	}
	k := x.harvest.cleared()
	for i := range due {
		desk.settle(i, due[i], p, shard, k)
	}
	if err := k.callSellers(ctx, tx); err != nil {
		return err
	}
	if err := k.keep(ctx, tx, x, p); err != nil {
		return err
	}
	advance(shard, due, p, k)
	return tx.KeepShard(ctx, x.run.ID, *shard)
}

// billingDesk is a chunk of buyers with all that is known of them.
type billingDesk struct {
	x         *execution
	payers    []market.Payer
	money     map[int64][]market.MoneyIn
	refunds   map[int64][]market.RefundRequest
	onAccount map[market.Account][]market.Spent // since the first open bill of each account
	noted     map[int64][]market.MonthLine      // of months that are to be rounded
	back      map[int64][]market.CameBack
	usage     []market.Usage
	ahead     map[int64]time.Time // the first fact of each buyer that lies ahead
	seen      map[string]bool     // occasions of re-purchases that were used before, and months that were closed
	books     *market.Books
	version   map[string]*rules.Policy
}

// openDesk reads the buyers of a chunk with all that billing settles.
func openDesk(ctx context.Context, tx *storage.Tx, x *execution, due []storage.Due) (*billingDesk, error) {
	buyers := subjects(due)
	usage, err := tx.UsageOf(ctx, x.run.Site, buyers, x.run.AsOf, x.site.Zone)
	if err != nil {
		return nil, err
	}
	stood, since := map[int64]bool{}, make([]time.Time, len(due))
	for i := range due {
		stood[due[i].Subject], since[i] = len(due[i].Stands) > 0, usage[i].Since(x.run.AsOf)
	}
	d, err := readPayers(ctx, tx, x, buyers, since, stood)
	if err != nil {
		return nil, err
	}
	if d.refunds, err = tx.RefundsOf(ctx, buyers, x.run.AsOf, x.site.Zone); err != nil {
		return nil, err
	}
	if err = d.readOnAccount(ctx, tx, due); err != nil {
		return nil, err
	}
	month := market.DateOf(x.run.AsOf, x.site.Zone).FirstOfMonth()
	if d.noted, err = tx.UnroundedOf(ctx, buyers, month); err != nil {
		return nil, err
	}
	if d.back, err = tx.CameBack(ctx, buyers); err != nil {
		return nil, err
	}
	d.usage = usage
	if err = d.prepareUsage(ctx, tx); err != nil {
		return nil, err
	}
	d.ahead, err = tx.FactsAfter(ctx, x.run.Site, buyers, x.run.AsOf)
	return d, err
}

// readPayers reads buyers with what they can pay with and the rules they pay by,
// and locks their accounts. Since is the first instant of each at which there may
// be something to pay that is not among the facts of payers.
func readPayers(ctx context.Context, tx *storage.Tx, x *execution, buyers []int64, since []time.Time, stood map[int64]bool) (*billingDesk, error) {
	d := &billingDesk{x: x, version: map[string]*rules.Policy{}}
	for n, ruleset := range x.line.rulesets {
		d.version[ruleset] = x.inForce[n].Policy()
	}
	var err error
	if d.payers, err = tx.Payers(ctx, buyers, since, stood); err != nil {
		return nil, err
	}
	var accounts []market.Account
	for i := range d.payers {
		accounts = append(accounts, d.payers[i].Accounts()...)
	}
	if d.books, err = tx.LockBalances(ctx, x.run.Site, accounts); err != nil {
		return nil, err
	}
	d.money, err = tx.MoneyOf(ctx, buyers, x.run.AsOf) // under the lock: another job may have booked it meanwhile
	return d, err
}

// bill is what is known of one of the buyers, in the room of the one before.
func (d *billingDesk) bill(n int) *bill {
	b := d.x.bill.cleared()
	b.payer, b.money, b.books = &d.payers[n], d.money[d.payers[n].ID], d.books
	b.site, b.runID, b.asOf, b.version, b.harvest = d.x.site, d.x.run.ID, d.x.run.AsOf, d.version, &d.x.harvest
	return b
}

func subjects(due []storage.Due) []int64 {
	ids := make([]int64, len(due))
	for i, d := range due {
		ids[i] = d.Subject
	}
	return ids
}

// prepareUsage reads what is needed to meter what the buyers used, and what of
// that happened before.
func (d *billingDesk) prepareUsage(ctx context.Context, tx *storage.Tx) (err error) {
	x := d.x
	if x.meter == nil {
		if x.meter, err = x.newMeter(ctx, tx); err != nil {
			return err
		}
	}
	var keys []string
	for i := range d.usage {
		keys = append(keys, occasions(&d.usage[i], x.run.Site, d.payers[i].Code, x.site.Zone, x.run.AsOf)...)
		keys = append(keys, d.closings(i)...)
	}
	d.seen, err = tx.EventsSeen(ctx, keys)
	if d.seen == nil {
		d.seen = map[string]bool{}
	}
	return err
}

// settle settles one buyer; what cannot be settled is parked, and nothing of
// that buyer is kept.
func (d *billingDesk) settle(n int, due storage.Due, p pace, shard *storage.Shard, k *harvest) {
	payer := &d.payers[n]
	b := d.bill(n)
	b.onAccount = d.onAccount[market.BuyerMonthEnd(payer.Code)]
	b.refunds, b.usage, b.seen, b.meter = d.refunds[payer.ID], &d.usage[n], d.seen, d.x.meter
	b.noted, b.back = d.noted[payer.ID], d.back[payer.ID]
	err := errors.New(p.refused)
	if p.refused == "" {
		if b.stands, err = parseStands(due.Stands); err == nil {
			err = b.settle()
		}
	}
	if err != nil {
		k.parked = append(k.parked, storage.Parked{Subject: due.Subject, Code: payer.Code, Reason: strings.ReplaceAll(err.Error(), "\n", "; ")})
		shard.ResultHash = addHash(shard.ResultHash, newDigest(payer.Code).text("parked").bytes)
		return
	}
	b.billed.look = earliest(b.billed.look, d.ahead[payer.ID])
	k.bill(&b.billed, due)
	k.usage(b)
	for outcome, count := range b.billed.outcomes {
		shard.Outcomes[outcome] += count
	}
	shard.ResultHash = addHash(shard.ResultHash, b.billed.digest(payer.Code).bytes)
}

// bill puts what became of a buyer to what the chunk leaves behind.
func (k *harvest) bill(b *billed, due storage.Due) {
	k.money(b)
	k.ends = append(k.ends, b.ends...)
	k.refunds = append(k.refunds, b.refunds...)
	k.months = append(k.months, b.months...)
	k.rounded = append(k.rounded, b.rounded...)
	k.turns = append(k.turns, b.turns...)
	if b.look.IsZero() && b.stands.nothing() {
		k.dismissed = append(k.dismissed, due.Subject)
		return
	}
	stands, err := json.Marshal(b.stands)
	if err != nil {
		panic("write what stands of a buyer: " + err.Error()) // texts and numbers alone
	}
	k.back.Add(due.Subject, b.look, stands)
}

// money puts what was booked and decided about a buyer to what the chunk leaves
// behind.
func (k *harvest) money(b *billed) {
	k.journals = append(k.journals, b.journals...)
	k.deductions = append(k.deductions, b.deductions...)
	k.decisions = append(k.decisions, b.decisions...)
	k.booked = append(k.booked, b.booked...)
	k.lines = append(k.lines, b.lines...)
	k.effects.Append(b.effects)
	for _, e := range b.effects.Events {
		k.doubtful = append(k.doubtful, e.Key)
	}
}

// usage puts what was metered to what the chunk leaves behind.
func (k *harvest) usage(b *bill) {
	if b.use.walk == nil {
		return
	}
	m := &b.metered
	k.metered.Add(b.payer.ID, m.Results, m.Rated, m.Drawn, m.Stops, m.Received)
	k.metered.Bought = append(k.metered.Bought, b.use.bought...)
}

// digest is the buyer's part of the result hash.
func (b *billed) digest(code string) *digest {
	d := newDigest(code)
	for i := range b.decisions {
		d.decision(b.decisions[i])
	}
	for _, e := range b.effects.Events {
		d.event(e)
	}
	for i := range b.journals {
		j := &b.journals[i]
		d.text(j.Key).instant(j.At)
		for _, p := range j.Postings {
			d.text(string(p.From)).text(string(p.To)).text(p.Amount.String())
		}
	}
	return d
}
