package reports

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	"nightshift/rules/market"
)

// focusCheck holds the rows of a dataset against the rules, one after the other.
type focusCheck struct {
	at      map[string]int // of the columns
	columns []focusColumn  // that the dataset has
	parents []map[string]string
}

func newFocusCheck(names []string) *focusCheck {
	c := &focusCheck{at: map[string]int{}}
	for i, name := range names {
		if _, twice := c.at[name]; !twice {
			c.at[name] = i
		}
	}
	for _, column := range focusColumns {
		if _, there := c.at[column.name]; there {
			c.columns = append(c.columns, column)
		}
	}
	for range oneParent {
		c.parents = append(c.parents, map[string]string{})
	}
	return c
}

// focusRecord is a row whose values are asked by the names of their columns.
type focusRecord struct {
	at     map[string]int
	fields []string
}

func (c *focusCheck) of(fields []string) focusRecord { return focusRecord{c.at, fields} }

// value of a column; empty where it is null or the dataset has none.
func (r focusRecord) value(name string) string {
	if i, ok := r.at[name]; ok && r.fields[i] != focusNull {
		return r.fields[i]
	}
	return ""
}

// charged tells whether something was used or bought.
func (r focusRecord) charged() bool {
	category := r.value("ChargeCategory")
	return category == "Usage" || category == "Purchase"
}

// corrects tells whether it mends what was billed before.
func (r focusRecord) corrects() bool { return r.value("ChargeClass") != "" }

// row is the rules that a row breaks, each in words.
func (c *focusCheck) row(fields []string) (broken []string) {
	r := c.of(fields)
	for i := range c.columns {
		column := &c.columns[i]
		value := r.value(column.name)
		rule := ""
		if column.nulls != nil {
			rule = column.nulls(r, value == "")
		}
		if rule == "" && value != "" {
			rule = column.breaks(value)
		}
		if rule != "" {
			broken = append(broken, column.name+" "+rule)
		}
	}
	if len(broken) > 0 {
		return broken // rules between columns build on those of each
	}
	return append(betweenColumns(r), c.betweenRows(r)...)
}

// breaks is the rule that a value breaks by itself.
func (c *focusColumn) breaks(value string) string {
	switch c.kind {
	case focusDecimal:
		n, ok := focusNumber(value)
		if !ok {
			return fmt.Sprintf("must be a number, not %q", value)
		}
		if c.least && n.Sign() < 0 {
			return fmt.Sprintf("must not be below 0: %s", value)
		}
	case focusTime:
		if t, err := time.Parse(focusTimeLayout, value); err != nil || t.IsZero() {
			return fmt.Sprintf("must be a time like 2024-05-01T00:00:00Z, not %q", value)
		}
	case focusCurrency:
		if _, err := market.ParseCurrency(value); err != nil {
			return fmt.Sprintf("must be a currency of ISO 4217, not %q", value)
		}
	case focusObject:
		return flatObject(value)
	case focusText:
		if slices.Contains(placeholders, strings.ToLower(value)) {
			return fmt.Sprintf("must be null where there is nothing to say, not %q", value)
		}
	}
	if c.words != nil && !slices.Contains(c.words, value) {
		return fmt.Sprintf("must be one of %s, not %q", strings.Join(c.words, ", "), value)
	}
	return ""
}

// placeholders stand for nothing in the datasets of some.
var placeholders = []string{"not applicable", "n/a"}

// focusNumbers may have an exponent, whose sign is written where it is below 0.
var focusNumbers = regexp.MustCompile(`^-?(\d+(\.\d*)?|\.\d+)([eE]-?\d{1,3})?$`)

