package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"nightshift/jobs/settling"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// settlementJob is what the job is called.
const settlementJob = "settlement"

// settlementRulesets are what it decides by.
var settlementRulesets = []string{"settlement", "settlement_instant", "fees", "tiers", "settlement_taxes", "minimum", "acceptance"}

// settlement settles what sellers earned in a month. Its subject is a seller; its
// business date is the last day of the month, and it runs on the bill day of the
// month after. Every seller is looked at: what changes a seller's month may be
// anything, a buyer's repayment or a rule.
var settlement = line{
	name:     settlementJob,
	counted:  "sellers",
	rulesets: settlementRulesets,
	chunk:    100,
	uneven:   true, // a seller has a line a month or a hundred thousand
	whole:    true,
	step:     settlementStep,
	report:   settlementReport,
}

// mostOpenTrade is how many orders and deductions a chunk reads, unless one seller
// has more.
const mostOpenTrade = 20_000

// settlementStep takes a shard of sellers one chunk further: read, settle, keep.
func settlementStep(ctx context.Context, tx *storage.Tx, x *execution, shard *storage.Shard, p pace) error {
	due, err := tx.DueChunk(ctx, x.run.Job, x.run.Site, x.run.AsOf, shard.Checkpoint, shard.Upto, p.limit, x.sparse)
	if err != nil {
		return err
	}
	fit, err := tx.OpenTradeWithin(ctx, subjects(due), mostOpenTrade)
	if err != nil {
		return err
	}
	if fit < len(due) {
		due, p.limit = due[:fit], fit
	}
	desk := x.desk()
	books, err := tx.SellerBooks(ctx, storage.EarningsQuery{Site: x.run.Site, Currency: x.site.Currency, Sellers: subjects(due), Period: desk.Period, Cut: desk.Cut,
		AsOf: x.run.AsOf, Zone: x.site.Zone, Again: x.engine.Store.IsScratch()})
	if err != nil {
		return err
	}
	k := x.harvest.cleared()
	for i := range books {
		x.settleSeller(desk, &books[i], p, shard, k)
	}
	if err := k.keep(ctx, tx, x, p); err != nil {
		return err
	}
	if err := tx.SettleOff(ctx, settledWhole(books, k.statements)); err != nil {
		return err
	}
	advance(shard, due, p, k)
	shard.Parked += int64(len(k.troubled))
	return tx.KeepShard(ctx, x.run.ID, *shard)
}

// settledWhole is the trade of which nothing is left to settle once statements are
// kept.
func settledWhole(books []market.SellerBook, statements []market.Statement) (whole []storage.SettledTrade) {
	now := map[string]bool{}
	for i := range statements {
		for n := range statements[i].Lines {
			now[statements[i].Lines[n].Key] = true
		}
	}
	for i := range books {
		for _, t := range books[i].Open {
			if !slices.ContainsFunc(t.Unsettled, func(key string) bool { return !now[key] }) {
				whole = append(whole, storage.SettledTrade{SellerID: books[i].Seller.ID, OpenTrade: t})
			}
		}
	}
	return whole
}

// desk is where a worker settles sellers. A run that looks from within the month
// sees no more of it than has happened.
func (x *execution) desk() *settling.Desk {
	if x.settling == nil {
		period := market.Month(x.run.On)
		cut := period.To.At(market.TimeOfDay{}, x.site.Zone)
		if x.run.AsOf.Before(cut) {
			cut = x.run.AsOf
		}
		by := map[string]*rules.InForce{}
		for i, name := range x.line.rulesets {
			by[name] = x.inForce[i]
		}
		x.settling = &settling.Desk{Site: x.site.Name, Period: period, Cut: cut, Zone: x.site.Zone, Rules: settling.Rules{Settlement: by["settlement"],
			Instant: by["settlement_instant"], Fees: by["fees"], Tiers: by["tiers"], Taxes: by["settlement_taxes"], Minimum: by["minimum"]}}
		x.supervising = by["acceptance"]
		next := x.site.DateAfter(settlementJob, x.run.On)
		if at, err := x.site.AsOf(settlementJob, next); err == nil {
			x.looks = at
		} else {
			x.looks = next.AddDays(1).At(market.TimeOfDay{}, x.site.Zone) // the calendar ends: the run says so
		}
	}
	return x.settling
}

