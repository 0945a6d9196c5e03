package jobs_test

import (
	"slices"
	"strings"
	"time"
)

// small tells whether a job is one that few sites have anything for.
func small(job string) bool {
	return slices.Contains([]string{"openings", "listings", "leads", "offers"}, job)
}

// answers are what the small jobs decided, where it changed, and what ended: with
// its instant, "for good".
func (s *story) answers() []string {
	s.Helper()
	return s.rows(`
		SELECT d.business_date::text, d.ruleset, s.code, d.outcome, d.rule, d.due_at,
		       CASE WHEN e.business_date = d.business_date AND d.actor IS NULL THEN 'for good, ' || CASE WHEN (e.outcome, e.at) = (d.outcome, d.due_at) THEN 'so kept' ELSE 'kept as ' || e.outcome END ELSE '' END
		FROM decisions d JOIN subjects s ON s.subject = d.subject AND s.job = d.ruleset
		LEFT JOIN endings e ON e.job = d.ruleset AND e.subject = d.subject
		WHERE d.ruleset = ANY('{openings,listings,leads,offers}')
		ORDER BY d.business_date, d.ruleset, s.code COLLATE "C", d.no`,
		func(scan func(...any) error) (string, error) {
			var on, job, code, outcome, rule, ended string
			var at time.Time
			err := scan(&on, &job, &code, &outcome, &rule, &at, &ended)
			words := []string{on, job, code, outcome, rule, s.instant(at)}
			if ended != "" {
				words = append(words, ended)
			}
			return strings.Join(words, "  "), err
		})
}
