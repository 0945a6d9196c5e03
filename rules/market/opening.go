package market

import "time"

// QueryInstance is the activity of the seller's interface that asks whether another
// one has come to its end: newInstance, or the upgrade of what was bought.
const QueryInstance = "queryInstance"

// Answers of the seller's interface, by their published codes. Any other is a
// failure, and so is none.
const (
	AnswerDone       = "000000"
	AnswerInProgress = "000004"
)

// Outcomes of an opening.
const (
	Opened  = "opened"
	Query   = "query"
	Failing = "failing"
	Failed  = "failed"
	Over    = "ended" // there is nothing to open any more
	Late    = "opened_late"
)

// SellerCall is a call to the seller's interface that was made, and its answer.
type SellerCall struct {
	Activity string
	At       time.Time
	Code     string // empty: no answer came
	Instance string // that the answer named; empty where it named none
}

// Failed tells whether the call was to open something, or to upgrade it, and did not.
func (c *SellerCall) Failed() bool {
	return c.Activity != QueryInstance && c.Code != AnswerDone && c.Code != AnswerInProgress
}

// Opening is an order that its seller has to open, with the calls for it, in
// their order.
type Opening struct {
	Order
	SellerID   int64
	Ended      bool      // its delivery counts as accepted, or was refunded
	AcceptedAt time.Time // the buyer's word; zero while there is none
	FailedAt   time.Time // when the order had failed, for good; zero while it has not
	Reopened   int       // how often the end of its delivery was reversed
	Calls      []SellerCall
}

// QueryBody is the body of queryInstance for an order.
type QueryBody struct {
	Activity string `json:"activity"`
	Order    string `json:"orderId"`
	Line     string `json:"orderLineId"`
	Instance string `json:"instanceId,omitempty"`
	TestFlag string `json:"testFlag"`
}

// QueryCall asks the seller what became of an order that was in progress when a
// call was answered.
func (o *Opening) QueryCall(c *SellerCall) Call {
	number := orderNumber(o.Code)
	body := QueryBody{Activity: QueryInstance, Order: number, Line: number + "-000001", Instance: c.Instance, TestFlag: "0"}
	return Call{Key: "call/" + QueryInstance + "/" + o.Site + "/" + o.Code + "/" + CallTime(c.At), Activity: QueryInstance, SellerID: o.SellerID, Instance: c.Instance,
		At: c.At, Payload: written(body)}
}

// Ending is what a small job came to about a subject, once: nothing is decided
// about it any more.
type Ending struct {
	Job     string
	Subject int64
	Outcome string
	At      time.Time // the due instant, never the time of the run
}
