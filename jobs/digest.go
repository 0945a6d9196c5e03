package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Message is what people are told about the nights of a site.
type Message struct {
	Key     string       `json:"key"` // names it: it is told once
	Kind    string       `json:"kind"`
	Site    string       `json:"site"`
	Night   market.Date  `json:"night"`
	Subject string       `json:"subject"`
	Person  bool         `json:"needs_a_person"`
	Lines   []string     `json:"lines"`
	Runs    []MessageRun `json:"runs,omitempty"`

	speech speech
}

// MessageRun is a run as a digest tells it.
type MessageRun struct {
	ID         int64            `json:"id"`
	Job        string           `json:"job"`
	Date       market.Date      `json:"date"`
	State      string           `json:"state"`
	Candidates int64            `json:"candidates"`
	Parked     int64            `json:"parked"`
	Outcomes   map[string]int64 `json:"outcomes"`
	Workbook   string           `json:"workbook,omitempty"`
}

// Text is the message as people read it.
func (m Message) Text() string { return strings.Join(m.Lines, "\n") + "\n" }

// Kinds of messages.
const (
	KindDigest = "digest"
	KindAlarm  = "alarm"
)

// Messages are what has to be told now, and was not: the digest of the night, once
// its jobs are through or their deadlines are over, and an alarm for each job that
// will miss its deadline.
func (e *Engine) Messages(ctx context.Context, siteName string, now time.Time) ([]Message, error) {
	site, err := e.site(siteName)
	if err != nil {
		return nil, err
	}
	outlooks, err := e.Outlook(ctx, site.Name, now)
	if err != nil {
		return nil, err
	}
	var all []Message
	for _, o := range outlooks {
		if o.Late() {
			all = append(all, e.alarmOf(site, o, now))
		}
	}
	digest, due, err := e.digestOf(ctx, site, outlooks, now)
	if err != nil {
		return nil, err
	}
	if due {
		all = append(all, digest)
	}
	return e.untold(ctx, all)
}

// untold leaves out what was told before.
func (e *Engine) untold(ctx context.Context, all []Message) (left []Message, err error) {
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		left = nil
		for _, m := range all {
			told, err := tx.Told(ctx, m.Key)
			if err != nil {
				return err
			}
			if !told {
				left = append(left, m)
			}
		}
		return nil
	})
	return left, err
}

// Told records that a message reached people.
func (e *Engine) Told(ctx context.Context, m Message) error {
	return e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error { return tx.KeepMessage(ctx, m.Key, m.Site, m.Subject) })
}

const clockShown = "2006-01-02 15:04"

func (e *Engine) alarmOf(site *rules.Site, o Outlook, now time.Time) Message {
	on, say := o.Due[0], speech(e.Language).say
	m := Message{Key: fmt.Sprintf("alarm/%s/%s/%s", site.Name, o.Job, on), Kind: KindAlarm, Site: site.Name, Night: o.Night, Person: true}
	by := o.Deadline.In(site.Zone).Format(clockShown)
	m.Subject, m.Lines = say("Nightshift %s: %s of %s will not be done by %s", site.Name, o.Job, on, by), []string{say("%s of %s at %s will not be done by %s.", o.Job, on, site.Name, by)}
	if now.After(o.Deadline) {
		m.Subject, m.Lines = say("Nightshift %s: %s of %s is not done by %s", site.Name, o.Job, on, by), []string{say("%s of %s at %s is not done by %s.", o.Job, on, site.Name, by)}
	}
	due := speech(e.Language).counted(len(o.Due), "night")
	if o.Usual == 0 {
		m.Lines = append(m.Lines, say("No past run says how long it takes; %s due.", due))
	} else {
		m.Lines = append(m.Lines, say("Past runs took %s each, so it is done at %s, if it begins now; %s due.", o.Usual.Round(time.Second/10), o.Forecast.In(site.Zone).Format(clockShown), due))
	}
	if o.Why != nil {
		m.Lines = append(m.Lines, say("It does not begin: %v", o.Why))
	} else if o.Run.ID != 0 {
		m.Lines = append(m.Lines, say("Run %d has looked at %d of %d: `nightshift runs show %d`.", o.Run.ID, o.Run.Candidates, o.Run.Due, o.Run.ID))
	}
	return m
}

// longestNight is how long after the last as-of of a night its digest is sent
// at the latest, where no deadline is named.
const longestNight = 6 * time.Hour

// digestOf is the digest of the night of today; due is false while jobs of it may
// still come to their end, and where none has begun and nobody waits for any.
func (e *Engine) digestOf(ctx context.Context, site *rules.Site, outlooks []Outlook, now time.Time) (m Message, due bool, err error) {
	night := market.DateOf(now, site.Zone)
	m = Message{Key: fmt.Sprintf("digest/%s/%s", site.Name, night), Kind: KindDigest, Site: site.Name, Night: night, speech: speech(e.Language)}
	through, over, begun := true, true, false
	for _, o := range outlooks {
		on, works, err := site.Night(o.Job, night)
		if err != nil {
			return m, false, err
		}
		if idle := !o.Ran && len(o.Due) == 0; works && !idle {
			ran, late, err := e.tellRun(ctx, site, o.Job, on, now, &m)
			if err != nil {
				return m, false, err
			}
			through, over, begun = through && ran, over && late, begun || ran
		}
		if o.Parked > 0 {
			m.needsAPerson("set aside until a person mends it: %d of %s, `nightshift runs parked %s --site %s`", o.Parked, o.Job, o.Job, site.Name)
		}
		if o.Stands() {
			m.needsAPerson("%s of %s does not begin: %v", o.Job, o.Due[0], o.Why)
			begun = true
		}
	}
	if err := e.tellMadeUp(ctx, site, night, now, &m); err != nil {
		return m, false, err
	}
	m.Subject = m.speech.say("Nightshift %s, night of %s: %s", site.Name, night, m.speech.counted(len(m.Runs), "run"))
	if m.Person {
		m.Subject += m.speech.say(", a person is needed")
	}
	m.Lines = append([]string{m.Subject, ""}, m.Lines...)
	return m, begun && (through || over), nil
}

