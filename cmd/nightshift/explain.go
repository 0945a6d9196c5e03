package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
)

// telling is how an explanation is told: for whom, and how much of it.
type telling struct {
	rules.Reader
	site *rules.Site
	all  bool // also the rules after the one that answered
	tree bool

	about string // order, buyer, subscription, product, lead or offer
}

const explainHelp = `Explain tells every decision about an order, oldest first. Each is decided again
from the facts that were kept with it, under the rule text it was taken by, so
that the reasons are those of that night, not of today.

Of each rule it says in a sentence how things stood and what was asked. Of a
decision table it shows the rows that match and the few that missed by least.

Of a subscription it tells its terms, what became of what its buyer asked for, and
when it is tried to renew it next.

Of an order that was deducted it says who paid what, and which instruments were
not used and why; of a buyer, what became of what is owed, and what was deducted
last; of a seller, each line of a statement with the rules that shared it, and
what waits; of a product, a lead or an offer, what the small jobs decided.`

// explain is the command explain.
func (p *program) explain() *cobra.Command {
	var on, language, period string
	named := map[string]*string{}
	var t telling
	cmd := &cobra.Command{
		Use: "explain ORDER", Short: "Every decision about an order, or what a buyer owes: what, why, since when, and when it turns to what",
		Long: explainHelp,
		Args: takes(0, 1, "one order's number, such as `A-1001`, or --buyer, --subscription, --seller, --product, --lead or --offer"),
		Example: `  nightshift explain A-1001
  nightshift explain A-1001 --on 2026-04-01   what stood on that date, as of that night
  nightshift explain A-1001 --all             also the rules that came after the one that answered
  nightshift explain A-1001 --tree            each part of each condition, with its value
  nightshift explain A-1001 --lang zh         in Chinese
  nightshift explain --buyer ann              what is owed, why no package was bought again, and the last deductions
  nightshift explain --subscription S-1        its terms, and when it is tried next
  nightshift explain --seller acme --period 202405   each line of a statement, and what waits
  nightshift explain --product P-1            whether it stays on the shelf; --lead, --offer likewise
  nightshift explain A-1001 --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			site, err := p.siteRules()
			if err != nil {
				return err
			}
			var night market.Date
			if on != "" {
				if night, err = date("on", on); err != nil {
					return err
				}
			}
			if language != "en" && language != "zh" {
				return misuse("--lang: the languages are en and zh, not %q", language)
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			code, err := t.whose(args, named)
			if err != nil {
				return err
			}
			if t.about == "seller" {
				return p.explainSeller(cmd.Context(), site, e, code, period)
			}
			story, err := things[t.about](e)(cmd.Context(), site.Name, code, night)
			if err != nil {
				return err
			}
			t.site, t.Reader = site, rules.Reader{Language: language, Zone: site.Zone}
			if p.json {
				return p.printJSON(t.view(code, story))
			}
			p.tell(t, code, story)
			return nil
		},
	}
	cmd.Flags().StringVar(&on, "on", "", "the decisions that stood on that date, as of that night")
	for thing := range things {
		if thing != "order" {
			named[thing] = cmd.Flags().String(thing, "", "a "+thing+" instead of an order")
		}
	}
	named["seller"] = cmd.Flags().String("seller", "", "what became of what a seller earned, with --period")
	cmd.Flags().StringVar(&period, "period", "", "the month of the seller's statement, such as 202405")
	cmd.Flags().BoolVar(&t.all, "all", false, "show every rule, also those after the one that answered")
	cmd.Flags().BoolVar(&t.tree, "tree", false, "show each part of each condition with its value, as a tree")
	cmd.Flags().StringVar(&language, "lang", "en", "en or zh; the reasons are in the language of the rule file")
	p.siteOption(cmd)
	return cmd
}

// explaining is how the story of something is found, by its code.
type explaining = func(ctx context.Context, site, code string, on market.Date) (jobs.Story, error)

// things are what may be named, and how their stories are found.
var things = map[string]func(e *jobs.Engine) explaining{
	"order":        func(e *jobs.Engine) explaining { return e.Explain },
	"buyer":        func(e *jobs.Engine) explaining { return e.ExplainBuyer },
	"subscription": func(e *jobs.Engine) explaining { return e.ExplainSubscription },
	"product":      func(e *jobs.Engine) explaining { return ofJob(e, jobs.Listings.Name) },
	"lead":         func(e *jobs.Engine) explaining { return ofJob(e, jobs.Leads.Name) },
	"offer":        func(e *jobs.Engine) explaining { return ofJob(e, jobs.Offers.Name) },
}

func ofJob(e *jobs.Engine, job string) explaining {
	return func(ctx context.Context, site, code string, on market.Date) (jobs.Story, error) {
		return e.ExplainSmall(ctx, job, site, code, on)
	}
}

// whose says whose story is asked for, one alone: an order's, or that of a thing.
func (t *telling) whose(args []string, named map[string]*string) (code string, err error) {
	n := 0
	for _, order := range args {
		t.about, code, n = "order", order, n+1
	}
	for thing, asked := range named {
		if *asked != "" {
			t.about, code, n = thing, *asked, n+1
		}
	}
	if n != 1 {
		return "", misuse("explain: name one order, or one buyer, subscription, seller, product, lead or offer, such as --buyer ann")
	}
	return code, nil
}

// tell writes the story of an order for people.
func (p *program) tell(t telling, code string, story jobs.Story) {
	p.printf(t.say("%s at %s")+"\n", code, t.site.Name)
	if e := story.Ended; e != nil && !e.ValidFrom.IsZero() {
		p.printf(t.say("valid from %s until %s")+"\n", rfc3339(e.ValidFrom, t.site.Zone), rfc3339(e.ValidUntil, t.site.Zone))
	}
	p.tellLife(t, story.Life)
	for _, month := range story.Away {
		p.printf(t.say("What was decided in %[1]s is in the archive: `nightshift archive restore %[1]s` brings it back.")+"\n", market.Month(month))
	}
	if k := story.Parked; k != nil {
		if k.Code != "" {
			code = k.Code // of the buyer who is to pay it
		}
		p.printf(t.say("%s on %s, run %d: %s")+"\n", p.paint(p.out, yellow, t.say("parked")), k.On, k.RunID, k.Reason)
		p.printf(t.say("Correct it and import it again, or correct the rule and `nightshift runs requeue %s %s`.")+"\n", k.Job, code)
	} else if len(story.Decisions) == 0 && len(story.Paid) == 0 && story.Away == nil && story.Told == nil {
		p.printf("\n%s\n", t.say("Nothing was decided about it yet: the next run looks at it."))
	}
	for _, n := range story.Told {
		p.printf(t.say("proposed to take it off the shelf: %s, to %s")+"\n", rfc3339(n.At, t.site.Zone), strings.Join(n.Recipients, ", "))
	}
	for _, x := range story.Decisions {
		d := x.Decision
		p.printf("\n%s  %s  %s\n", d.On, d.Ruleset, p.paint(p.out, green, t.Outcome(d.Outcome)))
		g := &grid{}
		add := func(head, text string) { g.row("  "+t.say(head), text) }
		if d.Actor != "" {
			add("decided by", d.Actor)
		} else {
			add("rule", fmt.Sprintf(t.say("%s (%s, run %d)"), d.Rule, versionOf(t.site, x), d.RunID))
		}
		add("because", x.Reason)
		if d.Evidence != "" {
			add("evidence", d.Evidence)
		}
		add("since", orElse(rfc3339(d.DueAt, t.site.Zone), t.say("no clock says when")))
		if d.Actor == "" {
			add("turns", t.turns(x))
		}
		if d.Ruleset == "renewal" && !d.LookAt.IsZero() {
			add("next try", rfc3339(d.LookAt, t.site.Zone))
		}
		for _, v := range x.Why.Answer.Values {
			g.row("  "+v.Name, v.String())
		}
		for i, r := range d.Refused {
			g.row("  "+[]string{t.say("not used"), ""}[min(i, 1)], r.Instrument+": "+r.Because)
		}
		_ = g.print(p.out) // as with printf, a closed pipe is the reader's wish
		p.tellRules(t, x)
	}
	p.tellPaid(t, story.Paid)
}

// never says of each thing that may end why its last answer does not change.
var never = map[string]string{
	"order":        "never: the order is settled",
	"subscription": "never: this renewal is not tried again",
	"lead":         "never: the lead waits for nobody any more",
	"offer":        "never: the offer has ended",
}

// turns says when the answer changes by itself, and to what, if it ever does.
func (t telling) turns(x jobs.Explained) string {
	turn := x.Why.Turns
	switch {
	case jobs.Ends(x.Decision.Outcome):
		return t.say(never[t.about])
	case turn == nil:
		return t.say("only when something new is reported or a rule changes")
	case turn.Err != nil:
		return fmt.Sprintf(t.say("on %s, when it cannot be decided: %v"), rfc3339(turn.At, t.site.Zone), turn.Err)
	}
	return fmt.Sprintf(t.say("to %s on %s, by rule %s"), t.Outcome(turn.To.Outcome), rfc3339(turn.At, t.site.Zone), turn.To.Rule)
}

// tellRules says of each rule why it did not answer, down to the one that did.
func (p *program) tellRules(t telling, x jobs.Explained) {
	told := x.Why.Rules
	if answers := func(r rules.RuleExplanation) bool { return r.Answers }; !t.all && slices.ContainsFunc(told, answers) {
		for !told[len(told)-1].Answers {
			told = told[:len(told)-1]
		}
	}
	if len(told) == 0 {
		return
	}
	p.printf("  "+t.say("the rules in order, as of %s")+"\n", rfc3339(x.Why.AsOf, t.site.Zone))
	if t.tree {
		p.printf("%s", t.treeOf(told))
	} else {
		p.sentences(t, told)
	}
	if n := x.Why.LeftOut; n > 0 {
		p.printf("    "+t.say("%d other rows miss it by as much or more")+"\n", n)
	}
}

// sentences say of each rule what it missed, of one that matched all it asked.
func (p *program) sentences(t telling, told []rules.RuleExplanation) {
	width := 0
	for _, r := range told {
		width = max(width, places(calledBy(r)))
	}
	yes, no := t.say("yes"), t.say("no ")
	mark := func(held bool) string {
		if held {
			return p.paint(p.out, green, yes)
		}
		return p.paint(p.out, faint, no)
	}
	lines := func(indent string, lines []rules.Line) {
		for _, line := range lines {
			p.printf("%s%s%s  %s\n", indent, strings.Repeat("  ", line.Depth), mark(line.Yes), line.Says)
		}
	}
	for _, r := range told {
		p.printf("    %s  %s", mark(r.Matched), calledBy(r))
		if r.Matched {
			p.printf("\n")
			lines(strings.Repeat(" ", 9), t.Lines(r.Tree))
			continue
		}
		gap := strings.Repeat(" ", width-places(calledBy(r))+2)
		for i, missed := range r.Missed {
			if i > 0 && !r.Row {
				break // a rule has failed with its first part; of a row every cell counts
			}
			said := t.Missed(missed)
			p.printf("%s%s\n", gap, said[0].Says)
			gap = strings.Repeat(" ", 4+places(no)+2+width+2)
			lines(gap, said[1:])
		}
	}
}

// calledBy is the name of a rule, with its place in a table beside its file.
func calledBy(r rules.RuleExplanation) string {
	if r.Cell != "" {
		return r.Name + " (" + r.Cell + ")"
	}
	return r.Name
}

// versionOf names the version of the rules that a decision was taken by, and its
// text where the rule directory has another one of that version.
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
	return fmt.Sprintf("%s, text %x", x.Policy, x.Policy.Hash[:6])
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
