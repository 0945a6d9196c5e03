package rules

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
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
	Keep     Keep

	policies map[string][]*Policy // by ruleset, the earliest first
	shadows  map[string][]*Policy // by ruleset, in the order of their files
	tests    []*document
	doc      *document
	shares   []*yaml.Node // the rulesets that are those of the default site,
	borrowed []string     // and their names
	shared   *parameters  // nil where there are none
}

// Policy is the version of a ruleset in force on a business date, with the
// values of that date.
func (s *Site) Policy(ruleset string, on market.Date) (*Policy, error) {
	versions := s.policies[ruleset]
	if len(versions) == 0 {
		return nil, fmt.Errorf("ruleset %s of site %s: %w%s", ruleset, s.Name, ErrNoPolicy, guessed(": ", ruleset, s.Rulesets()))
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
	d.readTimetable(site, s.fields["jobs"])
	site.Keep = d.readKeep(s.fields["keep"])
	return site
}

// Keep is how long a site keeps what is not needed for ever; zero is for ever.
type Keep struct {
	Documents time.Duration // of runs: they can be written again from history
	Shards    time.Duration // of completed runs: how they were divided
	History   time.Duration // decisions and notices, before they leave for the archive
}

// leastHistory is how long the database itself holds on to a month after its end.
const leastHistory = 130 * 24 * time.Hour

// readKeep reads keep.
func (d *document) readKeep(n *yaml.Node) (k Keep) {
	if n == nil {
		return k
	}
	s := d.section(n, "keep", keepKeys...)
	if s == nil {
		return k
	}
	for _, of := range []struct {
		key   string
		to    *time.Duration
		least time.Duration
	}{{"documents", &k.Documents, time.Hour}, {"shards", &k.Shards, time.Hour}, {"history", &k.History, leastHistory}} {
		if s.fields[of.key] == nil {
			continue
		}
		span, err := ParseDuration(s.word(of.key))
		if err != nil || span < of.least {
			d.problem(s.fields[of.key], "", of.key+" is not a length of time of "+FormatDuration(of.least)+" or more", "write it like 400d")
		}
		*of.to = span
	}
	return k
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
