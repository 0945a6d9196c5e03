package jobs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Reissued is a statement before and after it was issued again.
type Reissued struct {
	Before storage.StatementStand
	After  market.Statement
	Same   bool // nothing differs: there is no other version
}

// Reissue settles the period of sellers again, by what is known and by the rules
// in force now, and issues what differs as the next version: nothing that was
// issued changes, and the journal has the difference alone. It is refused where
// something stands on the version there is: the period is closed, a payment is
// ordered, a later statement exists, or a line would vanish that is known as
// settled. What is wrong then is adjusted in the next period.
func (e *Engine) Reissue(ctx context.Context, ask StatementAct) (list []Reissued, err error) {
	site, err := e.inForce(ctx, ask.Site)
	if err != nil {
		return nil, err
	}
	if err := (statementAct{name: "reissue", named: true, because: true}).valid(ask); err != nil {
		return nil, err
	}
	if err := e.Store.EnsureMonth(ctx, market.DateOf(ask.At, site.Zone)); err != nil {
		return nil, err
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		list = nil
		if err := tx.Serialise(ctx, payoutLock(ask.Site)); err != nil {
			return err
		}
		if _, closed, err := tx.Closed(ctx, ask.Site, ask.Period); err != nil || closed {
			return cmp.Or(err, fmt.Errorf("%w: reissue %s: %w: what is wrong is an adjustment of the next period", ErrBadRequest, ask.Period, storage.ErrPeriodClosed))
		}
		found, err := tx.Statements(ctx, storage.StatementQuery{Site: ask.Site, Period: ask.Period.Number(), Sellers: ask.Sellers})
		if err = cmp.Or(err, known(ask, found)); err != nil {
			return err
		}
		x, err := e.again(site, ask)
		if err != nil {
			return err
		}
		for _, s := range found {
			r, err := x.reissue(ctx, tx, ask, s)
			if err != nil {
				return err
			}
			list = append(list, r)
		}
		return nil
	})
	return list, err
}

// again is a settlement run by hand.
func (e *Engine) again(site *rules.Site, ask StatementAct) (*execution, error) {
	x := &execution{engine: e, site: site, line: settlement, run: market.Run{Job: settlementJob, Site: site.Name, On: ask.Period.Last(), AsOf: ask.At}}
	for _, ruleset := range settlementRulesets {
		f, err := site.InForce(ruleset, x.run.On)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
		}
		x.inForce = append(x.inForce, f)
	}
	return x, nil
}

// reissue settles one seller again.
func (x *execution) reissue(ctx context.Context, tx *storage.Tx, ask StatementAct, s storage.StatementStand) (r Reissued, err error) {
	r.Before = s
	where := fmt.Sprintf("reissue %s of %s", s.Period, s.Seller)
	later, err := tx.HasLaterStatement(ctx, s.SellerID, s.Period)
	switch {
	case err != nil:
		return r, err
	case later:
		return r, fmt.Errorf("%w: %s: a later statement stands on it: what is wrong is an adjustment of the next period", ErrBadRequest, where)
	case s.OnItsWay() || s.Answer == "pays":
		return r, fmt.Errorf("%w: %s: it was ordered from the bank in %s: what is wrong is an adjustment of the next period", ErrBadRequest, where, s.Ordered)
	}
	desk := x.desk()
	books, err := tx.SellerBooks(ctx, storage.EarningsQuery{Site: x.run.Site, Currency: x.site.Currency, Sellers: []int64{s.SellerID}, Period: desk.Period, Cut: desk.Cut,
		AsOf: x.run.AsOf, Zone: x.site.Zone, Again: true})
	if err != nil {
		return r, err
	}
	if err := x.supervise(&books[0]); err != nil {
		return r, err
	}
	out, err := desk.Settle(&books[0])
	if err != nil {
		return r, fmt.Errorf("%w: %s: %w", ErrBadRequest, where, err)
	}
	if out.Statement == nil {
		return r, fmt.Errorf("%w: %s: nothing of it would be settled: take it back by an adjustment of the next period", ErrBadRequest, where)
	}
	r.After = *out.Statement
	r.After.Version = s.Version + 1
	fresh, same, err := x.compare(ctx, tx, s, &r.After)
	if r.Same = same; err != nil || same {
		return r, err
	}
	owner := storage.Keeping{Site: s.Site, On: s.Period.Last()}
	if err := tx.KeepVersion(ctx, owner, &r.After, ask.Because, fresh); err != nil {
		return r, err
	}
	j, err := x.difference(ctx, tx, s, &r.After)
	if err != nil {
		return r, err
	}
	today := storage.Keeping{Site: s.Site, On: market.DateOf(ask.At, x.site.Zone)}
	return r, tx.KeepJournals(ctx, today, storage.PersonSource(today.On), []market.Journal{j})
}

