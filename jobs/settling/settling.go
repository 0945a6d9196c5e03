// Package settling says what a seller is owed for a month: which of the things it
// earned are settled, what of each is the seller's, and what waits.
//
// Owns: the order in which the rules of settlement are asked, and what their
// answers come to; how refunds take back what was settled.
// Does not own: the conditions, fees, tiers, taxes and minimums (the rulesets of
// settlement), what a seller earned (package storage), how it is booked.
// Always: the same earnings come to the same statement, in whatever order they
// are given; nothing that happened at the end of the period or later changes it;
// lines add up to their statement, to the last decimal; what is not settled is
// told with its reasons.
package settling

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
)

// Rules are what decides, by what was in force on the last day of the period, or
// when what was bought took effect.
type Rules struct{ Settlement, Instant, Fees, Tiers, Taxes, Minimum *rules.InForce }

// Desk settles the sellers of one site for one period.
type Desk struct {
	Rules
	Site   string
	Period market.Period
	Cut    time.Time // the end of the period: what happened then or later is not seen
	Zone   *time.Location

	facts   rules.SettlementFacts
	fee     rules.FeeFacts
	phrases map[phrase]string // how rules are named, so that a million lines share few texts
}

// Settlement is what became of a seller's month.
type Settlement struct {
	Statement *market.Statement // nil where nothing is settled
	Waiting   []market.WaitingLine
}

// candidate is an earning on its way into a statement.
type candidate struct {
	*market.Earning
	line    *market.StatementLine // what of it is settled, once that is asked
	waits   *market.WaitingLine   // why it does not
	settled bool                  // before this period
	gone    bool                  // given back in full before it was settled
	partner bool                  // of a refund: it takes back a partner's part
	done    bool                  // of a refund: its line is made
}

// round is the settling of one seller.
type round struct {
	*Desk
	book   *market.SellerBook
	places int32
	at     time.Time // the last instant that is seen
	all    map[string]*candidate
	order  []*candidate            // of all, by key
	backs  map[string][]*candidate // refunds by the key of what they take back, by key
	totals totals
	out    Settlement
}

// Settle makes the statement of one seller. The error is the seller's trouble,
// such as a fee table of which two rows match.
func (d *Desk) Settle(b *market.SellerBook) (Settlement, error) {
	r := &round{Desk: d, book: b, places: b.Seller.Currency.Places(), at: d.Cut.Add(-time.Microsecond), all: make(map[string]*candidate, len(b.Earnings)), backs: map[string][]*candidate{}}
	r.take()
	r.overdrawn()
	r.addUp()
	for _, c := range r.order {
		if c.Kind == market.EarnedRefund || c.settled {
			continue
		}
		if err := r.judge(c); err != nil {
			return Settlement{}, fmt.Errorf("%s: %w", c.Key, err)
		}
	}
	for _, c := range r.order {
		if c.Kind != market.EarnedRefund || c.settled {
			continue
		}
		if err := r.takeBack(c); err != nil {
			return Settlement{}, fmt.Errorf("%s: %w", c.Key, err)
		}
	}
	r.drop()
	if err := r.minimum(); err != nil {
		return Settlement{}, err
	}
	r.gather()
	return r.out, nil
}

// take lists what there was by the end of the period, each as it was known then.
func (r *round) take() {
	earnings := r.book.Earnings
	known := make([]candidate, 0, len(earnings))
	for i := range earnings {
		e := &earnings[i]
		if !e.PlacedAt.IsZero() && !e.PlacedAt.Before(r.Cut) {
			continue
		}
		for _, at := range []*time.Time{&e.PaidAt, &e.RepaidAt, &e.ProvisionedAt, &e.CompletedAt, &e.UsedAt, &e.GivenBackAt, &e.AgreedAt} {
			if !at.Before(r.Cut) {
				*at = time.Time{}
			}
		}
		if r.counts(e) {
			known = append(known, candidate{Earning: e, settled: r.book.Settled[e.Key]})
		}
	}
	r.order = make([]*candidate, len(known))
	for i := range known {
		r.order[i] = &known[i]
		r.all[known[i].Key] = &known[i]
	}
	slices.SortFunc(r.order, func(a, b *candidate) int { return cmp.Compare(a.Key, b.Key) })
	for _, c := range r.order {
		if c.Kind == market.EarnedRefund {
			r.backs[c.Reverses] = append(r.backs[c.Reverses], c)
		}
	}
}

