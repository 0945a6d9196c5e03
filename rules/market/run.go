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
	Candidates int64
	Parked     int64
	ResultHash []byte
	Failure    string
	StartedAt  time.Time // wall clock, for people
	FinishedAt time.Time
}
