package reports

import (
	"strings"
	"time"

	"nightshift/rules/market"
)

// Columns of the statements that other sheets add up.
const (
	statementLinesColumn       = 2
	statementBillableColumn    = 3
	statementFeeColumn         = 4
	statementTaxesColumn       = 5
	statementOperatingColumn   = 6
	statementSettledColumn     = 7
	statementAdjustmentsColumn = 8
	statementCarriedInColumn   = 9
	statementPayoutColumn      = 10
	statementCarriedOutColumn  = 11
	statementLastColumn        = 12
)

var statementsTable = table[StatementRow]{
	name: "Statements", title: label{"结算单", "Statements"}, tab: "2E7D4F",
	columns: []column[StatementRow]{
		texts("卖家", "Seller", 22, func(r StatementRow) string { return r.Seller }),
		counts("版本", "Version", 9, func(r StatementRow) (int64, bool) { return r.Version, true }),
		counts("行数", "Lines", 10, func(r StatementRow) (int64, bool) { return r.Lines, true }),
		amounts("可结算额", "Billable", 20, func(r StatementRow) market.Money { return r.Billable }),
		amounts("平台费", "Platform fee", 18, func(r StatementRow) market.Money { return r.Fee }),
		amounts("税", "Taxes", 16, func(r StatementRow) market.Money { return r.Taxes }),
		amounts("运营管理费", "Operating fee", 16, func(r StatementRow) market.Money { return r.OperatingFee }),
		amounts("结算额", "Settled", 20, func(r StatementRow) market.Money { return r.Settled }),
		amounts("调整与期初", "Adjustments", 17, func(r StatementRow) market.Money { return r.Adjustments }),
		amounts("上期结转", "Carried in", 17, func(r StatementRow) market.Money { return r.CarriedIn }),
		amounts("应付", "Payout", 20, func(r StatementRow) market.Money { return r.Payout }),
		amounts("结转下期", "Carried on", 17, func(r StatementRow) market.Money { return r.CarriedOut }),
		amounts("上月结算额", "Settled last month", 20, func(r StatementRow) market.Money { return r.Last }),
		texts("结算单文件", "Its workbook", 44, func(r StatementRow) string { return r.Document }),
	},
}

// Columns of the products.
const (
	productSellerColumn      = 0
	productUnitsColumn       = 3
	productLastUnitsColumn   = 4
	productBillableColumn    = 5
	productSettledColumn     = 8
	productLastSettledColumn = 9
	productChangeColumn      = 10
	productVolumeColumn      = 11
	productPriceColumn       = 12
	productRuleColumn        = 13
)

// productsTable shows the change of each product; volume and price are computed
// exactly, the rule's part is what is left.
func productsTable() table[ProductMonthRow] {
	part := func(chinese, english string, of func(all, volume, price, rule market.Money) market.Money) column[ProductMonthRow] {
		return amounts(chinese, english, 17, func(r ProductMonthRow) market.Money { return of(r.change()) })
	}
	return table[ProductMonthRow]{
		name: "Products", title: label{"商品与差异", "Products and variance"}, tab: "2563A8",
		columns: []column[ProductMonthRow]{
			texts("卖家", "Seller", 20, func(r ProductMonthRow) string { return r.Seller }),
			texts("商品", "Product", 20, func(r ProductMonthRow) string { return r.Product }),
			texts("产品类别", "Class", 16, func(r ProductMonthRow) string { return wordOf(productClasses, r.ProductClass) }),
			counts("笔数", "Units", 10, func(r ProductMonthRow) (int64, bool) { return r.Units, true }),
			counts("上月笔数", "Units last month", 12, func(r ProductMonthRow) (int64, bool) { return r.LastUnits, true }),
			amounts("可结算额", "Billable", 19, func(r ProductMonthRow) market.Money { return r.Billable }),
			amounts("上月可结算额", "Billable last month", 19, func(r ProductMonthRow) market.Money { return r.LastBillable }),
			amounts("平台费", "Platform fee", 17, func(r ProductMonthRow) market.Money { return r.Fee }),
			amounts("结算额", "Settled", 19, func(r ProductMonthRow) market.Money { return r.Settled }),
			amounts("上月结算额", "Settled last month", 19, func(r ProductMonthRow) market.Money { return r.LastSettled }),
			part("变动", "Change", func(all, _, _, _ market.Money) market.Money { return all }),
			part("数量影响", "By volume", func(_, volume, _, _ market.Money) market.Money { return volume }),
			part("价格影响", "By price", func(_, _, price, _ market.Money) market.Money { return price }),
			part("规则影响", "By rule", func(_, _, _, rule market.Money) market.Money { return rule }),
		},
	}
}

// monthAges are the age groups of what waits, by their first day.
var monthAges = [...]int64{0, 31, 61, 91, 181, 366}

func monthAgeLabel(i int) string {
	if i == len(monthAges)-1 {
		return label{"366 天以上", "366 days and more"}.String()
	}
	span := []string{"0–30", "31–60", "61–90", "91–180", "181–365"}[i]
	return label{span + " 天", span + " days"}.String()
}

// ageOf is the group of a line that waits; -1 of one that nobody has paid.
func ageOf(r UnsettledRow, asOf time.Time) int {
	days, ok := daysBetween(r.PaidAt, asOf)
	if !ok {
		return -1
	}
	i := len(monthAges) - 1
	for i > 0 && days < monthAges[i] {
		i--
	}
	return i
}

// unsettledAgeColumn is where the days of what waits stand.
var unsettledAgeColumn = unsettledConditionColumn + len(conditions) + 1

// aged adds a column of what waits up over an age group, live.
func aged(function string, p stretch, i int, over string) string {
	days := p.ref(unsettledAgeColumn)
	terms := []string{}
	if over != "" {
		terms = append(terms, over)
	}
	terms = append(terms, days, literal(">="+market.DecimalOf(monthAges[i]).String()))
	if i+1 < len(monthAges) {
		terms = append(terms, days, literal("<"+market.DecimalOf(monthAges[i+1]).String()))
	}
	return function + "(" + strings.Join(terms, ",") + ")"
}
