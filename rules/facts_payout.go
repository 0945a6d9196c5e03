package rules

import "nightshift/rules/market"

// PayoutFacts is everything the payout rules may ask about a statement that is
// to be paid, as it stood when the payment file is written.
type PayoutFacts struct {
	Seller     string           `expr:"seller" json:"seller" yaml:"seller" means:"who is paid, by its code" zh:"收款商家编码"`
	Amount     market.Money     `expr:"amount" json:"amount" yaml:"amount" means:"what is to be paid" zh:"应付金额"`
	Paused     bool             `expr:"paused" json:"paused" yaml:"paused" means:"payments of the seller, or of the site, are paused" zh:"商家或站点的付款已暂停"`
	HasAccount bool             `expr:"has_account" json:"has_account" yaml:"has_account" means:"a bank account of the seller is known" zh:"已登记商家的银行账户"`
	ChangedFor market.Stopwatch `expr:"changed_for" json:"changed_for" yaml:"changed_for" means:"since the seller's bank account was changed; never while it is the first" zh:"商家变更银行账户"`
	Approved   bool             `expr:"approved" json:"approved" yaml:"approved" means:"a second person has agreed to the payment" zh:"第二人已批准付款"`
	Failures   int64            `expr:"failures" json:"failures" yaml:"failures" means:"how often the bank refused or returned it" zh:"银行拒绝或退回的次数"`
}

var payoutVocabulary = Vocabulary{
	Ruleset:   "payout",
	Means:     "whether a statement is paid with the next payment file",
	prototype: PayoutFacts{},
	Outcomes: []Outcome{
		{Name: "pay", Means: "it goes into the file"},
		{Name: "wait", Means: "asked again with a later file"},
		{Name: "approve", Means: "a second person has to agree first"},
		{Name: "hold", Means: "a person has to mend something first"},
	},
}
