package intake

import "nightshift/storage"

// billingKinds are the files that billing lives on, each after those it refers
// to. They report what happened outside; the books are kept by the runs.
var billingKinds = []Kind{
	{Name: "instruments", table: "instruments", Key: []string{"code"}, Once: []string{"granted_at", "buyer"}, Wakes: []storage.Wake{{Job: "billing", Subject: "t.buyer_id", At: "t.granted_at"}},
		About: "What buyers were given to pay with, or to pay less. An instrument is given once.",
		Order: [][3]string{{"valid_from", "<=", "valid_until"}}, holds: instrumentHolds, Columns: []Column{
			{Name: "code", Type: Code, Required: true, About: "the number of the voucher, coupon, card or discount"},
			{Name: "buyer", Type: Code, Required: true, Refers: "buyers"},
			{Name: "kind", Type: Word, Words: []string{"discount", "voucher", "coupon", "card"}, Required: true},
			{Name: "seller", Type: Code, Refers: "sellers", About: "the seller who gave it, for that seller's goods; empty for the platform"},
			{Name: "borne_by", Type: Word, Words: []string{"platform", "seller"}, Default: "platform", About: "who pays for it in the end"},
			{Name: "amount", Type: Money, owed: true, About: "what it is worth; empty for a discount"},
			{Name: "rate", Type: Number, part: true, About: "of a discount: 0.9 leaves nine tenths of the price"},
			{Name: "discount_kind", Type: Word, Words: []string{"commercial", "promotional", "coupon"}, About: "of a discount: of a contract, a campaign or a discount coupon"},
			{Name: "granted_at", Type: Instant, Required: true},
			{Name: "valid_from", Type: Instant, About: "empty: from when it was granted"},
			{Name: "valid_until", Type: Instant, About: "its last second; empty: without end"},
			{Name: "restricted", Type: Bool, Default: "false", About: "good for some purchases only, so that it is used up first"},
			{Name: "min_spend", Type: Number, owed: true, About: "what has to be paid at least, after the discount, in its currency or the site's"},
			{Name: "products", Type: Text, About: "the products it is good for, by code, between spaces; empty: any; a voucher pays none of them that was ordered after it was taken off the shelf"},
			{Name: "charge_modes", Type: Text, About: "the charge modes it is good for; empty: any"},
			{Name: "order_types", Type: Text, About: "the types of order it is good for; empty: any"},
			{Name: "models", Type: Text, About: "the models of sale it is good for: common, joint_deal, joint_floor; empty: any"},
			{Name: "term_units", Type: Text, About: "the terms it is good for: day, month, year; empty: any, and what has none"},
			{Name: "not_with", Type: Text, About: "the kinds of discounts it cannot be combined with"},
		}},
	{Name: "refunds", table: "refunds", Key: []string{"code"},
		Wakes: []storage.Wake{{Job: "billing", Subject: "(SELECT o.buyer_id FROM orders o WHERE o.id = t.order_id)", At: "CASE t.request WHEN 'return' THEN t.requested_at ELSE coalesce(t.approved_at, t.requested_at) END"}},
		About: "Requests to give money back for an order. Each is decided once.", Order: [][3]string{{"requested_at", "<=", "approved_at"}, {"approved_at", "<=", "sent_at"}}, holds: refundHolds, Columns: []Column{
			{Name: "code", Type: Code, Required: true, About: "the number of the request"},
			{Name: "order", Type: Code, Required: true, Refers: "orders"},
			{Name: "request", Type: Word, Words: []string{"unconditional", "negotiated", "failed", "granted", "return"}, Required: true, About: "the buyer alone; agreed with the seller; not provisioned; granted by operations; hardware is sent back"},
			{Name: "amount", Type: Money, owed: true, About: "empty: all that was paid"},
			{Name: "requested_at", Type: Instant, Required: true},
			{Name: "approved_at", Type: Instant, About: "when the seller agreed; a negotiated request and a return wait for it"},
			{Name: "sent_at", Type: Instant, About: "of a return: when the buyer entered its logistics"},
			{Name: "taken_at", Type: Instant, About: "of a return: when the seller accepted what came back"},
			{Name: "objected_at", Type: Instant, About: "of a return: when the seller objected to what came back"},
			{Name: "refunded_at", Type: Instant, About: "the marketplace gave the money back itself, then; empty: billing decides it"},
			{Name: "reason", Type: Text},
		}},
	{Name: "adjustments", table: "adjustments", Key: []string{"code"}, Once: []string{"at", "seller"},
		About: "What was agreed with sellers after a dispute, or was open at the cutover. It is settled with the period in which it was agreed.", Columns: []Column{
			{Name: "code", Type: Code, Required: true, About: "the number of the adjustment"},
			{Name: "seller", Type: Code, Required: true, Refers: "sellers"},
			{Name: "kind", Type: Word, Words: []string{"dispute", "opening", "other"}, Default: "dispute"},
			{Name: "amount", Type: Money, Required: true, About: "below 0 it is taken from the seller"},
			{Name: "at", Type: Instant, Required: true, About: "when it was agreed"},
			{Name: "about", Type: Count, bounds: [2]int32{190001, 999912}, About: "the period that it corrects, such as 202405"},
			{Name: "reason", Type: Text},
		}},
	{Name: "charges", table: "charges", Key: []string{"code"}, Once: []string{"at", "buyer"}, Wakes: []storage.Wake{{Job: "billing", Subject: "t.buyer_id", At: "t.at"}},
		About: "Charges that come priced, such as the lines of a cloud bill. A charge is reported once.",
		Order: [][3]string{{"used_from", "<=", "used_until"}}, Columns: []Column{
			{Name: "code", Type: Code, Required: true, About: "the number of the charge"},
			{Name: "buyer", Type: Code, Required: true, Refers: "buyers"},
			{Name: "seller", Type: Code, Required: true, Refers: "sellers"},
			{Name: "product", Type: Code, Refers: "products"},
			{Name: "item", Type: Text, About: "what is charged"},
			{Name: "amount", Type: Money, Required: true, About: "exact, up to 12 decimals; below 0 it is given back"},
			{Name: "used_from", Type: Instant, About: "when what is charged was used"},
			{Name: "used_until", Type: Instant},
			{Name: "at", Type: Instant, Required: true, About: "when it is deducted"},
		}},
	{Name: "limits", table: "credit_limits", Key: []string{"buyer", "from_at"}, Wakes: []storage.Wake{{Job: "billing", Subject: "t.buyer_id", At: "t.from_at"}},
		About: "Changes of credit limits. Before the first of them the buyer's own limit holds.", Columns: []Column{
			{Name: "buyer", Type: Code, Required: true, Refers: "buyers"},
			{Name: "from_at", Type: Instant, Required: true, About: "from when on the limit holds"},
			{Name: "amount", Type: Money, Required: true, owed: true, About: "how much may be spent on credit, 0 for nothing"},
		}},
	{Name: "money", table: "money", Key: []string{"code"}, Once: []string{"at", "buyer"}, Wakes: []storage.Wake{{Job: "billing", Subject: "t.buyer_id", At: "t.at"}},
		About: "What buyers paid in, and what went back. It is booked by the next run; what was reported once does not change.", holds: moneyHolds, Columns: []Column{
			{Name: "code", Type: Code, Required: true, About: "the marketplace's number of the payment"},
			{Name: "buyer", Type: Code, Required: true, Refers: "buyers"},
			{Name: "kind", Type: Word, Words: []string{"top_up", "card", "boleto", "refund_in", "chargeback", "repayment", "opening"}, Required: true,
				About: "a chargeback takes cash back, and what cash does not cover is owed; a repayment pays what was used; an opening is what was there at the cutover"},
			{Name: "account", Type: Word, Words: []string{"cash", "credit", "month_end", "arrears"}, About: "what is repaid (empty: credit), or what was open (empty: cash)"},
			{Name: "amount", Type: Money, Required: true, owed: true, About: "never below 0: the kind says which way it goes"},
			{Name: "at", Type: Instant, Required: true, About: "when the money came or went"},
			{Name: "reference", Type: Code, About: "the payment gateway's number, by which both are tied"},
			{Name: "instrument", Type: Code, About: "the buyer's means of payment"},
		}},
	{Name: "gateway", table: "gateway_lines", Key: []string{"reference"},
		About: "The payment gateway's own list, which the money is tied to day by day.", Columns: []Column{
			{Name: "reference", Type: Code, Required: true, About: "the gateway's number of the payment"},
			{Name: "at", Type: Instant, Required: true, About: "when the gateway took it"},
			{Name: "amount", Type: Money, Required: true, About: "below 0 for what went back"},
			{Name: "kind", Type: Text, About: "what the gateway calls it"},
		}},
}

