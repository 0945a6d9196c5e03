package jobs_test

import (
	"strings"
	"time"
)

// The parts of a story of renewals, beside the deductions, ledger, balances and
// notices of one of billing:
//
//	-- decisions --   what was decided of subscriptions, and what was missing
//	-- asked --       what became of what buyers asked for: another policy, a renewal taken back
//	-- terms --       every term that was bought after the first
//	-- calls --       what sellers' interfaces are told
//	-- parked --      the buyers who were set aside, where the story speaks of any

func (s *story) renewals() []string {
	s.Helper()
	return s.rows(`
		SELECT d.business_date::text, u.code, d.outcome, d.rule, d.due_at, CASE d.outcome WHEN 'retry' THEN d.facts->>'shortfall' ELSE '' END
		FROM decisions d JOIN subscriptions u ON u.id = d.subject
		WHERE d.ruleset IN ('renewal', 'expiry')
		ORDER BY d.business_date, d.due_at, u.code COLLATE "C", d.ruleset, d.no`,
		func(scan func(...any) error) (string, error) {
			var on, code, outcome, rule, missing string
			var at time.Time
			err := scan(&on, &code, &outcome, &rule, &at, &missing)
			words := []string{on, code, outcome, rule, s.instant(at)}
			if missing != "" {
				words = append(words, "short by "+missing)
			}
			return strings.Join(words, "  "), err
		})
}

func (s *story) terms() []string {
	s.Helper()
	return s.rows(`
		SELECT u.code, t.no::text, t.from_at, t.until_at, t.paid_by, t.at
		FROM terms t JOIN subscriptions u ON u.id = t.subscription_id
		ORDER BY u.code COLLATE "C", t.no`,
		func(scan func(...any) error) (string, error) {
			var code, no, by string
			var from, until, at time.Time
			err := scan(&code, &no, &from, &until, &by, &at)
			return strings.Join([]string{code, no, s.instant(from) + " to " + s.instant(until), by, "at " + s.instant(at)}, "  "), err
		})
}

func (s *story) asked() []string {
	s.Helper()
	return s.rows(`
		SELECT u.code, r.at, 'policy ' || c.policy, r.outcome, r.rule FROM policy_results r JOIN policy_changes c ON c.id = r.change_id JOIN subscriptions u ON u.id = r.subscription_id
		UNION ALL
		SELECT u.code, r.requested_at, 'take back ' || coalesce(r.paid_by, 'nothing'), r.outcome || ' ' || trim_scale(r.amount) || ' ' || r.currency, r.rule
		FROM unsubscription_results r JOIN subscriptions u ON u.id = r.subscription_id
		ORDER BY 2, 1, 3`,
		func(scan func(...any) error) (string, error) {
			var code, what, outcome, rule string
			var at time.Time
			err := scan(&code, &at, &what, &outcome, &rule)
			return strings.Join([]string{code, s.instant(at), what, outcome, rule}, "  "), err
		})
}

func (s *story) calls() []string {
	s.Helper()
	return s.rows(`
		SELECT o.key, o.at, o.payload::text FROM outbox o ORDER BY o.at, o.key COLLATE "C"`,
		func(scan func(...any) error) (string, error) {
			var key, payload string
			var at time.Time
			err := scan(&key, &at, &payload)
			return strings.Join([]string{key, s.instant(at), payload}, "  "), err
		})
}