// settleSeller settles one seller; what cannot be settled is parked, and nothing
// of that seller is kept. Of a seller who has lines that a person has to mend the
// others are settled, and the seller is among what is parked as well.
func (x *execution) settleSeller(desk *settling.Desk, book *market.SellerBook, p pace, shard *storage.Shard, k *harvest) {
	seller := &book.Seller
	err := errors.New(p.refused)
	var out settling.Settlement
	if p.refused == "" {
		if err = x.supervise(book); err == nil {
			out, err = desk.Settle(book)
		}
	}
	if err != nil {
		k.parked = append(k.parked, storage.Parked{Subject: seller.ID, Code: seller.Code, Reason: err.Error()})
		shard.ResultHash = addHash(shard.ResultHash, newDigest(seller.Code).text("parked").bytes)
		return
	}
	d := newDigest(seller.Code)
	if s := out.Statement; s != nil {
		k.statements = append(k.statements, *s)
		j := s.Journal(desk.Period.To.At(market.TimeOfDay{}, x.site.Zone))
		k.journals = append(k.journals, j)
		d.statement(s)
		if s.Payout.IsZero() && s.CarriedOut.Sign() < 0 {
			shard.Outcomes["carry"]++
		} else {
			shard.Outcomes["settle"]++
		}
	}
	if len(out.Waiting) > 0 {
		k.waiting = append(k.waiting, storage.SellerWaiting{SellerID: seller.ID, Currency: seller.Currency, Lines: out.Waiting})
		shard.Outcomes["waiting lines"] += int64(len(out.Waiting))
		k.trouble(seller, out.Waiting, shard)
	}
	for i := range out.Waiting {
		w := &out.Waiting[i]
		d.text(w.Key).text(w.Outcome).text(strings.Join(w.Unmet, " ")).instant(w.Until).text(w.Rules)
	}
	k.back.Add(seller.ID, x.looks, nil)
	shard.ResultHash = addHash(shard.ResultHash, d.bytes)
}

// supervise says of the orders whether their delivery is under supervision, as
// the rules of acceptance do.
func (x *execution) supervise(book *market.SellerBook) error {
	var facts rules.AcceptanceFacts
	for i := range book.Earnings {
		e := &book.Earnings[i]
		if e.Kind != market.EarnedOrder && e.Kind != market.EarnedPartner || e.OrderID == 0 {
			continue
		}
		if !e.CompletedAt.IsZero() {
			e.Supervised = true
			continue
		}
		facts = rules.AcceptanceFacts{Seller: book.Seller.Code, Product: e.Product, OrderType: e.OrderType, AccessType: e.AccessType, DeliveryMode: e.DeliveryMode,
			ChargeMode: e.ChargeMode, Track: e.Track, Amount: e.Paid, PlacedFor: market.StartedAt(e.PlacedAt), PaidFor: market.StartedAt(e.PaidAt)}
		answer, err := x.supervising.For(&facts).Decide(&facts, x.run.AsOf)
		if err != nil {
			return fmt.Errorf("ask whether %s is under supervision: %w", e.Key, err)
		}
		e.Supervised = answer.Outcome != market.Unsupervised
	}
	return nil
}

// trouble notes a seller with lines that a person has to mend.
func (k *harvest) trouble(seller *market.Seller, waiting []market.WaitingLine, shard *storage.Shard) {
	var reasons []string
	held := int64(0)
	for i := range waiting {
		if w := &waiting[i]; w.Outcome == market.Hold {
			if held++; held <= mostReasons {
				reasons = append(reasons, w.Key+": "+w.Because)
			}
		}
	}
	if held == 0 {
		return
	}
	if held > mostReasons {
		reasons = append(reasons, fmt.Sprintf("And %d more.", held-mostReasons))
	}
	shard.Outcomes["held lines"] += held
	k.troubled = append(k.troubled, storage.Parked{Subject: seller.ID, Code: seller.Code, Reason: strings.Join(reasons, " ") + " The seller's other lines are settled."})
}

// mostReasons is how many lines of a seller are told with what is parked.
const mostReasons = 3

// statement adds a statement to a part of the result hash.
func (d *digest) statement(s *market.Statement) {
	d.text(s.Key()).text(string(s.Currency)).text(s.Payout.String()).text(s.CarriedOut.String())
	for i := range s.Lines {
		l := &s.Lines[i]
		d.text(l.Key).text(l.Billable.String()).text(l.Fee.String()).text(l.Settled.String()).text(l.Rules).instant(l.DecidedAt)
	}
}

// keepSettled writes what settlement leaves behind.
func (k *harvest) keepSettled(ctx context.Context, tx *storage.Tx, owner storage.Keeping) error {
	if len(k.statements) == 0 && len(k.waiting) == 0 {
		return nil
	}
	if err := tx.KeepStatements(ctx, owner, k.statements); err != nil {
		return err
	}
	if err := tx.KeepWaiting(ctx, owner, k.waiting); err != nil {
		return err
	}
	return tx.ParkAlso(ctx, settlementJob, owner, k.troubled)
}
