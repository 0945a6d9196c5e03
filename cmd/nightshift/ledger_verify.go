package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

func currencies[V any](of map[market.Currency]V) []market.Currency {
	return slices.Sorted(maps.Keys(of))
}

func (p *program) ledgerGateway() *cobra.Command {
	var on string
	cmd := &cobra.Command{
		Use: "gateway --date DATE", Short: "Tie the money of a day to the payment gateway's list", Args: takes(0, 0, "no words"),
		Long: `Gateway compares the money that the marketplace reported for a day, and what of
it is booked, with the gateway's own list, payment by payment, by the gateway's
references. Both come in by import: the kinds are money and gateway. Differences
are listed, and are exit code 4.`,
		Example: "  nightshift ledger gateway --date 2026-04-01\n  nightshift ledger gateway --date 2026-04-01 --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			day, err := date("date", on)
			if err != nil {
				return err
			}
			site, store, err := p.books(cmd)
			if err != nil {
				return err
			}
			midnight := market.TimeOfDay{}
			tied, err := store.TieGateway(cmd.Context(), site.Name, day.At(midnight, site.Zone), day.AddDays(1).At(midnight, site.Zone), site.Zone)
			if err != nil {
				return err
			}
			if err := p.showGateway(day, tied); err != nil {
				return err
			}
			if n := len(tied.Differences); n > 0 {
				return fmt.Errorf("%w: %d payments of %s differ from the gateway's list: mend what was reported, or ask the gateway", jobs.ErrControl, n, day)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&on, "date", "", "the day, such as 2026-04-01")
	p.siteOption(cmd)
	return cmd
}

func (p *program) showGateway(on market.Date, day storage.GatewayDay) error {
	totals, differences := []map[string]any{}, []map[string]any{}
	g, wrong := &grid{}, &grid{}
	g.row("currency", "payments", "reported", "booked", "lines", "gateway")
	for _, t := range day.Totals {
		totals = append(totals, map[string]any{"currency": t.Reported.Currency, "payments": t.Payments, "reported": t.Reported.Amount.String(),
			"booked": t.Booked.Amount.String(), "lines": t.Lines, "gateway": t.Gateway.Amount.String()})
		g.row(string(t.Reported.Currency), number(t.Payments), t.Reported.String(), t.Booked.String(), number(t.Lines), t.Gateway.String())
	}
	wrong.row("reference", "payment", "reported", "gateway", "because")
	for _, d := range day.Differences {
		differences = append(differences, map[string]any{"reference": d.Reference, "code": d.Code, "reported": amountOrNothing(d.Reported),
			"gateway": amountOrNothing(d.Gateway), "because": d.Because})
		wrong.row(orElse(d.Reference, "-"), orElse(d.Code, "-"), orElse(amountOrNothing(d.Reported), "-"), orElse(amountOrNothing(d.Gateway), "-"), d.Because)
	}
	if p.json {
		return p.printJSON(map[string]any{"date": on.String(), "totals": totals, "differences": differences})
	}
	if len(day.Totals) == 0 {
		p.printf("no money came in or went back on %s\n", on)
		return nil
	}
	p.printf("%s", g)
	if len(day.Differences) > 0 {
		p.printf("\n%s", wrong)
	}
	return nil
}

func amountOrNothing(m market.Money) string {
	if m.Currency == "" {
		return ""
	}
	return m.String()
}

func (p *program) ledgerSeal() *cobra.Command {
	cmd := &cobra.Command{
		Use: "seal", Short: "Seal what was booked and is not sealed yet", Args: takes(0, 0, "no words"),
		Long: `Seal closes what was booked into blocks, each with the SHA-256 of the one before
it, so that nothing in it can be changed unnoticed. Every run does so at its end,
for itself and for what people booked since; this command is for in between.`,
		Example: "  nightshift ledger seal\n  nightshift ledger seal --site br",
		RunE: func(cmd *cobra.Command, _ []string) error {
			site, store, err := p.books(cmd)
			if err != nil {
				return err
			}
			blocks, err := store.Seal(cmd.Context(), site.Name)
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(blockViews(blocks))
			}
			if len(blocks) == 0 {
				p.printf("everything is sealed\n")
				return nil
			}
			g := &grid{}
			g.row("block", "source", "date", "journals", "sha256")
			for _, b := range blocks {
				g.row(strconv.FormatInt(b.No, 10), b.Source, b.On.String(), number(b.Journals), fmt.Sprintf("%x", b.SHA256))
			}
			return g.print(p.out)
		},
	}
	p.siteOption(cmd)
	return cmd
}

