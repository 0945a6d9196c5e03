package main

import (
	"context"
	"strings"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
)

// sellerLineView is a line of a statement for machines.
type sellerLineView struct {
	Version   int          `json:"version"`
	Key       string       `json:"key"`
	Kind      string       `json:"kind"`
	Order     string       `json:"order,omitempty"`
	Product   string       `json:"product,omitempty"`
	Class     string       `json:"product_class,omitempty"`
	Paid      string       `json:"paid"`
	Billable  string       `json:"billable"`
	Share     string       `json:"share"`
	TierTotal string       `json:"tier_total,omitempty"`
	Fee       string       `json:"fee"`
	KeptBack  string       `json:"kept_back"`
	Operating string       `json:"operating_fee"`
	Settled   string       `json:"settled"`
	DecidedBy string       `json:"decided_by"`
	DecidedAt string       `json:"decided_at"`
	Reverses  string       `json:"reverses,omitempty"`
	Memo      string       `json:"memo,omitempty"`
	Because   []reasonView `json:"because,omitempty"`
}

type reasonView struct {
	Version string `json:"version"`
	Rule    string `json:"rule"`
	Because string `json:"because,omitempty"`
}

func viewOfLine(l jobs.ExplainedLine, site *rules.Site) sellerLineView {
	in := func(d market.Decimal) string { return market.NewMoney(d, l.Paid.Currency).String() }
	v := sellerLineView{Version: l.Version, Key: l.Key, Kind: l.Kind, Order: l.Order, Product: l.Product, Class: l.ProductClass, Paid: l.Paid.String(), Billable: in(l.Billable),
		Share: l.Share.String(), Fee: in(l.Fee), KeptBack: in(l.Withheld.Add(l.WHT).Add(l.DST)), Operating: in(l.StatementLine.OperatingFee), Settled: in(l.Settled),
		DecidedBy: l.DecidedBy, DecidedAt: rfc3339(l.DecidedAt, site.Zone), Reverses: l.Reverses, Memo: l.Memo}
	if l.Tiered {
		v.TierTotal = in(l.TierTotal)
	}
	for _, r := range l.Because {
		v.Because = append(v.Because, reasonView(r))
	}
	return v
}

// explainSeller tells what became of what a seller earned.
func (p *program) explainSeller(ctx context.Context, site *rules.Site, e *jobs.Engine, seller, period string) error {
	if period == "" {
		return misuse("explain --seller: name a month with --period, such as 202405")
	}
	month, err := market.ParsePeriod(period)
	if err != nil {
		return misuse("--period %s: write a month like 202405", period)
	}
	story, err := e.ExplainSeller(ctx, site.Name, seller, month)
	if err != nil {
		return err
	}
	lines, waiting := []sellerLineView{}, []waitingView{}
	for _, l := range story.Lines {
		lines = append(lines, viewOfLine(l, site))
	}
	for _, w := range story.Waiting {
		waiting = append(waiting, viewOfWaiting(seller, w, site))
	}
	if p.json {
		return p.printJSON(map[string]any{"seller": seller, "period": month.String(), "lines": lines, "waiting": waiting})
	}
	p.printf("%s at %s, %s\n", seller, site.Name, month)
	if k := story.Parked; k != nil {
		p.printf("%s on %s, run %d: %s\n", p.paint(p.out, yellow, "parked"), k.On, k.RunID, k.Reason)
	}
	for _, v := range lines {
		p.tellLine(v)
	}
	for _, w := range waiting {
		p.printf("\n%s  %s  %s\n", w.Key, w.Amount, p.paint(p.out, yellow, w.Outcome))
		g := &grid{}
		g.row("  not met", strings.Join(w.Unmet, ", "))
		if w.Until != "" {
			g.row("  until", w.Until)
		}
		g.row("  because", w.Because)
		if err := g.print(p.out); err != nil {
			return err
		}
	}
	if len(lines)+len(waiting) == 0 {
		p.printf("nothing of the seller was settled or waited in that month\n")
	}
	return nil
}

// tellLine writes a line of a statement for people.
func (p *program) tellLine(v sellerLineView) {
	p.printf("\n%s  %s\n", v.Key, p.paint(p.out, green, v.Settled))
	g := &grid{}
	g.row("  billable", v.Billable+" of "+v.Paid+" paid")
	g.row("  share", v.Share+lead(", tier of ", v.TierTotal))
	g.row("  fee", v.Fee)
	g.row("  kept back", v.KeptBack+lead(", operating fee ", v.Operating))
	g.row("  period", "by "+v.DecidedBy+" at "+v.DecidedAt)
	if v.Reverses != "" {
		g.row("  takes back", v.Reverses)
	}
	if v.Memo != "" {
		g.row("  memo", v.Memo)
	}
	for _, r := range v.Because {
		g.row("  because", r.Because+" ("+r.Version+", "+r.Rule+")")
	}
	_ = g.print(p.out) // as with printf, a closed pipe is the reader's wish
}
