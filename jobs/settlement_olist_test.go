package jobs_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage/storagetest"
)

// olistSettled knows nothing but the texts of the files. An order counts for the
// month in which it was accepted: ten times 24 hours after its signature, the
// time of complaints left out. Its tier is that of the month in which it was paid,
// by all that the seller was paid in it; every sale that was approved counts there,
// whether it is accepted or not. Each line is rounded by itself.
const olistSettled = olistDue + `, accepted AS MATERIALIZED (
	SELECT order_id, at FROM due
), paid AS MATERIALIZED (
	SELECT o.order_id, i.order_item_id, i.seller_id, i.price::numeric AS price,
	       date_trunc('month', o.order_approved_at::timestamp) AS month
	FROM raw.orders o JOIN raw.order_items i USING (order_id)
	WHERE o.order_approved_at <> ''
), months AS MATERIALIZED (
	SELECT seller_id, month, sum(price) AS total FROM paid GROUP BY seller_id, month
), settled AS (
	SELECT p.seller_id, to_char(accepted.at AT TIME ZONE 'America/Sao_Paulo', 'YYYYMM') AS period,
	       round(p.price * (0.95 + CASE WHEN m.total >= 50000 THEN 0.02 WHEN m.total >= 20000 THEN 0.01 ELSE 0 END), 2) AS amount, p.price
	FROM paid p JOIN accepted USING (order_id) JOIN months m USING (seller_id, month)
)
SELECT seller_id, period, count(*), sum(price)::text, sum(amount)::text
FROM settled
WHERE period BETWEEN '201701' AND '201712'
GROUP BY seller_id, period ORDER BY seller_id, period`

// settledMonth is what a seller was settled for a month.
type settledMonth struct {
	Seller, Period    string
	Lines             int64
	Billable, Settled string
}

// TestAYearOfRealSellers settles a year of a real marketplace month by month, and
// holds every seller's month against one SQL query over the files, to the cent.
func TestAYearOfRealSellers(t *testing.T) {
	dir := olistData(t)
	address := storagetest.URL(t)
	s := storagetest.Open(t, address)
	e := engine(t, s)
	e.Workers = 2
	site, err := e.Book.Site("br")
	if err != nil {
		t.Fatal(err)
	}
	importOlist(t, s, site, dir)
	for period := market.PeriodNumbered(201701); period.Number() <= 201712; period = period.Next() {
		bill, err := site.BillDay(period)
		if err != nil {
			t.Fatal(err)
		}
		for _, request := range []jobs.Request{{Job: "acceptance", Site: "br", On: bill}, {Job: "settlement", Site: "br", On: period.Last()}} {
			if r, err := e.Run(t.Context(), request); err != nil || r.Run.Parked > 0 {
				t.Fatalf("%s of %s: %d parked, %v: %s", request.Job, period, r.Run.Parked, err, text(t, s, `SELECT coalesce(min(reason), '') FROM parked`))
			}
		}
	}
	raw := olistRaw(t, dir)
	loadText(t, raw, "order_items", filepath.Join(dir, "order_items.csv.gz"))
	want := settledMonths(t, raw, olistSettled)
	ours, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close(t.Context())
	got := settledMonths(t, ours, `
		SELECT s.code, t.period::text, t.lines, trim_scale(t.billable)::text, trim_scale(t.settled)::text
		FROM statements t JOIN sellers s ON s.id = t.seller_id ORDER BY 1, 2`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("months of sellers (-query over the files +nightshift):\n%s", diff)
	}
	if untied := count(t, s, `
		SELECT count(*) FROM statements t
		WHERE t.payout + t.carried_out <> (SELECT sum(l.settled) FROM statement_lines l WHERE l.seller_id = t.seller_id AND l.period = t.period)
		   OR t.payout <> (SELECT coalesce(sum(p.amount), 0) FROM event_keys k JOIN postings p ON p.journal_id = k.journal_id
		                   WHERE k.key = t.journal_key AND p.to_account LIKE 'seller:%:payable')`); untied != 0 {
		t.Errorf("%d statements do not tie to their lines and journals", untied)
	}
	t.Logf("%d months of sellers, %s settled", len(got), text(t, s, `SELECT trim_scale(sum(settled))::text FROM statements`))
	if len(got) == 0 {
		t.Error("nothing was settled")
	}
}

// settledMonths answers a query, by seller and period.
func settledMonths(t *testing.T, conn *pgx.Conn, query string) map[string]settledMonth {
	t.Helper()
	rows, err := conn.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]settledMonth{}
	for rows.Next() {
		var m settledMonth
		if err := rows.Scan(&m.Seller, &m.Period, &m.Lines, &m.Billable, &m.Settled); err != nil {
			t.Fatal(err)
		}
		m.Billable, m.Settled = ratOf(m.Billable).FloatString(2), ratOf(m.Settled).FloatString(2)
		all[m.Seller+" "+m.Period] = m
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
