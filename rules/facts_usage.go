package rules

import "nightshift/rules/market"

// UsageFacts is everything the usage rules may ask about one record of use, as
// the platform could know it when it received the record. What is asked of the
// instance, its product and its packages is how they stood when the use began.
type UsageFacts struct {
	IDGiven bool `expr:"id_given" json:"id_given" yaml:"id_given" means:"the record has a metering_sn"`
	IDSeen  bool `expr:"id_seen" json:"id_seen" yaml:"id_seen" means:"a record with the same metering_sn was received before, whatever became of it"`

	InstanceKnown bool `expr:"instance_known" json:"instance_known" yaml:"instance_known" means:"there is an instance of this code"`
	SellerMatches bool `expr:"seller_matches" json:"seller_matches" yaml:"seller_matches" means:"who reports is who sells the instance"`
	Repeated      bool `expr:"repeated" json:"repeated" yaml:"repeated" means:"a record of the same instance, item, begin and end was received before and accepted"`

	TimesReadable bool           `expr:"times_readable" json:"times_readable" yaml:"times_readable" means:"the three times are written like 20240601T100000Z"`
	InOrder       bool           `expr:"in_order" json:"in_order" yaml:"in_order" means:"the use does not end before it begins"`
	UsageReadable bool           `expr:"usage_readable" json:"usage_readable" yaml:"usage_readable" means:"the usage is a plain number"`
	UsageValue    market.Decimal `expr:"usage_value" json:"usage_value" yaml:"usage_value" means:"how much was used"`
	UsageDecimals int64          `expr:"usage_decimals" json:"usage_decimals" yaml:"usage_decimals" means:"how many decimals the usage is written with"`

	AccessType    string `expr:"access_type" json:"access_type" yaml:"access_type" words:"saas license image human_service consulting hardware container api agent ai_asset data_asset data_file orchestration content" means:"how the product reaches the buyer"`
	ChargeMode    string `expr:"charge_mode" json:"charge_mode" yaml:"charge_mode" words:"PERIOD ONE_TIME ON_DEMAND ON_DEMAND_PKG" means:"how the instance is charged"`
	ResourceState string `expr:"resource_state" json:"resource_state" yaml:"resource_state" words:"unopened open frozen stopped closed" means:"what the instance was when the use began; stopped: its stop-when-used-up package was used up"`
	Delisted      bool   `expr:"delisted" json:"delisted" yaml:"delisted" means:"the product was off the shelf when the use began"`

	Package         string `expr:"package" json:"package" yaml:"package" words:"none known unknown" means:"the package instance that the record names: one of the buyer's that pays for the item, or not"`
	OwnsPackage     bool   `expr:"owns_package" json:"owns_package" yaml:"owns_package" means:"the buyer owned a valid package for the item when the use began"`
	StopsWhenUsedUp bool   `expr:"stops_when_used_up" json:"stops_when_used_up" yaml:"stops_when_used_up" means:"the instance is paid by packages alone and stops with them"`
	Forwarded       bool   `expr:"forwarded" json:"forwarded" yaml:"forwarded" means:"the gateway forwarded the calls to the seller; also where the record says nothing of it"`

	Cycle         string           `expr:"cycle" json:"cycle" yaml:"cycle" words:"hour day month" means:"by what the item is billed"`
	UsedFor       market.Stopwatch `expr:"used_for" json:"used_for" yaml:"used_for" means:"since the use began, until the record was received: its age"`
	EndedFor      market.Stopwatch `expr:"ended_for" json:"ended_for" yaml:"ended_for" means:"since the use ended, until the record was received"`
	CycleEndedFor market.Stopwatch `expr:"cycle_ended_for" json:"cycle_ended_for" yaml:"cycle_ended_for" means:"since the hour, day or month of the use ended, until the record was received; never where it was received before"`
}

var usageDates = []Carried{
	{Name: "late", Kind: KindBool, Means: "the record came later than sellers may report"},
	{Name: "reported_within", Kind: KindDuration, Means: "how long after the end of the cycle sellers may report"},
	{Name: "deducted_after", Kind: KindDuration, Means: "how long after the end of the cycle it is deducted; a day or month reported late, as many days later as it takes"},
}

var usageVocabulary = Vocabulary{
	Ruleset:   "usage",
	Means:     "whether a record of use is billed, when, and with what error it is not",
	prototype: UsageFacts{},
	Outcomes: []Outcome{
		{Name: "accept", Means: "the use is rated and deducted", Carries: usageDates},
		{Name: "uncharged", Means: "the record is in order, and nothing is to be paid for it"},
		{Name: "reject", Means: "the record goes to the error list", Carries: []Carried{{Name: "code", Kind: KindText, Means: "the published error code"}}},
	},
}
