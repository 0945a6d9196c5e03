package jobs_test

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"slices"
	"strings"
	"time"

	"nightshift/reports"
	"nightshift/rules/market"
)

// The parts of a story of settlement:
//
//	-- parked --      sellers that were set aside, and sellers with lines that a person has to mend
//	-- statements --  what sellers are owed: lines, billable, fee, taxes, operating fee, settled, adjustments, carried, payout
//	-- lines --       the lines of statements: what was paid, the share, what was settled, by which instant and rules
//	-- waiting --     what was not settled by the run of each period, the conditions that are not met, and until when
//	-- settled --     every posting of the journals of settlement
//	-- sellers --     the balances of the sellers' accounts
//	-- focus --       the charges of each month in the FOCUS format
//
// A story with its days as months runs settlement on their bill days.

func (s *story) statements() []string {
	s.Helper()
	return s.rows(`
		SELECT t.period::text, s.code, t.lines::text, 'billable ' || trim_scale(t.billable), 'fee ' || trim_scale(t.fee), 'taxes ' || trim_scale(t.taxes), 'operating ' || trim_scale(t.operating_fee),
		       'settled ' || trim_scale(t.settled), 'adjustments ' || trim_scale(t.adjustments), 'in ' || trim_scale(t.carried_in), 'out ' || trim_scale(t.carried_out), 'payout ' || trim_scale(t.payout) || ' ' || t.currency,
		       r.as_of
		FROM statements t JOIN sellers s ON s.id = t.seller_id JOIN runs r ON r.id = t.run_id
		ORDER BY t.period, s.code COLLATE "C"`,
		func(scan func(...any) error) (string, error) {
			words := make([]string, 12)
			targets := make([]any, 0, 13)
			for i := range words {
				targets = append(targets, &words[i])
			}
			var at time.Time
			err := scan(append(targets, &at)...)
			return strings.Join(words, "  ") + "  run " + s.instant(at), err
		})
}

func (s *story) statementLines() []string {
	s.Helper()
	return s.rows(`
		SELECT l.period::text, l.key, trim_scale(l.paid)::text, 'billable ' || trim_scale(l.billable), 'share ' || trim_scale(l.share),
		       coalesce('tier of ' || trim_scale(l.tier_total), 'no tier'), 'fee ' || trim_scale(l.fee), 'kept back ' || trim_scale(l.withheld + l.wht + l.dst + l.operating_fee), 'settled ' || trim_scale(l.settled),
		       l.decided_by, l.decided_at, l.rules
		FROM statement_lines l
		ORDER BY l.period, l.seller_id, l.no`,
		func(scan func(...any) error) (string, error) {
			w := make([]string, 10)
			var at time.Time
			var rules string
			err := scan(&w[0], &w[1], &w[2], &w[3], &w[4], &w[5], &w[6], &w[7], &w[8], &w[9], &at, &rules)
			return strings.Join(w, "  ") + " " + s.instant(at) + "  " + rules, err
		})
}

func (s *story) waitingLines() []string {
	s.Helper()
	return s.rows(`
		SELECT w.period::text, s.code, w.key, trim_scale(w.amount)::text || ' ' || w.currency, w.outcome, array_to_string(w.unmet, ' '), coalesce(w.until_at, 'epoch'), w.because
		FROM waiting_lines w JOIN sellers s ON s.id = w.seller_id
		ORDER BY w.period, s.code COLLATE "C", w.key COLLATE "C"`,
		func(scan func(...any) error) (string, error) {
			w := make([]string, 7)
			var until time.Time
			err := scan(&w[0], &w[1], &w[2], &w[3], &w[4], &w[5], &until, &w[6])
			if until.Unix() != 0 {
				w[5] += " until " + s.instant(until)
			}
			return strings.Join(w, "  "), err
		})
}

func (s *story) settledLedger() []string {
	s.Helper()
	return s.rows(`
		SELECT j.key, p.from_account, p.to_account, trim_scale(p.amount)::text || ' ' || p.currency, j.at
		FROM journals j JOIN postings p ON p.journal_id = j.id
		WHERE j.key LIKE 'settlement/%'
		ORDER BY j.at, j.key COLLATE "C", p.no`,
		func(scan func(...any) error) (string, error) {
			var key, from, to, amount string
			var at time.Time
			err := scan(&key, &from, &to, &amount, &at)
			return strings.Join([]string{key, from + " -> " + to, amount, s.instant(at)}, "  "), err
		})
}

func (s *story) sellerBalances() []string {
	s.Helper()
	return s.rows(`
		SELECT name, trim_scale(sum(amount))::text || ' ' || currency FROM (
			SELECT to_account AS name, amount, currency FROM postings UNION ALL SELECT from_account, -amount, currency FROM postings) m
		WHERE name LIKE 'seller:%'
		GROUP BY name, currency HAVING sum(amount) <> 0 ORDER BY name COLLATE "C"`,
		func(scan func(...any) error) (string, error) {
			var name, balance string
			err := scan(&name, &balance)
			return name + "  " + balance, err
		})
}

func (s *story) parked() []string {
	s.Helper()
	return s.rows(`
		SELECT p.business_date::text, x.code, p.reason FROM parked p JOIN subjects x ON x.job = p.job AND x.subject = p.subject
		ORDER BY p.business_date, x.code COLLATE "C"`,
		func(scan func(...any) error) (string, error) {
			var on, code, reason string
			err := scan(&on, &code, &reason)
			return strings.Join([]string{on, code, reason}, "  "), err
		})
}

// focus is what the FOCUS export says of each month, once it was held against
// the rules of FOCUS.
func (s *story) focus() (lines []string) {
	s.Helper()
	done := map[market.Date]bool{}
	for _, n := range s.nights {
		if n.on != market.Month(n.on).Last() || done[n.on] {
			continue
		}
		done[n.on] = true
		var dataset bytes.Buffer
		if _, err := s.engine.ExportFocus(s.Context(), s.site.Name, market.Month(n.on), &dataset); err != nil {
			s.Fatal(err)
		}
		if problems, _, err := reports.CheckFocus(bytes.NewReader(dataset.Bytes())); err != nil || len(problems) > 0 {
			s.Errorf("%v breaks rules of FOCUS: %v, %v", n.on, problems, err)
		}
		rows, err := csv.NewReader(&dataset).ReadAll()
		if err != nil {
			s.Fatal(err)
		}
		for _, row := range rows[1:] {
			line := market.Month(n.on).String()
			for _, name := range []string{"x_ChargeId", "ChargeCategory", "ChargeClass", "ChargeFrequency", "BilledCost", "ChargePeriodStart", "ChargePeriodEnd", "ConsumedQuantity", "ConsumedUnit", "ResourceId", "PricingQuantity"} {
				line += "  " + cmp.Or(row[slices.Index(rows[0], name)], "-")
			}
			lines = append(lines, line)
		}
	}
	return lines
}
