package rules

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"nightshift/rules/market"
)

// DefaultSite is the site whose files lie at the top of the rule directory.
const DefaultSite = "cn"

// ErrNoPolicy marks a ruleset that has no version in force on a date.
var ErrNoPolicy = errors.New("no rule file in force")

// Site is a marketplace: its currency, its zone, its calendar and its rules.
type Site struct {
	Name     string
	Dir      string // below the rule directory; "." for the default site
	Currency market.Currency
	Zone     *time.Location
	Calendar *market.Calendar   // nil where the site names none
	Jobs     map[string]JobTime // the jobs it runs, and when they evaluate

	policies map[string][]*Policy // by ruleset, the earliest first
	shadows  map[string][]*Policy // by ruleset, in the order of their files
	tests    []*document
	doc      *document
	shares   []*yaml.Node // the rulesets that are those of the default site,
	borrowed []string     // and their names
	shared   *parameters  // nil where there are none
}

// JobTime is when the runs of a job evaluate: a local time, so many days after
// the business date; and what becomes of nights that were missed.
type JobTime struct {
	At        market.TimeOfDay
	DaysAfter int
	Once      bool // of missed nights the last alone is caught up, instead of each
}

// catchUps are the ways to catch up with missed nights.
var catchUps = []string{"each", "once"}

// AsOf is the instant at which a job evaluates for a business date; ok is false
// where the site does not run the job.
func (s *Site) AsOf(job string, on market.Date) (at time.Time, ok bool) {
	j, ok := s.Jobs[job]
	return on.AddDays(j.DaysAfter).At(j.At, s.Zone), ok
}

// Night is the business date of a job that is worked in the night of a date;
// ok is false where the site does not run the job.
func (s *Site) Night(job string, of market.Date) (on market.Date, ok bool) {
	j, ok := s.Jobs[job]
	return of.AddDays(-j.DaysAfter), ok
}

// Policy is the version of a ruleset in force on a business date, with the
// values of that date.
func (s *Site) Policy(ruleset string, on market.Date) (*Policy, error) {
	versions := s.policies[ruleset]
	if len(versions) == 0 {
		return nil, fmt.Errorf("ruleset %s of site %s: %w: %s", ruleset, s.Name, ErrNoPolicy, didYouMean(ruleset, s.Rulesets()))
	}
	for _, p := range slices.Backward(versions) {
		if p.Effective <= on {
			return p.On(on), nil
		}
	}
	return nil, fmt.Errorf("ruleset %s of site %s on %s: %w: the first version holds from %s", ruleset, s.Name, on, ErrNoPolicy, versions[0].Effective)
}

// NextVersion is the first date after that one on which another version of the
// ruleset, or another value in it, comes into force for candidates that wait:
// where orders stay pinned to what held when they were placed, none does.
func (s *Site) NextVersion(ruleset string, after market.Date) (market.Date, bool) {
	holds, _ := s.Policy(ruleset, after) // before the first version none does
	for _, version := range s.policies[ruleset] {
		for _, p := range version.Phases() {
			if p.From > after && (holds == nil || holds.Pin == "" || p.Pin == "") {
				return p.From, true
			}
		}
	}
	return 0, false
}

// Versions are all versions of a ruleset, the earliest first, each in its first
// phase.
func (s *Site) Versions(ruleset string) []*Policy { return slices.Clone(s.policies[ruleset]) }

// own are the versions of a ruleset from files of the site itself: what it
// shares is checked and tested where it comes from.
func (s *Site) own(ruleset string) []*Policy {
	if slices.Contains(s.borrowed, ruleset) {
		return nil
	}
	return s.policies[ruleset]
}

// Rulesets are the names of the rulesets that the site has files of.
func (s *Site) Rulesets() []string {
	names := make([]string, 0, len(s.policies))
	for name := range s.policies {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// version finds one version of a ruleset; 0 is the newest.
func (s *Site) version(ruleset string, version int) *Policy {
	versions := s.policies[ruleset]
	if version == 0 && len(versions) > 0 {
		return versions[len(versions)-1]
	}
	for _, p := range versions {
		if p.Version == version {
			return p
		}
	}
	return nil
}

var siteName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// readSite reads a site.yaml and the calendar it names.
func readSite(fsys fs.FS, d *document) *Site {
	site := &Site{Dir: path.Dir(d.name), Zone: time.UTC, Jobs: map[string]JobTime{}, policies: map[string][]*Policy{}, shadows: map[string][]*Policy{}}
	s := d.section(d.root, "the site", siteKeys...)
	if s == nil {
		return site
	}
	site.Name = s.word("site")
	if site.Name != "" && !siteName.MatchString(site.Name) {
		d.problem(s.fields["site"], "", fmt.Sprintf("%q is not a name of a site", clip(site.Name)), "use small letters, digits and hyphens, such as cn")
	}
	if s.need("currency") != nil {
		site.Currency = s.currency()
	}
	site.Zone = d.zone(s, site.Zone)
	if n := s.fields["calendar"]; n != nil {
		name := s.word("calendar")
		calendar, err := openCalendar(fsys, path.Join(site.Dir, name))
		if err != nil {
			d.problem(n, "", err.Error(), "")
		}
		site.Calendar = calendar
	}
	site.doc, site.shares = d, d.items(s.fields["shares"], "shares")
	for _, job := range d.pairs(s.fields["jobs"], "jobs") {
		j := d.section(job.value, "job "+job.key.Value, jobKeys...)
		if j == nil || j.need("as_of") == nil {
			continue
		}
		at, err := market.ParseTimeOfDay(j.word("as_of"))
		if err != nil {
			d.problem(j.fields["as_of"], "", err.Error(), "")
		}
		site.Jobs[job.key.Value] = JobTime{At: at, DaysAfter: j.daysAfter(), Once: j.catchUp() == "once"}
	}
	return site
}

// mostDaysAfter is as long as a run may evaluate after its business date.
const mostDaysAfter = 31

// daysAfter reads days_after: 0 where the job evaluates on the business date.
func (s *section) daysAfter() int {
	if s.fields["days_after"] == nil {
		return 0
	}
	text := s.word("days_after")
	days, err := strconv.Atoi(text)
	if err != nil || days < 0 || days > mostDaysAfter {
		s.doc.problem(s.fields["days_after"], "", fmt.Sprintf("days_after %q is not a number of days from 0 to %d", clip(text), mostDaysAfter), "write days_after: 1 for the day after the business date")
	}
	return days
}

// catchUp reads catch_up: each missed night where nothing is said.
func (s *section) catchUp() string {
	if s.fields["catch_up"] == nil {
		return "each"
	}
	way := s.word("catch_up")
	if !slices.Contains(catchUps, way) {
		s.doc.problem(s.fields["catch_up"], "", fmt.Sprintf("catch_up %q is no way to catch up with missed nights", clip(way)), didYouMean(way, catchUps))
	}
	return way
}

// zone reads time_zone, an IANA name.
func (d *document) zone(s *section, otherwise *time.Location) *time.Location {
	name := s.word("time_zone")
	if name == "" {
		return otherwise
	}
	zone, err := time.LoadLocation(name)
	if err != nil || strings.EqualFold(name, "local") {
		d.problem(s.fields["time_zone"], "", fmt.Sprintf("unknown time zone %q", clip(name)), "use a name such as Asia/Shanghai")
		return otherwise
	}
	return zone
}

func openCalendar(fsys fs.FS, name string) (*market.Calendar, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read calendar %s: %w", name, err)
	}
	defer f.Close()
	return market.ParseCalendar(name, f)
}
