package reports

import (
	"fmt"
	"io"
	"strings"
	"time"

	"nightshift/rules/market"
)

// BillingLists names the lists of a billing report that BillingCSV writes.
var BillingLists = []string{"deductions", "buyers", "sellers", "sources", "dropped", "refunds", "not_paid", "months", "month_lines", "arrears", "errors", "parked"}

// BillingCSV writes one list of a billing report as CSV, like AcceptanceCSV.
// The amounts of all currencies are in one file, each with its currency beside it.
func BillingCSV(w io.Writer, r BillingReport, list string) error {
	switch list {
	case "deductions":
		return writeCSV(w, deductionsTable, r.Zone, ofEach(r.Books, func(b BillingBook) rows[DeductionRow] { return b.Deductions }))
	case "buyers":
		return writeCSV(w, buyersTable, r.Zone, ofEach(r.Books, func(b BillingBook) rows[PartyRow] { return b.Buyers }))
	case "sellers":
		return writeCSV(w, billedSellersTable, r.Zone, ofEach(r.Books, func(b BillingBook) rows[PartyRow] { return b.Sellers }))
	case "sources":
		return writeCSV(w, sourcesTable, r.Zone, ofEach(r.Books, func(b BillingBook) rows[SourceRow] { return b.Sources }))
	case "dropped":
		return writeCSV(w, droppedTable, r.Zone, ofEach(r.Books, func(b BillingBook) rows[DroppedRow] { return b.Dropped }))
	case "refunds":
		return writeCSV(w, refundsTable, r.Zone, ofEach(r.Books, func(b BillingBook) rows[RefundRow] { return b.Refunds }))
	case "not_paid":
		return writeCSV(w, notPaidTable, r.Zone, ofEach(r.Books, func(b BillingBook) rows[NotPaidRow] { return b.NotPaid }))
	case "months":
		return writeCSV(w, monthsTable, r.Zone, ofEach(r.Books, func(b BillingBook) rows[MonthRow] { return b.Months }))
	case "month_lines":
		return writeCSV(w, sharedTable, r.Zone, ofEach(r.Books, func(b BillingBook) rows[SharedRow] { return b.Lines }))
	case "arrears":
		return writeCSV(w, arrearsTable(r.AsOf), r.Zone, ofEach(r.Books, func(b BillingBook) rows[ArrearsRow] { return b.Arrears }))
	case "errors":
		return writeCSV(w, errorsTable, r.Zone, r.Errors)
	case "parked":
		return writeCSV(w, parkedBuyersTable, r.Zone, r.Parked)
	}
	return fmt.Errorf("write a billing list as CSV: unknown list %q: it is one of %s", list, strings.Join(BillingLists, ", "))
}

// rows is a list as it is streamed.
type rows[R any] = func(yield func(R, error) bool)

// Columns of the deductions that the summary and the control sheet add up.
const (
	kindColumn       = 3
	priceColumn      = 8
	discountedColumn = 10
	droppedColumn    = 11
	dueColumn        = 12
	leftOwedColumn   = 13
)

var deductionsTable = table[DeductionRow]{
	name: "Deductions", title: label{"扣费明细", "Deductions"}, tab: "2E7D4F",
	columns: []column[DeductionRow]{
		texts("事件", "Event", 44, func(r DeductionRow) string { return r.Key }),
		texts("买家", "Buyer", 15, func(r DeductionRow) string { return r.Buyer }),
		texts("卖家", "Seller", 15, func(r DeductionRow) string { return r.Seller }),
		texts("种类", "Kind", 12, func(r DeductionRow) string { return r.Kind }),
		texts("计费项", "Item", 13, func(r DeductionRow) string { return r.Item }),
		instants("使用自", "Used from", func(r DeductionRow) time.Time { return r.UsedFrom }),
		instants("使用至", "Used until", func(r DeductionRow) time.Time { return r.UsedUntil }),
		instants("扣费时间", "Deducted at", func(r DeductionRow) time.Time { return r.At }),
		amounts("价格", "Price", 18, func(r DeductionRow) market.Money { return r.Price }),
		texts("折扣", "Discount", 13, func(r DeductionRow) string { return r.Discount }),
		amounts("折扣额", "Discounted", 16, func(r DeductionRow) market.Money { return r.Discounted }),
		amounts("舍去", "Dropped", 18, func(r DeductionRow) market.Money { return r.Dropped }),
		amounts("应付", "Due", 16, func(r DeductionRow) market.Money { return r.Due }),
		amounts("其中欠款", "Of it owed", 15, func(r DeductionRow) market.Money { return r.LeftOwed }),
		texts("付款来源", "Paid by", 60, func(r DeductionRow) string { return r.PaidBy }),
	},
}

