package jobs

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// SellerStory is what became of what a seller earned, as the settlement of a
// period left it.
type SellerStory struct {
	Lines   []ExplainedLine
	Waiting []market.WaitingLine
	Parked  *storage.Parked // nil unless the seller is set aside, or has lines to mend
}

// ExplainedLine is a line of a statement with the reasons of its rules.
type ExplainedLine struct {
	Version int
	market.StatementLine
	Because []Reason
}

// Reason is a rule that decided, and its sentence.
type Reason struct {
	Version string // ruleset@version
	Rule    string
	Because string
}

// mostExplained is how many waiting lines of a seller are told.
const mostExplained = 10_000

// ExplainSeller tells of each line of a seller's statements of a period which
// rules of which versions decided it, and of what waits why.
func (e *Engine) ExplainSeller(ctx context.Context, siteName, code string, period market.Period) (story SellerStory, err error) {
	site, err := e.Book.Site(siteName)
	if err != nil {
		return story, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	seller, err := e.Store.SellerID(ctx, siteName, code)
	if err != nil {
		return story, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	err = e.Store.StatementLines(ctx, siteName, code, period, func(version int, l market.StatementLine) error {
		story.Lines = append(story.Lines, ExplainedLine{Version: version, StatementLine: l, Because: reasons(site, l.Rules)})
		return nil
	})
	if err != nil {
		return story, err
	}
	err = e.Store.WaitingLines(ctx, storage.WaitingQuery{Site: siteName, Period: period, Seller: code, Limit: mostExplained}, func(_ string, w market.WaitingLine) error {
		story.Waiting = append(story.Waiting, w)
		return nil
	})
	if err != nil {
		return story, err
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		parked, found, err := tx.ParkedNow(ctx, settlementJob, seller)
		if found {
			story.Parked = &parked
		}
		return err
	})
	return story, err
}

// reasons are the sentences of the rules that a line names, such as fees@2
// otherwise; tiers@2 second tier. A version that the rule directory does not have
// any more is named without one.
func reasons(site *rules.Site, named string) (list []Reason) {
	if named == "" {
		return nil
	}
	for _, part := range strings.Split(named, "; ") {
		version, rule, _ := strings.Cut(part, " ")
		r := Reason{Version: version, Rule: rule}
		ruleset, number, _ := strings.Cut(version, "@")
		for _, p := range site.Versions(ruleset) {
			if strconv.Itoa(p.Version) == number {
				r.Because = p.Because(rule)
			}
		}
		list = append(list, r)
	}
	return list
}