// counts tells whether an earning was there by the end of the period, and came to
// anything.
func (r *round) counts(e *market.Earning) bool {
	switch e.Kind {
	case market.EarnedRefund:
		return !e.GivenBackAt.IsZero()
	case market.EarnedAdjustment, market.EarnedOpening:
		return !e.AgreedAt.IsZero()
	case market.EarnedUse, market.EarnedCharge:
		if e.UsedAt.IsZero() {
			return false
		}
	}
	return !e.Paid.IsZero() || e.Trouble != "" && !e.PaidAt.IsZero()
}

// judge asks whether an earning is settled, and what of it is the seller's.
func (r *round) judge(c *candidate) error {
	if c.Trouble == "" && c.Paid.Currency != r.book.Seller.Currency {
		c.Trouble = fmt.Sprintf("It is in %s, and the seller is settled in %s: report the seller with the other currency as another one, and the goods as theirs.", c.Paid.Currency, r.book.Seller.Currency)
	}
	if c.Trouble != "" {
		r.hold(c, c.Trouble, "")
		return nil
	}
	r.look(c)
	policy := r.Settlement.For(&r.facts)
	answers, err := policy.DecideAll(&r.facts, r.at)
	if err != nil {
		return err
	}
	for _, a := range answers {
		switch a.Outcome {
		case "settle":
			return r.settle(c)
		case market.Wait:
			condition, _ := a.Value("condition")
			r.wait(c, condition.Text(), a.Because, r.named(policy, a.Rule))
		case market.Hold:
			r.hold(c, a.Because, r.named(policy, a.Rule))
		default:
			return fmt.Errorf("carry out %q of ruleset settlement: settlement does not know this outcome", a.Outcome)
		}
	}
	return nil
}

// look makes the facts of an earning.
func (r *round) look(c *candidate) {
	paid := c.PaidAt
	if c.Kind == market.EarnedUse || c.Kind == market.EarnedCharge {
		paid = c.UsedAt // it is deducted soon after, and belongs to the month all the same
	}
	effective := c.effectiveAt()
	r.facts = rules.SettlementFacts{Site: r.Site, Kind: c.Kind, OrderType: c.OrderType, AccessType: c.AccessType, DeliveryMode: c.DeliveryMode, ChargeMode: c.ChargeMode,
		ProductClass: c.ProductClass, Model: c.Model, Seller: r.book.Seller.Code, Product: c.Product,
		CertifiedFor: market.StartedAt(r.seen(r.book.Seller.CertifiedAt)), PaidFor: market.StartedAt(paid), Borrowed: c.Borrowed, RepaidFor: market.StartedAt(c.RepaidAt),
		Supervised: c.Supervised, CompletedFor: market.StartedAt(c.CompletedAt), ProvisionedFor: market.StartedAt(c.ProvisionedAt), EffectiveFor: market.StartedAt(effective)}
}

// seen is an instant as it was known at the end of the period.
func (r *round) seen(at time.Time) time.Time {
	if !at.Before(r.Cut) {
		return time.Time{}
	}
	return at
}

// effectiveAt is when what was bought took effect, or will: paid and valid.
func (c *candidate) effectiveAt() time.Time {
	switch c.Kind {
	case market.EarnedUse, market.EarnedCharge:
		return c.UsedAt
	case market.EarnedAdjustment, market.EarnedOpening:
		return c.AgreedAt
	}
	if c.OrderType == "renewal" || c.Kind == market.EarnedRenewal {
		if c.EffectiveAt.IsZero() {
			return time.Time{}
		}
	}
	if c.EffectiveAt.After(c.PaidAt) {
		return c.EffectiveAt
	}
	return c.PaidAt
}

// wait notes a condition that an earning does not meet.
func (r *round) wait(c *candidate, condition, because, rule string) {
	w := c.waits
	if w == nil {
		w = &market.WaitingLine{Outcome: market.Wait}
		c.waits = w
	}
	if !slices.Contains(w.Unmet, condition) {
		w.Unmet = append(w.Unmet, condition)
	}
	w.Because, w.Rules = joined(w.Because, because, " "), joined(w.Rules, rule, "; ")
	// A date decides where nothing else is missing.
	w.Until = time.Time{}
	if at := c.effectiveAt(); len(w.Unmet) == 1 && condition == market.ConditionEffective && !at.Before(r.Cut) {
		w.Until = at
	}
}

