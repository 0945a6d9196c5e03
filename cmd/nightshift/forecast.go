package main

import (
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/rules/market"
)

const usualForecast = 90 // days

// forecast is the command forecast.
func (p *program) forecast() *cobra.Command {
	var days int
	var from, to string
	cmd := &cobra.Command{
		Use: "forecast", Short: "What would renew, fail for lack of money and lapse in the days to come",
		Long: `Forecast carries renewal through the nights to come, one after the other, by a
clock of its own on a scratch copy: the same code and the same rules, the money
being spent as it would be. It takes no lock that a night or an import waits for,
and leaves nothing behind.

It assumes that nobody pays in, buys or changes anything that is not known yet.
The first night is the one after the last that was run.

Exit codes: 0 done; 2 wrongly asked; 3 done, but some buyers would be set aside;
4 the workbook does not tie to the forecast.`,
		Args: takes(0, 0, "no words, only options"),
		Example: `  nightshift forecast --days 90
  nightshift forecast --days 30 --out forecast.xlsx     with a workbook and its chart
  nightshift forecast --days 7 --from 2026-04-01 --json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.foresee(cmd.Context(), days, from, to) },
	}
	cmd.Flags().IntVar(&days, "days", usualForecast, "how many nights to look ahead")
	cmd.Flags().StringVar(&from, "from", "", "the first night (default the one after the last that was run)")
	cmd.Flags().StringVarP(&to, "out", "o", "", "a workbook of it to write, such as forecast.xlsx")
	p.workerOption(cmd)
	p.siteOption(cmd)
	return cmd
}

func (p *program) foresee(ctx context.Context, days int, from, to string) error {
	site, err := p.siteRules()
	if err != nil {
		return err
	}
	e, err := p.engine(ctx)
	if err != nil {
		return err
	}
	req := jobs.ForecastRequest{Site: site.Name, Days: days}
	if from != "" {
		if req.From, err = date("from", from); err != nil {
			return err
		}
	} else if req.From, err = e.NextNight(ctx, site.Name, p.now()); err != nil {
		return err
	}
	bar := p.progress("nights")
	req.Told = func(night, nights int64) { bar.of("forecast", night, nights) }
	var f jobs.Forecast
	if to == "" {
		f, err = e.Forecast(ctx, req)
	} else {
		var untied error
		err = putInPlace(to, func(w io.Writer) (failed error) {
			req.Workbook = w
			f, failed = e.Forecast(ctx, req)
			if exitCode(failed) == exitControl { // it is written all the same, red
				untied, failed = failed, nil
			}
			return failed
		})
		err = errors.Join(err, untied)
	}
	bar.end()
	if err != nil && exitCode(err) != exitControl {
		return err
	}
	return worst(errors.Join(err, p.showForecast(f, to)), int64(len(f.Parked)))
}

// forecastView is a night of a forecast in one currency, for machines.
type forecastView struct {
	Date      string `json:"date"`
	Currency  string `json:"currency"`
	Renewed   int64  `json:"renewed"`
	Due       string `json:"due"`
	Failed    int64  `json:"failed"`
	FailedNew int64  `json:"failed_first_time"`
	Short     string `json:"short_by"`
	Held      int64  `json:"held"`
	Lapsed    int64  `json:"lapsed"`
	Lost      string `json:"lapsed_price"`
	Frozen    int64  `json:"frozen"`
	Released  int64  `json:"released"`
}

func (p *program) showForecast(f jobs.Forecast, book string) error {
	views, g := []forecastView{}, &grid{}
	total := map[market.Currency]*forecastView{}
	g.row("night", "renewed", "due", "short of money", "first time", "short by", "held", "lapse", "their price", "frozen", "released")
	sums := map[market.Currency][3]market.Money{}
	for _, d := range f.Days {
		amounts := [3]market.Money{market.NewMoney(d.Due, d.Currency), market.NewMoney(d.Short, d.Currency), market.NewMoney(d.LapsedCost, d.Currency)}
		v := forecastView{Date: d.On.String(), Currency: string(d.Currency), Renewed: d.Renewed, Due: amounts[0].String(), Failed: d.Failed, FailedNew: d.FailedNew,
			Short: amounts[1].String(), Held: d.Held, Lapsed: d.Lapsed, Lost: amounts[2].String(), Frozen: d.Frozen, Released: d.Released}
		views = append(views, v)
		g.row(v.cells(v.Date)...)
		t := total[d.Currency]
		if t == nil {
			t = &forecastView{Currency: string(d.Currency)}
			total[d.Currency] = t
			zero := market.NewMoney(market.Decimal{}, d.Currency)
			sums[d.Currency] = [3]market.Money{zero, zero, zero}
		}
		t.Renewed, t.Failed, t.FailedNew, t.Held, t.Lapsed, t.Frozen, t.Released = t.Renewed+v.Renewed, t.Failed+v.Failed, t.FailedNew+v.FailedNew, t.Held+v.Held, t.Lapsed+v.Lapsed, t.Frozen+v.Frozen, t.Released+v.Released
		s := sums[d.Currency]
		for i := range s {
			s[i].Amount = s[i].Amount.Add(amounts[i].Amount)
		}
		sums[d.Currency] = s
	}
	totals := []forecastView{}
	for _, c := range f.Currencies() {
		if t := total[c]; t != nil {
			t.Due, t.Short, t.Lost = sums[c][0].String(), sums[c][1].String(), sums[c][2].String()
			totals = append(totals, *t)
			g.row(t.cells("in all")...)
		}
	}
	parked := []map[string]string{}
	for _, s := range f.Parked {
		parked = append(parked, map[string]string{"buyer": s.Code, "reason": s.Reason})
	}
	if p.json {
		return p.printJSON(map[string]any{"site": f.Site.Name, "from": f.From.String(), "to": f.To.String(), "days": views, "totals": totals, "parked": parked, "workbook": book})
	}
	p.printf("renewals at %s, %s to %s, if nobody pays in, buys or changes anything\n\n", f.Site.Name, f.From, f.To)
	if len(views) == 0 {
		p.printf("nothing would be renewed, and nothing would lapse\n")
	} else if err := g.print(p.out); err != nil {
		return err
	}
	for _, s := range f.Parked {
		p.printf("%s %s: %s\n", p.paint(p.out, yellow, "would be set aside:"), s.Code, s.Reason)
	}
	if book != "" {
		p.printf("\n%s\n", book)
	}
	return nil
}

// cells are a night as a line of the table.
func (v forecastView) cells(name string) []string {
	n := func(n int64) string { return strconv.FormatInt(n, 10) }
	return []string{name, n(v.Renewed), v.Due, n(v.Failed), n(v.FailedNew), v.Short, n(v.Held), n(v.Lapsed), v.Lost, n(v.Frozen), n(v.Released)}
}
