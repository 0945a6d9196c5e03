package intake

import (
	"nightshift/rules/market"
	"nightshift/storage"
)

// wakesOpen has a small job look at a subject from an instant on, unless it came to
// its end about it.
func wakesOpen(job, subject, at string) []storage.Wake {
	return []storage.Wake{{Job: job, At: at,
		Subject: "CASE WHEN NOT EXISTS (SELECT FROM endings e WHERE e.job = '" + job + "' AND e.subject = " + subject + ") THEN " + subject + " END"}}
}

// wakesOpening has an order looked at that its seller has to open; where it had
// failed, only by a call that opened it all the same.
var wakesOpening = []storage.Wake{{Job: "openings", At: "t.called_at", Subject: `
	CASE WHEN NOT EXISTS (SELECT FROM endings e WHERE e.job = 'openings' AND e.subject = t.order_id AND NOT (e.outcome = 'failed' AND t.code IS NOT DISTINCT FROM '` + market.AnswerDone + `'))
	THEN t.order_id END`}}

// smallKinds are the files that the small jobs live on.
var smallKinds = []Kind{
	{Name: "calls", table: "calls", Key: []string{"order", "activity", "called_at"}, Wakes: wakesOpening,
		About: "Calls to sellers' interfaces that are to open what was paid, with their answers.", Columns: []Column{
			{Name: "order", Type: Code, Required: true, Refers: "orders"},
			{Name: "activity", Type: Word, Words: []string{"newInstance", "upgrade", "queryInstance"}, Default: "newInstance", About: "to open it, to upgrade what a change order is for, or to ask what became of that"},
			{Name: "called_at", Type: Instant, Required: true},
			{Name: "code", Type: Text, About: "of the answer: 000000 opened, 000004 in progress, anything else a failure; empty: no answer came"},
			{Name: "instance", Type: Code, About: "that the answer named"},
		}},
	{Name: "probes", table: "probes", Key: []string{"product", "at"}, Wakes: []storage.Wake{{Job: "listings", Subject: "t.product_id", At: "t.at"}},
		About: "Probes of sellers' interfaces with saved test cases.", Columns: []Column{
			{Name: "product", Type: Code, Required: true, Refers: "products"},
			{Name: "at", Type: Instant, Required: true},
			{Name: "passed", Type: Bool, Required: true},
		}},
	{Name: "leads", table: "leads", Key: []string{"code"}, Wakes: wakesOpen("leads", "t.id", "t.assigned_at"),
		About: "What customers need, assigned to sellers.",
		Order: [][3]string{{"assigned_at", "<=", "received_at"}, {"assigned_at", "<=", "refused_at"}, {"assigned_at", "<=", "closed_at"}}, Columns: []Column{
			{Name: "code", Type: Code, Required: true, About: "the marketplace's number of the lead"},
			{Name: "seller", Type: Code, Required: true, Refers: "sellers"},
			{Name: "assigned_at", Type: Instant, Required: true},
			{Name: "received_at", Type: Instant, About: "when the seller received it"},
			{Name: "refused_at", Type: Instant, About: "when the seller refused it"},
			{Name: "closed_at", Type: Instant, About: "when somebody closed it"},
		}},
	{Name: "offers", table: "offers", Key: []string{"code"}, Wakes: wakesOpen("offers", "t.id", "t.asked_at"),
		About: "Prices that sellers offer one customer each.", Order: [][3]string{{"starts_at", "<", "ends_at"}}, Columns: []Column{
			{Name: "code", Type: Code, Required: true, About: "the name of the offer, which the customer sees"},
			{Name: "seller", Type: Code, Required: true, Refers: "sellers"},
			{Name: "buyer", Type: Code, Required: true, Refers: "buyers", About: "the one customer whom it is for"},
			{Name: "product", Type: Code, Refers: "products"},
			{Name: "discount", Type: Number, Required: true, owed: true, About: "what it leaves of the price, 0.8 for eight tenths"},
			{Name: "asked_at", Type: Instant, Required: true, About: "when the seller asked for it"},
			{Name: "starts_at", Type: Instant, Required: true},
			{Name: "ends_at", Type: Instant, Required: true},
		}},
}
