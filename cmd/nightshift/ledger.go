package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// ledger is the command ledger and those below it.
func (p *program) ledger() *cobra.Command {
	cmd := group("ledger", "Look into the books, seal and verify them", `The books are journals of postings from account to account. A balance is what
was posted to an account less what was posted from it: what a buyer has is above
zero, what a buyer owes below. Accounts are written buyer:ann:cash,
seller:acme:accrued, platform:fees.`, `
  nightshift ledger balance buyer:ann               what ann has and owes
  nightshift ledger journal order/cn/A-1001/paid    one journal
  nightshift ledger journal --account buyer:ann:cash --from 2026-04-01
  nightshift ledger trial                           all of it adds up to zero
  nightshift ledger gateway --date 2026-04-01       tied to the payment gateway
  nightshift ledger reverse money/cn/M-1 --because TEXT   takes a mistake back
  nightshift ledger holds                           payments in doubt
  nightshift ledger verify                          nothing was changed since`)
	cmd.AddCommand(p.ledgerBalance(), p.ledgerJournal(), p.ledgerTrial(), p.ledgerGateway(), p.ledgerReverse(), p.ledgerHold(), p.ledgerHoldEnd(true), p.ledgerHoldEnd(false), p.ledgerExpire(), p.ledgerHolds(), p.ledgerSeal(), p.ledgerVerify())
	return cmd
}

// booksAt lets a command look at the books of another instant.
type booksAt struct{ asOf, knownAt string }

func (b *booksAt) options(p *program, cmd *cobra.Command) {
	cmd.Flags().StringVar(&b.asOf, "as-of", "", "what took effect up to this instant (default all of it)")
	cmd.Flags().StringVar(&b.knownAt, "known-at", "", "what was booked up to this instant (default all of it)")
	p.siteOption(cmd)
}

func (b *booksAt) read(site *rules.Site) (at storage.BooksAt, err error) {
	at.Site = site.Name
	if b.asOf != "" {
		if at.AsOf, err = instant("as-of", b.asOf, site.Zone); err != nil {
			return at, err
		}
	}
	if b.knownAt != "" {
		at.KnownAt, err = instant("known-at", b.knownAt, site.Zone)
	}
	return at, err
}

func (p *program) ledgerBalance() *cobra.Command {
	var when booksAt
	cmd := &cobra.Command{
		Use: "balance [ACCOUNT]", Short: "The balances of an account and of those below it", Args: takes(0, 1, "at most one account, such as buyer:ann"),
		Example: "  nightshift ledger balance buyer:ann\n  nightshift ledger balance seller:acme:accrued --as-of 2026-04-30T23:59:59\n" +
			"  nightshift ledger balance buyer:ann --as-of 2026-04-30T23:59:59 --known-at 2026-05-03T09:00",
		RunE: func(cmd *cobra.Command, args []string) error {
			site, store, err := p.books(cmd)
			if err != nil {
				return err
			}
			at, err := when.read(site)
			if err != nil {
				return err
			}
			list, err := store.Balances(cmd.Context(), at, market.Account(strings.Join(args, "")))
			if err != nil {
				return err
			}
			if len(list) == 0 && !p.json {
				p.printf("nothing was posted there\n")
				return nil
			}
			return p.showBalances(list, false)
		},
	}
	when.options(p, cmd)
	return cmd
}

// books is the site and the store that the commands below ledger work on.
func (p *program) books(cmd *cobra.Command) (*rules.Site, *storage.Store, error) {
	site, err := p.siteRules()
	if err != nil {
		return nil, nil, err
	}
	store, err := p.open(cmd.Context())
	return site, store, err
}

func (p *program) showBalances(list []storage.AccountBalance, sums bool) error {
	views, g := []map[string]any{}, &grid{}
	head := []string{"account", "postings", "in", "out", "balance"}
	g.row(head...)
	total := map[market.Currency]market.Money{}
	for _, b := range list {
		views = append(views, map[string]any{"account": b.Account, "postings": b.HasPostings, "in": b.In.Amount.String(), "out": b.Out.Amount.String(),
			"balance": b.Balance.Amount.String(), "currency": b.Balance.Currency})
		g.row(string(b.Account), strconv.FormatInt(b.HasPostings, 10), b.In.String(), b.Out.String(), b.Balance.String())
		c := b.Balance.Currency
		total[c] = market.NewMoney(total[c].Amount.Add(b.Balance.Amount), c)
	}
	if p.json {
		return p.printJSON(views)
	}
	if sums {
		for _, c := range currencies(total) {
			g.row("all of "+string(c), "", "", "", total[c].String())
		}
	}
	return g.print(p.out)
}

