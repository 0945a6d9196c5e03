package intake

import (
	"strconv"

	"nightshift/rules/market"
	"nightshift/storage"
)

// MostUploadRecords is how many records of use a seller may report in one call.
const MostUploadRecords = 1000

// MostPurchasePacks is how many packages that stop when they are used up one
// purchase may have, each for an instance of its own.
const MostPurchasePacks = 30

// powersOfTen are what a price may be of: nothing is lost by dividing by them.
var powersOfTen = []string{"1", "10", "100", "1000", "10000", "100000", "1000000", "10000000", "100000000", "1000000000"}

// usageKinds are the files that on-demand billing lives on, each after those it
// refers to. Records of use are taken in word for word: whether they are right
// is for the usage rules to say, when a run comes by.
var usageKinds = []Kind{
	{Name: "instances", table: "instances", Key: []string{"code"}, About: "What buyers use: the resources that sellers report use of.",
		Wakes: []storage.Wake{{Job: "billing", Subject: "t.buyer_id", At: "t.opened_at"}}, then: storage.TakeBackStrays,
		Order: [][3]string{{"opened_at", "<=", "closed_at"}}, Columns: []Column{
			{Name: "code", Type: Code, Required: true, About: "the marketplace's number of the instance; it keeps its buyer"},
			{Name: "buyer", Type: Code, Required: true, Refers: "buyers"},
			{Name: "seller", Type: Code, Required: true, Refers: "sellers"},
			{Name: "product", Type: Code, Required: true, Refers: "products"},
			{Name: "order", Type: Code, Refers: "orders"},
			{Name: "access_type", Type: Word, Words: accessTypes, Required: true},
			{Name: "charge_mode", Type: Word, Words: []string{"PERIOD", "ONE_TIME", "ON_DEMAND", "ON_DEMAND_PKG"}, Required: true},
			{Name: "machine", Type: Code, About: "where it runs: an image pays once for each hour and machine"},
			{Name: "opened_at", Type: Instant, Required: true},
			{Name: "closed_at", Type: Instant, About: "empty while it is open"},
		}},
	{Name: "freezes", table: "freezes", Key: []string{"instance", "frozen_at"}, About: "When instances, or the machines they run on, could not be used.",
		Order: [][3]string{{"frozen_at", "<", "thawed_at"}}, Columns: []Column{
			{Name: "instance", Type: Code, Required: true, Refers: "instances"},
			{Name: "frozen_at", Type: Instant, Required: true},
			{Name: "thawed_at", Type: Instant, About: "empty while it is frozen"},
		}},
	{Name: "prices", table: "prices", Key: []string{"product", "item", "from_at"}, About: "What the billing items of products cost, from when on.",
		holds: priceHolds, then: storage.WakeUnpriced, Columns: []Column{
			{Name: "product", Type: Code, Required: true, Refers: "products"},
			{Name: "item", Type: Code, Required: true, About: "the billing item, as records of use call it"},
			{Name: "from_at", Type: Instant, Required: true},
			{Name: "model", Type: Word, Words: []string{"fixed", "step", "tier"}, Default: "fixed", About: "step: each slice at its own price; tier: all at the price of the bracket it falls in"},
			{Name: "cycle", Type: Word, Words: []string{"hour", "day", "month"}, Required: true, About: "by what it is billed"},
			{Name: "measure", Type: Word, Words: []string{"usage", "hours"}, Default: "usage", About: "what counts: the usage that is reported, or every clock hour that it touches"},
			{Name: "per", Type: Word, Words: powersOfTen, Default: "1", About: "the price is of so many units"},
			{Name: "accumulation", Type: Word, Words: []string{"none", "hour", "day", "month", "year"}, Default: "none", About: "of a step price, over which records add up"},
			{Name: "brackets", Type: Text, Required: true, About: "up to:price, such as 3:0.3;:0.2, or one price; at most 12 decimals"},
			{Name: CurrencyColumn, Type: Text, Required: true, About: "the ISO 4217 code"},
		}},
	{Name: "packs", table: "packs", Key: []string{"code"}, Bundle: "purchase", most: MostPurchasePacks, holds: packHolds,
		About: "Packages of quota that buyers own. A purchase of more than " + strconv.Itoa(MostPurchasePacks) + " that stop when they are used up is refused.",
		Order: [][3]string{{"valid_from", "<", "valid_until"}}, Columns: []Column{
			{Name: "code", Type: Code, Required: true, About: "the number of the package instance, as records of use name it"},
			{Name: "buyer", Type: Code, Required: true, Refers: "buyers"},
			{Name: "instance", Type: Code, Refers: "instances", About: "the instance whose use it pays; empty: any"},
			{Name: "product", Type: Code, Refers: "products", About: "the product whose use it pays; empty: any"},
			{Name: "items", Type: Text, About: "the billing items it pays, between spaces; empty: all"},
			{Name: "quota", Type: Number, Required: true, owed: true, About: "of each period between two resets"},
			{Name: "valid_from", Type: Instant, Required: true},
			{Name: "valid_until", Type: Instant, Required: true, About: "the first instant at which it is not valid any more"},
			{Name: "purchased_at", Type: Instant, Required: true},
			{Name: "reset", Type: Word, Words: []string{"none", "hour", "day", "week", "month", "year"}, Default: "none", About: "how often the quota begins anew"},
			{Name: "stop_when_used_up", Type: Bool, Default: "false", About: "the instance stops with it, and nothing beyond it is billed"},
			{Name: "purchase", Type: Code, About: "the purchase it came with: of one purchase each package that stops when it is used up has an instance of its own"},
			{Name: "threshold", Type: Number, owed: true, About: "the buyer is told when so much is left, and the same is bought again; empty: never"},
			{Name: "authorised", Type: Bool, Default: "true", About: "the buyer's authorisation to buy it again by itself is there; false: at the threshold the buyer is told and nothing is bought"},
			{Name: "price", Type: Money, owed: true, About: "of the same package bought again"},
		}},
	{Name: "usage", table: "usage_records", Append: true, Bundle: "upload", bundles: "seller", most: MostUploadRecords, adds: [3]string{"id_seen", storage.SeenBefore, "metering_sn"}, then: storage.TakeBackMarks,
		About: "What sellers report of the use of instances, word for word. Runs judge it; an upload of more than " + strconv.Itoa(MostUploadRecords) + " records, also over several files, is refused.",
		Wakes: []storage.Wake{{Job: "billing", At: "t.received_at", Subject: "(SELECT i.buyer_id FROM instances i WHERE i.site = t.site AND i.code = t.instance)"}}, Columns: []Column{
			{Name: "received_at", Type: Instant, Required: true, About: "when the platform received it: lateness and age are counted to here"},
			{Name: "upload", Type: Code, blank: true, About: "the call of the interface it came with, each of a seller by another name; empty in batches of any size"},
			{Name: "metering_sn", Type: Code, blank: true, About: "the seller's number of the record, for all time"},
			{Name: "seller", Type: Code, blank: true, About: "the code of who reports"},
			{Name: "instance", Type: Code, blank: true, About: "the code of what was used"},
			{Name: "item", Type: Code, blank: true, About: "the billing item"},
			{Name: "record_time", Type: Text, blank: true, About: "when it was recorded, in UTC: 20240601T100000Z"},
			{Name: "begin_time", Type: Text, blank: true, About: "when the use began"},
			{Name: "end_time", Type: Text, blank: true, About: "when it ended"},
			{Name: "usage_value", Type: Text, blank: true, About: "how much: above 0, at most 4 decimals"},
			{Name: "relate_pkg_instance", Type: Code, blank: true, About: "the package instance to draw from"},
			{Name: "forwarded", Type: Text, blank: true, About: "no for calls that the gateway stopped"},
		}},
}

