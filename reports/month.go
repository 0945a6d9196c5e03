package reports

import (
	"io"
	"iter"
	"time"

	"nightshift/rules/market"
)

// MonthReport is what finance reads of a month: every seller's statement, how
// the month differs from the one before, what waits and why. The lists of each
// book are read once each, in the order of the fields.
type MonthReport struct {
	Site       string
	Zone       *time.Location
	Period     market.Period
	BillDay    market.Date
	AsOf       time.Time // the instant the run evaluated at; the document is dated with it
	Build      string
	Schema     int
	Policies   []PolicyUsed
	ResultHash []byte
	Counts     MonthCounts
	Books      []MonthBook // one a currency, the site's own first
	Parked     iter.Seq2[ParkedRow, error]
}

// MonthCounts is what the database says of the run, whatever the currency.
type MonthCounts struct {
	Sellers int64            // that were looked at
	Decided map[string]int64 // by outcome
	Parked  int64
}

// MonthBook is the money of one currency: two are never added up.
type MonthBook struct {
	Currency market.Currency
	Totals   MonthTotals

	Statements iter.Seq2[StatementRow, error]
	Products   iter.Seq2[ProductMonthRow, error] // of this month and of the one before
	Waiting    iter.Seq2[UnsettledRow, error]
	Rates      iter.Seq2[RateRow, error]      // of the income
	Lines      iter.Seq2[MonthLineRow, error] // of the month, by seller; nil where there are more than MostMonthLines
}

// MonthTotals is what the tables and journals say of a currency. Amounts without
// a currency are zero of the book's.
type MonthTotals struct {
	Statements, Lines, Products, Waiting                    int64
	Billable, Fee, Taxes, OperatingFee, Settled             market.Money
	Adjustments, CarriedIn, CarriedOut, Payout              market.Money
	WaitingAmount                                           market.Money
	LinesSettled                                            market.Money // by the lines, adjustments and carried among them
	JournalFees, JournalTaxes, JournalPayable, JournalMoved market.Money
	LastSettled                                             market.Money // of the month before
}

// StatementRow is one seller's statement.
type StatementRow struct {
	Seller                                      string
	Version                                     int64
	Lines                                       int64
	Billable, Fee, Taxes, OperatingFee, Settled market.Money
	Adjustments, CarriedIn, CarriedOut, Payout  market.Money
	Last                                        market.Money // settled in the month before; no currency where nothing was
	Document                                    string       // the workbook of the statement
}

// ProductMonthRow is what one seller's product came to by one fee, this month and
// the month before. Its change is split: volume, at the old price and the old
// share; price, at the old share; rule, the rest.
type ProductMonthRow struct {
	Seller, Product, ProductClass string
	Units, LastUnits              int64 // lines, less those that give back
	Billable, LastBillable        market.Money
	Fee                           market.Money
	Settled, LastSettled          market.Money
}

// change splits by how much more was settled than the month before.
func (r ProductMonthRow) change() (all, volume, price, rule market.Money) {
	c := r.Settled.Currency
	if c == "" {
		c = r.LastSettled.Currency
	}
	of := func(d market.Decimal) market.Money { return market.NewMoney(d, c) }
	now, before := r.Settled.Amount, r.LastSettled.Amount
	diff := now.Sub(before)
	if r.Units <= 0 || r.LastUnits <= 0 || r.LastBillable.Amount.Sign() <= 0 || r.Billable.Amount.Sign() <= 0 {
		return of(diff), of(diff), of(market.Decimal{}), of(market.Decimal{})
	}
	const digits = 12
	places := c.Places()
	quo := func(a, b market.Decimal, places int32) market.Decimal {
		q, err := a.Quo(b, places, market.RoundHalfUp)
		if err != nil {
			panic(err) // b is not zero, and money fits
		}
		return q
	}
	// Volume: as many more at what one came to before.
	moved := quo(before.Mul(market.DecimalOf(r.Units-r.LastUnits)), market.DecimalOf(r.LastUnits), places)
	// Price: what these would have come to by the old share, less what they would have come to at the old price.
	share := quo(before, r.LastBillable.Amount, digits)
	priced, err := r.Billable.Amount.Mul(share).Round(places, market.RoundHalfUp)
	if err != nil {
		panic(err) // as above
	}
	price1 := priced.Sub(before).Sub(moved)
	return of(diff), of(moved), of(price1), of(diff.Sub(moved).Sub(price1))
}

// Month writes the workbook of finance's month. The same report gives the same
// bytes. Where statements, lines and journals do not tie the workbook is written
// all the same, red, and the error is ErrDoesNotTie.
func Month(w io.Writer, r MonthReport) error {
	return publish(w, "settlement", r.cover(label{"结算月报", "Settlement month"}), r.write)
}

func (r MonthReport) cover(title label) cover {
	return cover{title: title, subject: r.Site + " · " + r.Period.String(), zone: r.Zone, currency: r.Books[0].Currency, dated: r.AsOf}
}
