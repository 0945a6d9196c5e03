package rules

import (
	"fmt"
	"slices"
	"strings"

	"nightshift/rules/market"
)

// alike tells whether two rules ask the same of everything but one fact.
func (b box) alike(c box, but int) bool {
	for at, set := range b {
		if other, asked := c[at]; at != but && (!asked || !slices.Equal(set, other)) {
			return false
		}
	}
	for at := range c {
		if _, asked := b[at]; at != but && !asked {
			return false
		}
	}
	return true
}

// siblings tells whether two rows differ in the bounds of one fact alone, as the
// tiers of a fee do.
func (l *linter) siblings(i, j int) bool {
	if !l.policy.rules[i].row || !l.policy.rules[j].row {
		return false
	}
	for _, u := range l.world.unknowns {
		_, first := l.boxes[i][u.at]
		_, second := l.boxes[j][u.at]
		if u.graded() && first && second && l.boxes[i].alike(l.boxes[j], u.at) {
			return true
		}
	}
	return false
}

// graded tells whether the unknown is a number or an amount.
func (u *unknown) graded() bool {
	return u.fact != nil && !u.mixed && slices.Contains([]Kind{KindInt, KindMoney, KindDecimal}, u.fact.Kind)
}

// ascending are the samples of a graded unknown from the least to the greatest.
func (u *unknown) ascending() []int {
	value := func(i int) market.Decimal {
		switch v := u.samples[i].value.(type) {
		case int64:
			return market.DecimalOf(v)
		case market.Money:
			return v.Amount
		default:
			return v.(market.Decimal)
		}
	}
	order := make([]int, len(u.samples))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return value(a).Cmp(value(b)) })
	return order
}

// holes finds values between the rows of a table in which one row is to match, each
// with facts that no row matches: whatever otherwise is for, it is not for them.
func (l *linter) holes() {
	if l.policy.Hit != HitUnique && l.policy.Hit != HitAny {
		return
	}
	for _, u := range l.world.unknowns {
		if !u.graded() {
			continue
		}
		seen := make([]bool, len(l.boxes))
		for i := range l.boxes {
			var rows []int
			for j := i; j < len(l.boxes); j++ {
				if _, asked := l.boxes[j][u.at]; asked && !seen[j] && l.policy.rules[j].row && l.boxes[i].alike(l.boxes[j], u.at) {
					rows, seen[j] = append(rows, j), true
				}
			}
			if len(rows) > 1 {
				l.hole(u, rows)
			}
		}
	}
}

// hole finds the first value between some rows that differ in the bounds of one fact.
func (l *linter) hole(u *unknown, rows []int) {
	below, missing := -1, -1 // the row that a stretch ends with, the first sample after it
	for _, at := range u.ascending() {
		row := slices.IndexFunc(rows, func(r int) bool { return l.boxes[r][u.at].has(at) })
		switch {
		case row < 0 && below >= 0 && missing < 0:
			missing = at
		case row >= 0 && missing >= 0:
			if given := l.unspoken(u, rows[row], missing); given != "" {
				l.wrong = append(l.wrong, l.policy.ruleProblem(&l.policy.rules[rows[row]], fmt.Sprintf("no row matches %s, between rows %q and %q, and otherwise answers %s",
					given, l.policy.rules[rows[below]].name, l.policy.rules[rows[row]].name, l.policy.otherwise.outcome), "let one begin where the other ends"))
			}
			below, missing = row, -1
		case row >= 0:
			below = row
		}
	}
}

// unspoken is facts like those of a row, with another value of one fact, that no
// rule matches; empty where one does.
func (l *linter) unspoken(u *unknown, row, value int) string {
	d := l.world.everything()
	for at, set := range l.boxes[row] {
		d[at] = set
	}
	d[u.at] = newBits(len(u.samples))
	d[u.at].set(value)
	facts, given := l.world.example(d)
	answers, err := l.policy.DecideAll(facts, proofInstant)
	if err != nil || answers[0].RuleIndex != len(l.policy.rules) {
		return ""
	}
	return strings.TrimSpace(given)
}
