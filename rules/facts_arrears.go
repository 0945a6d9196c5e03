package rules

import "nightshift/rules/market"

// ArrearsFacts is everything the arrears rules may ask about a buyer who owes
// for use, or has not paid a bill of a month, as it stood at the as-of.
type ArrearsFacts struct {
	Level     string           `expr:"level" json:"level" yaml:"level" means:"the buyer's level with the platform" zh:"用户在平台的等级"`
	GraceDays int64            `expr:"grace_days" json:"grace_days" yaml:"grace_days" means:"days of grace of a buyer of that level, by the ruleset periods" zh:"该等级的宽限期天数"`
	KeptDays  int64            `expr:"retention_days" json:"retention_days" yaml:"retention_days" means:"days of retention after the grace, by the ruleset periods" zh:"该等级的保留期天数"`
	Owed      market.Money     `expr:"owed" json:"owed" yaml:"owed" means:"what is owed for use" zh:"使用欠费金额"`
	OwedFor   market.Stopwatch `expr:"owed_for" json:"owed_for" yaml:"owed_for" means:"since the first deduction that was not paid in full; never while nothing is owed" zh:"首次扣费未足额"`

	Overdue    market.Money     `expr:"overdue" json:"overdue" yaml:"overdue" means:"what is left of bills of months whose last day has passed" zh:"逾期未还的月结账单金额"`
	OverdueFor market.Stopwatch `expr:"overdue_for" json:"overdue_for" yaml:"overdue_for" means:"since the last day of the first bill that is not paid; never while none is overdue" zh:"首张月结账单逾期"`
}

var arrearsVocabulary = Vocabulary{
	Ruleset:   "arrears",
	Means:     "what becomes of the resources of a buyer who owes for use or has not paid a bill in time",
	prototype: ArrearsFacts{},
	Outcomes: []Outcome{
		{Name: "clear", Means: "nothing is owed: what was frozen can be used again"},
		{Name: "grace", Means: "everything can be used on"},
		{Name: "freeze", Means: "nothing can be used; data are kept"},
		{Name: "release", Means: "the resources are given up, and the data with them"},
	},
}
