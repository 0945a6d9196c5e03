package reports

import (
	"fmt"
	"strconv"
	"time"
)

// ageing counts what waits, by whom it waits for and by its age.
type ageing struct {
	asOf    time.Time
	waiters []string               // words of the rule files; whoever else is waited for is counted together
	counts  [][len(ages) + 2]int64 // by waiter, the others last; by age, then without an age, then together
}

// ages are the age groups by their first day; each ends where the next begins.
var ages = [...]int64{0, 3, 8, 15, 31, 91, 181}

// noAge and together are the columns of an ageing table behind its ages.
const (
	noAge    = len(ages)
	together = len(ages) + 1
)

func newAgeing(asOf time.Time) *ageing {
	waiters := []string{"buyer", "seller", "platform", "courier"}
	return &ageing{asOf: asOf, waiters: waiters, counts: make([][len(ages) + 2]int64, len(waiters)+1)}
}

// see counts a row in.
func (a *ageing) see(r WaitingRow) {
	waiter := 0
	for waiter < len(a.waiters) && a.waiters[waiter] != r.WaitsFor {
		waiter++
	}
	age := noAge
	if days, ok := daysBetween(r.Since, a.asOf); ok {
		for age = len(ages) - 1; days < ages[age]; age-- {
		}
	}
	a.counts[waiter][age]++
	a.counts[waiter][together]++
}

// ageLabel names an age group.
func ageLabel(age int) string {
	switch {
	case age == noAge:
		return label{"未起算", "No clock"}.String()
	case age == together:
		return label{"合计", "Total"}.String()
	case age == len(ages)-1:
		return fmt.Sprintf("> %d 天 days", ages[age]-1)
	}
	return fmt.Sprintf("%d–%d 天 days", ages[age], ages[age+1]-1)
}

// formula is the live count of one waiter's age group in the waiting list.
// Row is where the waiter's line of the table stands.
func (a *ageing) formula(list listed, waiter, age, row int) formula {
	n := a.counts[waiter][age]
	line := strconv.Itoa(row)
	switch {
	case age == noAge:
		return formula{column26(1+together) + line + "-SUM(B" + line + ":" + column26(len(ages)) + line + ")", n}
	case waiter == len(a.waiters) && age == together:
		first := strconv.Itoa(row - len(a.waiters))
		last := strconv.Itoa(row - 1)
		c := column26(1 + together)
		return formula{list.each("COUNTA", 0) + "-SUM(" + c + first + ":" + c + last + ")", n}
	case waiter == len(a.waiters):
		return a.others(list, age, row)
	}
	expression := ""
	for i, p := range list.parts {
		if i > 0 {
			expression += "+"
		}
		expression += "COUNTIFS(" + p.ref(waitsForColumn) + ",$A" + line
		if age != together {
			expression += a.between(p, age)
		}
		expression += ")"
	}
	return formula{expression, n}
}

// others is an age group of whoever is not named in the table: all of that age
// less those above.
func (a *ageing) others(list listed, age, row int) formula {
	expression := ""
	for i, p := range list.parts {
		if i > 0 {
			expression += "+"
		}
		expression += "COUNTIFS(" + a.between(p, age)[1:] + ")"
	}
	c := column26(1 + age)
	expression += fmt.Sprintf("-SUM(%s%d:%s%d)", c, row-len(a.waiters), c, row-1)
	return formula{expression, a.counts[len(a.waiters)][age]}
}

// between is the condition of an age group, with a comma before it.
func (a *ageing) between(p stretch, age int) string {
	days := p.ref(ageColumn)
	condition := fmt.Sprintf(`,%s,">=%d"`, days, ages[age])
	if age+1 < len(ages) {
		condition += fmt.Sprintf(`,%s,"<%d"`, days, ages[age+1])
	}
	return condition
}
