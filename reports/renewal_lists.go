package reports

import (
	"fmt"
	"io"
	"strings"
	"time"

	"nightshift/rules/market"
)

// RenewalLists names the lists of a renewal report that RenewalCSV writes.
var RenewalLists = []string{"renewed", "not_renewed", "taken_back", "lapsing", "by_hand", "wishes", "notices", "calls", "parked"}

// RenewalCSV writes one list of a renewal report as CSV, like BillingCSV.
func RenewalCSV(w io.Writer, r RenewalReport, list string) error {
	switch list {
	case "renewed":
		return writeCSV(w, renewedTable, r.Zone, ofEach(r.Books, func(b RenewalBook) rows[RenewedRow] { return b.Renewed }))
	case "not_renewed":
		return writeCSV(w, notRenewedTable, r.Zone, ofEach(r.Books, func(b RenewalBook) rows[NotRenewedRow] { return b.NotPaid }))
	case "taken_back":
		return writeCSV(w, takenBackTable, r.Zone, ofEach(r.Books, func(b RenewalBook) rows[TakenBackRow] { return b.TakenBack }))
	case "lapsing":
		return writeCSV(w, lapsingTable, r.Zone, r.Lapsing)
	case "by_hand":
		return writeCSV(w, byHandTable, r.Zone, r.ByHand)
	case "wishes":
		return writeCSV(w, wishesTable, r.Zone, r.Wishes)
	case "notices":
		return writeCSV(w, noticesTable, r.Zone, r.Notices)
	case "calls":
		return writeCSV(w, callsTable, r.Zone, r.Calls)
	case "parked":
		return writeCSV(w, parkedBuyersTable, r.Zone, r.Parked)
	}
	return fmt.Errorf("write a renewal list as CSV: unknown list %q: it is one of %s", list, strings.Join(RenewalLists, ", "))
}

// ofEach is a list of all books, one after the other.
func ofEach[B, R any](books []B, of func(B) rows[R]) rows[R] {
	return func(yield func(R, error) bool) {
		for _, b := range books {
			for row, err := range sequence(of(b)) {
				if !yield(row, err) {
					return
				}
			}
		}
	}
}

func subscriptionColumns[R any](of func(R) SubscriptionSubject) []column[R] {
	return []column[R]{
		texts("订阅", "Subscription", 18, func(r R) string { return of(r).Subscription }),
		texts("买家", "Buyer", 15, func(r R) string { return of(r).Buyer }),
		texts("卖家", "Seller", 15, func(r R) string { return of(r).Seller }),
		texts("商品", "Product", 15, func(r R) string { return of(r).Product }),
		instants("本期到期", "Term ends", func(r R) time.Time { return of(r).Ends }),
	}
}

// Columns of the renewals that the summary and the control sheet add up.
const (
	renewedPriceColumn      = 7
	renewedDiscountedColumn = 9
	renewedDroppedColumn    = 10
	renewedDueColumn        = 11
)

var renewedTable = table[RenewedRow]{
	name: "Renewed", title: label{"已续费", "Renewed"}, tab: "2E7D4F",
	columns: append(append(subscriptionColumns(func(r RenewedRow) SubscriptionSubject { return r.SubscriptionSubject }),
		instants("续至", "Renewed until", func(r RenewedRow) time.Time { return r.Until }),
		instants("扣费时间", "Paid at", func(r RenewedRow) time.Time { return r.At }),
		amounts("价格", "Price", 16, func(r RenewedRow) market.Money { return r.Price }),
		texts("折扣", "Discount", 13, func(r RenewedRow) string { return r.Discount }),
		amounts("折扣额", "Discounted", 16, func(r RenewedRow) market.Money { return r.Discounted }),
		amounts("舍去", "Dropped", 14, func(r RenewedRow) market.Money { return r.Dropped }),
		amounts("应付", "Due", 16, func(r RenewedRow) market.Money { return r.Due }),
		texts("付款来源", "Paid by", 44, func(r RenewedRow) string { return r.PaidBy }),
		texts("事件", "Event", 36, func(r RenewedRow) string { return r.Event })),
		reasonColumns(label{"原因", "Because"}, func(r RenewedRow) string { return r.Rule }, func(r RenewedRow) string { return r.RuleBecause })...),
}

// Columns of the renewals that are not paid.
const (
	notRenewedOutcomeColumn = 5
	notRenewedPriceColumn   = 7
	notRenewedShortColumn   = 8
)

var notRenewedTable = table[NotRenewedRow]{
	name: "Not renewed", title: label{"未续费", "Not renewed"}, tab: "C2410C",
	columns: append(append(subscriptionColumns(func(r NotRenewedRow) SubscriptionSubject { return r.SubscriptionSubject }),
		texts("结论", "Outcome", 22, func(r NotRenewedRow) string { return wordOf(renewalOutcomes, r.Outcome) }),
		instants("尝试时间", "Tried at", func(r NotRenewedRow) time.Time { return r.At }),
		amounts("价格", "Price", 16, func(r NotRenewedRow) market.Money { return r.Price }),
		amounts("差额", "Short by", 16, func(r NotRenewedRow) market.Money { return r.Shortfall }),
		instants("下次尝试", "Next try", func(r NotRenewedRow) time.Time { return r.Next })),
		reasonColumns(label{"原因", "Because"}, func(r NotRenewedRow) string { return r.Rule }, func(r NotRenewedRow) string { return r.Because })...),
}

const takenBackAmountColumn = 6

