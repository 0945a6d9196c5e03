package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/storage"
)

func (p *program) settlementPayout() *cobra.Command {
	var h byHand
	var execute, to, form string
	var latin, dry bool
	cmd := &cobra.Command{
		Use: "payout [SELLER…]", Short: "Order what is payable from the bank: write payment files", Args: takes(0, -1, "sellers, by code"),
		Long: `Payout asks the payout rules about each payable statement and writes one payment
file a currency, as ISO 20022 pain.001.001.09 or as CSV, with control sums. Each
payment has a reference of its own that comes back in the bank's answer; what is
with the bank is never ordered twice. What is left is listed with its reason: a
pause, an account that changed a short time ago, an amount that needs a second
person (approve it with ` + "`settlement approve`" + `). The exit code is 3 where
something was left.`,
		Example: "  nightshift settlement payout --period 202405 --dry-run\n  nightshift settlement payout --period 202405 --execute-on 2024-06-26 -o payments/\n  nightshift settlement payout acme --form csv",
		RunE: func(cmd *cobra.Command, args []string) error {
			ask, site, err := h.act(p, "payout", args, false)
			if err != nil {
				return err
			}
			request := jobs.PayoutAsk{Site: site.Name, Sellers: args, Latin: latin, Actor: ask.Actor, At: ask.At, DryRun: dry}
			if h.period != "" {
				month, err := periodFlag(h.period)
				if err != nil {
					return err
				}
				request.Period = month.Number()
			}
			if execute != "" {
				if request.ExecuteOn, err = date("execute-on", execute); err != nil {
					return err
				}
			}
			if _, known := payoutSuffix[form]; !known {
				return misuse("--form %s: it is pain.001 or csv", form)
			}
			if !dry { // before anything is ordered
				if err := os.MkdirAll(to, 0o755); err != nil {
					return fmt.Errorf("make the directory of the payment files: %w", err)
				}
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			out, err := e.Payout(cmd.Context(), request)
			if err != nil {
				return err
			}
			return p.showPayout(cmd, e, site, out, to, form, dry)
		},
	}
	h.options(p, cmd, true)
	_ = cmd.Flags().MarkHidden("because") // the rules say why
	cmd.Flags().StringVar(&execute, "execute-on", "", "the day on which the bank pays (default today)")
	cmd.Flags().StringVarP(&to, "output", "o", ".", "the directory for the files")
	cmd.Flags().StringVar(&form, "form", jobs.FormPain, "pain.001 or csv")
	cmd.Flags().BoolVar(&latin, "latin", false, "write names in Latin letters, for banks that take no others")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would be paid, and order nothing")
	return cmd
}

// payoutSuffix is how the names of payment files end.
var payoutSuffix = map[string]string{jobs.FormPain: ".xml", jobs.FormCSV: ".csv"}

func (p *program) showPayout(cmd *cobra.Command, e *jobs.Engine, site *rules.Site, out jobs.PayoutFiles, to, form string, dry bool) error {
	files, left := []map[string]any{}, []map[string]any{}
	g, rest := &grid{}, &grid{}
	for _, f := range out.Files {
		name := filepath.Join(to, f.Code+payoutSuffix[form])
		if dry {
			name = ""
		} else if err := putInPlace(name, func(w io.Writer) error { return e.WritePayout(cmd.Context(), site.Name, f.Code, form, w) }); err != nil {
			return fmt.Errorf("%w: the payments are ordered, `nightshift settlement payouts %s` writes the file again", err, f.Code)
		}
		sum := storage.StatementStand{Currency: f.Currency}.Money(f.Amount)
		files = append(files, map[string]any{"code": f.Code, "file": name, "transfers": len(f.Lines), "amount": f.Amount, "currency": f.Currency, "execute_on": f.ExecuteOn})
		g.row(f.Code, strconv.Itoa(len(f.Lines))+" transfers", sum.String(), "on "+f.ExecuteOn.String(), name)
	}
	for _, d := range out.Left {
		left = append(left, map[string]any{"seller": d.Seller, "period": d.Period.String(), "amount": d.Payout, "currency": d.Currency, "outcome": d.Outcome, "rule": d.Rule, "because": d.Because})
		rest.row("  "+d.Seller, d.Period.String(), d.Money(d.Payout).String(), p.paint(p.out, yellow, d.Outcome), d.Because)
	}
	if p.json {
		if err := p.printJSON(map[string]any{"files": files, "left": left, "dry_run": dry}); err != nil {
			return err
		}
		return worst(nil, int64(len(left)))
	}
	if len(files)+len(left) == 0 {
		p.printf("nothing to pay: see `nightshift settlement list --state payable`\n")
	}
	if err := g.print(p.out); err != nil {
		return err
	}
	if len(left) > 0 {
		p.printf("not paid\n%s", rest)
	}
	return worst(nil, int64(len(left)))
}

func (p *program) settlementPayouts() *cobra.Command {
	var to, form string
	var limit int
	cmd := &cobra.Command{
		Use: "payouts [FILE]", Short: "The payment files that were written, or one of them again", Args: takes(0, 1, "at most the code of one payment file"),
		Long:    "Payouts lists the payment files. With the code of one it writes that file again,\nbyte by byte as it went to the bank.",
		Example: "  nightshift settlement payouts\n  nightshift settlement payouts NS-cn-20240527-1 -o again.xml\n  nightshift settlement payouts NS-cn-20240527-1 --form csv -o -",
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return p.listPayouts(cmd, e, limit)
			}
			write := func(w io.Writer) error { return e.WritePayout(cmd.Context(), p.site(), args[0], form, w) }
			if to == "-" {
				return write(p.out)
			}
			if to == "" {
				to = args[0] + payoutSuffix[form]
			}
			if err := putInPlace(to, write); err != nil {
				return err
			}
			if !p.json {
				p.printf("%s\n", to)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&to, "output", "o", "", "the file to write, - for standard output (default its code)")
	cmd.Flags().StringVar(&form, "form", jobs.FormPain, "pain.001 or csv")
	cmd.Flags().IntVar(&limit, "limit", 30, "how many at most")
	p.siteOption(cmd)
	return cmd
}

func (p *program) listPayouts(cmd *cobra.Command, e *jobs.Engine, limit int) error {
	list, counts, err := e.PayoutList(cmd.Context(), p.site(), limit)
	if err != nil {
		return err
	}
	views, g := []map[string]any{}, &grid{}
	g.row("file", "transfers", "amount", "pays on", "ordered by")
	for i, f := range list {
		views = append(views, map[string]any{"code": f.Code, "transfers": counts[i], "amount": f.Amount, "currency": f.Currency, "execute_on": f.ExecuteOn, "actor": f.Actor, "at": f.At})
		g.row(f.Code, strconv.Itoa(counts[i]), storage.StatementStand{Currency: f.Currency}.Money(f.Amount).String(), f.ExecuteOn.String(), f.Actor)
	}
	if p.json {
		return p.printJSON(views)
	}
	if len(list) == 0 {
		p.printf("no payment files yet: `nightshift settlement payout` writes one\n")
		return nil
	}
	return g.print(p.out)
}

func (p *program) settlementApprove() *cobra.Command {
	var h byHand
	cmd := &cobra.Command{
		Use: "approve SELLER… --period YYYYMM --because TEXT", Short: "A second person agrees to payments above the limit", Args: takes(1, -1, "sellers, by code"),
		Long:    "Approve keeps that a second person agrees to pay a statement: not the one who\ncountersigned it, and not the one who then orders the payment.",
		Example: "  nightshift settlement approve globex --period 202405 --actor sue --because \"checked against the contract\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			ask, _, err := h.act(p, "approve", args, true)
			if err != nil {
				return err
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			list, err := e.ApprovePayment(cmd.Context(), ask)
			if err != nil {
				return err
			}
			views := []map[string]any{}
			for _, s := range list {
				views = append(views, map[string]any{"seller": s.Seller, "period": s.Period.String(), "amount": s.Payout, "currency": s.Currency, "actor": ask.Actor})
				if !p.json {
					p.printf("%s approved the payment of %s for %s to %s\n", ask.Actor, s.Money(s.Payout), s.Period, s.Seller)
				}
			}
			if p.json {
				return p.printJSON(views)
			}
			return nil
		},
	}
	h.options(p, cmd, true)
	return cmd
}
