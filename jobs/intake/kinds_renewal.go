package intake

import "nightshift/storage"

// mostRenewals is as many as a subscription may be asked to renew by itself.
const mostRenewals = 10_000

// chargeDays are the days before the end of a term on which a buyer may choose
// to pay.
var chargeDays = [2]int32{2, 7}

const aboutChargeDay = "how many days before the end of a term the buyer wants to pay, 2 to 7; empty: by the rules"

// wakesSubscriber has renewal look at the buyer of the subscription that a fact
// is about, from an instant on.
func wakesSubscriber(at string) []storage.Wake {
	return []storage.Wake{{Job: "renewal", Subject: "(SELECT s.buyer_id FROM subscriptions s WHERE s.id = t.subscription_id)", At: at}}
}

var policies = []string{"auto", "manual", "expire"}

// renewalKinds are the files that renewal lives on.
var renewalKinds = []Kind{
	{Name: "subscriptions", table: "subscriptions", Key: []string{"code"}, About: "What runs for a term and may renew. An instance is paid for by one of them.",
		Wakes: []storage.Wake{{Job: "renewal", Subject: "t.buyer_id", At: "t.term_start"}}, Both: [][2]string{{"renew_count", "renew_unit"}},
		Alone: []string{"instance"}, Order: [][3]string{{"term_start", "<", "term_end"}}, Columns: []Column{
			{Name: "code", Type: Code, Required: true, About: "the marketplace's number of the subscription"},
			{Name: "order", Type: Code, Refers: "orders"},
			{Name: "buyer", Type: Code, Required: true, Refers: "buyers"},
			{Name: "product", Type: Code, Refers: "products"},
			{Name: "access_type", Type: Word, Words: accessTypes, Required: true},
			{Name: "term_count", Type: Count, Required: true},
			{Name: "term_unit", Type: Word, Words: termUnits, Required: true},
			{Name: "term_start", Type: Instant, Required: true},
			{Name: "term_end", Type: Instant, Required: true},
			{Name: "policy", Type: Word, Words: policies, Default: "manual", About: "at the end of a term it renews by itself, is renewed by hand, or ends"},
			{Name: "renew_count", Type: Count, About: "how many units a renewal is for; empty: as many as it was bought for"},
			{Name: "renew_unit", Type: Word, Words: termUnits},
			{Name: "renewals", Type: Count, bounds: [2]int32{0, mostRenewals}, About: "how often it renews by itself, 0 or more; empty: without end"},
			{Name: "charge_day", Type: Count, bounds: chargeDays, About: aboutChargeDay},
			{Name: "anchor_day", Type: Count, bounds: [2]int32{1, 31}, About: "the day of the month that terms end on, where the month has it; empty: that of term_start"},
			{Name: "trial", Type: Bool, Default: "false", About: "until somebody buys a term of it"},
			{Name: "instance", Type: Code, About: "the instance it pays for; empty: the seller knows it by its own number"},
			{Name: "promotions", Type: Text, About: "the promotional discounts that its earlier orders had, by code, between spaces"},
			{Name: "price", Type: Money, owed: true, About: "of the next term before any discount, 0 or more, where the marketplace lists none"},
		}},
	{Name: "renewal_prices", table: "renewal_prices", Key: []string{"product", "term_count", "term_unit", "from_at"},
		About: "What a term of a product costs when it is renewed, from an instant on.", Columns: []Column{
			{Name: "product", Type: Code, Required: true, Refers: "products"},
			{Name: "term_count", Type: Count, Required: true},
			{Name: "term_unit", Type: Word, Words: termUnits, Required: true},
			{Name: "from_at", Type: Instant, Required: true, About: "from when on it costs this; the first attempt to renew fixes the price"},
			{Name: "price", Type: Money, Required: true, owed: true, About: "before any discount, 0 or more"},
			{Name: "sold_as", Type: Code, About: "the number that the product has with this term, where it has another"},
		}},
	{Name: "policy_changes", table: "policy_changes", Key: []string{"subscription", "at"}, Once: []string{"at"}, Wakes: wakesSubscriber("t.at"),
		Both:  [][2]string{{"renew_count", "renew_unit"}},
		About: "What buyers want at the end of a term, from an instant on. A change is judged by the rules, and reported once.", Columns: []Column{
			{Name: "subscription", Type: Code, Required: true, Refers: "subscriptions"},
			{Name: "at", Type: Instant, Required: true, About: "when the buyer said so"},
			{Name: "policy", Type: Word, Words: policies, Required: true},
			{Name: "renew_count", Type: Count, About: "how many units a renewal is for; empty: as many as it was bought for"},
			{Name: "renew_unit", Type: Word, Words: termUnits},
			{Name: "renewals", Type: Count, bounds: [2]int32{0, mostRenewals}, About: "how often it renews by itself from then on, 0 or more; empty: without end"},
			{Name: "charge_day", Type: Count, bounds: chargeDays, About: aboutChargeDay},
		}},
	{Name: "manual_renewals", table: "manual_renewals", Key: []string{"code"}, Once: []string{"at", "subscription"}, Wakes: wakesSubscriber("t.at"),
		About: "Terms that buyers bought by hand, each after the last one of its subscription. One is reported once. Bought of a trial, it ends the trial.", Columns: []Column{
			{Name: "code", Type: Code, Required: true, About: "the marketplace's number of the renewal"},
			{Name: "subscription", Type: Code, Required: true, Refers: "subscriptions"},
			{Name: "term_count", Type: Count, Required: true},
			{Name: "term_unit", Type: Word, Words: termUnits, Required: true},
			{Name: "at", Type: Instant, Required: true, About: "when it was paid"},
			{Name: "product", Type: Code, Refers: "products", About: "what it is renewed to, where that is another product"},
			{Name: "amount", Type: Money, owed: true, About: "what was paid for it outside; needed where it is taken back"},
		}},
	{Name: "unsubscriptions", table: "unsubscriptions", Key: []string{"code"}, Once: []string{"requested_at", "subscription"}, Wakes: wakesSubscriber("t.requested_at"),
		About: "Requests to take back the renewal that was bought last, before it begins. Each is decided once.", Columns: []Column{
			{Name: "code", Type: Code, Required: true, About: "the number of the request"},
			{Name: "subscription", Type: Code, Required: true, Refers: "subscriptions"},
			{Name: "requested_at", Type: Instant, Required: true},
			{Name: "reason", Type: Text},
		}},
	{Name: "upgrades", table: "upgrades", Key: []string{"order"},
		Wakes: []storage.Wake{{Job: "billing", Subject: "(SELECT o.buyer_id FROM orders o WHERE o.id = t.order_id)", At: "(SELECT o.placed_at FROM orders o WHERE o.id = t.order_id)"}},
		About: "What change orders upgrade. One that comes without an amount costs (new − old) × the days left × the discount.", Columns: []Column{
			{Name: "order", Type: Code, Required: true, Refers: "orders", About: "the change order"},
			{Name: "subscription", Type: Code, Required: true, Refers: "subscriptions"},
			{Name: "old_price", Type: Number, Required: true, owed: true, About: "of the old specification, a day"},
			{Name: "new_price", Type: Number, Required: true, owed: true, About: "of the new specification, a day"},
			{Name: "currency", Type: Text, About: "empty: the site's"},
			{Name: "discount", Type: Number, part: true, Default: "1", About: "0.9 leaves nine tenths"},
		}},
}