func blockViews(blocks []storage.Block) []map[string]any {
	views := []map[string]any{}
	for _, b := range blocks {
		views = append(views, map[string]any{"block": b.No, "source": b.Source, "date": b.On.String(), "journals": b.Journals, "sha256": fmt.Sprintf("%x", b.SHA256)})
	}
	return views
}

func (p *program) ledgerVerify() *cobra.Command {
	cmd := &cobra.Command{
		Use: "verify", Short: "Recompute the books and say what was changed", Args: takes(0, 0, "no words"),
		Long: `Verify reads all that was booked and recomputes it: the digest of each journal,
the SHA-256 of each block, each balance from its postings, each floor, each key.
What is not as it was booked is named, and is exit code 4. What is not sealed yet
is listed and is no fault. Keep the head somewhere else: with it nobody can make
the whole chain anew.`,
		Example: "  nightshift ledger verify\n  nightshift ledger verify --site br --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			site, store, err := p.books(cmd)
			if err != nil {
				return err
			}
			bar := p.progress("journals")
			total, err := store.SealedJournals(cmd.Context(), site.Name)
			if err != nil {
				return err
			}
			check, err := store.VerifyLedger(cmd.Context(), site.Name, func(done int64) { bar.of("verify", done, total) })
			bar.end()
			if err != nil {
				return err
			}
			if err := p.showCheck(site, check); err != nil {
				return err
			}
			if n := int64(len(check.Wrong)) + check.More; n > 0 {
				return fmt.Errorf("%w: %w: %d findings: keep the database as it is, and find out who changed it", jobs.ErrControl, storage.ErrLedgerChanged, n)
			}
			return nil
		},
	}
	p.siteOption(cmd)
	return cmd
}

func (p *program) showCheck(site *rules.Site, c storage.LedgerCheck) error {
	head := ""
	if n := len(c.Blocks); n > 0 {
		head = fmt.Sprintf("%x", c.Blocks[n-1].SHA256)
	}
	if p.json {
		unsealed := []map[string]any{}
		for _, u := range c.Unsealed {
			unsealed = append(unsealed, map[string]any{"source": u.Source, "date": u.On.String(), "journals": u.Journals})
		}
		return p.printJSON(map[string]any{"site": site.Name, "journals": c.Journals, "accounts": c.Accounts, "blocks": len(c.Blocks), "head": head,
			"unsealed": unsealed, "wrong": append([]string{}, c.Wrong...), "more": c.More})
	}
	g := &grid{}
	g.row("journals", number(c.Journals))
	g.row("accounts", number(c.Accounts))
	g.row("blocks", strconv.Itoa(len(c.Blocks)))
	g.row("head", orElse(head, "nothing is sealed yet"))
	for _, u := range c.Unsealed {
		g.row("not sealed", fmt.Sprintf("%s journals of %s, %s", number(u.Journals), u.Source, u.On))
	}
	verdict := p.paint(p.out, green, "the books are what was booked")
	if len(c.Wrong) > 0 {
		verdict = p.paint(p.out, red, "wrong")
	}
	p.printf("%s%s\n", g, verdict)
	for _, w := range c.Wrong {
		p.printf("  %s\n", w)
	}
	if c.More > 0 {
		p.printf("  and %s more\n", number(c.More))
	}
	return nil
}