// compare finds the lines that are new, and whether anything differs. A line of
// the version before that is not there any more is an error.
func (x *execution) compare(ctx context.Context, tx *storage.Tx, s storage.StatementStand, now *market.Statement) (fresh []string, same bool, err error) {
	before := map[string]market.StatementLine{}
	var keys []string
	for l, err := range tx.LinesOf(ctx, s) {
		if err != nil {
			return nil, false, err
		}
		before[l.Key] = l.StatementLine
		keys = append(keys, l.Key)
	}
	same = len(before) == len(now.Lines)
	there := map[string]bool{}
	for i := range now.Lines {
		l := &now.Lines[i]
		there[l.Key] = true
		old, was := before[l.Key]
		if !was && l.Kind != market.EarnedCarried {
			fresh = append(fresh, l.Key)
		}
		same = same && was && old.Settled.Cmp(l.Settled) == 0 && old.Fee.Cmp(l.Fee) == 0 && old.Billable.Cmp(l.Billable) == 0
	}
	gone := slices.DeleteFunc(keys, func(key string) bool { return there[key] })
	if len(gone) > 0 {
		return nil, false, fmt.Errorf("%w: reissue %s of %s: it would lose what was settled (%s): take that back by an adjustment of the next period", ErrBadRequest, s.Period, s.Seller, strings.Join(gone[:min(3, len(gone))], ", "))
	}
	return fresh, same, nil
}

// difference is the journal of a version less those of the versions before it.
func (x *execution) difference(ctx context.Context, tx *storage.Tx, s storage.StatementStand, now *market.Statement) (market.Journal, error) {
	whole := now.Journal(s.Period.To.At(market.TimeOfDay{}, x.site.Zone))
	booked, err := tx.JournalsByKey(ctx, strings.Split(statementKeys(s), ", "))
	if err != nil {
		return whole, err
	}
	type way struct{ from, to market.Account }
	sums := map[way]market.Decimal{}
	var ways []way
	add := func(p market.Posting, sign func(market.Decimal) market.Decimal) {
		w, amount := way{p.From, p.To}, sign(p.Amount.Amount)
		if p.To < p.From { // the same way there and back is one
			w, amount = way{p.To, p.From}, amount.Neg()
		}
		if _, seen := sums[w]; !seen {
			ways = append(ways, w)
		}
		sums[w] = sums[w].Add(amount)
	}
	for _, p := range whole.Postings {
		add(p, func(d market.Decimal) market.Decimal { return d })
	}
	for _, j := range booked {
		for _, p := range j.Postings {
			add(p, market.Decimal.Neg)
		}
	}
	slices.SortFunc(ways, func(a, b way) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	j := market.Journal{Key: whole.Key, Memo: whole.Memo + fmt.Sprintf(", version %d less those before it", now.Version), At: whole.At}
	for _, w := range ways {
		j.Post(w.from, w.to, market.NewMoney(sums[w], now.Currency))
	}
	return j, nil
}
