package reports

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"nightshift/rules/market"
)

// feeGroup is the lines of a statement that have one product, one fee and one
// share by one line of the tables.
type feeGroup struct {
	product, class, access, model            string
	feeRate, extraRate, share                string // exact
	tier                                     string
	rules                                    string
	row                                      StatementLineRow // the first of them
	no                                       int
	lines                                    int64
	billable, fee, taxes, operating, settled sum
}

// groups hands out the numbers of fee groups in the order of their lines.
type groups struct {
	byKey map[feeGroup]*feeGroup
	list  []*feeGroup
}

func newGroups() *groups { return &groups{byKey: map[feeGroup]*feeGroup{}} }

// of is the group of a line, which is new with its first.
func (g *groups) of(r *StatementLineRow) *feeGroup {
	key := feeGroup{product: r.Product, class: r.ProductClass, access: r.Access, model: r.Model, feeRate: r.FeeRate.String(), extraRate: r.ExtraRate.String(),
		share: r.Share.String(), tier: r.TierTotal.String(), rules: r.Rules}
	f := g.byKey[key]
	if f == nil {
		copied := key
		f = &copied
		f.row, f.no = *r, len(g.list)+1
		g.byKey[key] = f
		g.list = append(g.list, f)
	}
	return f
}

// name is what lines of the group are marked with.
func (f *feeGroup) name() string { return "F" + strconv.Itoa(f.no) }

// see counts a line in.
func (f *feeGroup) see(r *StatementLineRow) error {
	f.lines++
	var err error
	add := func(s *sum, m market.Money) {
		if failed := s.add(m); failed != nil {
			err = failed
		}
	}
	add(&f.billable, r.Billable)
	add(&f.fee, r.Fee)
	for _, tax := range []market.Money{r.Withheld, r.WHT, r.DST} {
		add(&f.taxes, tax)
	}
	add(&f.operating, r.OperatingFee)
	add(&f.settled, r.Settled)
	return err
}

// Columns of the lines that other sheets add up.
const (
	lineGroupColumn     = 1
	lineKindColumn      = 2
	lineProductColumn   = 5
	lineBillableColumn  = 12
	lineFeeColumn       = 16
	lineWithheldColumn  = 17
	lineWHTColumn       = 18
	lineDSTColumn       = 19
	lineOperatingColumn = 20
	lineSettledColumn   = 21
)

