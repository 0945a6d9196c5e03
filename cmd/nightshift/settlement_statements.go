package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// periodFlag reads a month that was typed.
func periodFlag(text string) (market.Period, error) {
	if text == "" {
		return market.Period{}, misuse("required flag --period: the month, such as 202405")
	}
	period, err := market.ParsePeriod(text)
	if err != nil {
		return market.Period{}, misuse("--period %s: write a month like 202405", text)
	}
	return period, nil
}

// byHand is what somebody does, when, and why.
type byHand struct{ period, actor, because, at string }

func (h *byHand) options(p *program, cmd *cobra.Command, period bool) {
	if period {
		cmd.Flags().StringVar(&h.period, "period", "", "the month, such as 202405")
	}
	cmd.Flags().StringVar(&h.actor, "actor", "", "who does it (default the USER of the environment)")
	cmd.Flags().StringVar(&h.because, "because", "", "why")
	cmd.Flags().StringVar(&h.at, "at", "", "when it was done (default now)")
	p.siteOption(cmd)
}

// act is what was typed, as jobs take it.
func (h *byHand) act(p *program, name string, sellers []string, period bool) (ask jobs.StatementAct, site *rules.Site, err error) {
	if site, err = p.siteRules(); err != nil {
		return ask, nil, err
	}
	ask = jobs.StatementAct{Site: site.Name, Act: name, Sellers: sellers, Actor: p.actor(h.actor), Because: h.because, At: p.now()}
	if period {
		if ask.Period, err = periodFlag(h.period); err != nil {
			return ask, site, err
		}
	}
	if h.at != "" {
		ask.At, err = instant("at", h.at, site.Zone)
	}
	return ask, site, err
}

func (p *program) settlementList() *cobra.Command {
	var period string
	var states []string
	cmd := &cobra.Command{
		Use: "list [SELLER…]", Short: "The statements of a month and where they stand", Args: takes(0, -1, "sellers, by code"),
		Long:    "List shows the newest version of each statement, its payout, and where it stands:\ndraft, in_review, to_confirm, to_countersign, disputed, payable, nothing_to_pay,\npaid or payment_failed.",
		Example: "  nightshift settlement list --period 202405\n  nightshift settlement list --period 202405 --state payable --state payment_failed\n  nightshift settlement list acme --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			q := storage.StatementQuery{Site: p.site(), Sellers: args, States: states}
			if period != "" {
				month, err := periodFlag(period)
				if err != nil {
					return err
				}
				q.Period = month.Number()
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			list, err := e.StatementList(cmd.Context(), q)
			if err != nil {
				return err
			}
			return p.showStatements(list)
		},
	}
	cmd.Flags().StringVar(&period, "period", "", "the month, such as 202405 (default every month)")
	cmd.Flags().StringArrayVar(&states, "state", nil, "only statements that stand there; may be repeated")
	p.siteOption(cmd)
	return cmd
}

func statementView(s storage.StatementStand) map[string]any {
	return map[string]any{"seller": s.Seller, "period": s.Period.String(), "version": s.Version, "currency": s.Currency, "lines": s.Lines, "billable": s.Billable, "fee": s.Fee, "taxes": s.Taxes,
		"operating_fee": s.OperatingFee, "settled": s.Settled, "adjustments": s.Adjustments, "carried_in": s.CarriedIn, "carried_out": s.CarriedOut, "payout": s.Payout,
		"state": s.State(), "until": dateOrNone(s.Move.Until), "ordered": s.Ordered, "tries": s.Try, "because": s.Because}
}

// dateOrNone is a date, or nothing where there is none.
func dateOrNone(d market.Date) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func (p *program) showStatements(list []storage.StatementStand) error {
	views, g := []map[string]any{}, &grid{}
	g.row("period", "seller", "version", "lines", "settled", "payout", "carried on", "state", "until", "ordered in")
	for _, s := range list {
		views = append(views, statementView(s))
		g.row(s.Period.String(), s.Seller, strconv.Itoa(s.Version), number(s.Lines), s.Money(s.Settled).String(), s.Money(s.Payout).String(), s.Money(s.CarriedOut).String(),
			p.paintStatement(s.State()), dateOrNone(s.Move.Until), s.Ordered)
	}
	if p.json {
		return p.printJSON(views)
	}
	if len(list) == 0 {
		p.printf("no statements: settle a month with `nightshift run settlement --period YYYYMM`\n")
		return nil
	}
	return g.print(p.out)
}

func (p *program) paintStatement(state string) string {
	switch state {
	case market.StatementPaid, market.StatementNothingToPay:
		return p.paint(p.out, green, state)
	case market.StatementPaymentFailed, market.StatementDisputed:
		return p.paint(p.out, red, state)
	}
	return p.paint(p.out, yellow, state)
}

func (p *program) settlementShow() *cobra.Command {
	var period string
	cmd := &cobra.Command{
		Use: "show SELLER --period YYYYMM", Short: "A statement: its sums, its way so far, its deadlines", Args: takes(1, 1, "the code of one seller"),
		Example: "  nightshift settlement show acme --period 202405\n  nightshift settlement show acme --period 202405 --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			month, err := periodFlag(period)
			if err != nil {
				return err
			}
			site, err := p.siteRules()
			if err != nil {
				return err
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			s, moves, steps, err := e.StatementWay(cmd.Context(), site.Name, args[0], month)
			if err != nil {
				return err
			}
			return p.showStatement(site, s, moves, steps)
		},
	}
	cmd.Flags().StringVar(&period, "period", "", "the month, such as 202405")
	p.siteOption(cmd)
	return cmd
}

func (p *program) showStatement(site *rules.Site, s storage.StatementStand, moves []storage.StatementMove, steps []jobs.StatementStep) error {
	if p.json {
		view := statementView(s)
		way, plan := []map[string]any{}, []map[string]any{}
		for _, m := range moves {
			way = append(way, map[string]any{"state": m.State, "until": dateOrNone(m.Until), "at": rfc3339(m.At, site.Zone), "actor": m.Actor, "because": m.Because})
		}
		for _, step := range steps {
			plan = append(plan, map[string]any{"state": step.State, "until": dateOrNone(step.Until), "done": rfc3339(step.Done, site.Zone)})
		}
		view["moves"], view["steps"] = way, plan
		return p.printJSON(view)
	}
	p.printf("statement %s of %s, version %d, %s\n", s.Period, s.Seller, s.Version, p.paintStatement(s.State()))
	sums := &grid{}
	for _, line := range []struct {
		name   string
		amount market.Decimal
	}{{"billable", s.Billable}, {"platform fee", s.Fee.Neg()}, {"taxes", s.Taxes.Neg()}, {"operating fee", s.OperatingFee.Neg()}, {"settled", s.Settled}, {"adjustments", s.Adjustments},
		{"carried in", s.CarriedIn}, {"payout", s.Payout}, {"carried on", s.CarriedOut}} {
		sums.row("  "+line.name, s.Money(line.amount).String())
	}
	if s.Because != "" {
		sums.row("  issued again", s.Because)
	}
	way := &grid{}
	for _, m := range moves {
		way.row("  "+m.State, rfc3339(m.At, site.Zone), "by "+m.Actor, m.Because)
	}
	plan := &grid{}
	for _, step := range steps {
		done := "until " + step.Until.String()
		if !step.Done.IsZero() {
			done += ", done " + rfc3339(step.Done, site.Zone)
		}
		plan.row("  "+step.State, done)
	}
	p.printf("%s", sums)
	if len(moves) > 0 {
		p.printf("its way\n%s", way)
	}
	p.printf("its steps\n%s", plan)
	return nil
}
