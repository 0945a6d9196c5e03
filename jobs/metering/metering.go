// Package metering turns what sellers report of the use of instances into what
// it comes to, record by record and cycle by cycle.
//
// Owns: the facts that the usage rules judge a record by, the instant at which
// it is deducted, what packages give and what exceeds them, the exact amount,
// and when a package should be bought again.
// Does not own: the figures (rules/defaults/usage.yaml), arithmetic
// (rules/market), who pays and what is rounded (package jobs), rows (storage).
// Always: pure. Every record that is due ends with one result. What is rated
// does not depend on how many records come at once: they are taken in the order
// of the instants at which they count, so that a late run rates like punctual
// ones. Nothing is rounded.
package metering

import (
	"fmt"
	"slices"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
)

// Ruleset is whose policy judges records.
const Ruleset = "usage"

// Item is a billing item of a product.
type Item struct {
	ProductID int64
	Name      string
}

// Meter rates use as it stands at an instant. It is for one goroutine.
type Meter struct {
	Policy *rules.Policy // of the ruleset usage
	Zone   *time.Location
	Prices map[Item]market.Prices // each the earliest first

	facts      rules.UsageFacts // the room of the record being judged
	currencies []market.Currency
}

// Currencies are those that anything is priced in.
func (m *Meter) Currencies() []market.Currency {
	if m.currencies == nil {
		m.currencies = []market.Currency{}
		for _, prices := range m.Prices {
			for i := range prices {
				if c := prices[i].Currency; !slices.Contains(m.currencies, c) {
					m.currencies = append(m.currencies, c)
				}
			}
		}
	}
	return m.currencies
}

// Metered is what became of a buyer's records by an instant.
type Metered struct {
	Results []market.UsageResult // in the order of receipt
	Rated   []market.Rated       // in the order in which they are deducted
	Drawn   []market.Drawn
	Stops   []market.Stop
	Low     []Low // packages to be bought again

	// Records that are in order, but deducted only later, have no result yet.
	NextDue  time.Time // when the first of them is; zero where there is none
	Received time.Time // everything received up to it has a result
}

// NoPrice says that an item cost nothing that anybody knows of when it was
// used. It is market.ErrNoPrice.
type NoPrice struct {
	Product string
	Item    string
	On      market.Date
}

// Error names the product, the item and the date.
func (e *NoPrice) Error() string {
	return fmt.Sprintf("%v of item %q of product %s on %s: import prices that hold by then", market.ErrNoPrice, e.Item, e.Product, e.On)
}

// Unwrap is market.ErrNoPrice.
func (e *NoPrice) Unwrap() error { return market.ErrNoPrice }

// Meter judges a buyer's records received by asOf, and rates those that are due
// by then. An error names every item without a price; then nothing of the buyer
// may be kept.
func (m *Meter) Meter(u *market.Usage, asOf time.Time) (Metered, error) {
	w, err := m.Walk(u, asOf)
	if err != nil {
		return Metered{}, err
	}
	for _, ok := w.Next(); ok; _, ok = w.Next() {
		if err := w.Step(); err != nil {
			return Metered{}, err
		}
	}
	return w.End()
}

// Strays judges records that name no instance there is.
func (m *Meter) Strays(records []market.UsageRecord) ([]market.UsageResult, error) {
	w := newWalk(m, &market.Usage{Records: records})
	results := make([]market.UsageResult, 0, len(records))
	for i := range records {
		if err := w.judge(&records[i]); err != nil {
			return nil, err
		}
		results = append(results, w.judged[i].result)
	}
	return results, nil
}
