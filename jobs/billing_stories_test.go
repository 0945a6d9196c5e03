package jobs_test

import (
	"strings"
	"time"

	"nightshift/rules/market"
)

// keepWorkbook keeps the workbook of a night of billing that decided something:
// its lists must tie to the journals.
func (s *story) keepWorkbook(r market.Run) {
	s.Helper()
	if r.Job != "billing" && r.Job != "renewal" || len(r.Outcomes) == 0 {
		return
	}
	if _, err := s.engine.KeepWorkbook(s.Context(), r); err != nil {
		s.Errorf("workbook of %s: %v", r.On, err)
	}
	s.books = append(s.books, r)
}

// writtenAgain writes the workbooks of the story again, after all its nights.
func (s *story) writtenAgain() {
	s.Helper()
	for _, r := range s.books {
		if _, difference, err := s.engine.VerifyWorkbook(s.Context(), r); err != nil || difference != "" {
			s.Errorf("workbook of %s, written again after all nights: %s %v", r.On, difference, err)
		}
	}
}

// The parts of a story of billing:
//
//	-- decisions --   what became of orders that were not paid, and of buyers who owe
//	-- usage --       what became of every record of use
//	-- deductions --  what was charged: price, discount, what is due, what was dropped, and who paid
//	-- refunds --     what became of requests for money back
//	-- month bills -- what buyers on account were billed at a month's end, where the story speaks of any
//	-- month lines -- what the total of a month was shared out to, where the story speaks of any
//	-- ledger --      every posting of every journal
//	-- balances --    what is left on the buyers' accounts

func (s *story) payments() []string {
	s.Helper()
	return s.rows(`
		SELECT d.business_date::text, s.code, d.outcome, d.rule, d.due_at,
		       coalesce((SELECT string_agg((r->>'instrument') || ': ' || (r->>'rule'), ', ') FROM jsonb_array_elements(d.refused) r), '')
		FROM decisions d JOIN subjects s ON s.subject = d.subject AND s.job = CASE d.ruleset WHEN 'payment' THEN 'acceptance' ELSE 'billing' END
		WHERE d.ruleset IN ('payment', 'arrears', 'repurchase')
		ORDER BY d.business_date, s.code COLLATE "C", d.no`,
		func(scan func(...any) error) (string, error) {
			var on, code, outcome, rule, refused string
			var at time.Time
			err := scan(&on, &code, &outcome, &rule, &at, &refused)
			words := []string{on, code, outcome, rule, s.instant(at)}
			if refused != "" {
				words = append(words, "not used "+refused)
			}
			return strings.Join(words, "  "), err
		})
}

func (s *story) usage() []string {
	s.Helper()
	return s.rows(`
		SELECT u.metering_sn, r.outcome, coalesce(r.code, ''), r.rule, r.late, r.due_at,
		       coalesce((SELECT string_agg(trim_scale(t.quantity)::text || ' of ' || t.item || CASE WHEN t.drawn > 0 THEN ', ' || trim_scale(t.drawn) || ' by packages' ELSE '' END
		                                   || CASE WHEN t.unbilled > 0 THEN ', ' || trim_scale(t.unbilled) || ' not billed' ELSE '' END, '; ' ORDER BY t.cycle_from) FROM rated t WHERE t.record_id = u.id), '')
		FROM usage_records u JOIN usage_results r ON r.record_id = u.id
		ORDER BY u.received_at, u.id`,
		func(scan func(...any) error) (string, error) {
			var sn, outcome, code, rule, rated string
			var late bool
			var at time.Time
			err := scan(&sn, &outcome, &code, &rule, &late, &at, &rated)
			words := []string{sn, outcome}
			if code != "" {
				words = append(words, code)
			}
			if words = append(words, rule); late {
				words = append(words, "late")
			}
			if words = append(words, s.instant(at)); rated != "" {
				words = append(words, rated)
			}
			return strings.Join(words, "  "), err
		})
}