var takenBackTable = table[TakenBackRow]{
	name: "Taken back", title: label{"退续费", "Renewals taken back"}, tab: "B42318",
	columns: append([]column[TakenBackRow]{
		texts("退续费单", "Request", 18, func(r TakenBackRow) string { return r.Request }),
		texts("订阅", "Subscription", 18, func(r TakenBackRow) string { return r.Subscription }),
		texts("买家", "Buyer", 15, func(r TakenBackRow) string { return r.Buyer }),
		texts("续费", "Renewal", 36, func(r TakenBackRow) string { return r.Renewal }),
		texts("结论", "Outcome", 16, func(r TakenBackRow) string { return wordOf(takenBackOutcomes, r.Outcome) }),
		instants("申请时间", "Asked at", func(r TakenBackRow) time.Time { return r.At }),
		amounts("退还", "Given back", 16, func(r TakenBackRow) market.Money { return r.Amount }),
	}, reasonColumns(label{"原因", "Because"}, func(r TakenBackRow) string { return r.Rule }, func(r TakenBackRow) string { return r.Because })...),
}

const lapsingStateColumn = 5

var lapsingTable = table[LapsingRow]{
	name: "Lapsing", title: label{"到期与释放", "Lapsing"}, tab: "B42318",
	columns: append(append(subscriptionColumns(func(r LapsingRow) SubscriptionSubject { return r.SubscriptionSubject }),
		texts("状态", "State", 22, func(r LapsingRow) string { return wordOf(lifeStates, r.State) }),
		instants("自", "Since", func(r LapsingRow) time.Time { return r.Since }),
		instants("何时自动变更", "Turns at", func(r LapsingRow) time.Time { return r.Turns })),
		reasonColumns(label{"原因", "Because"}, func(r LapsingRow) string { return r.Rule }, func(r LapsingRow) string { return r.Because })...),
}

var byHandTable = table[ByHandRow]{
	name: "By hand", title: label{"手工续费", "Renewed by hand"}, tab: "2563A8",
	columns: []column[ByHandRow]{
		texts("订阅", "Subscription", 18, func(r ByHandRow) string { return r.Subscription }),
		texts("买家", "Buyer", 15, func(r ByHandRow) string { return r.Buyer }),
		texts("续费单", "Renewal", 20, func(r ByHandRow) string { return r.Renewal }),
		instants("自", "From", func(r ByHandRow) time.Time { return r.From }),
		instants("至", "Until", func(r ByHandRow) time.Time { return r.Until }),
		instants("支付时间", "Paid at", func(r ByHandRow) time.Time { return r.At }),
	},
}

var wishesTable = table[WishRow]{
	name: "Policies", title: label{"到期策略变更", "Policies changed"}, tab: "2563A8",
	columns: append([]column[WishRow]{
		texts("订阅", "Subscription", 18, func(r WishRow) string { return r.Subscription }),
		texts("买家", "Buyer", 15, func(r WishRow) string { return r.Buyer }),
		texts("要求", "Asked for", 20, func(r WishRow) string { return wordOf(renewalPolicies, r.Policy) }),
		texts("结论", "Outcome", 16, func(r WishRow) string { return wordOf(wishOutcomes, r.Outcome) }),
		instants("时间", "At", func(r WishRow) time.Time { return r.At }),
	}, reasonColumns(label{"原因", "Because"}, func(r WishRow) string { return r.Rule }, func(r WishRow) string { return r.Because })...),
}

var noticesTable = table[NoticeRow]{
	name: "Notices", title: label{"通知", "Notices"}, tab: "6B7280",
	columns: []column[NoticeRow]{
		texts("订阅", "Subscription", 18, func(r NoticeRow) string { return r.Subscription }),
		texts("买家", "Buyer", 15, func(r NoticeRow) string { return r.Buyer }),
		texts("通知", "Notice", 32, func(r NoticeRow) string { return r.Kind }),
		texts("收件人", "Recipients", 20, func(r NoticeRow) string { return strings.Join(r.Recipients, ", ") }),
		instants("时间", "At", func(r NoticeRow) time.Time { return r.At }),
	},
}

var callsTable = table[CallRow]{
	name: "Calls", title: label{"接口消息", "Calls to sellers"}, tab: "6B7280",
	columns: []column[CallRow]{
		texts("订阅", "Subscription", 18, func(r CallRow) string { return r.Subscription }),
		texts("卖家", "Seller", 15, func(r CallRow) string { return r.Seller }),
		texts("接口", "Activity", 22, func(r CallRow) string { return r.Activity }),
		texts("场景", "Scene", 30, func(r CallRow) string { return r.Scene }),
		texts("实例", "Instance", 18, func(r CallRow) string { return r.Instance }),
		instants("时间", "At", func(r CallRow) time.Time { return r.At }),
		texts("消息", "Message", 90, func(r CallRow) string { return r.Payload }),
	},
}

var renewalOutcomes = map[string]label{
	"retry":  {"余额不足，次日重试", "short of money"},
	"hold":   {"待人工", "held"},
	"cancel": {"停止重试", "given up"},
}

var takenBackOutcomes = map[string]label{"refund": {"退还", "given back"}, "refuse": {"拒绝", "refused"}}

var wishOutcomes = map[string]label{"change": {"已变更", "changed"}, "refuse": {"拒绝", "refused"}}

var renewalPolicies = map[string]label{"auto": {"自动续费", "auto"}, "manual": {"手动续费", "manual"}, "expire": {"到期不续", "expire"}}

var lifeStates = map[string]label{
	"wait":    {"使用中", "runs again"},
	"lapse":   {"宽限期", "in grace"},
	"freeze":  {"已冻结", "frozen"},
	"release": {"已释放", "released"},
}
