package storage

import (
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// settled finds what was settled before, and the lines that refunds take back.
func (r *earningsReader) settled() error {
	type place struct{ book, earning int }
	var keys []string
	of := map[string]place{}
	for b := range r.books {
		for i := range r.books[b].Earnings {
			key := r.books[b].Earnings[i].Key
			keys, of[market.SettledKey(key)] = append(keys, market.SettledKey(key)), place{b, i}
		}
	}
	for _, o := range r.orders {
		for _, key := range o.keys {
			if _, mine := of[market.SettledKey(key)]; !mine {
				keys, of[market.SettledKey(key)] = append(keys, market.SettledKey(key)), place{book: -1}
			}
		}
	}
	if len(keys) == 0 {
		return nil
	}
	on := map[string]market.Date{}
	err := r.tx.Query(r.ctx, `SELECT key, business_date FROM events_seen WHERE key = ANY($1) AND (NOT $2 OR business_date < $3)`,
		[]any{keys, r.q.Again, r.q.Period.Last()}, func(rows pgx.Rows) error {
			var key string
			var date market.Date
			if err := rows.Scan(&key, &date); err != nil {
				return err
			}
			p := of[key]
			if r.done[key] = true; p.book < 0 {
				return nil // others earn it
			}
			earning := r.books[p.book].Earnings[p.earning].Key
			r.books[p.book].Settled[earning] = true
			on[earning] = date
			return nil
		})
	if err != nil || len(on) == 0 {
		return err
	}
	return r.takenBack(on)
}

// neverOpened leaves orders out that their seller failed to open, unless something
// of them was settled before that was known.
func (r *earningsReader) neverOpened() error {
	var orders []int64
	for b := range r.books {
		for i := range r.books[b].Earnings {
			if id := r.books[b].Earnings[i].OrderID; id != 0 {
				orders = append(orders, id)
			}
		}
	}
	failed := map[int64]bool{}
	err := r.tx.Query(r.ctx, `SELECT subject FROM endings_seen WHERE job = 'openings' AND outcome = 'failed' AND at < $2 AND subject = ANY($1)`,
		[]any{orders, r.q.Cut}, func(rows pgx.Rows) error {
			var order int64
			err := rows.Scan(&order)
			failed[order] = true
			return err
		})
	if err == nil {
		r.leaveOut(failed)
	}
	return err
}

// cancelled leaves orders out that were cancelled, unless something of them was
// settled before: then what was given back of them is taken back.
func (r *earningsReader) cancelled() error {
	for id, o := range r.orders {
		if o.cancelled {
			r.dead[id] = true
		}
	}
	r.leaveOut(r.dead)
	return nil
}

// leaveOut has nobody earn of some orders, but of those of which something was
// settled before, which are taken off the list.
func (r *earningsReader) leaveOut(orders map[int64]bool) {
	if len(orders) == 0 {
		return
	}
	for b := range r.books {
		for i := range r.books[b].Earnings {
			if e := &r.books[b].Earnings[i]; r.books[b].Settled[e.Key] {
				delete(orders, e.OrderID)
			}
		}
	}
	for b := range r.books {
		r.books[b].Earnings = slices.DeleteFunc(r.books[b].Earnings, func(e market.Earning) bool { return orders[e.OrderID] })
	}
}

// takenBack reads the settled lines that refunds take back, each with what took
// parts of it back before.
func (r *earningsReader) takenBack(on map[string]market.Date) error {
	var keys, dates []string
	reads := map[string]bool{}
	read := func(key string) {
		if date, settled := on[key]; settled && !reads[key] {
			reads[key] = true
			keys, dates = append(keys, key), append(dates, date.String())
		}
	}
	for b := range r.books {
		book := &r.books[b]
		backs := map[string][]string{} // the keys of refunds by what they take back
		for i := range book.Earnings {
			if e := &book.Earnings[i]; e.Kind == market.EarnedRefund && book.Settled[e.Reverses] {
				backs[e.Reverses] = append(backs[e.Reverses], e.Key)
			}
		}
		for line, refunds := range backs {
			if slices.ContainsFunc(refunds, func(key string) bool { return !book.Settled[key] }) {
				read(line)
				for _, key := range refunds {
					read(key)
				}
			}
		}
	}
	if len(keys) == 0 {
		return nil
	}
	lines := map[string]market.StatementLine{}
	err := r.tx.Query(r.ctx, `
		SELECT DISTINCT ON (l.key) l.key, l.paid, l.currency, l.billable, l.share, l.fee_rate, l.extra_rate, l.tier_total, l.fee, l.withheld, l.wht, l.dst, l.operating_fee, l.settled, l.rules
		FROM unnest($1::text[], $2::text[]::date[]) AS k (key, business_date)
		JOIN statement_lines_seen l ON l.key = k.key AND l.business_date = k.business_date
		ORDER BY l.key, l.version DESC`, []any{keys, dates}, func(rows pgx.Rows) error {
		var l market.StatementLine
		var tier *market.Decimal
		if err := rows.Scan(&l.Key, &l.Paid.Amount, &l.Paid.Currency, &l.Billable, &l.Share, &l.FeeRate, &l.ExtraRate, &tier, &l.Fee, &l.Withheld, &l.WHT, &l.DST,
			&l.OperatingFee, &l.Settled, &l.Rules); err != nil {
			return err
		}
		if tier != nil {
			l.TierTotal, l.Tiered = *tier, true
		}
		lines[l.Key] = l
		return nil
	})
	if err != nil {
		return err
	}
	for b := range r.books {
		book := &r.books[b]
		for i := range book.Earnings {
			e := &book.Earnings[i]
			line, ok := lines[e.Key]
			switch {
			case !ok:
			case e.Kind == market.EarnedRefund:
				book.Before[e.Reverses] = append(book.Before[e.Reverses], line)
			default:
				book.Before[e.Key] = append([]market.StatementLine{line}, book.Before[e.Key]...)
			}
		}
	}
	return nil
}

// agreed reads adjustments, and what was open at the cutover.
func (r *earningsReader) agreed() error {
	return r.tx.Query(r.ctx, `
		SELECT seller_id, 'adjustment/' || site || '/' || code, kind, amount, currency, at, coalesce(about, 0), coalesce(reason, '')
		FROM adjustments WHERE seller_id = ANY($1) AND at < $2`, []any{r.q.Sellers, r.q.Cut}, func(rows pgx.Rows) error {
		var seller int64
		var about int
		var kind string
		e := market.Earning{Kind: market.EarnedAdjustment, From: market.PlatformAdjustments}
		if err := rows.Scan(&seller, &e.Key, &kind, &e.Paid.Amount, &e.Paid.Currency, &e.AgreedAt, &about, &e.Memo); err != nil {
			return err
		}
		if kind == "opening" {
			e.Kind, e.From = market.EarnedOpening, market.PlatformOpening
		}
		if about != 0 {
			e.Memo = fmt.Sprintf("about %d: %s", about, e.Memo)
		}
		e.PaidAt = e.AgreedAt
		r.add(seller, e)
		return nil
	})
}

// carried finds what the last statement of each seller left.
func (r *earningsReader) carried() error {
	return r.tx.Query(r.ctx, `
		SELECT DISTINCT ON (seller_id) seller_id, period, carried_out FROM statements_seen
		WHERE seller_id = ANY($1) AND period < $2
		ORDER BY seller_id, period DESC, version DESC`, []any{r.q.Sellers, r.q.Period.Number()}, func(rows pgx.Rows) error {
		var seller int64
		var period int
		var carried market.Decimal
		if err := rows.Scan(&seller, &period, &carried); err != nil {
			return err
		}
		book := &r.books[r.at[seller]]
		book.Carried, book.CarriedFrom = carried, market.PeriodNumbered(period)
		return nil
	})
}

// owing is how money that was borrowed on an account was paid back.
type owing struct {
	uses, repaid []movement
}

type movement struct {
	at  time.Time
	sum market.Decimal // with all before it
}

// repaid finds when what was borrowed for earnings was paid back: of credit and
// of an account of the month all that was used up to the end of the calendar
// month, of arrears all that was owed by then. What is paid back pays the oldest
// first.
func (r *earningsReader) repaid() error {
	accounts := map[string]*owing{}
	var names []string
	for _, d := range r.paid {
		for _, s := range d.sources {
			if borrowed(s.Kind) && accounts[string(s.Account)] == nil {
				accounts[string(s.Account)] = &owing{}
				names = append(names, string(s.Account))
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	err := r.tx.Query(r.ctx, `
		SELECT from_account, true, at, amount FROM postings_seen WHERE site = $1 AND from_account = ANY($2) AND at <= $3
		UNION ALL
		SELECT to_account, false, at, amount FROM postings_seen WHERE site = $1 AND to_account = ANY($2) AND at <= $3
		ORDER BY 3`, []any{r.q.Site, names, r.q.AsOf}, func(rows pgx.Rows) error {
		var name string
		var used bool
		var at time.Time
		var amount market.Decimal
		if err := rows.Scan(&name, &used, &at, &amount); err != nil {
			return err
		}
		list := &accounts[name].repaid
		if used {
			list = &accounts[name].uses
		}
		if n := len(*list); n > 0 {
			amount = amount.Add((*list)[n-1].sum)
		}
		*list = append(*list, movement{at, amount})
		return nil
	})
	if err != nil {
		return err
	}
	for b := range r.books {
		for i := range r.books[b].Earnings {
			if e := &r.books[b].Earnings[i]; e.Borrowed {
				r.repay(e, accounts)
			}
		}
	}
	return nil
}

// repay says when all that an earning was paid with was paid back.
func (r *earningsReader) repay(e *market.Earning, accounts map[string]*owing) {
	d := r.paid[e.Key]
	if d == nil {
		if o := r.orders[e.OrderID]; o != nil {
			d = o.deducted
		}
	}
	if d == nil {
		return // the marketplace reported it
	}
	for _, s := range d.sources {
		if !borrowed(s.Kind) {
			continue
		}
		upto := d.at
		if s.Kind != market.Arrears {
			month := market.Month(market.DateOf(d.at, r.q.Zone))
			upto = month.To.At(market.TimeOfDay{}, r.q.Zone).Add(-time.Microsecond)
		}
		at, ok := accounts[string(s.Account)].paidBack(upto)
		if !ok {
			e.RepaidAt = time.Time{}
			return
		}
		if at.Before(d.at) {
			at = d.at
		}
		if at.After(e.RepaidAt) {
			e.RepaidAt = at
		}
	}
}

// paidBack is when all that was used up to an instant was paid back.
func (o *owing) paidBack(upto time.Time) (time.Time, bool) {
	var owed market.Decimal
	for _, u := range o.uses {
		if u.at.After(upto) {
			break
		}
		owed = u.sum
	}
	for _, p := range o.repaid {
		if p.sum.Cmp(owed) >= 0 {
			return p.at, true
		}
	}
	return time.Time{}, owed.IsZero()
}