// Columns of the lists by buyer and by seller.
const (
	partyRowsColumn = 1
	partyDueColumn  = 5
	partyOwedColumn = 6
)

func partyColumns(who label) []column[PartyRow] {
	return []column[PartyRow]{
		texts(who.chinese, who.english, 20, func(r PartyRow) string { return r.Party }),
		counts("笔数", "Deductions", 13, func(r PartyRow) (int64, bool) { return r.Deductions, true }),
		amounts("价格", "Price", 22, func(r PartyRow) market.Money { return r.Price }),
		amounts("折扣额", "Discounted", 18, func(r PartyRow) market.Money { return r.Discounted }),
		amounts("舍去", "Dropped", 22, func(r PartyRow) market.Money { return r.Dropped }),
		amounts("应付", "Due", 20, func(r PartyRow) market.Money { return r.Due }),
		amounts("其中欠款", "Of it owed", 18, func(r PartyRow) market.Money { return r.Owed }),
	}
}

var buyersTable = table[PartyRow]{name: "By buyer", title: label{"按买家", "By buyer"}, tab: "2563A8", columns: partyColumns(label{"买家", "Buyer"})}

var billedSellersTable = table[PartyRow]{name: "By seller", title: label{"按卖家", "By seller"}, tab: "2563A8", columns: partyColumns(label{"卖家", "Seller"})}

// Columns of the sources.
const (
	sourceKindColumn   = 0
	sourceRowsColumn   = 2
	sourceAmountColumn = 4
)

var sourcesTable = table[SourceRow]{
	name: "By source", title: label{"按付款来源", "By source"}, tab: "2563A8",
	columns: []column[SourceRow]{
		texts("种类", "Kind", 24, func(r SourceRow) string { return sourceName(r.Kind) }),
		texts("支付工具", "Instrument", 24, func(r SourceRow) string { return r.Instrument }),
		counts("笔数", "Deductions", 13, func(r SourceRow) (int64, bool) { return r.Deductions, true }),
		counts("买家数", "Buyers", 13, func(r SourceRow) (int64, bool) { return r.Buyers, true }),
		amounts("金额", "Amount", 20, func(r SourceRow) market.Money { return r.Amount }),
	},
}

const droppedAmountColumn = 3

var droppedTable = table[DroppedRow]{
	name: "Dropped", title: label{"舍去金额", "Dropped"}, tab: amber,
	columns: []column[DroppedRow]{
		texts("日记账", "Journal", 52, func(r DroppedRow) string { return r.Key }),
		texts("买家", "Buyer", 18, func(r DroppedRow) string { return r.Buyer }),
		instants("时间", "At", func(r DroppedRow) time.Time { return r.At }),
		amounts("舍去金额", "Dropped", 22, func(r DroppedRow) market.Money { return r.Amount }),
		texts("摘要", "Memo", 44, func(r DroppedRow) string { return r.Memo }),
	},
}

const refundAmountColumn = 5

var refundsTable = table[RefundRow]{
	name: "Refunds", title: label{"退款", "Refunds"}, tab: "6B4FA0",
	columns: append([]column[RefundRow]{
		texts("退款申请", "Request", 17, func(r RefundRow) string { return r.Refund }),
		texts("订单", "Order", 17, func(r RefundRow) string { return r.Order }),
		texts("买家", "Buyer", 15, func(r RefundRow) string { return r.Buyer }),
		texts("方式", "Kind", 16, func(r RefundRow) string { return r.Request }),
		texts("结论", "Outcome", 12, func(r RefundRow) string { return r.Outcome }),
		amounts("退还", "Given back", 18, func(r RefundRow) market.Money { return r.Amount }),
		instants("申请时间", "Requested at", func(r RefundRow) time.Time { return r.RequestedAt }),
		instants("生效时间", "Takes effect", func(r RefundRow) time.Time { return r.At }),
	}, reasonColumns(label{"原因", "Because"},
		func(r RefundRow) string { return r.Rule },
		func(r RefundRow) string { return r.Because })...),
}

