package rules

import "nightshift/rules/market"

// LeadsFacts is everything the rules of leads may ask about what a customer
// needs, and a seller was told of, as it stood at an instant.
type LeadsFacts struct {
	Seller string `expr:"seller" json:"seller" yaml:"seller" means:"who it was assigned to, by code" zh:"商家编码"`

	AssignedFor market.Stopwatch `expr:"assigned_for" json:"assigned_for" yaml:"assigned_for" means:"since it was assigned to the seller" zh:"线索分配给商家"`
	ReceivedFor market.Stopwatch `expr:"received_for" json:"received_for" yaml:"received_for" means:"since the seller received it" zh:"商家接收线索"`
	RefusedFor  market.Stopwatch `expr:"refused_for" json:"refused_for" yaml:"refused_for" means:"since the seller refused it" zh:"商家拒绝线索"`
	ClosedFor   market.Stopwatch `expr:"closed_for" json:"closed_for" yaml:"closed_for" means:"since somebody closed it" zh:"线索关闭"`
}

var leadsVocabulary = Vocabulary{
	Ruleset:   "leads",
	Means:     "what becomes of a lead that nobody receives",
	prototype: LeadsFacts{},
	Outcomes: []Outcome{
		{Name: "close", Means: "the system closes it at the due instant; final", Carries: []Carried{{Name: "recipients", Kind: KindList, Words: parties, Means: "who hears of it"}}},
		{Name: "answered", Means: "somebody answered it; final"},
		{Name: "wait", Means: "the seller has time left"},
	},
}
