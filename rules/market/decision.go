package market

import (
	"slices"
	"time"
)

// Outcomes of an acceptance decision. A person may decide the same words.
const (
	Accept       = "accept"       // the delivery is accepted in the buyer's place, at the due instant
	Refund       = "refund"       // the order is closed and its money goes back
	Wait         = "wait"         // ask again later
	Hold         = "hold"         // a person decides
	Unsupervised = "unsupervised" // there is nothing to watch
)

// Outcomes of a reminder decision.
const (
	Remind = "remind"
	Quiet  = "quiet"
)

// Otherwise is the rule's name where no rule matched.
const Otherwise = "otherwise"

// Decision is what a policy or a person answered about one subject, and why.
// It is kept for ever and stands until the next one.
type Decision struct {
	Subject  int64
	Ruleset  string
	On       Date
	No       int   // 0 for the run's, 1, 2 … for what people decided on that date
	RunID    int64 // zero where a person decided
	Outcome  string
	Rule     string
	DueAt    time.Time // since when the answer holds; zero where no clock says so
	LookAt   time.Time // when it turns if nothing else does; zero: only if a fact or a rule changes
	Facts    []byte    // JSON: all that the rules could see
	Carried  []byte    // JSON: the values that came with the outcome; empty where none did
	Actor    string    // the person; empty for a run
	Because  string    // the person's reason; the rule's is in its file
	Evidence string
	Refused  []Refusal // of an order that could not be paid: the instruments that were not used, and why
}

// Completion is the end of an order's supervision: from its instant on the
// order is completed, or refunded. There is one for each order, and another one
// only after that was reversed.
type Completion struct {
	OrderID     int64
	No          int       // how often the order's end was reversed before
	Outcome     string    // Accept or Refund
	CompletedAt time.Time // the due instant, never the time of the run
	ValidFrom   time.Time // zero for a one-off sale and for a refund
	ValidUntil  time.Time
}

// Notice is a message that is owed to somebody because of an event, once.
type Notice struct {
	Key        string // the event's, such as accepted/cn/A-1
	Kind       string // accepted, refunded, overdue, phone_mismatch …
	Subject    int64
	Recipients []string // seller, buyer, account_manager, platform
	At         time.Time
}

// Event is something that happened in the trade and may happen only once.
type Event struct{ Key string }

// Effects is what some decisions change, as data.
type Effects struct {
	Events      []Event
	Completions []Completion
	Notices     []Notice
	Calls       []Call
	Endings     []Ending
}

// Once drops what repeats an event: the first of them stands.
func (e *Effects) Once() {
	for i := 1; i < len(e.Events); {
		key := e.Events[i].Key
		if !slices.Contains(e.Events[:i], e.Events[i]) {
			i++
			continue
		}
		e.Events = slices.Delete(e.Events, i, i+1)
		second := 0
		e.Notices = slices.DeleteFunc(e.Notices, func(n Notice) bool {
			if n.Key == key {
				second++
			}
			return n.Key == key && second > 1
		})
		second = 0
		e.Calls = slices.DeleteFunc(e.Calls, func(c Call) bool {
			if c.Key == key {
				second++
			}
			return c.Key == key && second > 1
		})
	}
}

// Append adds other effects to e.
func (e *Effects) Append(other Effects) {
	e.Events = append(e.Events, other.Events...)
	e.Completions = append(e.Completions, other.Completions...)
	e.Notices = append(e.Notices, other.Notices...)
	e.Calls = append(e.Calls, other.Calls...)
	e.Endings = append(e.Endings, other.Endings...)
}
