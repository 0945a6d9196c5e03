package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
)

// explain is the command explain.
func (p *program) explain() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "explain ORDER", Short: "Every decision about an order: what, why, since when, and when it can change",
		Long: `Explain tells every decision about an order, oldest first. Each is decided again
from the facts that were kept with it, under the rule text it was taken by, so
that the reasons are those of that night, not of today.`,
		Args: takes(1, 1, "one order's number, such as `A-1001`"),
		Example: `  nightshift explain A-1001
  nightshift explain A-1001 --all      also the rules that came after the one that answered
  nightshift explain A-1001 --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			site, err := p.siteRules()
			if err != nil {
				return err
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			story, err := e.Explain(cmd.Context(), site.Name, args[0])
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(storyView(site, args[0], story))
			}
			p.tell(site, args[0], story, all)
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "show every rule, also those after the one that answered")
	p.siteOption(cmd)
	return cmd
}

// tell writes the story of an order for people.
func (p *program) tell(site *rules.Site, code string, story jobs.Story, all bool) {
	p.printf("%s at %s\n", code, site.Name)
	if e := story.Ended; e != nil && !e.ValidFrom.IsZero() {
		p.printf("valid from %s until %s\n", rfc3339(e.ValidFrom, site.Zone), rfc3339(e.ValidUntil, site.Zone))
	}
	if k := story.Parked; k != nil {
		p.printf("%s on %s, run %d: %s\nCorrect it and import it again, or correct the rule and `nightshift runs requeue %s %s`.\n",
			p.paint(p.out, yellow, "parked"), k.On, k.RunID, k.Reason, k.Job, code)
	} else if len(story.Decisions) == 0 {
		p.printf("\nNothing was decided about it yet: the next run looks at it.\n")
	}
	for _, x := range story.Decisions {
		d := x.Decision
		p.printf("\n%s  %s  %s\n", d.On, d.Ruleset, p.paint(p.out, green, d.Outcome))
		g := &grid{}
		if d.Actor != "" {
			g.row("  decided by", d.Actor)
		} else {
			g.row("  rule", fmt.Sprintf("%s (%s, run %d)", d.Rule, versionOf(site, x), d.RunID))
		}
		g.row("  because", x.Reason)
		if d.Evidence != "" {
			g.row("  evidence", d.Evidence)
		}
		g.row("  since", orElse(rfc3339(d.DueAt, site.Zone), "no clock says when"))
		if d.Actor == "" {
			g.row("  can change", canChange(x, site))
		}
		for _, v := range x.Why.Answer.Values {
			g.row("  "+v.Name, v.String())
		}
		_ = g.print(p.out) // as with printf, a closed pipe is the reader's wish
		p.tellRules(x, all)
	}
}

// tellRules says of each rule why it did not answer, down to the one that did.
func (p *program) tellRules(x jobs.Explained, all bool) {
	g := &grid{}
	for _, r := range x.Why.Rules {
		if r.Matched {
			g.row("    "+p.paint(p.out, green, "yes"), r.Name, r.Tree.Text+values(r.Tree))
		} else {
			g.row("    "+p.paint(p.out, faint, "no "), r.Name, r.Failing)
		}
		if r.Matched && !all {
			break
		}
	}
	if len(g.rows) > 0 {
		p.printf("  the rules, in order\n%s", g)
	}
}

// canChange says when the answer turns by itself, if it ever does.
func canChange(x jobs.Explained, site *rules.Site) string {
	switch d := x.Decision; {
	case d.Outcome == market.Accept || d.Outcome == market.Refund || d.Outcome == market.Unsupervised:
		return "never: the order is settled"
	case d.LookAt.IsZero():
		return "only when something new is reported or a rule changes"
	default:
		return rfc3339(d.LookAt, site.Zone)
	}
}

// values lists what the names in a condition stood for.
func values(part rules.Part) string {
	var said []string
	var list func(rules.Part)
	list = func(part rules.Part) {
		if one := part.Text + " is " + part.Value; len(part.Parts) == 0 && !slices.Contains(said, one) {
			said = append(said, one)
		}
		for _, inner := range part.Parts {
			list(inner)
		}
	}
	if list(part); len(part.Parts) == 0 {
		return ""
	}
	return " (" + strings.Join(said, ", ") + ")"
}

// versionOf names the version of the rules that a decision was taken by.
func versionOf(site *rules.Site, x jobs.Explained) string {
	if x.Policy == nil {
		return x.Decision.Ruleset
	}
	for _, v := range site.Versions(x.Decision.Ruleset) {
		for _, p := range v.Phases() {
			if p.Hash == x.Policy.Hash {
				return p.String()
			}
		}
	}
	return fmt.Sprintf("%s %x", x.Decision.Ruleset, x.Policy.Hash[:6])
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// decisionView is one decision for machines.
type decisionView struct {
	Date      string          `json:"date"`
	Ruleset   string          `json:"ruleset"`
	Outcome   string          `json:"outcome"`
	Rule      string          `json:"rule"`
	Version   string          `json:"version,omitempty"`
	Because   string          `json:"because"`
	Since     *time.Time      `json:"since,omitempty"`
	CanChange *time.Time      `json:"can_change,omitempty"`
	Run       int64           `json:"run,omitempty"`
	Actor     string          `json:"actor,omitempty"`
	Evidence  string          `json:"evidence,omitempty"`
	Carried   json.RawMessage `json:"carried,omitempty"`
	Facts     json.RawMessage `json:"facts,omitempty"`
	Rules     []ruleView      `json:"rules,omitempty"`
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
	Line    int      `json:"line"`
	Matched bool     `json:"matched"`
	Failing string   `json:"failing,omitempty"`
	When    partView `json:"when"`
}

type partView struct {
	Text  string     `json:"text"`
	Value string     `json:"value"`
	Parts []partView `json:"parts,omitempty"`
}

func storyView(site *rules.Site, code string, story jobs.Story) map[string]any {
	views := []decisionView{}
	for _, x := range story.Decisions {
		d := x.Decision
		v := decisionView{Date: d.On.String(), Ruleset: d.Ruleset, Outcome: d.Outcome, Rule: d.Rule, Because: x.Reason, Since: known(d.DueAt, site),
			CanChange: known(d.LookAt, site), Run: d.RunID, Actor: d.Actor, Evidence: d.Evidence, Carried: d.Carried, Facts: d.Facts}
		if d.Actor == "" {
			v.Version = versionOf(site, x)
		}
		for _, r := range x.Why.Rules {
			v.Rules = append(v.Rules, ruleView{r.Name, r.Line, r.Matched, r.Failing, viewOfPart(r.Tree)})
		}
		views = append(views, v)
	}
	view := map[string]any{"order": code, "site": site.Name, "decisions": views}
	if e := story.Ended; e != nil {
		view["ended"] = endedView{e.Outcome, known(e.CompletedAt, site), known(e.ValidFrom, site), known(e.ValidUntil, site)}
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

func viewOfPart(part rules.Part) partView {
	v := partView{Text: part.Text, Value: part.Value}
	for _, inner := range part.Parts {
		v.Parts = append(v.Parts, viewOfPart(inner))
	}
	return v
}
