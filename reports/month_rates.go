package reports

import (
	"time"

	"nightshift/rules/market"
)

// MostMonthLines is how many lines finance's month lists itself; of more, each
// seller's are in the workbook of the statement.
const MostMonthLines = 100_000

// RateRow is what was settled by one fee and tier.
type RateRow struct {
	Model              string // how it is shared: a word of the products, or partner
	FeeRate, ExtraRate market.Decimal
	Lines              int64
	Billable, Fee      market.Money
}

// MonthLineRow is a line of a statement in the month of all sellers.
type MonthLineRow struct {
	Seller string
	StatementLineRow
}

// Columns of the rates and of the month's lines that are tied.
const (
	rateFeeColumn          = 5
	monthLineSettledColumn = 14
)

var ratesTable = table[RateRow]{
	name: "Rates", title: label{"按费率", "By rate"}, tab: "B8860B",
	columns: []column[RateRow]{
		texts("分成方式", "Shared by", 26, func(r RateRow) string { return wordOf(sharingModels, r.Model) }),
		rates("平台费率", "Fee rate", 13, func(r RateRow) (market.Decimal, bool) { return r.FeeRate, true }),
		rates("阶梯加成", "Tier", 13, func(r RateRow) (market.Decimal, bool) { return r.ExtraRate, true }),
		counts("行数", "Lines", 11, func(r RateRow) (int64, bool) { return r.Lines, true }),
		amounts("可结算额", "Billable", 21, func(r RateRow) market.Money { return r.Billable }),
		amounts("平台费", "Platform fee", 19, func(r RateRow) market.Money { return r.Fee }),
	},
}

// sharingModels are the ways in which what was paid is shared with a seller.
var sharingModels = map[string]label{"common": {"通用商品", "common goods"}, "joint_deal": {"联营·成交价", "joint, deal price"},
	"joint_floor": {"联营·底价", "joint, floor price"}, "partner": {"客户服务商", "reselling partner"}}

var monthLinesTable = table[MonthLineRow]{
	name: "Lines", title: label{"全部明细", "All lines"}, tab: "2E7D4F", wide: 2,
	columns: []column[MonthLineRow]{
		texts("卖家", "Seller", 20, func(r MonthLineRow) string { return r.Seller }),
		texts("业务事件", "Event", 34, func(r MonthLineRow) string { return r.Key }),
		texts("种类", "Kind", 17, func(r MonthLineRow) string { return wordOf(lineKinds, r.Kind) }),
		texts("订单", "Order", 17, func(r MonthLineRow) string { return r.Order }),
		texts("商品", "Product", 17, func(r MonthLineRow) string { return r.Product }),
		texts("产品类别", "Class", 16, func(r MonthLineRow) string { return wordOf(productClasses, r.ProductClass) }),
		texts("入账依据", "Decided by", 17, func(r MonthLineRow) string { return wordOf(decidingInstants, r.DecidedBy) }),
		instants("入账时间", "Decided at", func(r MonthLineRow) time.Time { return r.DecidedAt }),
		amounts("可结算额", "Billable", 17, func(r MonthLineRow) market.Money { return r.Billable }),
		rates("平台费率", "Fee rate", 11, func(r MonthLineRow) (market.Decimal, bool) { return r.FeeRate, true }),
		rates("阶梯加成", "Tier", 11, func(r MonthLineRow) (market.Decimal, bool) { return r.ExtraRate, true }),
		amounts("平台费", "Platform fee", 16, func(r MonthLineRow) market.Money { return r.Fee }),
		amounts("税", "Taxes", 15, func(r MonthLineRow) market.Money {
			return market.NewMoney(r.Withheld.Amount.Add(r.WHT.Amount).Add(r.DST.Amount), r.Settled.Currency)
		}),
		amounts("运营管理费", "Operating fee", 15, func(r MonthLineRow) market.Money { return r.OperatingFee }),
		amounts("结算额", "Settled", 17, func(r MonthLineRow) market.Money { return r.Settled }),
		texts("所用规则", "Rules", 46, func(r MonthLineRow) string { return r.Rules }),
	},
}

// rateTies hold the fees by rate against those of the statements.
func (l *listedMonth) rateTies() []tie {
	return []tie{{label{"按费率：平台费 = 结算单", "By rate: platform fee = statements"}, l.in(l.Totals.Fee), l.rates.amount(rateFeeColumn, l.Currency)}}
}

// lineTies hold the lines against the statements, where they are listed.
func (l *listedMonth) lineTies() []tie {
	if l.Lines == nil {
		return nil
	}
	return []tie{
		{label{"全部明细：行数", "All lines: rows"}, l.Totals.Lines, l.lines.count()},
		{label{"全部明细合计 = 应付 + 结转", "All lines = payout + carried on"}, l.in(l.Totals.LinesSettled), l.lines.amount(monthLineSettledColumn, l.Currency)},
	}
}