// focusNumber is a number, exact however many decimals it has.
func focusNumber(text string) (*big.Rat, bool) {
	if !focusNumbers.MatchString(text) {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// flatObject is the rule that keys and values break.
func flatObject(text string) string {
	var values map[string]any
	if err := json.Unmarshal([]byte(text), &values); err != nil || values == nil {
		return "must be an object of JSON, such as {\"team\": \"a\"}"
	}
	for key, value := range values {
		switch value.(type) {
		case map[string]any, []any:
			return fmt.Sprintf("must have plain values: that of %q is none", key)
		}
	}
	return ""
}

// betweenColumns are the rules that columns break together.
func betweenColumns(r focusRecord) (broken []string) {
	say := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	for _, period := range []string{"BillingPeriod", "ChargePeriod"} {
		if start, end := r.value(period+"Start"), r.value(period+"End"); start != "" && end != "" && start >= end {
			say("%sStart must be before %sEnd", period, period)
		}
	}
	category := r.value("ChargeCategory")
	if category == "Purchase" && r.value("ChargeFrequency") == "Usage-Based" {
		say("ChargeFrequency must not be Usage-Based where ChargeCategory is Purchase")
	}
	if sub := r.value("ServiceSubcategory"); sub != "" && !partOfService(sub, r.value("ServiceCategory")) {
		say("ServiceSubcategory must be one of ServiceCategory %s, not %q", r.value("ServiceCategory"), sub)
	}
	_, told := r.at["CommitmentDiscountId"]
	switch byCommitment := r.value("PricingCategory") == "Committed"; {
	case byCommitment && told && r.value("CommitmentDiscountId") == "":
		say("PricingCategory must not be Committed where CommitmentDiscountId is null")
	case !byCommitment && r.value("PricingCategory") != "" && category == "Usage" && r.value("CommitmentDiscountStatus") == "Used":
		say("PricingCategory must be Committed where CommitmentDiscountStatus is Used")
	}
	for _, by := range []string{"Contracted", "List"} {
		if !r.multiplies(by) {
			say("%sUnitPrice × PricingQuantity must be %sCost: %s × %s is not %s", by, by, r.value(by+"UnitPrice"), r.value("PricingQuantity"), r.value(by+"Cost"))
		}
	}
	if category == "Credit" {
		for _, cost := range []string{"Contracted", "Effective", "List"} {
			if r.value(cost+"UnitPrice") == "" && r.differ(cost+"Cost", "BilledCost") {
				say("%sCost must be BilledCost where ChargeCategory is Credit: %s is not %s", cost, r.value(cost+"Cost"), r.value("BilledCost"))
			}
		}
	}
	return broken
}

func (r focusRecord) differ(a, b string) bool {
	x, known := focusNumber(r.value(a))
	y, alike := focusNumber(r.value(b))
	return known && alike && x.Cmp(y) != 0
}

// multiplies tells whether a price times the quantity is the cost, as far as the
// cost is written out: to its last digit, and at least to the cent.
func (r focusRecord) multiplies(by string) bool {
	price, priced := focusNumber(r.value(by + "UnitPrice"))
	quantity, counted := focusNumber(r.value("PricingQuantity"))
	cost, known := focusNumber(r.value(by + "Cost"))
	if !priced || !counted || !known || r.corrects() {
		return true
	}
	off := new(big.Rat).Mul(price, quantity)
	off.Sub(off, cost).Abs(off)
	places, _ := cost.FloatPrec()
	last := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(places, 2))), nil))
	return off.Cmp(last) < 0
}

// oneParent are columns each of whose values goes with one value of another.
var oneParent = [][2]string{
	{"CommitmentDiscountId", "CommitmentDiscountUnit"},
	{"InvoiceId", "BillingAccountId"},
	{"ServiceName", "ServiceCategory"},
	{"SkuPriceId", "SkuId"},
}

// betweenRows are the rules that a row breaks together with those before it.
func (c *focusCheck) betweenRows(r focusRecord) (broken []string) {
	for i, pair := range oneParent {
		child, parent := r.value(pair[0]), r.value(pair[1])
		if child == "" || parent == "" {
			continue
		}
		switch before, known := c.parents[i][child]; {
		case !known:
			c.parents[i][strings.Clone(child)] = strings.Clone(parent)
		case before != parent:
			broken = append(broken, fmt.Sprintf("%s %q must go with one %s: %q here, %q before", pair[0], child, pair[1], parent, before))
		}
	}
	return broken
}
