package jobs

import (
	"errors"
	"io"

	"nightshift/reports"
	"nightshift/rules/market"
	"nightshift/storage"
)

// renewalReport writes the workbook of a renewal run.
func renewalReport(a *account, w io.Writer) error {
	report, err := a.renewal()
	if err != nil {
		return err
	}
	return reports.Renewal(w, report)
}

func (a *account) renewal() (reports.RenewalReport, error) {
	report := reports.RenewalReport{
		Site: a.site.Name, Zone: a.site.Zone, On: a.run.On, AsOf: a.run.AsOf, Build: a.run.Build, Schema: a.run.Schema, ResultHash: a.run.ResultHash,
		Lapsing: mapped(a.tx.LapsingBy(a.ctx, a.run), func(v storage.Lapsing) (reports.LapsingRow, error) {
			because, err := a.because("expiry", v.RunID, v.Since, v.Rule)
			return reports.LapsingRow{SubscriptionSubject: subscription(v.SubscriptionLine), State: v.State, Since: v.Since, Turns: v.Turns, Rule: v.Rule, Because: because}, err
		}),
		ByHand: mapped(a.tx.ByHandBy(a.ctx, a.run), func(v storage.ByHand) (reports.ByHandRow, error) {
			return reports.ByHandRow{Subscription: v.Subscription, Buyer: v.Buyer, Renewal: v.Renewal, From: v.Span.From, Until: v.Span.To, At: v.At}, nil
		}),
		Wishes: mapped(a.tx.WishedBy(a.ctx, a.run), func(v storage.Wished) (reports.WishRow, error) {
			return reports.WishRow{Subscription: v.Subscription, Buyer: v.Buyer, Policy: v.Policy, Outcome: v.Outcome, At: v.At, Rule: v.Rule, Because: v.Because}, nil
		}),
		Notices: mapped(a.tx.NoticedBy(a.ctx, a.run), func(v storage.Noticed) (reports.NoticeRow, error) {
			return reports.NoticeRow{Subscription: v.Subscription, Buyer: v.Buyer, Kind: v.Kind, Recipients: v.Recipients, At: v.At}, nil
		}),
		Calls: mapped(a.tx.CallsBy(a.ctx, a.run), func(v storage.Outgoing) (reports.CallRow, error) {
			return reports.CallRow{Subscription: v.Subscription, Seller: v.Seller, Activity: v.Activity, Scene: v.Scene, Instance: v.Instance, At: v.At, Payload: string(v.Payload)}, nil
		}),
		Parked: mapped(a.tx.ParkedBy(a.ctx, a.run), a.setAside),
	}
	if err := a.prepare(); err != nil {
		return report, err
	}
	var err error
	if report.Policies, err = a.used(renewalRulesets); err != nil {
		return report, err
	}
	lives, err := a.tx.TallyLives(a.ctx, a.run)
	if err != nil {
		return report, err
	}
	report.Counts = reports.RenewalCounts{Buyers: a.run.Candidates, Decided: a.run.Outcomes, Parked: a.run.Parked,
		Lapsed: lives.Lapsed, Frozen: lives.Frozen, Released: lives.Released, Running: lives.Running,
		ByHand: lives.ByHand, Wishes: lives.Wished, Notices: lives.Notices, Calls: lives.Calls}
	currencies, err := a.tx.RenewalCurrencies(a.ctx, a.run, a.site.Currency)
	if err != nil {
		return report, err
	}
	report.Books, err = books(currencies, a.site.Currency, a.renewalBook)
	return report, err
}

// renewalBook is what the run did in one currency.
func (a *account) renewalBook(c market.Currency) (reports.RenewalBook, error) {
	of := func(amount market.Decimal) market.Money { return market.NewMoney(amount, c) }
	counts, err := a.renewalCounts(c)
	return reports.RenewalBook{
		Currency: c, Counts: counts,
		Renewed: mapped(a.tx.RenewedBy(a.ctx, a.run, c), func(v storage.Renewed) (reports.RenewedRow, error) {
			because, err := a.because("renewal", a.run.ID, v.At, v.Rule)
			row, failed := deductionRow(v.Deducted)
			return reports.RenewedRow{SubscriptionSubject: subscription(v.SubscriptionLine), Until: v.Span.To, At: v.At, Price: v.Price, Discount: v.Discount,
				Discounted: v.Discounted, Dropped: v.Dropped, Due: v.Due, PaidBy: row.PaidBy, Event: v.Key, Rule: v.Rule, RuleBecause: because}, errors.Join(err, failed)
		}),
		NotPaid: mapped(a.tx.NotRenewedBy(a.ctx, a.run, c), func(v storage.NotRenewed) (reports.NotRenewedRow, error) {
			because, err := a.because("renewal", v.RunID, v.At, v.Rule)
			return reports.NotRenewedRow{SubscriptionSubject: subscription(v.SubscriptionLine), Outcome: v.Outcome, At: v.At, Price: of(v.Price), Shortfall: of(v.Shortfall),
				Next: v.Next, Rule: v.Rule, Because: because}, err
		}),
		TakenBack: mapped(a.tx.GivenUpBy(a.ctx, a.run, c), func(v storage.GivenUp) (reports.TakenBackRow, error) {
			return reports.TakenBackRow{Request: v.Request, Subscription: v.Subscription, Buyer: v.Buyer, Renewal: v.PaidBy, Outcome: v.Outcome, At: v.At,
				Amount: of(v.Amount), Rule: v.Rule, Because: v.Because}, nil
		}),
	}, err
}

// renewalCounts are what tables and journals say of a currency, apart from the
// lists.
func (a *account) renewalCounts(c market.Currency) (reports.RenewalBookCounts, error) {
	of := func(amount market.Decimal) market.Money { return market.NewMoney(amount, c) }
	all, err := a.tx.TallyBilled(a.ctx, a.run, c)
	booked, failed := a.tx.TallyBooked(a.ctx, a.run, c)
	err = errors.Join(err, failed)
	n, failed := a.tx.TallyRenewals(a.ctx, a.run, c)
	return reports.RenewalBookCounts{
		Deductions: all.Rows, Terms: n.Terms, Price: of(all.Price), Discounted: of(all.Discounted), Due: of(all.Due), Dropped: of(all.Dropped),
		Taken: of(booked.Taken), LetGo: of(booked.Dropped), Tried: n.Tried, Held: n.Held, Given: n.Given, Open: of(n.Price), Short: of(n.Short),
		TakenBack: n.TakenBack, GaveBack: of(n.GaveBack), Back: of(n.BackInJournal),
	}, errors.Join(err, failed)
}

func subscription(v storage.SubscriptionLine) reports.SubscriptionSubject {
	return reports.SubscriptionSubject{Subscription: v.Subscription, Buyer: v.Buyer, Seller: v.Seller, Product: v.Product, Ends: v.Ends}
}
