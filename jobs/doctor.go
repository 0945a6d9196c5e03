package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Finding is what the doctor says of one thing, and what to do about it.
type Finding struct {
	Check  string `json:"check"`
	Grade  string `json:"grade"` // good, watch or bad
	Says   string `json:"says"`
	Advice string `json:"advice,omitempty"`
}

// Grades of a finding.
const (
	Good    = "good"
	BeAware = "watch" // a person should know
	Bad     = "bad"   // nights fail, or will
)

// Limits by which the doctor judges.
const (
	clockOff    = 2 * time.Second // from the database's clock before it is said
	clockBad    = time.Minute
	monthsAhead = 31        // days ahead of which partitions and calendars are there
	stuckAfter  = time.Hour // that nobody carries a run
	fewLeft     = 0.9       // of the connections in use
	oldestMajor = 14        // of Postgres
)

// Examine looks at what a night stands on: the database and its clock, calendars,
// partitions, and work that is stuck.
func (e *Engine) Examine(ctx context.Context, now time.Time) []Finding {
	v, err := e.Store.Vitals(ctx)
	if err != nil {
		return []Finding{databaseAway(err)}
	}
	all := []Finding{databaseFinding(v), clockFinding(v, now), e.partitions(ctx, now), e.stuck(ctx, now)}
	if months, err := e.Archivable(ctx, now); err != nil || len(months) > 0 {
		all = append(all, archiveFinding(months, e.lets(ctx, months), err))
	}
	for _, site := range e.Book.Sites() {
		nights, ran := e.nights(ctx, site, now)
		all = append(all, nights)
		if ran && site.Calendar != nil {
			all = append(all, calendarFinding(site, now))
		}
	}
	return all
}

// databaseAway is what to do about a database that cannot be worked on. Of its schema
// the error says it.
func databaseAway(err error) Finding {
	f := Finding{"database", Bad, err.Error(), "start it, or correct DATABASE_URL"}
	for _, schema := range []error{storage.ErrSchemaMissing, storage.ErrSchemaOlder, storage.ErrSchemaNewer} {
		if errors.Is(err, schema) {
			f.Advice = "`nightshift migrate status` lists both"
		}
	}
	return f
}

func databaseFinding(v storage.Vitals) Finding {
	f := Finding{Check: "database", Grade: Good, Says: fmt.Sprintf("Postgres %s, schema %d, %.1f MB, %d of %d connections", v.Version, v.Schema, float64(v.Bytes)/(1<<20), v.Connections, v.Most)}
	var major int
	if _, err := fmt.Sscanf(v.Version, "%d", &major); err == nil && major < oldestMajor {
		f.Grade, f.Advice = Bad, fmt.Sprintf("install Postgres %d or newer", oldestMajor)
	} else if float64(v.Connections) > fewLeft*float64(v.Most) {
		f.Grade, f.Advice = BeAware, "raise max_connections, or lower NIGHTSHIFT_WORKERS"
	}
	return f
}

func clockFinding(v storage.Vitals, now time.Time) Finding {
	off := now.Sub(v.Now).Round(time.Millisecond)
	f := Finding{Check: "clock", Grade: Good, Says: fmt.Sprintf("%s from the database's", off)}
	if off.Abs() > clockOff {
		f.Grade, f.Advice = BeAware, "have both machines ask the same time server (timedatectl set-ntp true)"
	}
	if off.Abs() > clockBad {
		f.Grade = Bad
	}
	return f
}

func archiveFinding(months []market.Date, lacks, err error) Finding {
	if err != nil {
		return Finding{"archive", Bad, err.Error(), ""}
	}
	f := Finding{"archive", BeAware, fmt.Sprintf("%d months of history, from %s on, are older than keep: in site.yaml says", len(months), market.Month(months[0])),
		"serve archives them within a day; `nightshift housekeeping` does it now"}
	if lacks != nil {
		f.Says += ": " + lacks.Error()
		f.Advice = "have cron run `nightshift housekeeping` once a month with NIGHTSHIFT_ARCHIVE, and with NIGHTSHIFT_OWNER_URL, which serve need not know"
	}
	return f
}

func calendarFinding(site *rules.Site, now time.Time) Finding {
	f := Finding{Check: "calendar of " + site.Name, Grade: Good, Says: "knows the days that come"}
	if _, err := site.Calendar.IsWorkingDay(market.DateOf(now, site.Zone).AddDays(monthsAhead)); err != nil {
		f.Grade, f.Says, f.Advice = BeAware, err.Error(), "add the year's holidays and make-up days to the calendar file of the site"
	}
	if _, err := site.Calendar.IsWorkingDay(market.DateOf(now, site.Zone)); err != nil {
		f.Grade = Bad
	}
	return f
}