// hold sets an earning aside: a person has to mend it.
func (r *round) hold(c *candidate, because, rule string) {
	r.wait(c, market.ConditionTrouble, because, rule)
	c.waits.Outcome = market.Hold
}

func joined(a, b, between string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + between + b
}

// settle says when an earning belongs to, and what of it is the seller's.
func (r *round) settle(c *candidate) error {
	line := &market.StatementLine{}
	c.line = line
	if err := r.decideInstant(c); err != nil {
		return err
	}
	switch c.Kind {
	case market.EarnedAdjustment, market.EarnedOpening:
		amount, err := c.Paid.Amount.Round(r.places, market.RoundHalfUp)
		line.Billable, line.Settled, line.Share = amount, amount, one
		return err
	}
	return r.share(c)
}

// decideInstant asks which instant decides the period.
func (r *round) decideInstant(c *candidate) error {
	policy := r.Instant.For(&r.facts)
	answer, err := policy.Decide(&r.facts, r.at)
	if err != nil {
		return err
	}
	by, _ := answer.Value("by")
	line := c.line
	line.DecidedBy = by.Text()
	switch line.DecidedBy {
	case "provisioned":
		line.DecidedAt = c.ProvisionedAt
	case "completed":
		line.DecidedAt = c.CompletedAt
	case "effective":
		line.DecidedAt = c.effectiveAt()
	case "used":
		line.DecidedAt = c.UsedAt
	case "paid":
		line.DecidedAt = c.PaidAt
	case "given_back":
		line.DecidedAt = c.GivenBackAt
	case "agreed":
		line.DecidedAt = c.AgreedAt
	}
	if line.DecidedAt.IsZero() { // the rules name an instant that they do not ask for
		return fmt.Errorf("%s, rule %q: the instant %q decides its period, and there is none", policy, answer.Rule, line.DecidedBy)
	}
	return nil
}

// drop takes out what was given back in full before it was settled: nothing of it
// was earned, whatever it waits for.
func (r *round) drop() {
	r.order = slices.DeleteFunc(r.order, func(c *candidate) bool { return c.gone })
}

// minimum asks of each product class whether there is enough for a bill.
func (r *round) minimum() error {
	sums := map[string]market.Decimal{}
	var classes []string
	each := func(visit func(c *candidate)) {
		for _, c := range r.order {
			if !c.settled && c.waits == nil && c.traded() {
				visit(c)
			}
		}
	}
	each(func(c *candidate) {
		if _, ok := sums[c.ProductClass]; !ok {
			classes = append(classes, c.ProductClass)
		}
		sums[c.ProductClass] = sums[c.ProductClass].Add(c.line.Billable)
	})
	slices.Sort(classes)
	s := &r.book.Seller
	for _, class := range classes {
		facts := rules.MinimumFacts{Site: r.Site, Seller: s.Code, Country: s.Country, ProductClass: class, Billable: market.NewMoney(sums[class], s.Currency)}
		policy := r.Minimum.For(&facts)
		answer, err := policy.Decide(&facts, r.at)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", orElse(class, "no class"), s.Code, err)
		}
		if answer.Outcome == "settle" {
			continue
		}
		each(func(c *candidate) {
			if c.ProductClass == class {
				r.wait(c, market.ConditionMinimum, answer.Because, r.named(policy, answer.Rule))
			}
		})
	}
	return nil
}

// traded tells whether the minimum of a product class counts it.
func (c *candidate) traded() bool {
	switch c.Kind {
	case market.EarnedOrder, market.EarnedRenewal, market.EarnedUse, market.EarnedCharge:
		return true
	case market.EarnedRefund:
		return !c.partner
	}
	return false
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// phrase is a rule of a policy.
type phrase struct {
	policy *rules.Policy
	rule   string
}

// named is how a rule is named on a line: fees@2 otherwise.
func (d *Desk) named(p *rules.Policy, rule string) string {
	text, ok := d.phrases[phrase{p, rule}]
	if !ok {
		if d.phrases == nil {
			d.phrases = map[phrase]string{}
		}
		text = p.String() + " " + strings.TrimSpace(rule)
		d.phrases[phrase{p, rule}] = text
	}
	return text
}
