package main

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage"
)

func (p *program) settlementReconcile() *cobra.Command {
	var h byHand
	cmd := &cobra.Command{
		Use: "reconcile FILE", Short: "Match the bank's answer with what was ordered and what statements say", Args: takes(1, 1, "one file of the bank"),
		Long: `Reconcile reads the bank's answer: an account statement as ISO 20022 camt.053, or
CSV with the columns reference, amount, currency, status (paid, returned, failed,
received, pending), booked_on, bank_reference, reason, account. Only where statement, order
and bank agree a statement is paid, or its payment failed. What does not match is
a list: a stranger's reference, another amount or account, paid twice. The exit code is 3
where there is any. Taking the same lines in again changes nothing.`,
		Example: "  nightshift settlement reconcile camt053.xml\n  nightshift settlement reconcile answer.csv --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			ask, site, err := h.act(p, "reconcile", nil, false)
			if err != nil {
				return err
			}
			file, err := os.Open(args[0])
			if err != nil {
				return misuse("read the bank's answer: %v", err)
			}
			defer file.Close()
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			r, err := e.Reconcile(cmd.Context(), jobs.ReconcileAsk{Site: site.Name, Name: filepath.Base(args[0]), File: file, Actor: ask.Actor, At: ask.At})
			if err != nil {
				return err
			}
			return p.showReconciliation(r)
		},
	}
	h.options(p, cmd, false)
	_ = cmd.Flags().MarkHidden("because") // the bank says why
	return cmd
}

func (p *program) showReconciliation(r jobs.Reconciliation) error {
	counts := map[string]int{}
	views, g := []map[string]any{}, &grid{}
	for _, m := range r.Matched {
		counts[string(m.Verdict)]++
		views = append(views, map[string]any{"place": m.Line, "reference": m.Reference, "amount": m.Amount, "verdict": m.Verdict, "why": m.Why, "bank_reference": m.BankRef})
	}
	unmatched := r.Unmatched()
	for _, m := range unmatched {
		g.row("  "+m.Line, m.Reference, m.Amount.String(), p.paint(p.out, red, string(m.Verdict)), m.Why)
	}
	if p.json {
		if err := p.printJSON(map[string]any{"lines": views, "known": r.Known, "pending": r.Pending}); err != nil {
			return err
		}
		return worst(nil, int64(len(unmatched)))
	}
	p.printf("%d paid, %d failed, %d do not match; %d were taken in before, %d are pending\n", counts["pays"], counts["fails"], len(unmatched), r.Known, r.Pending)
	if err := g.print(p.out); err != nil {
		return err
	}
	return worst(nil, int64(len(unmatched)))
}

func (p *program) settlementUnmatched() *cobra.Command {
	var limit int
	var cleared bool
	cmd := &cobra.Command{
		Use: "unmatched", Short: "What the bank did that no payment explains, and payments it has not told of", Args: takes(0, 0, "no words, only options"),
		Long:    "Unmatched lists each line of the bank that somebody has to look into, with the number\nby which `settlement clear` takes it, and the payments that the bank has not told of.\nWith --cleared it lists the lines that were settled: by whom, when and why.",
		Example: "  nightshift settlement unmatched\n  nightshift settlement unmatched --cleared\n  nightshift settlement unmatched --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			lines, open, err := e.UnmatchedLines(cmd.Context(), p.site(), cleared, limit)
			if err != nil {
				return err
			}
			return p.showUnmatched(lines, open)
		},
	}
	cmd.Flags().BoolVar(&cleared, "cleared", false, "those that somebody settled")
	cmd.Flags().IntVar(&limit, "limit", 1000, "how many of each at most")
	p.siteOption(cmd)
	return cmd
}

func (p *program) showUnmatched(lines []storage.BankLine, open []storage.OrderedPayment) error {
	bankLines, payments := []map[string]any{}, []map[string]any{}
	g, rest := &grid{}, &grid{}
	for _, b := range lines {
		view := map[string]any{"no": b.No, "file": b.File, "place": b.Place, "reference": b.Reference, "amount": b.Amount, "booked_on": b.On, "verdict": b.Verdict, "why": b.Why, "bank_reference": b.BankRef}
		cells := []string{"  " + strconv.FormatInt(b.No, 10), b.On.String(), b.File + ", " + b.Place, b.Reference, b.Amount.String(), p.paint(p.out, red, b.Verdict), b.Why}
		if c := b.Cleared; c != nil {
			view["cleared"] = map[string]any{"by": c.Actor, "at": c.At, "because": c.Because, "account": string(c.Account)}
			cells = append(cells[:5], p.paint(p.out, green, b.Verdict), "settled by "+c.Actor, c.Because, string(c.Account))
		}
		bankLines = append(bankLines, view)
		g.row(cells...)
	}
	for _, o := range open {
		payments = append(payments, map[string]any{"reference": o.Reference, "file": o.Payout, "seller": o.Seller, "period": o.Period.String(), "amount": o.Amount})
		rest.row("  "+o.Reference, o.Payout, o.Seller, o.Period.String(), o.Amount.String())
	}
	if p.json {
		return p.printJSON(map[string]any{"bank": bankLines, "open": payments})
	}
	if len(lines)+len(open) == 0 {
		p.printf("everything matches\n")
		return nil
	}
	if len(lines) > 0 {
		p.printf("the bank did what no payment explains\n%s", g)
	}
	if len(open) > 0 {
		p.printf("ordered, and the bank has not told of it\n%s", rest)
	}
	return nil
}

func (p *program) settlementClear() *cobra.Command {
	var h byHand
	var account string
	cmd := &cobra.Command{
		Use: "clear NUMBER… --because TEXT", Short: "Settle lines of the bank that no payment explains", Args: takes(1, -1, "numbers of lines, as `settlement unmatched` lists them"),
		Long: `Clear keeps that somebody looked into a line of the bank which no payment explains:
who, when and why. It is not listed any more, and can be settled once. With
--account it is booked as well: between the platform's bank and that account.`,
		Example: "  nightshift settlement clear 17 --because \"the bank took its own order back on 06-03\"\n  nightshift settlement clear 18 --account platform:adjustments --because \"a fee of the bank\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			ask, site, err := h.act(p, "clear", nil, false)
			if err != nil {
				return err
			}
			request := jobs.ClearAsk{Site: site.Name, Account: market.Account(account), Actor: ask.Actor, Because: ask.Because, At: ask.At}
			for _, arg := range args {
				no, err := strconv.ParseInt(arg, 10, 64)
				if err != nil {
					return misuse("%s is no number of a line: see `nightshift settlement unmatched`", arg)
				}
				request.Lines = append(request.Lines, no)
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			cleared, err := e.ClearBankLines(cmd.Context(), request)
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(map[string]any{"cleared": request.Lines, "account": account, "by": request.Actor, "because": request.Because})
			}
			for _, b := range cleared {
				p.printf("%s settled line %d, %s: %s\n", request.Actor, b.No, b.Amount, request.Because)
			}
			return nil
		},
	}
	h.options(p, cmd, false)
	cmd.Flags().StringVar(&account, "account", "", "book it: the account of the platform on the other side of its bank")
	return cmd
}