// linesTable marks each line with its fee group.
func linesTable(g *groups) table[StatementLineRow] {
	has := func(d market.Decimal) (market.Decimal, bool) { return d, true }
	return table[StatementLineRow]{
		name: "Lines", title: label{"结算明细", "Lines"}, tab: "2E7D4F", wide: 2,
		columns: []column[StatementLineRow]{
			texts("业务事件", "Event", 34, func(r StatementLineRow) string { return r.Key }),
			texts("费率组", "Group", 9, func(r StatementLineRow) string { return g.of(&r).name() }),
			texts("种类", "Kind", 17, func(r StatementLineRow) string { return wordOf(lineKinds, r.Kind) }),
			texts("订单", "Order", 17, func(r StatementLineRow) string { return r.Order }),
			counts("订单行", "Line", 8, func(r StatementLineRow) (int64, bool) { return int64(r.Line), r.Line > 0 }),
			texts("商品", "Product", 17, func(r StatementLineRow) string { return r.Product }),
			texts("产品类别", "Class", 16, func(r StatementLineRow) string { return wordOf(productClasses, r.ProductClass) }),
			texts("接入类型", "Access", 14, func(r StatementLineRow) string { return r.Access }),
			instants("付款时间", "Paid at", func(r StatementLineRow) time.Time { return r.PaidAt }),
			texts("入账依据", "Decided by", 17, func(r StatementLineRow) string { return wordOf(decidingInstants, r.DecidedBy) }),
			instants("入账时间", "Decided at", func(r StatementLineRow) time.Time { return r.DecidedAt }),
			amounts("实付", "Paid", 17, func(r StatementLineRow) market.Money { return r.Paid }),
			amounts("可结算额", "Billable", 17, func(r StatementLineRow) market.Money { return r.Billable }),
			rates("平台费率", "Fee rate", 11, func(r StatementLineRow) (market.Decimal, bool) { return has(r.FeeRate) }),
			rates("阶梯加成", "Tier", 11, func(r StatementLineRow) (market.Decimal, bool) { return has(r.ExtraRate) }),
			rates("结算比例", "Share", 11, func(r StatementLineRow) (market.Decimal, bool) { return r.Share, !r.Share.IsZero() }),
			amounts("平台费", "Platform fee", 16, func(r StatementLineRow) market.Money { return r.Fee }),
			amounts("客户代扣", "Withheld", 15, func(r StatementLineRow) market.Money { return r.Withheld }),
			amounts("预提税", "WHT", 15, func(r StatementLineRow) market.Money { return r.WHT }),
			amounts("数字服务税", "DST", 15, func(r StatementLineRow) market.Money { return r.DST }),
			amounts("运营管理费", "Operating fee", 15, func(r StatementLineRow) market.Money { return r.OperatingFee }),
			amounts("结算额", "Settled", 17, func(r StatementLineRow) market.Money { return r.Settled }),
			texts("所用规则", "Rules", 46, func(r StatementLineRow) string { return r.Rules }),
			texts("冲销", "Takes back", 30, func(r StatementLineRow) string { return r.Reverses }),
		},
	}
}

// groupRow is a fee group as its sheet shows it: its sums are live.
type groupRow struct {
	*feeGroup
	lines listed
}

// live adds a column of the lines up over the group.
func (r groupRow) live(s sum, columns ...int) any {
	return s.formula("%s", r.lines.every(func(p stretch) string {
		var terms []string
		for _, c := range columns {
			terms = append(terms, "SUMIFS("+p.ref(c)+","+p.ref(lineGroupColumn)+","+literal(r.name())+")")
		}
		return strings.Join(terms, "+")
	}))
}

// figures is a column of money whose cells are formulas.
func figures[R any](chinese, english string, width float64, of func(R) any) column[R] {
	return column[R]{label: label{chinese, english}, width: width, figure: true, money: true, of: of}
}

var groupsTable = table[groupRow]{
	name: "Fees and tiers", title: label{"费率与阶梯", "Fees and tiers"}, tab: amber,
	columns: []column[groupRow]{
		texts("费率组", "Group", 9, func(r groupRow) string { return r.name() }),
		texts("商品", "Product", 18, func(r groupRow) string { return r.product }),
		texts("产品类别", "Class", 16, func(r groupRow) string { return wordOf(productClasses, r.class) }),
		texts("接入类型", "Access", 14, func(r groupRow) string { return r.access }),
		texts("模式", "Model", 22, func(r groupRow) string { return wordOf(models, r.model) }),
		amounts("当月实付总额", "Month's total", 20, func(r groupRow) market.Money { return r.row.TierTotal }),
		rates("平台费率", "Fee rate", 11, func(r groupRow) (market.Decimal, bool) { return r.row.FeeRate, true }),
		rates("阶梯加成", "Tier", 11, func(r groupRow) (market.Decimal, bool) { return r.row.ExtraRate, true }),
		rates("结算比例", "Share", 11, func(r groupRow) (market.Decimal, bool) { return r.row.Share, !r.row.Share.IsZero() }),
		{label: label{"笔数", "Lines"}, width: 9, figure: true, of: func(r groupRow) any {
			return countIf(r.lines, lineGroupColumn, r.name(), r.feeGroup.lines)
		}},
		figures("可结算额", "Billable", 18, func(r groupRow) any { return r.live(r.billable, lineBillableColumn) }),
		figures("平台费", "Platform fee", 17, func(r groupRow) any { return r.live(r.fee, lineFeeColumn) }),
		figures("税", "Taxes", 15, func(r groupRow) any {
			return r.live(r.taxes, lineWithheldColumn, lineWHTColumn, lineDSTColumn)
		}),
		figures("运营管理费", "Operating fee", 15, func(r groupRow) any { return r.live(r.operating, lineOperatingColumn) }),
		figures("结算额", "Settled", 18, func(r groupRow) any { return r.live(r.settled, lineSettledColumn) }),
		texts("所用规则", "Table and rule used", 60, func(r groupRow) string { return r.rules }),
	},
}

