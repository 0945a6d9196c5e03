package market

import "time"

// States of a run.
const (
	RunRunning   = "running"
	RunCompleted = "completed"
	RunFailed    = "failed"
)

// Run is one job carried through one business date of one site.
type Run struct {
	ID         int64
	Job        string
	Site       string
	On         Date
	AsOf       time.Time // the instant the run evaluates at
	State      string
	Build      string
	Schema     int
	Policies   map[string]string // ruleset to the content hash of the version the run is pinned to
	Due        int64             // candidates there were to look at when it began
	Candidates int64             // those it has looked at
	Parked     int64             // of these, set aside with a reason
	Decisions  int64             // rows of history it kept
	Outcomes   map[string]int64  // of these, how many each outcome of the first ruleset
	ResultHash []byte
	Failure    string
	StartedAt  time.Time // wall clock, for people
	FinishedAt time.Time
}
