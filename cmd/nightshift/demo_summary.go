package main

import (
	"fmt"
	"path/filepath"
	"time"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage"
)

// demoSummary is what a demo came to.
type demoSummary struct {
	Seed      uint64                  `json:"seed"`
	Sellers   int                     `json:"sellers"`
	Buyers    int                     `json:"buyers"`
	Orders    int                     `json:"orders"`
	Rows      int64                   `json:"rows_imported"`
	Rejected  int64                   `json:"rows_rejected"`
	Nights    []demoNight             `json:"nights"`
	Decisions []storage.DecisionCount `json:"decisions"`
	Money     []storage.DeductionSum  `json:"money"`
	Parked    int64                   `json:"parked"`
	Workbooks int                     `json:"workbooks"`
	Bytes     int64                   `json:"workbook_bytes"`
	Out       string                  `json:"out"`
	Data      string                  `json:"database"`
	Took      time.Duration           `json:"nanoseconds"`
}

// demoNight is one run of a demo.
type demoNight struct {
	Job  string     `json:"job"`
	Date string     `json:"date"`
	Hash string     `json:"result_hash"`
	Run  market.Run `json:"-"`
}

func nightOf(r jobs.Result) demoNight {
	return demoNight{Job: r.Run.Job, Date: r.Run.On.String(), Hash: fmt.Sprintf("%x", r.Run.ResultHash), Run: r.Run}
}

func (d *demo) summary() demoSummary {
	return demoSummary{Seed: d.seed, Sellers: demoSellers, Buyers: demoBuyers, Orders: d.market.orders, Out: d.dir, Data: d.data}
}

// show tells what happened, where it is, and what to type next.
func (d *demo) show(s demoSummary) error {
	nights, last := d.market.nights, s.Nights[len(s.Nights)-1].Run
	d.printf("\nA marketplace of %d sellers, %d buyers and %s orders lived through %d nights, %s to %s.\n\n",
		s.Sellers, s.Buyers, number(int64(s.Orders)), nights.To-nights.From, nights.From, nights.To-1)
	g := &grid{}
	g.row("  ruleset", "outcome", "decisions", "")
	for _, c := range s.Decisions {
		g.row("  "+c.Ruleset, c.Outcome, number(c.Count), demoMeanings[c.Outcome])
	}
	g.row("  ", "parked", number(s.Parked), "set aside with the reason, for a person to mend")
	if err := g.print(d.out); err != nil {
		return err
	}
	d.printf("\n")
	g = &grid{}
	g.row("  money", "deductions", "price", "due", "dropped", "stayed owed")
	for _, m := range s.Money {
		g.row("  "+m.Kind, number(m.Deductions), m.Price.String(), m.Due.String(), m.Dropped.String(), m.Owed.String())
	}
	if err := g.print(d.out); err != nil {
		return err
	}
	d.printf("\n  workbooks   %s (%d, %.1f MB)\n  data        %s (%s rows taken in, %d rejected)\n  database    %s\n  time        %s\n\n",
		filepath.Join(s.Out, "workbooks"), s.Workbooks, float64(s.Bytes)/1e6, filepath.Join(s.Out, "data"), number(s.Rows), s.Rejected, s.Data, s.Took)
	d.next(last)
	return nil
}

// demoMeanings are the outcomes as a newcomer reads them.
var demoMeanings = map[string]string{
	market.Accept:       "accepted in the buyer's place, or because somebody accepted",
	market.Refund:       "closed, the money goes back",
	market.Wait:         "asked again when the answer can change",
	market.Hold:         "under appeal: nobody can act until it is decided",
	market.Unsupervised: "usable at once, renewed or cancelled: nothing to watch",
	market.Remind:       "somebody was reminded",
	market.Quiet:        "nobody needs reminding any more",
	"deduct":            "paid in full, from what the buyer has",
	"reject":            "short of money: it can be paid by hand",
	"cancel":            "not paid in time",
	"grace":             "use is owed, and goes on",
	"freeze":            "nothing was paid for fifteen days: use is frozen",
	"release":           "nothing was paid for thirty days: resources are given up",
	"renew":             "the next term is paid in full",
	"retry":             "short of money: tried again the next night",
	"lapse":             "the term is over, and the grace period runs",
	"clear":             "what was owed is paid",
}

// next is what to type to look around.
func (d *demo) next(last market.Run) {
	data := d.data
	if here, err := filepath.Abs("."); err == nil {
		if near, err := filepath.Rel(here, data); err == nil && filepath.IsLocal(near) {
			data = near
		}
	}
	d.printf("Next:\n  export NIGHTSHIFT_DATA=%s\n", data)
	for _, command := range []string{
		"runs list",
		fmt.Sprintf("runs show %d", last.ID),
		"runs parked",
		"explain " + d.market.disputed(),
		"explain --buyer " + demoOwes,
		"explain --subscription SUB0001",
		"forecast --days 30",
		"ledger trial",
		"rules test",
		fmt.Sprintf("run acceptance --date %s --dry-run", d.market.nights.To),
	} {
		d.printf("  %s %s\n", typed(), command)
	}
}

// disputed is an order with a story: the last that was appealed and went on.
func (m *demoMarket) disputed() string {
	order := ""
	for _, row := range m.sheet["appeals"].rows {
		if row[len(row)-1] == market.AppealContinue {
			order = row[0]
		}
	}
	return order
}

// demoOwes is a buyer who uses more than the balance pays.
const demoOwes = "B0014"