// priceHolds: the brackets can be read, and fit the model.
func priceHolds(has func(string) bool, word func(string) string) (column, reason string) {
	if _, err := market.ParseCurrency(word(CurrencyColumn)); err != nil {
		return CurrencyColumn, err.Error()
	}
	brackets, err := market.ParseBrackets(word("brackets"))
	if err != nil {
		return "brackets", err.Error()
	}
	or := func(column, otherwise string) string {
		if has(column) {
			return word(column)
		}
		return otherwise
	}
	p := market.Price{Model: market.PriceModel(or("model", "fixed")), Cycle: market.Cycle(word("cycle")), Measure: market.Measure(or("measure", "usage")),
		Accumulation: market.Cycle(or("accumulation", "none")), Brackets: brackets}
	if err := p.Valid(); err != nil {
		return "model", err.Error()
	}
	return "", ""
}

// packHolds: what is bought again has a price, and what was bought with others
// and stops when it is used up is for one instance.
func packHolds(has func(string) bool, word func(string) string) (column, reason string) {
	if has("threshold") && !has("price") && word("authorised") != "false" {
		return "price", "is empty: what does the package cost that is bought again at the threshold?"
	}
	if has("purchase") && word("stop_when_used_up") == "true" && !has("instance") {
		return "instance", "is empty: which instance does the package stop that was bought in the purchase " + word("purchase") + "?"
	}
	return "", ""
}