// Columns of the adjustments.
const (
	adjustmentKindColumn   = 1
	adjustmentAmountColumn = 3
)

var adjustmentsTable = table[AdjustmentRow]{
	name: "Adjustments", title: label{"调整与结转", "Adjustments and carried"}, tab: "6B4FA0",
	columns: []column[AdjustmentRow]{
		texts("编号", "Number", 34, func(r AdjustmentRow) string { return r.Key }),
		texts("种类", "Kind", 20, func(r AdjustmentRow) string { return wordOf(lineKinds, r.Kind) }),
		instants("确认时间", "Agreed at", func(r AdjustmentRow) time.Time { return r.At }),
		amounts("金额", "Amount", 18, func(r AdjustmentRow) market.Money { return r.Amount }),
		texts("说明", "Reason", 70, func(r AdjustmentRow) string { return r.Memo }),
	},
}

// Columns of what waits.
const (
	unsettledConditionColumn = 7 // the first of the conditions
	unsettledAmountColumn    = 6
)

// conditions of settling, in the order in which they are told.
var conditions = []struct {
	word string
	name label
	long label
}{
	{market.ConditionCertified, label{"已认证", "Certified"}, label{"卖家未通过认证（银行账户、税率）", "the seller is not certified"}},
	{market.ConditionPaid, label{"已付清", "Paid"}, label{"客户未付款，或账期款未还清", "not paid, or what was borrowed is not repaid"}},
	{market.ConditionAccepted, label{"已验收", "Accepted"}, label{"服务监管尚未完成", "supervision is not completed"}},
	{market.ConditionEffective, label{"已生效", "Effective"}, label{"订单尚未生效", "it has not taken effect"}},
	{market.ConditionMinimum, label{"达起付额", "Minimum"}, label{"该产品类别未达最低出账金额", "the product class has not reached the minimum"}},
	{market.ConditionTrouble, label{"数据无误", "In order"}, label{"数据有误，待人工更正", "something is wrong: a person has to mend it"}},
}

// Met and unmet in a list of conditions.
const (
	met   = "✓"
	unmet = "✗"
)

// unsettledTable lists what waits; with the seller where it is of many.
func unsettledTable(asOf time.Time, ofMany bool) table[UnsettledRow] {
	first := texts("业务事件", "Event", 34, func(r UnsettledRow) string { return r.Key })
	second := texts("种类", "Kind", 17, func(r UnsettledRow) string { return wordOf(lineKinds, r.Kind) })
	if ofMany {
		second = texts("卖家", "Seller", 17, func(r UnsettledRow) string { return r.Seller })
	}
	t := table[UnsettledRow]{name: "Waiting", title: label{"待出账", "Waiting"}, tab: "C2410C", columns: []column[UnsettledRow]{
		first, second,
		texts("订单", "Order", 17, func(r UnsettledRow) string { return r.Order }),
		texts("商品", "Product", 17, func(r UnsettledRow) string { return r.Product }),
		texts("产品类别", "Class", 16, func(r UnsettledRow) string { return wordOf(productClasses, r.ProductClass) }),
		instants("付款时间", "Paid at", func(r UnsettledRow) time.Time { return r.PaidAt }),
		amounts("金额", "Amount", 17, func(r UnsettledRow) market.Money { return r.Amount }),
	}}
	for _, c := range conditions {
		t.columns = append(t.columns, texts(c.name.chinese, c.name.english, 10, func(r UnsettledRow) string {
			if slices.Contains(r.Unmet, c.word) {
				return unmet
			}
			return met
		}))
	}
	return table[UnsettledRow]{name: t.name, title: t.title, tab: t.tab, columns: append(t.columns,
		instants("预计满足", "Will be met", func(r UnsettledRow) time.Time { return r.Until }),
		counts("天数", "Days", 8, func(r UnsettledRow) (int64, bool) { return daysBetween(r.PaidAt, asOf) }),
		texts("原因", "Because", 60, func(r UnsettledRow) string { return r.Because }))}
}

