package storage

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// GatewayDay is how the money of a day ties to the payment gateway's lines.
type GatewayDay struct {
	Totals      []GatewayTotal // by currency
	Differences []GatewayDifference
}

// GatewayTotal is a currency of a day: what the marketplace reported, what of
// it is booked, and what the gateway says.
type GatewayTotal struct {
	Payments, Lines           int64
	Reported, Booked, Gateway market.Money
}

// GatewayDifference is a payment about which the two disagree.
type GatewayDifference struct {
	Reference string
	Code      string // the marketplace's; empty where it knows of none
	Because   string
	Reported  market.Money // of no currency where there is none
	Gateway   market.Money
}

// tiedMoney is every payment and every gateway line of a day, one beside the
// other by the gateway's reference, with what became of it in the books, and
// where the other one is if it is of another day.
const tiedMoney = `
	WITH reported AS (
		SELECT m.code, coalesce(m.reference, '') AS reference, m.currency, m.at,
		       CASE WHEN m.kind = 'chargeback' THEN -m.amount ELSE m.amount END AS amount,
		       (SELECT coalesce(sum(CASE WHEN p.from_account = 'platform:bank' THEN p.amount WHEN p.to_account = 'platform:bank' THEN -p.amount END), 0)
		        FROM postings p WHERE p.journal_id = e.journal_id AND p.business_date = e.business_date) AS booked,
		       e.journal_id IS NOT NULL AS is_booked,
		       row_number() OVER (PARTITION BY m.reference ORDER BY m.at, m.code) AS nth
		FROM money m LEFT JOIN event_keys e ON e.key = 'money/' || m.site || '/' || m.code
		WHERE m.site = $1 AND m.at >= $2 AND m.at < $3 AND m.kind <> 'opening'),
	lines AS (
		SELECT reference, currency, amount, at FROM gateway_lines WHERE site = $1 AND at >= $2 AND at < $3)
	SELECT coalesce(r.code, ''), coalesce(nullif(r.reference, ''), l.reference, ''),
	       r.amount, coalesce(r.currency, ''), coalesce(r.is_booked, false), r.booked, l.amount, coalesce(l.currency, ''),
	       (SELECT min(m.at) FROM money m WHERE r.code IS NULL AND m.site = $1 AND m.reference = l.reference AND m.kind <> 'opening'),
	       (SELECT g.at FROM gateway_lines g WHERE l.reference IS NULL AND g.site = $1 AND g.reference = r.reference),
	       coalesce(r.nth > 1 AND r.reference <> '', false)
	FROM reported r FULL JOIN lines l ON l.reference = r.reference AND r.nth = 1
	ORDER BY 2, 1`

// TieGateway compares the money that came and went in [from, to) with the
// gateway's lines of the same time, payment by payment.
func (s *Store) TieGateway(ctx context.Context, site string, from, to time.Time, zone *time.Location) (GatewayDay, error) {
	var day GatewayDay
	totals := map[market.Currency]*GatewayTotal{}
	total := func(c market.Currency) *GatewayTotal {
		if totals[c] == nil {
			zero := market.NewMoney(market.Decimal{}, c)
			totals[c] = &GatewayTotal{Reported: zero, Booked: zero, Gateway: zero}
		}
		return totals[c]
	}
	err := s.query(ctx, tiedMoney, []any{site, from, to}, func(rows pgx.Rows) error {
		var p tiedPayment
		var reported, booked, gateway *market.Decimal
		if err := rows.Scan(&p.code, &p.reference, &reported, &p.reported.Currency, &p.isBooked, &booked, &gateway, &p.gateway.Currency, &p.otherDay, &p.otherLine, &p.again); err != nil {
			return err
		}
		if reported != nil {
			p.reported.Amount, p.booked = *reported, *booked
			t := total(p.reported.Currency)
			t.Payments++
			t.Reported.Amount, t.Booked.Amount = t.Reported.Amount.Add(*reported), t.Booked.Amount.Add(*booked)
		}
		if gateway != nil {
			p.gateway.Amount = *gateway
			t := total(p.gateway.Currency)
			t.Lines++
			t.Gateway.Amount = t.Gateway.Amount.Add(*gateway)
		}
		if because := p.differs(zone); because != "" {
			day.Differences = append(day.Differences, GatewayDifference{p.reference, p.code, because, p.reported, p.gateway})
		}
		return nil
	})
	if err != nil {
		return GatewayDay{}, fmt.Errorf("tie the money of %s to the gateway: %w", site, err)
	}
	for _, c := range slices.Sorted(maps.Keys(totals)) {
		day.Totals = append(day.Totals, *totals[c])
	}
	return day, nil
}

// tiedPayment is one payment as both tell it.
type tiedPayment struct {
	code, reference     string
	reported, gateway   market.Money
	booked              market.Decimal
	isBooked            bool
	again               bool       // another payment of the day has its reference
	otherDay, otherLine *time.Time // where only one is of this day: when the other one is
}

// differs says in what the two disagree, or what was not done yet.
func (p tiedPayment) differs(zone *time.Location) string {
	switch {
	case p.code == "" && p.otherDay != nil:
		return "the marketplace reported it on " + market.DateOf(*p.otherDay, zone).String()
	case p.code == "":
		return "the marketplace did not report it"
	case p.gateway.Currency == "" && p.reference == "":
		return "it has no reference of the gateway"
	case p.again:
		return "another payment has the same reference"
	case p.gateway.Currency == "" && p.otherLine != nil:
		return "the gateway took it on " + market.DateOf(*p.otherLine, zone).String()
	case p.gateway.Currency == "":
		return "the gateway does not know it"
	case p.gateway.Currency != p.reported.Currency || p.gateway.Amount.Cmp(p.reported.Amount) != 0:
		return "the amounts differ"
	case !p.isBooked:
		return "it is not booked yet: the next run of billing does"
	case p.booked.Cmp(p.reported.Amount) != 0:
		return "it was booked as " + market.NewMoney(p.booked, p.reported.Currency).String()
	}
	return ""
}
