package main

import (
	"strings"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// settlement is the command settlement and those below it.
func (p *program) settlement() *cobra.Command {
	cmd := group("settlement", "Statements of sellers: review, pay, match with the bank, close", `Settlement is run for a month on its bill day: `+"`nightshift run settlement --period 202405`"+`,
or by night and serve. What is not settled then is listed with the conditions
that are not met, and looked at again with the next month.

A statement goes its way by people: review, send, countersign, payout, and by the
bank's answer: reconcile. When all of it ties the month is closed.`, `
  nightshift settlement waiting --period 202405
  nightshift settlement list --period 202405
  nightshift settlement review --period 202405
  nightshift settlement payout --period 202405 --dry-run
  nightshift settlement reconcile camt053.xml
  nightshift settlement close --period 202405`)
	cmd.AddCommand(p.settlementWaiting(), p.settlementList(), p.settlementShow(), p.settlementWorkbook(), p.settlementReissue(),
		p.settlementPayout(), p.settlementPayouts(), p.settlementApprove(), p.settlementPause(true), p.settlementPause(false),
		p.settlementReconcile(), p.settlementUnmatched(), p.settlementClear(), p.settlementClose(), p.settlementFocus())
	for _, act := range jobs.StatementActs() {
		cmd.AddCommand(p.settlementMove(act))
	}
	return cmd
}

// mostWaiting is how many lines are listed where nobody says how many.
const mostWaiting = 1000

func (p *program) settlementWaiting() *cobra.Command {
	var period, seller string
	var limit int
	cmd := &cobra.Command{
		Use: "waiting --period YYYYMM", Short: "What was not settled of a month, and why",
		Long: `Waiting lists what the settlement of a month left, with each condition that is not
met: the seller is certified, the payment is complete and what was borrowed for
it repaid, the delivery is accepted, what was bought has taken effect, the
product class reaches the minimum. Where a date decides, it says which. What is
held is wrong and has to be mended: correct it and import it again.`,
		Args: takes(0, 0, "no words, only options"),
		Example: `  nightshift settlement waiting --period 202405
  nightshift settlement waiting --period 202405 --seller acme
  nightshift settlement waiting --period 202405 --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if period == "" {
				return misuse("required flag --period: the month, such as 202405")
			}
			month, err := market.ParsePeriod(period)
			if err != nil {
				return misuse("--period %s: write a month like 202405", period)
			}
			return p.listWaiting(cmd, storage.WaitingQuery{Period: month, Seller: seller, Limit: limit})
		},
	}
	cmd.Flags().StringVar(&period, "period", "", "the month whose run left them")
	cmd.Flags().StringVar(&seller, "seller", "", "one seller, by code")
	cmd.Flags().IntVar(&limit, "limit", mostWaiting, "how many lines at most")
	p.siteOption(cmd)
	return cmd
}

// waitingView is a waiting line for machines.
type waitingView struct {
	Seller  string   `json:"seller"`
	Key     string   `json:"key"`
	Kind    string   `json:"kind"`
	Order   string   `json:"order,omitempty"`
	Product string   `json:"product,omitempty"`
	Class   string   `json:"product_class,omitempty"`
	Amount  string   `json:"amount"`
	PaidAt  string   `json:"paid_at,omitempty"`
	Outcome string   `json:"outcome"`
	Unmet   []string `json:"unmet"`
	Until   string   `json:"until,omitempty"`
	Because string   `json:"because"`
	Rules   string   `json:"rules,omitempty"`
}

func viewOfWaiting(seller string, w market.WaitingLine, site *rules.Site) waitingView {
	return waitingView{Seller: seller, Key: w.Key, Kind: w.Kind, Order: w.Order, Product: w.Product, Class: w.ProductClass, Amount: w.Paid.String(),
		PaidAt: rfc3339(w.PaidAt, site.Zone), Outcome: w.Outcome, Unmet: w.Unmet, Until: rfc3339(w.Until, site.Zone), Because: w.Because, Rules: w.Rules}
}

func (p *program) listWaiting(cmd *cobra.Command, q storage.WaitingQuery) error {
	site, store, err := p.books(cmd)
	if err != nil {
		return err
	}
	q.Site = site.Name
	views := []waitingView{}
	err = store.WaitingLines(cmd.Context(), q, func(seller string, w market.WaitingLine) error {
		views = append(views, viewOfWaiting(seller, w, site))
		return nil
	})
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(views)
	}
	if len(views) == 0 {
		p.printf("nothing waits of %s at %s\n", q.Period, q.Site)
		return nil
	}
	g := &grid{}
	g.row("seller", "what", "amount", "outcome", "not met", "until", "because")
	for _, w := range views {
		g.row(w.Seller, w.Key, w.Amount, w.Outcome, strings.Join(w.Unmet, ", "), w.Until, w.Because)
	}
	if err := g.print(p.out); err != nil {
		return err
	}
	if len(views) == q.Limit {
		p.printf("the first %s lines: name a seller, or more with --limit\n", number(int64(q.Limit)))
	}
	return nil
}
