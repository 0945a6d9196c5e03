package reports

import (
	"fmt"
	"io"
	"strings"
	"time"

	"nightshift/rules/market"
)

// AcceptanceLists names the lists of an acceptance report that AcceptanceCSV
// writes.
var AcceptanceLists = []string{"accepted", "refunded", "waiting", "held", "reminders", "parked"}

// AcceptanceCSV writes one list of an acceptance report as CSV: UTF-8 with a
// byte order mark, instants as RFC 3339, texts guarded against formulas.
func AcceptanceCSV(w io.Writer, r AcceptanceReport, list string) error {
	switch list {
	case "accepted":
		return writeCSV(w, acceptedTable, r.Zone, r.Accepted)
	case "refunded":
		return writeCSV(w, refundedTable, r.Zone, r.Refunded)
	case "waiting":
		return writeCSV(w, waitingTable("Waiting", r.AsOf), r.Zone, r.Waiting)
	case "held":
		return writeCSV(w, waitingTable("Held", r.AsOf), r.Zone, r.Held)
	case "reminders":
		return writeCSV(w, remindersTable, r.Zone, r.Reminders)
	case "parked":
		return writeCSV(w, parkedTable, r.Zone, r.Parked)
	}
	return fmt.Errorf("write an acceptance list as CSV: unknown list %q: it is one of %s", list, strings.Join(AcceptanceLists, ", "))
}

// amountColumn is where the amount stands in the lists of orders.
const amountColumn = 4

// subjectColumns begin every list of orders.
func subjectColumns[R any](of func(R) Subject) []column[R] {
	return []column[R]{
		texts("订单", "Order", 17, func(r R) string { return of(r).Order }),
		texts("买家", "Buyer", 15, func(r R) string { return of(r).Buyer }),
		texts("卖家", "Seller", 15, func(r R) string { return of(r).Seller }),
		texts("接入类型", "Access type", 15, func(r R) string { return of(r).AccessType }),
		amounts("订单金额", "Order amount", 18, func(r R) market.Money { return of(r).Amount }),
	}
}

// reasonColumns end them.
func reasonColumns[R any](why label, rule, because func(R) string) []column[R] {
	return []column[R]{
		texts("规则", "Rule", 36, rule),
		texts(why.chinese, why.english, 76, because),
	}
}

var acceptedTable = table[AcceptedRow]{
	name: "Accepted", title: label{"已验收", "Accepted"}, tab: "2E7D4F",
	columns: append(append(
		subjectColumns(func(r AcceptedRow) Subject { return r.Subject }),
		instants("起算时间", "Clock started", func(r AcceptedRow) time.Time { return r.StartedAt }),
		instants("视为验收于", "Accepted as of", func(r AcceptedRow) time.Time { return r.DueAt }),
		instants("有效期起", "Valid from", func(r AcceptedRow) time.Time { return r.ValidFrom }),
		instants("有效期止", "Valid until", func(r AcceptedRow) time.Time { return r.ValidUntil })),
		reasonColumns(label{"原因", "Because"},
			func(r AcceptedRow) string { return r.Rule },
			func(r AcceptedRow) string { return r.Because })...),
}

var refundedTable = table[RefundedRow]{
	name: "Refunded", title: label{"已退款", "Refunded"}, tab: "6B4FA0",
	columns: append(append(
		subjectColumns(func(r RefundedRow) Subject { return r.Subject }),
		instants("起算时间", "Clock started", func(r RefundedRow) time.Time { return r.StartedAt }),
		instants("视为退款于", "Refunded as of", func(r RefundedRow) time.Time { return r.DueAt })),
		reasonColumns(label{"原因", "Because"},
			func(r RefundedRow) string { return r.Rule },
			func(r RefundedRow) string { return r.Because })...),
}

// Columns of the waiting list that the summary counts by.
const (
	waitsForColumn = 5
	ageColumn      = 7
)

// waitingTable shows what waits, or what is held, with its age at asOf.
func waitingTable(name string, asOf time.Time) table[WaitingRow] {
	t := table[WaitingRow]{name: name, title: label{"等待中", "Waiting"}, tab: amber}
	if name == "Held" {
		t.title, t.tab = label{"待人工处理", "Held for a person"}, "C2410C"
	}
	t.columns = append(append(
		subjectColumns(func(r WaitingRow) Subject { return r.Subject }),
		texts("等待对象", "Waits for", 15, func(r WaitingRow) string { return waiterOf(r.WaitsFor) }),
		instants("等待自", "Since", func(r WaitingRow) time.Time { return r.Since }),
		counts("天数", "Days", 8, func(r WaitingRow) (int64, bool) { return daysBetween(r.Since, asOf) }),
		instants("何时自动变更", "Turns at", func(r WaitingRow) time.Time { return r.TurnsAt })),
		reasonColumns(label{"为何不自动", "Why it is not automatic"},
			func(r WaitingRow) string { return r.Rule },
			func(r WaitingRow) string { return r.Because })...)
	return t
}

// daysBetween is the whole days of 24 hours from since to asOf; none where no
// clock has begun.
func daysBetween(since, asOf time.Time) (int64, bool) {
	if since.IsZero() || since.After(asOf) {
		return 0, false
	}
	return int64(asOf.Sub(since) / (24 * time.Hour)), true
}

var remindersTable = table[ReminderRow]{
	name: "Reminders", title: label{"提醒", "Reminders"}, tab: "2563A8",
	columns: append([]column[ReminderRow]{
		texts("订单", "Order", 17, func(r ReminderRow) string { return r.Order }),
		texts("提醒", "Reminder", 24, func(r ReminderRow) string { return r.Kind }),
		texts("收件人", "Recipients", 34, func(r ReminderRow) string { return recipients(r.Recipients) }),
		instants("时间", "At", func(r ReminderRow) time.Time { return r.At }),
	}, reasonColumns(label{"原因", "Because"},
		func(r ReminderRow) string { return r.Rule },
		func(r ReminderRow) string { return r.Because })...),
}

var parkedTable = table[ParkedRow]{
	name: "Parked", title: label{"已搁置", "Parked"}, tab: "B42318",
	columns: []column[ParkedRow]{
		texts("订单", "Order", 17, func(r ParkedRow) string { return r.Code }),
		instants("搁置于", "Parked at", func(r ParkedRow) time.Time { return r.At }),
		texts("原因", "Reason", 110, func(r ParkedRow) string { return r.Reason }),
	},
}

// people are the words of rule files for who is waited for, or reminded.
var people = map[string]label{
	"buyer":           {"买家", "buyer"},
	"seller":          {"卖家", "seller"},
	"platform":        {"平台", "platform"},
	"courier":         {"物流", "courier"},
	"account_manager": {"客户经理", "account manager"},
}

func person(word string) string {
	if l, ok := people[word]; ok {
		return l.String()
	}
	return word
}

func waiterOf(word string) string {
	if word == "" {
		return nothing
	}
	return person(word)
}

func recipients(words []string) string {
	named := make([]string, len(words))
	for i, w := range words {
		named[i] = person(w)
	}
	return strings.Join(named, ", ")
}
