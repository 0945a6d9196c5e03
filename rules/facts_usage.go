package rules

import "nightshift/rules/market"

// UsageFacts is everything the usage rules may ask about one record of use, as
// the platform could know it when it received the record. What is asked of the
// instance, its product and its packages is how they stood when the use began.
type UsageFacts struct {
	IDGiven bool `expr:"id_given" json:"id_given" yaml:"id_given" means:"the record has a metering_sn" zh:"话单带有 metering_sn"`
	IDSeen  bool `expr:"id_seen" json:"id_seen" yaml:"id_seen" means:"a record with the same metering_sn was received before, whatever became of it" zh:"此前已收到相同 metering_sn 的话单"`

	InstanceKnown bool `expr:"instance_known" json:"instance_known" yaml:"instance_known" means:"there is an instance of this code" zh:"实例存在"`
	SellerMatches bool `expr:"seller_matches" json:"seller_matches" yaml:"seller_matches" means:"who reports is who sells the instance" zh:"上报者是该实例的商家"`
	Repeated      bool `expr:"repeated" json:"repeated" yaml:"repeated" means:"a record of the same instance, item, begin and end was received before and accepted" zh:"此前已接受同一实例、计费项和起止时间的话单"`

	TimesReadable bool           `expr:"times_readable" json:"times_readable" yaml:"times_readable" means:"the three times are written like 20240601T100000Z" zh:"三个时间均按 20240601T100000Z 的格式书写"`
	InOrder       bool           `expr:"in_order" json:"in_order" yaml:"in_order" means:"the use does not end before it begins" zh:"使用结束时间不早于开始时间"`
	UsageReadable bool           `expr:"usage_readable" json:"usage_readable" yaml:"usage_readable" means:"the usage is a plain number" zh:"用量为普通数字"`
	UsageValue    market.Decimal `expr:"usage_value" json:"usage_value" yaml:"usage_value" means:"how much was used" zh:"用量"`
	UsageDecimals int64          `expr:"usage_decimals" json:"usage_decimals" yaml:"usage_decimals" means:"how many decimals the usage is written with" zh:"用量的小数位数"`

	AccessType    string `expr:"access_type" json:"access_type" yaml:"access_type" words:"saas license image human_service consulting hardware container api agent ai_asset data_asset data_file orchestration content" means:"how the product reaches the buyer" zh:"商品接入类型"`
	ChargeMode    string `expr:"charge_mode" json:"charge_mode" yaml:"charge_mode" words:"PERIOD ONE_TIME ON_DEMAND ON_DEMAND_PKG" means:"how the instance is charged" zh:"实例的计费方式"`
	ResourceState string `expr:"resource_state" json:"resource_state" yaml:"resource_state" words:"unopened open frozen stopped closed" means:"what the instance was when the use began; stopped: its stop-when-used-up package was used up" zh:"使用开始时的实例状态"`
	Delisted      bool   `expr:"delisted" json:"delisted" yaml:"delisted" means:"the product was off the shelf when the use began" zh:"使用开始时商品已下架"`

	Package         string `expr:"package" json:"package" yaml:"package" words:"none known unknown" means:"the package instance that the record names: one of the buyer's that pays for the item, or not" zh:"话单所指的套餐包"`
	OwnsPackage     bool   `expr:"owns_package" json:"owns_package" yaml:"owns_package" means:"the buyer owned a valid package for the item when the use began" zh:"使用开始时用户持有该计费项的有效套餐包"`
	StopsWhenUsedUp bool   `expr:"stops_when_used_up" json:"stops_when_used_up" yaml:"stops_when_used_up" means:"the instance is paid by packages alone and stops with them" zh:"实例仅由套餐包支付，用尽即停"`
	Forwarded       bool   `expr:"forwarded" json:"forwarded" yaml:"forwarded" means:"the gateway forwarded the calls to the seller; also where the record says nothing of it" zh:"网关已将调用转发给商家"`

	Cycle         string           `expr:"cycle" json:"cycle" yaml:"cycle" words:"hour day month" means:"by what the item is billed" zh:"计费项的计费周期"`
	UsedFor       market.Stopwatch `expr:"used_for" json:"used_for" yaml:"used_for" means:"since the use began, until the record was received: its age" zh:"使用开始"`
	EndedFor      market.Stopwatch `expr:"ended_for" json:"ended_for" yaml:"ended_for" means:"since the use ended, until the record was received" zh:"使用结束"`
	CycleEndedFor market.Stopwatch `expr:"cycle_ended_for" json:"cycle_ended_for" yaml:"cycle_ended_for" means:"since the hour, day or month of the use ended, until the record was received; never where it was received before" zh:"使用结束所在的小时、日或月结束"`
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
