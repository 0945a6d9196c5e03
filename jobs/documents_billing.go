package jobs

import (
	"errors"
	"io"
	"strings"

	"nightshift/jobs/metering"
	"nightshift/reports"
	"nightshift/rules/market"
	"nightshift/storage"
)

// billingReport writes the workbook of a billing run.
func billingReport(a *account, w io.Writer) error {
	report, err := a.billing()
	if err != nil {
		return err
	}
	return reports.Billing(w, report)
}

func (a *account) billing() (reports.BillingReport, error) {
	report := reports.BillingReport{
		Site: a.site.Name, Zone: a.site.Zone, On: a.run.On, AsOf: a.run.AsOf, Build: a.run.Build, Schema: a.run.Schema, ResultHash: a.run.ResultHash,
		Counts: reports.BillingCounts{Buyers: a.run.Candidates, Decided: a.run.Outcomes, Parked: a.run.Parked},
		Errors: mapped(a.tx.ErrorsOf(a.ctx, a.run), a.erroneous),
		Parked: mapped(a.tx.ParkedBy(a.ctx, a.run), a.setAside),
	}
	if err := a.prepare(); err != nil {
		return report, err
	}
	var err error
	if report.Policies, err = a.used(billingRulesets); err != nil {
		return report, err
	}
	if report.Counts.Judged, report.Counts.Errors, err = a.tx.CountUsage(a.ctx, a.run); err != nil {
		return report, err
	}
	currencies, err := a.tx.BillingCurrencies(a.ctx, a.run, a.site.Currency)
	if err != nil {
		return report, err
	}
	report.Books, err = books(currencies, a.site.Currency, a.bookOf)
	return report, err
}

// bookOf is what the run did in one currency.
func (a *account) bookOf(c market.Currency) (reports.BillingBook, error) {
	of := func(amount market.Decimal) market.Money { return market.NewMoney(amount, c) }
	party := func(v storage.Billed) (reports.PartyRow, error) {
		return reports.PartyRow{Party: v.Code, Deductions: v.Rows, Price: of(v.Price), Discounted: of(v.Discounted), Dropped: of(v.Dropped), Due: of(v.Due), Owed: of(v.Owed)}, nil
	}
	counts, err := a.bookCounts(c)
	return reports.BillingBook{
		Currency: c, Counts: counts,
		Deductions: mapped(a.tx.DeductionsBy(a.ctx, a.run, c), deductionRow),
		Buyers:     mapped(a.tx.BilledBuyers(a.ctx, a.run, c), party),
		Sellers:    mapped(a.tx.BilledSellers(a.ctx, a.run, c), party),
		Sources: mapped(a.tx.SourcesOf(a.ctx, a.run, c), func(v storage.PaidWith) (reports.SourceRow, error) {
			return reports.SourceRow{Kind: v.Kind, Instrument: v.Instrument, Deductions: v.Deductions, Buyers: v.Buyers, Amount: of(v.Amount)}, nil
		}),
		Dropped: mapped(a.tx.DroppedBy(a.ctx, a.run, c), func(v storage.LetGo) (reports.DroppedRow, error) {
			return reports.DroppedRow{Key: v.Key, Buyer: v.Buyer, Memo: v.Memo, At: v.At, Amount: of(v.Amount)}, nil
		}),
		Refunds: mapped(a.tx.RefundsBy(a.ctx, a.run, c), func(v storage.GivenBack) (reports.RefundRow, error) {
			return reports.RefundRow{Refund: v.Refund, Order: v.Order, Buyer: v.Buyer, Request: v.Request, Outcome: v.Outcome, RequestedAt: v.RequestedAt, At: v.At,
				Amount: of(v.Amount), Rule: v.Rule, Because: v.Because}, nil
		}),
		NotPaid: mapped(a.tx.NotPaidBy(a.ctx, a.run, c, a.site.Currency), func(v storage.Unpaid) (reports.NotPaidRow, error) {
			because, err := a.because("payment", v.RunID, v.Placed, v.Rule)
			return reports.NotPaidRow{Subject: subject(v.OrderLine), Outcome: v.Outcome, At: v.At, Tried: v.Tried, Shortfall: of(v.Shortfall),
				TurnsAt: v.TurnsAt, Rule: v.Rule, Because: because, NotUsed: notUsed(v.Refused)}, err
		}),
		Months: mapped(a.tx.MonthBillsBy(a.ctx, a.run, c), func(v market.MonthBill) (reports.MonthRow, error) {
			return reports.MonthRow{Buyer: v.Buyer, Month: v.Month, Owed: v.Owed, At: v.At, DueAt: v.DueAt, Rule: v.Rule, Because: v.Because}, nil
		}),
		Lines: mapped(a.tx.RoundedBy(a.ctx, a.run, c), func(v storage.RoundedLine) (reports.SharedRow, error) {
			return reports.SharedRow{Buyer: v.Buyer, Month: v.Month, Event: v.Key, At: v.At, Due: v.Due, Charged: of(v.Charged), Dropped: of(v.Due.Amount.Sub(v.Charged))}, nil
		}),
		Arrears: mapped(a.tx.OwingAt(a.ctx, a.run, c), func(v storage.Owing) (reports.ArrearsRow, error) {
			because, err := a.because("arrears", v.RunID, v.At, v.Rule)
			return reports.ArrearsRow{Buyer: v.Buyer, Owed: of(v.Owed), Since: v.Since, Overdue: of(v.Overdue), DueAt: v.DueAt, Month: v.Month, State: v.State, TurnsAt: v.Next, Rule: v.Rule, Because: because}, err
		}),
	}, err
}