func (e *Engine) partitions(ctx context.Context, now time.Time) Finding {
	f := Finding{Check: "partitions", Grade: Good}
	next := market.DateOf(now, time.UTC).AddMonths(1, 1)
	missing, err := e.Store.MissingMonths(ctx, next)
	switch {
	case err != nil:
		f.Grade, f.Says = Bad, err.Error()
	case len(missing) > 0:
		f.Grade, f.Says = BeAware, fmt.Sprintf("%d histories have none for %s", len(missing), market.Month(next))
		f.Advice = "serve makes them a month ahead, and so does `nightshift housekeeping`; else the first run of the month does"
	default:
		f.Says = "there up to " + market.Month(next).String()
	}
	return f
}

func (e *Engine) stuck(ctx context.Context, now time.Time) Finding {
	f := Finding{Check: "runs", Grade: Good, Says: "none is stuck"}
	runs, alive, err := e.Store.Unfinished(ctx)
	if err != nil {
		return Finding{"runs", Bad, err.Error(), ""}
	}
	var stuck []string
	for i, r := range runs {
		if alive[i] || r.State == market.RunRunning && now.Sub(r.StartedAt) < stuckAfter {
			continue
		}
		stuck = append(stuck, fmt.Sprintf("run %d, %s of %s at %s, is %s and nobody carries it", r.ID, r.Job, r.On, r.Site, r.State))
	}
	if len(stuck) > 0 {
		r := runs[0]
		f.Grade, f.Says = Bad, strings.Join(stuck, "; ")
		f.Advice = fmt.Sprintf("start it again: `nightshift run %s --date %s --site %s`; `nightshift runs show %d` says why it stopped", r.Job, r.On, r.Site, r.ID)
	}
	return f
}

// nights is how the nights of a site stand, and whether it ever ran: one that did
// not is not waited for.
func (e *Engine) nights(ctx context.Context, site *rules.Site, now time.Time) (f Finding, ran bool) {
	outlooks, err := e.Outlook(ctx, site.Name, now)
	if err != nil {
		return Finding{"nights of " + site.Name, Bad, err.Error(), ""}, true
	}
	f = Finding{Check: "nights of " + site.Name, Grade: Good, Says: "nothing is due"}
	var says, advice []string
	say := func(grade, what, do string) {
		if says = append(says, what); !slices.Contains(advice, do) {
			advice = append(advice, do)
		}
		if f.Grade != Bad {
			f.Grade = grade
		}
	}
	for _, o := range outlooks {
		ran = ran || o.Ran
		if h, halted, err := e.haltOf(ctx, o); err == nil && halted && len(o.Due) == 0 && !slices.Contains(says, h.String()) { // else it is what stands in the way
			say(BeAware, h.String(), resumes(h))
		}
		if o.Parked > 0 {
			say(BeAware, fmt.Sprintf("%d of %s are parked", o.Parked, o.Job), fmt.Sprintf("see `nightshift runs parked %s --site %s`", o.Job, site.Name))
		}
		if len(o.Due) == 0 || !o.Ran && !(ran && o.Stands()) {
			continue
		}
		due := fmt.Sprintf("%s is due for %s, since %s", o.Job, dates(len(o.Due)), o.Due[0])
		if errors.Is(o.Why, ErrPaused) || errors.Is(o.Why, ErrNoInput) || errors.Is(o.Why, ErrTooMuch) || errors.Is(o.Why, ErrControl) {
			say(Bad, due, o.Why.Error())
		} else {
			say(BeAware, due, "start `nightshift serve`, or `nightshift night`: see Operations in the README")
		}
	}
	switch {
	case len(says) > 0:
		f.Says, f.Advice = strings.Join(says, "; "), strings.Join(advice, "; ")
	case !ran:
		f.Says = "no job ever ran"
	}
	return f, ran
}

func dates(n int) string {
	if n == 1 {
		return "1 date"
	}
	return fmt.Sprintf("%d dates", n)
}

// haltOf is the pause of a job.
func (e *Engine) haltOf(ctx context.Context, o Outlook) (h storage.Halt, halted bool, err error) {
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		h, halted, err = tx.HaltOf(ctx, o.Site, o.Job, 0)
		return err
	})
	return h, halted, err
}
