package main

import (
	"encoding/json"
	"time"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
)

// decisionView is one decision for machines.
type decisionView struct {
	Date      string          `json:"date"`
	Ruleset   string          `json:"ruleset"`
	Outcome   string          `json:"outcome"`
	Rule      string          `json:"rule"`
	Version   string          `json:"version,omitempty"`
	Because   string          `json:"because"`
	Since     *time.Time      `json:"since,omitempty"`
	Turns     *turnView       `json:"turns,omitempty"`
	NextTry   *time.Time      `json:"next_try,omitempty"` // of a renewal that could not be paid
	Run       int64           `json:"run,omitempty"`
	Actor     string          `json:"actor,omitempty"`
	Evidence  string          `json:"evidence,omitempty"`
	Carried   json.RawMessage `json:"carried,omitempty"`
	Facts     json.RawMessage `json:"facts,omitempty"`
	AsOf      *time.Time      `json:"as_of,omitempty"`
	Rules     []ruleView      `json:"rules,omitempty"`
	OtherRows int             `json:"other_rows,omitempty"`

	Refused []market.Refusal `json:"refused,omitempty"`
}

// turnView is how the answer changes if nothing but time goes on.
type turnView struct {
	At      *time.Time `json:"at"`
	Outcome string     `json:"outcome,omitempty"`
	Rule    string     `json:"rule,omitempty"`
	Error   string     `json:"error,omitempty"`
}

// endedView is how a supervision ended, for machines.
type endedView struct {
	Outcome    string     `json:"outcome"`
	At         *time.Time `json:"at"`
	ValidFrom  *time.Time `json:"valid_from,omitempty"`
	ValidUntil *time.Time `json:"valid_until,omitempty"`
}

type ruleView struct {
	Name    string   `json:"name"`
	Line    int      `json:"line,omitempty"`
	Cell    string   `json:"cell,omitempty"`
	Outcome string   `json:"outcome"`
	Matched bool     `json:"matched"`
	Answers bool     `json:"answers"`
	Failing string   `json:"failing,omitempty"`
	Missed  []string `json:"missed,omitempty"`
	When    partView `json:"when"`
}

type partView struct {
	Text  string     `json:"text"`
	Value string     `json:"value"`
	Says  string     `json:"says,omitempty"` // of a question, in words
	Parts []partView `json:"parts,omitempty"`
}

func (t telling) view(code string, story jobs.Story) map[string]any {
	site := t.site
	views := []decisionView{}
	for _, x := range story.Decisions {
		d := x.Decision
		v := decisionView{Date: d.On.String(), Ruleset: d.Ruleset, Outcome: d.Outcome, Rule: d.Rule, Because: x.Reason, Since: known(d.DueAt, site),
			AsOf: known(x.Why.AsOf, site), OtherRows: x.Why.LeftOut, Run: d.RunID, Actor: d.Actor, Evidence: d.Evidence, Carried: d.Carried, Facts: d.Facts, Refused: d.Refused}
		if d.Actor == "" {
			v.Version = versionOf(site, x)
		}
		if turn := x.Why.Turns; turn != nil && !d.LookAt.IsZero() {
			v.Turns = &turnView{At: known(turn.At, site), Outcome: turn.To.Outcome, Rule: turn.To.Rule}
			if turn.Err != nil {
				v.Turns.Error = turn.Err.Error()
			}
		}
		if d.Ruleset == "renewal" {
			v.NextTry = known(d.LookAt, site)
		}
		for _, r := range x.Why.Rules {
			v.Rules = append(v.Rules, t.viewOfRule(r))
		}
		views = append(views, v)
	}
	view := map[string]any{t.about: code, "site": site.Name, "decisions": views}
	if story.Life != nil {
		view["life"] = t.viewOfLife(story.Life)
	}
	if len(story.Paid) > 0 {
		view["deductions"] = viewsOfPaid(site, story.Paid)
	}
	for _, n := range story.Told {
		proposed, _ := view["proposed"].([]time.Time)
		view["proposed"] = append(proposed, n.At.In(site.Zone))
	}
	if e := story.Ended; e != nil {
		view["ended"] = endedView{e.Outcome, known(e.CompletedAt, site), known(e.ValidFrom, site), known(e.ValidUntil, site)}
	}
	for _, month := range story.Away {
		away, _ := view["archived"].([]string)
		view["archived"] = append(away, market.Month(month).String())
	}
	if k := story.Parked; k != nil {
		view["parked"] = map[string]any{"date": k.On.String(), "run": k.RunID, "reason": k.Reason}
	}
	return view
}

func known(t time.Time, site *rules.Site) *time.Time {
	if t.IsZero() {
		return nil
	}
	local := t.In(site.Zone)
	return &local
}

func (t telling) viewOfRule(r rules.RuleExplanation) ruleView {
	v := ruleView{Name: r.Name, Line: r.Line, Cell: r.Cell, Outcome: r.Outcome, Matched: r.Matched, Answers: r.Answers, Failing: r.Failing, When: t.viewOfPart(r.Tree)}
	for _, missed := range r.Missed {
		v.Missed = append(v.Missed, t.Say(missed))
	}
	return v
}

func (t telling) viewOfPart(part rules.Part) partView {
	v := partView{Text: part.Text, Value: part.Value}
	if part.Kind == rules.KindBool && part.Joint == rules.NoJoint {
		v.Says = t.Say(part)
	}
	for _, inner := range part.Parts {
		v.Parts = append(v.Parts, t.viewOfPart(inner))
	}
	return v
}
