package jobs

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"nightshift/reports"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// FocusExport is what a FOCUS dataset of a month came to.
type FocusExport struct {
	Charges int64
	Billed  map[market.Currency]market.Decimal
}

// ExportFocus writes what was charged in a month, line by line of its newest
// statements, as a FOCUS dataset. What sellers were given outside the trade, and
// partners' parts of orders, are no charges. Where the sum is not what the
// statements say the error is ErrControl.
func (e *Engine) ExportFocus(ctx context.Context, siteName string, period market.Period, w io.Writer) (out FocusExport, err error) {
	site, err := e.inForce(ctx, siteName)
	if err != nil {
		return out, err
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		out = FocusExport{}
		run, found, err := tx.FindRun(ctx, settlementJob, siteName, period.Last())
		if err != nil {
			return err
		}
		if !found || run.State != market.RunCompleted {
			return fmt.Errorf("%w: export %s of %s: it is not settled: nightshift run settlement --period %s", ErrBadRequest, period, siteName, period)
		}
		must, err := tx.SumCharged(ctx, siteName, period)
		if err != nil {
			return err
		}
		out.Billed, err = reports.WriteFocus(w, focusRows(site, period, tx.LinesOfPeriod(ctx, siteName, period), &out.Charges))
		if err != nil {
			return err
		}
		for c, sum := range must {
			if got := out.Billed[c]; got.Cmp(sum) != 0 {
				return fmt.Errorf("%w: export %s of %s: %s were billed, the statements say %s", ErrControl, period, siteName, market.NewMoney(got, c), market.NewMoney(sum, c))
			}
		}
		return nil
	})
	return out, err
}

// noCharges are the lines of a statement that nobody was charged for.
var noCharges = []string{market.EarnedAdjustment, market.EarnedOpening, market.EarnedCarried, market.EarnedPartner}

// focusRows are the charges among the lines of statements. A service has one
// category, that of the first of its charges.
func focusRows(site *rules.Site, period market.Period, lines iter.Seq2[storage.ChargedLine, error], n *int64) iter.Seq2[reports.FocusRow, error] {
	begin, end := period.From.At(market.TimeOfDay{}, site.Zone), period.To.At(market.TimeOfDay{}, site.Zone)
	accessTypes := map[string]string{}
	return func(yield func(reports.FocusRow, error) bool) {
		for l, err := range lines {
			if err == nil && (slices.Contains(noCharges, l.Kind) || l.GivesBackToPartner()) {
				continue
			}
			var r reports.FocusRow
			if err == nil {
				*n++
				r = focusRow(site, l, begin, end)
				if _, known := accessTypes[r.ServiceName]; !known {
					accessTypes[r.ServiceName] = l.AccessType
				}
				r.ServiceCategory, r.ServiceSubcategory = reports.FocusService(accessTypes[r.ServiceName])
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// units is what things are counted in that are sold by the piece.
const units = "Units"

func focusRow(site *rules.Site, l storage.ChargedLine, begin, end time.Time) reports.FocusRow {
	paid, quantity := l.Paid.Amount, market.DecimalOf(1)
	price := paid
	if paid.Sign() < 0 {
		quantity, price = market.DecimalOf(-1), paid.Neg()
	}
	day := market.DateOf(l.DecidedAt, site.Zone)
	product := cmp.Or(l.Product, l.Memo, l.AccessType, "unknown")
	r := reports.FocusRow{
		BilledCost: paid, ContractedCost: paid, EffectiveCost: paid, ListCost: paid, ContractedUnitPrice: &price, ListUnitPrice: &price, PricingQuantity: &quantity, PricingUnit: units,
		BillingAccount: cmp.Or(l.Buyer, "unknown"), BillingAccountType: "Buyer", BillingCurrency: l.Paid.Currency, BillingStart: begin, BillingEnd: end,
		ChargeStart: day.At(market.TimeOfDay{}, site.Zone), ChargeEnd: (day + 1).At(market.TimeOfDay{}, site.Zone),
		ChargeCategory: "Purchase", ChargeFrequency: "One-Time", ChargeDescription: l.Kind + " of " + product, InvoiceIssuer: l.Seller, Provider: site.Name, Publisher: l.Seller,
		PricingCategory: "Standard", ServiceName: product, SkuID: product, SkuMeter: cmp.Or(l.Memo, l.AccessType), SkuPriceID: product, ChargeID: l.Key, Order: l.Order,
	}
	if l.Model == market.ModelJointDeal || l.Model == market.ModelJointFloor {
		r.InvoiceIssuer = site.Name // the platform sells
	}
	if l.UsedTo.After(l.UsedFrom) {
		r.ChargeStart, r.ChargeEnd = l.UsedFrom, l.UsedTo
	}
	switch l.Kind {
	case market.EarnedUse:
		r.ChargeCategory, r.ChargeFrequency = "Usage", "Usage-Based"
		r.ConsumedQuantity, r.ConsumedUnit = l.Consumed, units
		if l.Measure == market.MeasureHours {
			r.ConsumedUnit = "Hours"
		}
		if l.Instance != "" {
			r.Resource, r.ResourceType = l.Instance, cmp.Or(l.AccessType, "unknown")
		}
	case market.EarnedRenewal:
		r.ChargeFrequency = "Recurring"
	case market.EarnedRefund:
		focusRefund(&r, l, begin)
	}
	return r
}

// focusRefund is what was given back: of what was billed in an earlier month a
// correction; of use in the same month an adjustment, since nothing was consumed
// the less.
func focusRefund(r *reports.FocusRow, l storage.ChargedLine, begin time.Time) {
	ofUse := strings.HasPrefix(l.Reverses, "usage/")
	switch {
	case !l.ReversesAt.IsZero() && l.ReversesAt.Before(begin):
		r.ChargeClass = "Correction"
		if ofUse {
			r.ChargeCategory, r.ChargeFrequency = "Usage", "Usage-Based"
		}
	case ofUse:
		r.ChargeCategory = "Adjustment"
	default:
		return
	}
	r.PricingQuantity, r.PricingUnit, r.ContractedUnitPrice, r.ListUnitPrice = nil, "", nil, nil
}
