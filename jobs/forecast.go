package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"nightshift/reports"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// mostDays is as far as a forecast looks: three years.
const mostDays = 1100

// ForecastRequest asks what renewal would do in nights to come.
type ForecastRequest struct {
	Site     string
	From     market.Date // the first night
	Days     int
	Workbook io.Writer                 // of it; nil: none is written
	Told     func(night, nights int64) // how far it has come; may be nil
}

// Forecast is what would happen if nothing but time went on: nobody pays in, buys
// or changes anything that is not known yet.
type Forecast struct {
	Site     *rules.Site
	From, To market.Date // the first and the last night
	Days     []storage.ForecastDay
	Parked   []storage.SetAside // who would be set aside
}

// Forecast carries renewal through nights to come, one after the other, on a
// scratch copy: the same code by a clock of its own, the money being spent as it
// would be. It takes no lock that a night or an import waits for, and leaves
// nothing behind.
func (e *Engine) Forecast(ctx context.Context, req ForecastRequest) (f Forecast, err error) {
	if req.Days < 1 || req.Days > mostDays {
		return f, fmt.Errorf("%w: forecast of %d days: from 1 to %d", ErrBadRequest, req.Days, mostDays)
	}
	if f.Site, err = e.inForce(ctx, req.Site); err != nil {
		return f, err
	}
	f.From, f.To = req.From, req.From.AddDays(req.Days-1)
	last, err := asOf(f.Site, renewalJob, f.To)
	if err != nil {
		return f, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	scratch, drop, err := e.Store.Scratch(ctx)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	err = scratch.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		changed, err := rulesChanged(ctx, tx, f.Site, renewal, f.From)
		if err != nil {
			return err
		}
		return tx.BorrowDue(ctx, renewalJob, f.Site.Name, last, changed)
	})
	if err != nil {
		return f, err
	}
	preview := *e
	preview.Store, preview.Progress = scratch, nil
	runs, err := preview.nightsToCome(ctx, f, req.Told)
	if err != nil {
		return f, err
	}
	return f, preview.foresee(ctx, &f, runs, req.Workbook)
}

// NextNight is the business date of the night of renewal after the last one that
// was run; where none was, the first whose time has not come.
func (e *Engine) NextNight(ctx context.Context, siteName string, now time.Time) (market.Date, error) {
	site, err := e.inForce(ctx, siteName)
	if err != nil {
		return 0, err
	}
	last, ran, err := e.Store.LastNight(ctx, renewalJob, siteName)
	if err != nil || ran {
		return last + 1, err
	}
	on := market.DateOf(now, site.Zone)
	at, err := asOf(site, renewalJob, on)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	if at.Before(now) {
		on++
	}
	return on, nil
}

// nightsToCome runs the nights of a forecast.
func (e *Engine) nightsToCome(ctx context.Context, f Forecast, told func(night, nights int64)) (runs []market.Run, err error) {
	for on := f.From; on <= f.To; on++ {
		at, err := asOf(f.Site, renewalJob, on)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
		}
		result, err := e.carry(ctx, renewal, f.Site, Request{Job: renewalJob, Site: f.Site.Name, On: on, AsOf: at, DryRun: true})
		if err != nil {
			return nil, fmt.Errorf("forecast the night of %s: %w", on, err)
		}
		if runs = append(runs, result.Run); told != nil {
			told(int64(on-f.From)+1, int64(f.To-f.From)+1)
		}
	}
	return runs, nil
}

// foresee reads what the nights came to, and writes the workbook.
func (e *Engine) foresee(ctx context.Context, f *Forecast, runs []market.Run, w io.Writer) error {
	return e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) (err error) {
		if f.Days, err = tx.ForecastDays(ctx, f.Site.Name); err != nil {
			return err
		}
		for _, r := range runs {
			if r.Parked == 0 {
				continue
			}
			for v, err := range tx.ParkedBy(ctx, r) {
				if err != nil {
					return err
				}
				f.Parked = append(f.Parked, v)
			}
		}
		if w == nil {
			return nil
		}
		a := account{ctx: ctx, tx: tx, engine: e, site: f.Site, run: runs[0], policies: map[string]*rules.Policy{}, runs: map[int64]market.Run{}, inForce: map[held]*rules.InForce{}}
		return reports.Forecast(w, a.forecast(f))
	})
}

func (a *account) forecast(f *Forecast) reports.ForecastReport {
	report := reports.ForecastReport{Site: f.Site.Name, Zone: f.Site.Zone, From: f.From, To: f.To, AsOf: a.run.AsOf, Build: a.run.Build, Schema: a.run.Schema}
	for _, c := range f.Currencies() {
		book := reports.ForecastBook{Currency: c, Events: mapped(a.tx.ForecastEvents(a.ctx, f.Site.Name, c), func(v storage.Foreseen) (reports.ForecastRow, error) {
			return reports.ForecastRow{On: v.On, What: v.What, Subscription: v.Subscription, Buyer: v.Buyer, Product: v.Product, At: v.At, Amount: v.Amount, Short: v.Short, Rule: v.Rule}, nil
		})}
		of := func(amount market.Decimal) market.Money { return market.NewMoney(amount, c) }
		days := map[market.Date]storage.ForecastDay{}
		for _, d := range f.Days {
			if d.Currency == c {
				days[d.On] = d
			}
		}
		for on := f.From; on <= f.To; on++ {
			d := days[on]
			book.Days = append(book.Days, reports.ForecastDay{On: on, Renewed: d.Renewed, Due: of(d.Due), Failed: d.Failed, FailedNew: d.FailedNew, Short: of(d.Short),
				Held: d.Held, Lapsed: d.Lapsed, LapsedCost: of(d.LapsedCost), Frozen: d.Frozen, Released: d.Released})
		}
		report.Books = append(report.Books, book)
	}
	for _, p := range f.Parked {
		report.Parked = append(report.Parked, reports.ParkedRow{Code: p.Code, At: a.run.AsOf, Reason: p.Reason})
	}
	used, err := a.used(renewalRulesets)
	if err == nil {
		report.Policies = used
	}
	return report
}

// Currencies are those of the forecast, the site's first.
func (f *Forecast) Currencies() []market.Currency {
	all := []market.Currency{f.Site.Currency}
	for _, d := range f.Days {
		if !slices.Contains(all, d.Currency) {
			all = append(all, d.Currency)
		}
	}
	return all
}