// needsAPerson adds what somebody has to do.
func (m *Message) needsAPerson(format string, args ...any) {
	m.Person = true
	m.Lines = append(m.Lines, "  "+m.speech.say(format, args...))
}

// mostMadeUp is how many runs are looked through for nights that were made up for.
const mostMadeUp = 300

// tellMadeUp adds the runs of earlier nights that came to their end on the day of a
// night.
func (e *Engine) tellMadeUp(ctx context.Context, site *rules.Site, night market.Date, now time.Time, m *Message) error {
	var runs []market.Run
	err := e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) (err error) {
		runs, err = tx.ListRuns(ctx, "", site.Name, mostMadeUp)
		return err
	})
	if err != nil {
		return err
	}
	midnight := night.At(market.TimeOfDay{}, site.Zone)
	late := map[string][]market.Date{}
	for _, r := range runs { // newest first
		worked, err := site.NightOf(r.Job, r.On)
		if err == nil && worked < night && r.State == market.RunCompleted && !r.FinishedAt.Before(midnight) && !r.FinishedAt.After(now) {
			late[r.Job] = append(late[r.Job], r.On)
		}
	}
	for _, job := range NamesAt(site) {
		switch dates := late[job]; len(dates) {
		case 0:
		case 1:
			m.Lines = append(m.Lines, m.speech.say("%s of %s was made up for since midnight", job, dates[0]))
		default:
			m.Lines = append(m.Lines, m.speech.say("%s of %d dates was made up for since midnight, %s to %s", job, len(dates), dates[len(dates)-1], dates[0]))
		}
	}
	return nil
}

// tellRun adds the run of a job to a digest. Ran is whether it came to its end,
// late whether nobody waits for it any more.
func (e *Engine) tellRun(ctx context.Context, site *rules.Site, job string, on market.Date, now time.Time, m *Message) (ran, late bool, err error) {
	until, err := site.DeadlineOf(job, on)
	if err != nil {
		return false, false, err
	}
	if until.IsZero() {
		asOf, err := site.AsOf(job, on)
		if err != nil {
			return false, false, err
		}
		until = asOf.Add(longestNight)
	}
	var run market.Run
	var found bool
	var before map[string]string
	if err := e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		if run, found, err = tx.FindRun(ctx, job, site.Name, on); err == nil {
			before, err = tx.PoliciesBefore(ctx, job, site.Name, on)
		}
		return err
	}); err != nil {
		return false, false, err
	}
	if !found {
		m.Person = true
		m.Lines = append(m.Lines, m.speech.say("%s of %s was not begun", job, on))
		return false, now.After(until), nil
	}
	told := MessageRun{ID: run.ID, Job: job, Date: on, State: run.State, Candidates: run.Candidates, Parked: run.Parked, Outcomes: run.Outcomes}
	if run.State == market.RunCompleted && HasWorkbook(job) {
		told.Workbook = WorkbookName(run)
	}
	m.Runs = append(m.Runs, told)
	m.Lines = append(m.Lines, told.line(run, m.speech))
	m.Person = m.Person || run.State != market.RunCompleted
	if changed := otherRules(before, run.Policies); len(changed) > 0 {
		m.Lines = append(m.Lines, "  "+m.speech.say("its rules are not those of the run before: %s", strings.Join(changed, ", ")))
	}
	for outcome, n := range run.Outcomes {
		switch held := outcome == market.Hold || strings.HasSuffix(outcome, " hold"); {
		case held && HasWorkbook(job):
			m.needsAPerson("on hold until a person decides: %d, the workbook lists them", n)
		case held || outcome == market.Late:
			m.needsAPerson("%s, a person sees to it: %d, `nightshift standing %s --outcome %s --site %s`", m.speech.outcome(outcome), n, job, outcome, site.Name)
		}
	}
	return run.State == market.RunCompleted, now.After(until), nil
}

// otherRules are the rulesets that two runs of a job did not decide by alike.
func otherRules(before, now map[string]string) (changed []string) {
	if before == nil {
		return nil
	}
	for name, hash := range now {
		if ruleset, _, _ := strings.Cut(name, "/"); before[name] != hash && !slices.Contains(changed, ruleset) {
			changed = append(changed, ruleset)
		}
	}
	slices.Sort(changed)
	return changed
}

// line is a run in a sentence.
func (r MessageRun) line(run market.Run, in speech) string {
	var came []string
	for _, outcome := range slices.Sorted(maps.Keys(r.Outcomes)) {
		came = append(came, fmt.Sprintf("%s %d", in.outcome(outcome), r.Outcomes[outcome]))
	}
	line := in.say("%s of %s: %s, run %d, looked at %d %s", r.Job, r.Date, in.say(r.State), r.ID, r.Candidates, in.say(Counted(r.Job)))
	if len(came) > 0 {
		line += ": " + strings.Join(came, ", ")
	}
	if r.Parked > 0 {
		line += in.say("; set aside %d", r.Parked)
	}
	if took := run.FinishedAt.Sub(run.StartedAt).Round(time.Second); run.State == market.RunCompleted && took > 0 {
		line += in.say("; took %s", took)
	}
	if run.Failure != "" {
		line += "; " + run.Failure
	}
	if r.Workbook != "" {
		line += "; " + r.Workbook
	}
	return line
}