// Columns of the orders that are not paid, behind those of the order.
const (
	unpaidOutcomeColumn = 5
	shortfallColumn     = 8
)

var notPaidTable = table[NotPaidRow]{
	name: "Not paid", title: label{"未付订单", "Not paid"}, tab: "C2410C",
	columns: append(append(append(
		subjectColumns(func(r NotPaidRow) Subject { return r.Subject }),
		texts("结论", "Outcome", 12, func(r NotPaidRow) string { return r.Outcome }),
		instants("自", "Since", func(r NotPaidRow) time.Time { return r.At }),
		instants("尝试付款", "Tried at", func(r NotPaidRow) time.Time { return r.Tried }),
		amounts("差额", "Short by", 18, func(r NotPaidRow) market.Money { return r.Shortfall }),
		instants("何时自动变更", "Turns at", func(r NotPaidRow) time.Time { return r.TurnsAt })),
		reasonColumns(label{"原因", "Because"},
			func(r NotPaidRow) string { return r.Rule },
			func(r NotPaidRow) string { return r.Because })...),
		texts("未使用的支付方式", "Not used", 36, func(r NotPaidRow) string { return r.NotUsed })),
}

const monthOwedColumn = 2

var monthsTable = table[MonthRow]{
	name: "Month bills", title: label{"月结账单", "Month bills"}, tab: "1D6FA5",
	columns: append([]column[MonthRow]{
		texts("买家", "Buyer", 20, func(r MonthRow) string { return r.Buyer }),
		texts("账期", "Month", 10, func(r MonthRow) string { return market.Month(r.Month).String() }),
		amounts("应还", "Owed", 20, func(r MonthRow) market.Money { return r.Owed }),
		instants("出账时间", "Billed at", func(r MonthRow) time.Time { return r.At }),
		instants("最迟还款", "Due at", func(r MonthRow) time.Time { return r.DueAt }),
	}, reasonColumns(label{"原因", "Because"},
		func(r MonthRow) string { return r.Rule },
		func(r MonthRow) string { return r.Because })...),
}

// Columns of the lines of rounded months.
const (
	sharedDueColumn     = 4
	sharedChargedColumn = 5
	sharedDroppedColumn = 6
)

var sharedTable = table[SharedRow]{
	name: "Month lines", title: label{"月度取整分摊", "Month lines"}, tab: amber,
	columns: []column[SharedRow]{
		texts("买家", "Buyer", 20, func(r SharedRow) string { return r.Buyer }),
		texts("账期", "Month", 10, func(r SharedRow) string { return market.Month(r.Month).String() }),
		texts("事件", "Event", 44, func(r SharedRow) string { return r.Event }),
		instants("扣费时间", "Deducted at", func(r SharedRow) time.Time { return r.At }),
		amounts("应付", "Due", 20, func(r SharedRow) market.Money { return r.Due }),
		amounts("分摊后", "Charged", 20, func(r SharedRow) market.Money { return r.Charged }),
		amounts("舍去", "Dropped", 20, func(r SharedRow) market.Money { return r.Dropped }),
	},
}

// Columns of who owes.
const (
	owedColumn    = 1
	overdueColumn = 3
)

