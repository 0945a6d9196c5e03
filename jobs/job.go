// Package jobs carries decisions out: it reads what is due, asks the rules,
// and keeps decisions, effects and the checkpoint together.
//
// Owns: the steps every run takes, what each job asks and changes, parking,
// the timetable, which business dates are due; asking other rules about history
// (backtest) and beside a night (shadow), which texts are in force (releases),
// taking back what a wrong one decided (undo).
// Does not own: how a decision is found (rules), how anything is kept
// (storage), how a workbook looks (reports).
// Always: a chunk is one transaction, so a run may be killed anywhere and is
// started again after its last chunk; an effect has the key of its business
// event, so nothing happens twice; a candidate's trouble parks the candidate,
// the world's trouble stops the run.
//
//	due --DueChunk--> subjects --Read--> candidates --walk--> steps --Effect--> effects --keep--> one transaction
package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Errors a caller may ask for.
var (
	ErrAlive      = errors.New("somebody else is running it")
	ErrControl    = errors.New("a control total does not tie")
	ErrBadRequest = errors.New("bad request")
	ErrParkLimit  = errors.New("too much was parked")
)

// Job is one kind of nightly work over candidates of type C. It says what is
// the job's own and nothing else.
type Job[C any] struct {
	Name     string
	Rulesets []Ruleset // decided one after the other over the same candidate

	// Read reads candidates by their sorted subjects, in that order, for a run at asOf.
	Read func(tx *storage.Tx, ctx context.Context, subjects []int64, site *rules.Site, asOf time.Time) ([]C, error)
	// Code is the marketplace's own name of a candidate.
	Code func(c *C) string
	// Begins is the first instant at which there is anything to decide.
	Begins func(c *C) time.Time
	// Events appends the instants at which something recorded happened.
	Events func(c *C, to []time.Time) []time.Time
	// Facts are what the rules may ask, as it stood at an instant. They are made
	// in room: facts that were made before and are not needed any more, or nil.
	Facts func(c *C, at time.Time, site *rules.Site, room any) any
	// Effect appends what a step changes. An outcome it does not know is an error.
	Effect func(c *C, ruleset string, s Step, site *rules.Site, to *market.Effects) error
	// Final tells whether an outcome of the first ruleset ends the work.
	Final func(outcome string) bool
	// Endings says that what ended the work is kept, so that nothing wakes it again.
	Endings bool
}

// Ruleset is one question a job asks of a candidate.
type Ruleset struct {
	Name string
	Rest string // the outcome that says nothing: it is not kept before another one was
}

// Engine runs jobs on a store with the rules of a book.
type Engine struct {
	Store     *storage.Store
	Book      *rules.Book
	Workers   int
	ChunkSize int    // candidates kept in one transaction; 0 is the usual size
	Build     string // a run goes on only under the build that began it
	ParkLimit int    // candidates a run may set aside before it stops; 0 is the usual limit
	Progress  func(Progress)

	ReleasesRequired bool // only released rule texts are in force, the Book's files are candidates

	Language string // of digests and alarms: zh, or English

	ArchiveDir string // where months of history leave to by themselves; empty: nowhere

	Tracer   *Tracer       // is told what took how long; nil: nobody
	Helpers  int           // worker slots on other machines that a run asks for help
	Patience time.Duration // how long a worker waits for a database that went away; 0 is the usual time
}

// Progress is how far a run has come.
type Progress struct {
	Job   string
	On    market.Date
	Step  string // of it, after its decisions: workbooks; empty before
	Done  int64
	Total int64
}

// The usual sizes.
const (
	usualChunk     = 5000
	usualParkLimit = 1000
	usualPatience  = 30 * time.Second
	shardSize      = 50_000 // candidates a worker carries at a time
	mostShards     = 1000
	fewShards      = 8   // a night has at least as many, so that workers share it,
	smallShard     = 100 // unless they would be smaller than this
	worthGathering = 100 // candidates of a run after which tables may have grown
)

// How long the lock of a killed process may linger, and how often it is asked
// for meanwhile.
const (
	lockLingers = 3 * time.Second
	lockRetry   = 100 * time.Millisecond
)

// step takes a claimed shard of a run one chunk further. It is what Job[C]
// looks like to the run, which does not care what candidates are.
type step func(ctx context.Context, tx *storage.Tx, x *execution, shard *storage.Shard, p pace) error

// line is a job of the timetable.
type line struct {
	name     string
	counted  string // what its candidates are called; empty: orders
	rulesets []string
	rests    []string                                                      // one a ruleset
	chunk    int                                                           // subjects kept in one transaction; 0 is the usual size
	uneven   bool                                                          // some candidates weigh a thousand times as much as others: chunks go by what they write
	first    func(ctx context.Context, tx *storage.Tx, x *execution) error // before the first chunk; nil: nothing
	whole    bool                                                          // every subject is looked at in every run
	asked    bool                                                          // no night runs it by itself before anything was reported for it
	step     step
	final    func(outcome string) bool
	report   func(a *account, w io.Writer) error // writes the workbook of a run; nil: it has none
}

func timetabled[C any](j Job[C], report func(a *account, w io.Writer) error) line {
	l := line{name: j.Name, step: j.step, final: j.Final, report: report}
	for _, r := range j.Rulesets {
		l.rulesets, l.rests = append(l.rulesets, r.Name), append(l.rests, r.Rest)
	}
	return l
}

// small is the line of a job that few sites have anything for. It has no workbook:
// what it came to is in its decisions, notices and calls.
func small[C any](j Job[C], counted string) line {
	l := timetabled(j, nil)
	l.counted, l.asked, l.final = counted, true, nil
	return l
}

// timetable is every job in the order of a night.
var timetable = []line{small(Openings, "orders"), timetabled(Acceptance, acceptanceReport), renewal, billing, settlement, small(Listings, "products"), small(Leads, "leads"), small(Offers, "offers")}

// Names are the jobs there are, in the order of a night.
func Names() []string {
	var names []string
	for _, l := range timetable {
		names = append(names, l.name)
	}
	return names
}

// Counted is what the candidates of a job are called.
func Counted(job string) string {
	if l, err := find(job); err == nil && l.counted != "" {
		return l.counted
	}
	return "orders"
}

// NamesAt are the jobs that a site runs, in the order of a night: each behind
// those that it waits for.
func NamesAt(site *rules.Site) []string { return site.JobsInOrder(Names()) }

func find(job string) (line, error) {
	for _, l := range timetable {
		if l.name == job {
			return l, nil
		}
	}
	return line{}, fmt.Errorf("%w: there is no job %q: the jobs are %v", ErrBadRequest, job, Names())
}
