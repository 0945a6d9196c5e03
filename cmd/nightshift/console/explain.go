package console

import (
	"net/http"
	"time"

	"nightshift/jobs"
	"nightshift/rules"
)

// decisionRow is one decision about an order on a page.
type decisionRow struct {
	jobs.Explained
	Since, AsOf, Turns string
	TurnsTo            string
	Rules              []ruleRow
}

// ruleRow is what a rule asked, down to the one that answered.
type ruleRow struct {
	rules.RuleExplanation
	Lines []rules.Line
}

// findOrder leads from the field of the first page to an order.
func findOrder(_ Config, w http.ResponseWriter, r *http.Request) error {
	to := *r.URL
	query := to.Query()
	to.Path = "/explain/" + query.Get("order")
	query.Del("order")
	to.RawQuery = query.Encode()
	if to.Path == "/explain/" {
		to.Path = "/"
	}
	http.Redirect(w, r, to.RequestURI(), http.StatusSeeOther)
	return nil
}

// showOrder tells every decision about an order, in sentences.
func showOrder(c Config, w http.ResponseWriter, r *http.Request) error {
	site, err := c.Engine.Book.Site(r.URL.Query().Get("site"))
	if err != nil {
		return errNoPage
	}
	code := r.PathValue("order")
	story, err := c.Engine.Explain(r.Context(), site.Name, code, 0)
	if err != nil {
		return err
	}
	reader := rules.Reader{Language: spoken(r), Zone: site.Zone}
	v := view{Order: code, Site: site.Name}
	if k := story.Parked; k != nil {
		v.Aside = k.Reason
	}
	for _, x := range story.Decisions {
		row := decisionRow{Explained: x, Since: instant(x.Decision.DueAt, site.Zone), AsOf: instant(x.Why.AsOf, site.Zone)}
		if turn := x.Why.Turns; turn != nil && !x.Decision.LookAt.IsZero() {
			row.Turns, row.TurnsTo = instant(turn.At, site.Zone), turn.To.Outcome
		}
		for _, rule := range x.Why.Rules {
			told := ruleRow{RuleExplanation: rule}
			if rule.Matched {
				told.Lines = reader.Lines(rule.Tree)
			}
			for i, missed := range rule.Missed {
				if i == 0 || rule.Row { // a rule has failed with its first part; of a row every cell counts
					told.Lines = append(told.Lines, reader.Missed(missed)...)
				}
			}
			if row.Rules = append(row.Rules, told); rule.Answers {
				break
			}
		}
		v.Decisions = append(v.Decisions, row)
	}
	return c.render(w, r, "explain.html", "order", v)
}

// instant is a point in time on a page; an unknown one is empty.
func instant(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format("2006-01-02 15:04:05 -07:00")
}