// instrumentHolds: a discount has a rate and comes from somewhere, everything
// else is worth an amount; what a seller bears has a seller.
func instrumentHolds(has func(string) bool, word func(string) string) (column, reason string) {
	discount := word("kind") == "discount"
	switch {
	case discount && !has("rate"):
		return "rate", "is empty: a discount leaves a part of the price, such as 0.9"
	case discount && !has("discount_kind"):
		return "discount_kind", "is empty: a discount comes from a contract (commercial), a campaign (promotional) or a coupon"
	case discount && has("amount"):
		return "amount", "is filled in: a discount is worth a part of the price, not an amount"
	case !discount && !has("amount"):
		return "amount", "is empty: what is a " + word("kind") + " worth?"
	case !discount && (has("rate") || has("discount_kind")):
		return "rate", "only a discount has a rate and a discount_kind"
	case word("borne_by") == "seller" && !has("seller"):
		return "seller", "is empty: which seller bears it?"
	}
	return "", ""
}

// refundHolds: only a return is on its way anywhere.
func refundHolds(has func(string) bool, word func(string) string) (column, reason string) {
	for _, column := range []string{"sent_at", "taken_at", "objected_at"} {
		switch {
		case word("request") != "return" && has(column):
			return column, "is filled in: only a return is sent back"
		case word("request") == "return" && has(column) && !has("approved_at"):
			return column, "is filled in: the seller has not approved the return yet"
		}
	}
	return "", ""
}

// moneyHolds: only what repays or opens an account says which.
func moneyHolds(has func(string) bool, word func(string) string) (column, reason string) {
	kind, account := word("kind"), word("account")
	switch {
	case kind == "repayment" && account == "cash":
		return "account", "is cash: a repayment pays credit, month_end or arrears; paying cash in is a top_up"
	case kind != "repayment" && kind != "opening" && has("account"):
		return "account", "is filled in: only a repayment and an opening say which account"
	}
	return "", ""
}