// arrearsTable shows who owes, with the days at asOf.
func arrearsTable(asOf time.Time) table[ArrearsRow] {
	return table[ArrearsRow]{
		name: "Arrears", title: label{"欠款", "Arrears"}, tab: "B42318",
		columns: append([]column[ArrearsRow]{
			texts("买家", "Buyer", 20, func(r ArrearsRow) string { return r.Buyer }),
			amounts("用量欠款", "Owed for use", 18, func(r ArrearsRow) market.Money { return r.Owed }),
			instants("欠款自", "Since", func(r ArrearsRow) time.Time { return r.Since }),
			amounts("逾期月结", "Overdue bills", 18, func(r ArrearsRow) market.Money { return r.Overdue }),
			texts("最早逾期账期", "First bill", 12, func(r ArrearsRow) string {
				if r.DueAt.IsZero() {
					return ""
				}
				return market.Month(r.Month).String()
			}),
			instants("最迟还款", "Was due", func(r ArrearsRow) time.Time { return r.DueAt }),
			counts("天数", "Days", 8, func(r ArrearsRow) (int64, bool) { return daysBetween(firstOf(r.Since, r.DueAt), asOf) }),
			texts("状态", "State", 20, func(r ArrearsRow) string { return wordOf(arrearsStates, r.State) }),
			instants("何时自动变更", "Turns at", func(r ArrearsRow) time.Time { return r.TurnsAt }),
		}, reasonColumns(label{"原因", "Because"},
			func(r ArrearsRow) string { return r.Rule },
			func(r ArrearsRow) string { return r.Because })...),
	}
}

// firstOf is the earlier of two instants, of which one may be zero.
func firstOf(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

var errorsTable = table[ErrorRow]{
	name: "Error list", title: label{"用量错误清单", "Error list"}, tab: "B42318",
	columns: append([]column[ErrorRow]{
		texts("错误码", "Code", 10, func(r ErrorRow) string { return r.Code }),
		texts("计量编号", "Metering number", 24, func(r ErrorRow) string { return r.SN }),
		texts("上传", "Upload", 14, func(r ErrorRow) string { return r.Upload }),
		texts("卖家", "Seller", 15, func(r ErrorRow) string { return r.Seller }),
		texts("买家", "Buyer", 15, func(r ErrorRow) string { return r.Buyer }),
		texts("实例", "Instance", 17, func(r ErrorRow) string { return r.Instance }),
		texts("计费项", "Item", 13, func(r ErrorRow) string { return r.Item }),
		texts("开始", "Begin", 19, func(r ErrorRow) string { return r.Begin }),
		texts("结束", "End", 19, func(r ErrorRow) string { return r.End }),
		texts("用量", "Usage", 14, func(r ErrorRow) string { return r.Value }),
		instants("收到于", "Received", func(r ErrorRow) time.Time { return r.Received }),
		texts("迟报", "Late", 10, func(r ErrorRow) string {
			if r.Late {
				return label{"迟报", "late"}.String()
			}
			return ""
		}),
	}, reasonColumns(label{"原因", "Because"},
		func(r ErrorRow) string { return r.Rule },
		func(r ErrorRow) string { return r.Because })...),
}

var parkedBuyersTable = table[ParkedRow]{
	name: parkedTable.name, title: parkedTable.title, tab: parkedTable.tab,
	columns: append([]column[ParkedRow]{
		texts("买家", "Buyer", 17, func(r ParkedRow) string { return r.Code }),
	}, parkedTable.columns[1:]...),
}

// sourceKinds are the kinds of sources in the order in which they are used.
var sourceKinds = []struct {
	word string
	name label
}{
	{market.Voucher, label{"代金券", "voucher"}},
	{market.Coupon, label{"现金券", "cash coupon"}},
	{market.Card, label{"储值卡", "stored-value card"}},
	{market.Cash, label{"余额", "cash"}},
	{market.Credit, label{"信用额度", "credit"}},
	{market.MonthEnd, label{"月结", "month end"}},
	{market.Arrears, label{"欠款", "stayed owed"}},
}

func sourceName(word string) string {
	for _, k := range sourceKinds {
		if k.word == word {
			return k.name.String()
		}
	}
	return word
}

var arrearsStates = map[string]label{
	"grace":   {"宽限期", "grace"},
	"freeze":  {"已冻结", "frozen"},
	"release": {"已释放", "released"},
	"clear":   {"已还清", "cleared"},
}

// wordOf is a word of a rule file in both languages, or as it is.
func wordOf(names map[string]label, word string) string {
	if l, ok := names[word]; ok {
		return l.String()
	}
	return word
}
