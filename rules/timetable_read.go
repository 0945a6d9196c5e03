package rules

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/robfig/cron/v3"
	"go.yaml.in/yaml/v3"

	"nightshift/rules/market"
)

// Limits of the timetable.
const (
	mostDaysAfter = 31   // as long as a run may evaluate after its business date
	mostNights    = 3660 // missed nights that a file may have caught up
)

// readTimetable reads the jobs of a site: each a section of its own.
func (d *document) readTimetable(site *Site, n *yaml.Node) {
	lines := map[string]*section{}
	var names []string
	for _, job := range d.pairs(n, "jobs") {
		j := d.section(job.value, "job "+job.key.Value, jobKeys...)
		if j == nil || j.need("as_of") == nil {
			continue
		}
		lines[job.key.Value], names = j, append(names, job.key.Value)
		site.Jobs[job.key.Value] = j.jobTime()
	}
	for _, name := range names {
		j, line := site.Jobs[name], lines[name]
		if site.Calendar == nil && j.Working {
			d.problem(line.fields["days"], "", "job "+name+" asks for working days, and the site has no calendar", "add calendar: calendar.csv")
			delete(site.Jobs, name) // nothing below may ask it
		}
		for i, item := range d.items(line.fields["after"], "after") {
			if first := j.After[i]; lines[first] == nil {
				d.problem(item, "", fmt.Sprintf("job %s waits for %s, which the site does not run", name, clip(first)), didYouMean(first, names))
			}
		}
	}
	for _, name := range names {
		if c := site.circle(name, nil); c != nil && c[0] == name {
			d.problem(lines[name].fields["after"], "", "jobs wait for each other: "+arrows(c), "take one of them out of after")
			return
		}
	}
}

// jobTime reads the line of one job.
func (s *section) jobTime() JobTime {
	j := JobTime{
		At: s.timeOfDay("as_of"), DaysAfter: s.number("days_after", 0, 0, mostDaysAfter, "write days_after: 1 for the day after the business date"),
		Monthly: s.one("every", spans) == "month", Working: s.one("days", dayKinds) == "working",
		Once: s.one("catch_up", catchUps) == "once", Skipped: s.one("overlap", overlaps) == "skip",
		MostOf: s.number("catch_up_most", mostMissed, 1, mostNights, "write catch_up_most: 31 for a month"),
	}
	if j.Once && s.fields["catch_up_most"] != nil {
		s.doc.problem(s.fields["catch_up_most"], "", "catch_up_most is of nights that are caught up one by one, and these are caught up once", "leave it out")
	}
	if j.Monthly && s.fields["days_after"] != nil {
		s.doc.problem(s.fields["days_after"], "", "a job that runs for months runs on their bill days", "take days_after away: the ruleset "+CalendarRuleset+" says when")
	}
	if j.Monthly && s.fields["days"] != nil {
		s.doc.problem(s.fields["days"], "", "a job that runs for months has no other days", "take days away")
	}
	if s.fields["deadline"] != nil {
		at := s.timeOfDay("deadline")
		j.Deadline = &at
	}
	for _, item := range s.doc.items(s.fields["after"], "after") {
		name, _ := s.doc.scalar(item, "a job to wait for")
		j.After = append(j.After, name)
	}
	for _, kind := range s.doc.pairs(s.fields["needs"], "needs") {
		if n := s.doc.section(kind.value, "need "+kind.key.Value, needKeys...); n != nil {
			j.Needs = append(j.Needs, n.needed(kind.key.Value))
		}
	}
	j.Wake, j.wakes = s.wake()
	return j
}

// wake reads a cron expression.
func (s *section) wake() (string, cron.Schedule) {
	n := s.fields["wake"]
	if n == nil {
		return "", nil
	}
	text := s.word("wake")
	wakes, err := cron.ParseStandard(text)
	switch {
	case err != nil:
		s.doc.problem(n, "", fmt.Sprintf("wake %q is not a cron expression: %v", clip(text), err), `write minute, hour, day, month and day of the week, such as "30 2 * * *"`)
	case slices.ContainsFunc([]string{"TZ=", "CRON_TZ=", "@every"}, func(p string) bool { return len(text) >= len(p) && text[:len(p)] == p }):
		s.doc.problem(n, "", fmt.Sprintf("wake %q: the clock is that of the site", clip(text)), `write minute, hour, day, month and day of the week, such as "30 2 * * *"`)
	case wakes.Next(time.Unix(0, 0).UTC()).IsZero():
		s.doc.problem(n, "", fmt.Sprintf("wake %q names a day that never comes", clip(text)), "")
	default:
		return text, wakes
	}
	return "", nil
}

// needed reads what a night needs of one kind.
func (s *section) needed(kind string) Need {
	need := Need{
		Kind:  kind,
		Files: s.number("files", 1, 0, 1_000_000, "write files: 1"), Rows: int64(s.number("rows", 0, 0, 1_000_000_000, "write rows: 1000")),
		MostFiles: s.number("most_files", 0, 1, 1_000_000, "write most_files: 3"), MostRows: int64(s.number("most_rows", 0, 1, 1_000_000_000, "write most_rows: 5000")),
		Until: s.timeOfDay("until"), Within: 24 * time.Hour,
	}
	if need.MostFiles > 0 && need.MostFiles < need.Files {
		s.doc.problem(s.fields["most_files"], "", fmt.Sprintf("need %s asks for %d files at least and %d at most", kind, need.Files, need.MostFiles), "raise most_files")
	}
	if need.MostRows > 0 && need.MostRows < need.Rows {
		s.doc.problem(s.fields["most_rows"], "", fmt.Sprintf("need %s asks for %d rows at least and %d at most", kind, need.Rows, need.MostRows), "raise most_rows")
	}
	if n := s.fields["within"]; n != nil {
		within, err := ParseDuration(s.word("within"))
		if err != nil || within <= 0 {
			s.doc.problem(n, "", "within is not a length of time", "write it like 24h or 7d")
		}
		need.Within = within
	}
	return need
}

func (s *section) timeOfDay(key string) (at market.TimeOfDay) {
	n := s.need(key)
	if n == nil {
		return at
	}
	at, err := market.ParseTimeOfDay(s.word(key))
	if err != nil {
		s.doc.problem(n, "", err.Error(), "")
	}
	return at
}

// number reads a whole number from least to most.
func (s *section) number(key string, otherwise, least, most int, hint string) int {
	if s.fields[key] == nil {
		return otherwise
	}
	text := s.word(key)
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		s.doc.problem(s.fields[key], "", fmt.Sprintf("%s %q is not a whole number from %d to %d", key, clip(text), least, most), hint)
		return otherwise
	}
	return n
}

// one reads one of some words; the first where nothing is said.
func (s *section) one(key string, words []string) string {
	if s.fields[key] == nil {
		return words[0]
	}
	word := s.word(key)
	if !slices.Contains(words, word) {
		s.doc.problem(s.fields[key], "", fmt.Sprintf("%s cannot be %q", key, clip(word)), didYouMean(word, words))
		return words[0]
	}
	return word
}