func (p *program) ledgerJournal() *cobra.Command {
	var account, from, to string
	var limit int
	cmd := &cobra.Command{
		Use: "journal KEY | --account ACCOUNT", Short: "A journal, or what was posted to and from an account", Args: takes(0, 1, "the key of one journal, or --account"),
		Example: "  nightshift ledger journal order/cn/A-1001/paid\n  nightshift ledger journal --account buyer:ann:cash\n" +
			"  nightshift ledger journal --account seller:acme:accrued --from 2026-04-01 --to 2026-04-30",
		RunE: func(cmd *cobra.Command, args []string) error {
			if (account == "") == (len(args) == 0) {
				return misuse("ledger journal takes the key of a journal, or --account: see `%s --help`", cmd.CommandPath())
			}
			site, store, err := p.books(cmd)
			if err != nil {
				return err
			}
			if account != "" {
				return p.showAccount(cmd, site, store, market.Account(account), from, to, limit)
			}
			j, found, err := store.FindJournal(cmd.Context(), args[0])
			if err == nil && !found {
				err = misuse("nothing was booked under the key %s", args[0])
			}
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(journalView(site, j))
			}
			p.tellJournal(site, j)
			return nil
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "an account, such as buyer:ann:cash")
	cmd.Flags().StringVar(&from, "from", "", "the first day of what took effect")
	cmd.Flags().StringVar(&to, "to", "", "the last day of what took effect")
	cmd.Flags().IntVar(&limit, "limit", 1000, "how many postings at most")
	p.siteOption(cmd)
	return cmd
}

func (p *program) tellJournal(site *rules.Site, j storage.BookedJournal) {
	g := &grid{}
	g.row("memo", j.Memo)
	g.row("took effect", rfc3339(j.At, site.Zone))
	g.row("booked", fmt.Sprintf("by %s for %s, at %s", j.Source, j.On, rfc3339(j.RecordedAt, site.Zone)))
	if j.Reverses != "" {
		g.row("takes back", j.Reverses)
	}
	postings := &grid{}
	for _, posting := range j.Postings {
		postings.row("  "+string(posting.From), "->", string(posting.To), posting.Amount.String())
	}
	p.printf("%s\n%s%s", j.Key, g, postings)
}

func journalView(site *rules.Site, j storage.BookedJournal) map[string]any {
	postings := []map[string]any{}
	for _, posting := range j.Postings {
		postings = append(postings, map[string]any{"from": posting.From, "to": posting.To, "amount": posting.Amount.Amount.String(), "currency": posting.Amount.Currency})
	}
	view := map[string]any{"key": j.Key, "memo": j.Memo, "at": rfc3339(j.At, site.Zone), "source": j.Source, "date": j.On.String(),
		"recorded_at": rfc3339(j.RecordedAt, site.Zone), "postings": postings}
	if j.Reverses != "" {
		view["reverses"] = j.Reverses
	}
	return view
}

// showAccount writes what was posted to and from an account, line by line.
func (p *program) showAccount(cmd *cobra.Command, site *rules.Site, store *storage.Store, account market.Account, from, to string, limit int) error {
	if err := account.Check(); err != nil {
		return misuse("--account: %v", err)
	}
	var span [2]time.Time
	for i, day := range []struct{ flag, text string }{{"from", from}, {"to", to}} {
		if day.text == "" {
			continue
		}
		on, err := date(day.flag, day.text)
		if err != nil {
			return err
		}
		span[i] = on.AddDays(i).At(market.TimeOfDay{}, site.Zone) // the last day is whole
	}
	list, err := store.JournalsOf(cmd.Context(), site.Name, account, span[0], span[1], limit)
	if err != nil {
		return err
	}
	views, g := []map[string]any{}, &grid{}
	g.row("took effect", "journal", "the other account", "amount")
	for _, j := range list {
		views = append(views, journalView(site, j))
		for _, posting := range j.Postings {
			other, amount := posting.From, posting.Amount
			if posting.From == account {
				other, amount = posting.To, posting.Amount.Neg()
			}
			g.row(rfc3339(j.At, site.Zone), j.Key, string(other), amount.String())
		}
	}
	if p.json {
		return p.printJSON(views)
	}
	if len(list) == 0 {
		p.printf("nothing was posted there\n")
		return nil
	}
	return g.print(p.out)
}

func (p *program) ledgerTrial() *cobra.Command {
	var when booksAt
	cmd := &cobra.Command{
		Use: "trial", Short: "The trial balance: every class of accounts; it adds up to zero", Args: takes(0, 0, "no words"),
		Example: "  nightshift ledger trial\n  nightshift ledger trial --as-of 2026-04-30T23:59:59 --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			site, store, err := p.books(cmd)
			if err != nil {
				return err
			}
			at, err := when.read(site)
			if err != nil {
				return err
			}
			list, err := store.TrialBalance(cmd.Context(), at)
			if err != nil {
				return err
			}
			return p.showBalances(list, true)
		},
	}
	when.options(p, cmd)
	return cmd
}