func (s *story) deductions() []string {
	s.Helper()
	return s.rows(`
		SELECT d.key, trim_scale(d.price)::text, coalesce(d.discount || ' -' || trim_scale(d.discounted), 'no discount'), trim_scale(d.due)::text, trim_scale(d.dropped)::text, d.at,
		       coalesce((SELECT string_agg(p.instrument || ' ' || trim_scale(p.amount), ', ' ORDER BY p.no) FROM deduction_sources p WHERE p.key = d.key), 'nobody')
		FROM deductions d
		ORDER BY d.at, d.key COLLATE "C"`,
		func(scan func(...any) error) (string, error) {
			var key, price, discount, due, dropped, sources string
			var at time.Time
			err := scan(&key, &price, &discount, &due, &dropped, &at, &sources)
			return strings.Join([]string{key, price, discount, "due " + due, "dropped " + dropped, s.instant(at), "by " + sources}, "  "), err
		})
}

func (s *story) refunds() []string {
	s.Helper()
	return s.rows(`
		SELECT coalesce(f.code, 'supervision'), o.code, r.outcome, r.rule, trim_scale(r.amount)::text || ' ' || r.currency, r.at
		FROM refund_results r LEFT JOIN refunds f ON f.id = r.refund_id JOIN orders o ON o.id = r.order_id
		ORDER BY r.at, coalesce(f.code, '') COLLATE "C"`,
		func(scan func(...any) error) (string, error) {
			var code, order, outcome, rule, amount string
			var at time.Time
			err := scan(&code, &order, &outcome, &rule, &amount, &at)
			return strings.Join([]string{code, order, outcome, rule, amount, s.instant(at)}, "  "), err
		})
}

func (s *story) monthBills() []string {
	s.Helper()
	return s.rows(`
		SELECT m.business_date::text, b.code, to_char(m.month, 'YYYYMM'), trim_scale(m.owed)::text || ' ' || m.currency, m.rule, m.at, m.due_at
		FROM month_bills m JOIN buyers b ON b.id = m.buyer_id
		ORDER BY m.at, b.code COLLATE "C"`,
		func(scan func(...any) error) (string, error) {
			var on, code, month, owed, rule string
			var at, due time.Time
			err := scan(&on, &code, &month, &owed, &rule, &at, &due)
			return strings.Join([]string{on, code, month, owed, rule, s.instant(at), "due " + s.instant(due)}, "  "), err
		})
}

func (s *story) ledger() []string {
	s.Helper()
	return s.rows(`
		SELECT j.key, p.from_account, p.to_account, trim_scale(p.amount)::text || ' ' || p.currency, j.at
		FROM journals j JOIN postings p ON p.journal_id = j.id
		ORDER BY j.at, j.key COLLATE "C", p.no`,
		func(scan func(...any) error) (string, error) {
			var key, from, to, amount string
			var at time.Time
			err := scan(&key, &from, &to, &amount, &at)
			return strings.Join([]string{key, from + " -> " + to, amount, s.instant(at)}, "  "), err
		})
}

func (s *story) balances() []string {
	s.Helper()
	return s.rows(`SELECT name, trim_scale(balance)::text || ' ' || currency FROM accounts ORDER BY name COLLATE "C", currency`,
		func(scan func(...any) error) (string, error) {
			var name, balance string
			err := scan(&name, &balance)
			return name + "  " + balance, err
		})
}

func (s *story) monthLines() []string {
	s.Helper()
	return s.rows(`
		SELECT l.business_date::text, b.code, to_char(l.month, 'YYYYMM'), l.key, trim_scale(l.due)::text, trim_scale(l.charged)::text || ' ' || l.currency
		FROM rounded_lines l JOIN buyers b ON b.id = l.buyer_id
		ORDER BY l.month, b.code COLLATE "C", l.at, l.key`,
		func(scan func(...any) error) (string, error) {
			var on, code, month, key, due, charged string
			err := scan(&on, &code, &month, &key, &due, &charged)
			return strings.Join([]string{on, code, month, key, "due " + due, "charged " + charged}, "  "), err
		})
}
