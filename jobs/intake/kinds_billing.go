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
			{Name: "rate", Type: Number, About: "of a discount: 0.9 leaves nine tenths of the price"},
			{Name: "discount_kind", Type: Word, Words: []string{"commercial", "promotional", "coupon"}, About: "of a discount: of a contract, a campaign or a discount coupon"},
			{Name: "granted_at", Type: Instant, Required: true},
			{Name: "valid_from", Type: Instant, About: "empty: from when it was granted"},
			{Name: "valid_until", Type: Instant, About: "its last second; empty: without end"},
			{Name: "restricted", Type: Bool, Default: "false", About: "good for some purchases only, so that it is used up first"},
			{Name: "min_spend", Type: Number, About: "what has to be paid at least, after the discount, in its currency or the site's"},
			{Name: "products", Type: Text, About: "the products it is good for, by code, between spaces; empty: any"},
			{Name: "charge_modes", Type: Text, About: "the charge modes it is good for; empty: any"},
			{Name: "order_types", Type: Text, About: "the types of order it is good for; empty: any"},
			{Name: "not_with", Type: Text, About: "the kinds of discounts it cannot be combined with"},
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