var differencesTable = table[DifferenceRow]{
	name: "Differences", title: label{"与上一版本的差异", "Differences to the version before"}, tab: "B42318",
	columns: []column[DifferenceRow]{
		texts("业务事件", "Event", 34, func(r DifferenceRow) string { return r.Key }),
		texts("订单", "Order", 17, func(r DifferenceRow) string { return r.Order }),
		texts("商品", "Product", 17, func(r DifferenceRow) string { return r.Product }),
		amounts("上一版本", "Before", 18, func(r DifferenceRow) market.Money { return r.Before }),
		amounts("本版本", "Now", 18, func(r DifferenceRow) market.Money { return r.After }),
		amounts("差额", "Difference", 18, func(r DifferenceRow) market.Money {
			return market.NewMoney(r.After.Amount.Sub(r.Before.Amount), market.Currency(max(string(r.After.Currency), string(r.Before.Currency))))
		}),
		texts("原因", "Why", 60, func(r DifferenceRow) string { return r.Why }),
	},
}

var lineKinds = map[string]label{
	market.EarnedOrder: {"订单", "order"}, market.EarnedRenewal: {"续费", "renewal"}, market.EarnedUse: {"用量", "use"}, market.EarnedCharge: {"费用", "charge"},
	market.EarnedPartner: {"伙伴分成", "partner"}, market.EarnedRefund: {"退款", "refund"}, market.EarnedAdjustment: {"调整", "adjustment"},
	market.EarnedOpening: {"期初", "opening"}, market.EarnedCarried: {"结转", "carried"},
}

var productClasses = map[string]label{"hardware": {"硬件", "hardware"}, "software": {"软件", "software"}, "service": {"服务", "service"}}

var models = map[string]label{
	market.ModelCommon: {"通用商品", "common"}, market.ModelJointDeal: {"联营·成交价", "joint, deal price"},
	market.ModelJointFloor: {"联营·底价", "joint, floor price"},
}

var decidingInstants = map[string]label{
	"provisioned": {"开通", "provisioned"}, "completed": {"监管完成", "accepted"}, "effective": {"生效", "effective"}, "used": {"使用", "used"},
	"given_back": {"退款", "refunded"}, "agreed": {"确认", "agreed"}, "carried": {"结转", "carried"}, "paid": {"付款", "paid"},
}

// StatementLists names the lists of a statement that StatementCSV writes.
var StatementLists = []string{"lines", "adjustments", "waiting"}

// StatementCSV writes one list of a statement as CSV, like AcceptanceCSV.
func StatementCSV(w io.Writer, r StatementReport, list string) error {
	switch list {
	case "lines":
		return writeCSV(w, linesTable(newGroups()), r.Zone, r.Lines)
	case "adjustments":
		return writeCSV(w, adjustmentsTable, r.Zone, r.Adjustments)
	case "waiting":
		return writeCSV(w, unsettledTable(r.AsOf, false), r.Zone, r.Waiting)
	}
	return fmt.Errorf("write a list of a statement as CSV: unknown list %q: it is one of %s", list, strings.Join(StatementLists, ", "))
}