// notUsed says of instruments that were not used why, one after the other.
func notUsed(refused []market.Refusal) string {
	said := make([]string, len(refused))
	for i, r := range refused {
		said[i] = r.Instrument + ": " + r.Because
	}
	return strings.Join(said, " ")
}

// bookCounts are what tables and journals say of a currency, apart from the lists.
func (a *account) bookCounts(c market.Currency) (n reports.BookCounts, err error) {
	of := func(amount market.Decimal) market.Money { return market.NewMoney(amount, c) }
	all, err := a.tx.TallyBilled(a.ctx, a.run, c)
	booked, failed := a.tx.TallyBooked(a.ctx, a.run, c)
	err = errors.Join(err, failed)
	refunds, back, failed := a.tx.TallyRefunds(a.ctx, a.run, c)
	err = errors.Join(err, failed)
	unpaid, cost, short, failed := a.tx.TallyNotPaid(a.ctx, a.run, c, a.site.Currency)
	err = errors.Join(err, failed)
	months, billed, failed := a.tx.TallyMonthBills(a.ctx, a.run, c)
	err = errors.Join(err, failed)
	lines, failed := a.tx.TallyRounded(a.ctx, a.run, c)
	err = errors.Join(err, failed)
	owing, owed, overdue, failed := a.tx.TallyOwing(a.ctx, a.run, c)
	return reports.BookCounts{
		Deductions: all.Rows, Price: of(all.Price), Discounted: of(all.Discounted), Due: of(all.Due), Dropped: of(all.Dropped), Owed: of(all.Owed), Back: of(all.Back),
		Taken: of(booked.Taken), LetGo: of(booked.Dropped), DroppedRows: booked.DroppedRows, DroppedAll: of(booked.DroppedAll),
		Refunds: reports.Tally{Rows: refunds, Amount: of(back)}, Refunded: of(booked.Refunded),
		NotPaid: reports.Tally{Rows: unpaid, Amount: of(cost)}, Short: of(short), Months: reports.Tally{Rows: months, Amount: of(billed)}, Lines: reports.Tally{Rows: lines.Rows, Amount: of(lines.Charged)}, LinesDue: of(lines.Due), LinesLet: of(lines.Dropped), Arrears: reports.Tally{Rows: owing, Amount: of(owed)}, Overdue: of(overdue),
	}, errors.Join(err, failed)
}

func deductionRow(v storage.Deducted) (reports.DeductionRow, error) {
	owed := market.NewMoney(market.Decimal{}, v.Due.Currency)
	var by []string
	for _, p := range v.PaidBy {
		by = append(by, p.Instrument+" "+p.Amount.Amount.Fixed(p.Amount.Currency.Places()))
		if p.Kind == market.Arrears {
			owed.Amount = owed.Amount.Add(p.Amount.Amount)
		}
	}
	return reports.DeductionRow{Key: v.Key, Buyer: v.Buyer, Seller: v.Seller, Kind: v.Kind, Item: v.Item, UsedFrom: v.Used.From, UsedUntil: v.Used.To, At: v.At,
		Price: v.Price, Discount: v.Discount, Discounted: v.Discounted, Due: v.Due, Dropped: v.Dropped, LeftOwed: owed, PaidBy: strings.Join(by, ", ")}, nil
}

func (a *account) erroneous(v storage.Erroneous) (reports.ErrorRow, error) {
	because, err := a.because(metering.Ruleset, a.run.ID, v.Received, v.Rule)
	return reports.ErrorRow{Code: v.Code, SN: v.SN, Upload: v.Upload, Seller: v.Seller, Buyer: v.Buyer, Instance: v.Instance, Item: v.Item,
		Begin: v.Begin, End: v.End, Value: v.Value, Received: v.Received, Late: v.Late, Rule: v.Rule, Because: because}, err
}

func (a *account) setAside(v storage.SetAside) (reports.ParkedRow, error) {
	return reports.ParkedRow{Code: v.Code, At: a.run.AsOf, Reason: v.Reason}, nil
}
