package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"nightshift/rules/market"
	"nightshift/storage"
)

// CloseCheck is one thing that must hold before a period is closed.
type CloseCheck struct {
	Name  string `json:"name"`
	Is    string `json:"is"`
	Must  string `json:"must"`
	Tied  bool   `json:"tied"`
	Which string `json:"which,omitempty"` // the first of the sellers of whom it does not hold, or what to do
}

// CloseResult is what a close came to.
type CloseResult struct {
	Checks []CloseCheck
	Before *storage.Close // it was closed before, by whom; nil where it was not
}

// ClosePeriod closes a period of a site when its totals tie: the lines with the
// statements, the statements with the journals, the journals with what was
// ordered from the bank; what is accrued with what waits. Where they do not,
// or nights of the month are missing that book into the ledger, nothing is closed,
// and the error is ErrControl. With check alone nothing is
// closed either way. Closing a closed period changes nothing.
func (e *Engine) ClosePeriod(ctx context.Context, siteName string, period market.Period, actor string, at time.Time, checkOnly bool) (result CloseResult, err error) {
	site, err := e.inForce(ctx, siteName)
	if err != nil {
		return result, err
	}
	if actor == "" {
		return result, fmt.Errorf("%w: close: nobody is named as closing: name yourself with --actor", ErrBadRequest)
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		result = CloseResult{}
		if err := tx.Serialise(ctx, payoutLock(siteName)); err != nil {
			return err
		}
		before, closed, err := tx.Closed(ctx, siteName, period)
		if err != nil {
			return err
		}
		if closed {
			result.Before = &before
			return json.Unmarshal(before.Totals, &result.Checks)
		}
		c := &closing{ctx: ctx, tx: tx, site: siteName, period: period, end: period.To.At(market.TimeOfDay{}, site.Zone)}
		if err := c.check(); err != nil {
			return err
		}
		result.Checks = c.checks
		for _, check := range c.checks {
			if !check.Tied {
				return fmt.Errorf("%w: close %s of %s: %s: %s, must be %s%s", ErrControl, period, siteName, check.Name, check.Is, check.Must, check.Which)
			}
		}
		if checkOnly {
			return nil
		}
		totals, err := json.Marshal(c.checks)
		if err != nil {
			return err
		}
		return tx.ClosePeriod(ctx, siteName, storage.Close{Period: period, Totals: totals, At: at, Actor: actor})
	})
	return result, err
}

// closing checks one period.
type closing struct {
	ctx    context.Context
	tx     *storage.Tx
	site   string
	period market.Period
	end    time.Time
	checks []CloseCheck
}

func (c *closing) add(name, is, must string, tied bool) {
	c.checks = append(c.checks, CloseCheck{Name: name, Is: is, Must: must, Tied: tied})
}

func (c *closing) check() error {
	run, found, err := c.tx.FindRun(c.ctx, settlementJob, c.site, c.period.Last())
	if err != nil {
		return err
	}
	if !found || run.State != market.RunCompleted {
		return fmt.Errorf("%w: close %s of %s: it is not settled: nightshift run settlement --period %s", ErrBadRequest, c.period, c.site, c.period)
	}
	parked, err := c.tx.ParkedIn(c.ctx, run.ID)
	if err != nil {
		return err
	}
	c.add("sellers set aside", fmt.Sprint(parked), "0", parked == 0)
	if err := c.nights(); err != nil {
		return err
	}
	for _, sum := range []struct {
		name string
		of   func(context.Context, string, market.Period) ([]storage.PeriodSum, error)
	}{
		{"lines = statements", c.tx.SumLines},
		{"journals: payable = statements", c.tx.SumPayable},
		{"journals: fees = statements", c.tx.SumFees},
		{"journals: taxes = statements", c.tx.SumTaxes},
		{"ordered from the bank = statements", c.tx.SumOrdered},
	} {
		list, err := sum.of(c.ctx, c.site, c.period)
		if err != nil {
			return err
		}
		for _, s := range list {
			c.add(sum.name, market.NewMoney(s.Other, s.Currency).String(), market.NewMoney(s.Statement, s.Currency).String(), s.Other.Cmp(s.Statement) == 0)
		}
	}
	return c.bySeller()
}

// nights checks that those of the month are over which book into the ledger: once
// it is closed, none of them could.
func (c *closing) nights() error {
	last, err := c.tx.LastNights(c.ctx, c.site, []string{renewalJob, billingJob})
	if err != nil {
		return err
	}
	for _, job := range slices.Sorted(maps.Keys(last)) {
		check := CloseCheck{Name: "nights of " + job, Is: "up to " + last[job].String(), Must: "up to " + c.period.Last().String(), Tied: last[job] >= c.period.Last()}
		if !check.Tied {
			check.Which = fmt.Sprintf("; nightshift backfill %s --from %s --to %s", job, last[job]+1, c.period.Last())
		}
		c.checks = append(c.checks, check)
	}
	return nil
}

// bySeller checks what must hold of each seller.
func (c *closing) bySeller() error {
	for _, each := range []struct {
		name string
		of   func() ([]storage.Untied, error)
	}{
		{"each statement = its lines", func() ([]storage.Untied, error) { return c.tx.UntiedLines(c.ctx, c.site, c.period) }},
		{"payable accounts = what is left to be ordered", func() ([]storage.Untied, error) { return c.tx.UntiedPayable(c.ctx, c.site) }},
		{"accrued accounts = what waits", func() ([]storage.Untied, error) { return c.tx.UntiedAccrued(c.ctx, c.site, c.period, c.end) }},
	} {
		list, err := each.of()
		if err != nil {
			return err
		}
		check := CloseCheck{Name: each.name, Is: fmt.Sprintf("%d sellers differ", len(list)), Must: "0 sellers differ", Tied: len(list) == 0}
		for i, u := range list {
			if i == 3 {
				check.Which += "; …"
				break
			}
			check.Which += fmt.Sprintf("; %s: %s, must be %s", u.Seller, market.NewMoney(u.Is, u.Currency), market.NewMoney(u.Must, u.Currency))
		}
		c.checks = append(c.checks, check)
	}
	return nil
}
