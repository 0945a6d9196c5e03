package jobs_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage/storagetest"
)

// tradingYear is the trade of sellers over months of 2024, in files by the month
// in which each line is reported: orders of one and of several sellers, resold,
// refunds of this month's and of older orders, orders that are paid, provisioned,
// repaid or cancelled later than they are placed, or reported late.
type tradingYear struct {
	random  *rand.Rand
	sellers int
	months  []map[string][]string
}

const firstTradingMonth = 3

func trade(seed uint64, sellers, months int) *tradingYear {
	y := &tradingYear{random: rand.New(rand.NewPCG(seed, 1)), sellers: sellers}
	for m := range months {
		y.months = append(y.months, map[string][]string{
			"orders":  {"code,buyer,seller,product,partner,partner_share,access_type,delivery_mode,placed_at,paid_at,provisioned_at,on_credit,repaid_at,cancelled_at,amount,currency"},
			"lines":   {"order,line,product,amount,currency"},
			"refunds": {"code,order,request,amount,currency,requested_at,refunded_at"},
		})
		if m == 0 {
			y.months[0]["sellers"], y.months[0]["buyers"], y.months[0]["products"] = []string{"code,certified_at"}, []string{"code", "ann"}, []string{"code,seller,access_type,product_class"}
			for s := range sellers {
				y.add(0, "sellers", "s%d,2020-01-01T00:00:00", s)
				y.add(0, "products", "p%d,s%d,saas,service", s, s)
			}
		}
	}
	for m := range months {
		for n := range 4 * sellers {
			y.order(m, fmt.Sprintf("o%d-%d", m, n))
		}
	}
	return y
}

func (y *tradingYear) add(month int, kind, format string, values ...any) {
	if month < len(y.months) {
		y.months[month][kind] = append(y.months[month][kind], fmt.Sprintf(format, values...))
	}
}

// day is a day of a month, at noon; empty past the last month.
func (y *tradingYear) day(month int) string {
	return fmt.Sprintf("2024-%02d-%02dT12:00:00", firstTradingMonth+month, 1+y.random.IntN(28))
}

func (y *tradingYear) one(in int) bool { return y.random.IntN(in) == 0 }

func (y *tradingYear) order(m int, code string) {
	seller, reported, amount := y.random.IntN(y.sellers), m, 1000+y.random.IntN(300_000)
	if y.one(8) {
		reported += y.random.IntN(3) // late
	}
	partner, share := "", ""
	if y.one(10) {
		partner, share = fmt.Sprintf("s%d", y.random.IntN(y.sellers)), "0.1"
	}
	placed := y.day(m)
	paid, provisioned, credit, repaid, cancelled := placed, placed, "", "", ""
	line := func() string {
		named, product := fmt.Sprintf("s%d", seller), fmt.Sprintf("p%d", seller)
		if y.one(3) {
			named = ""
		}
		return fmt.Sprintf("%s,ann,%s,%s,%s,%s,saas,instant,%s,%s,%s,%s,%s,%s,%d.00,CNY", code, named, product, partner, share, placed, paid, provisioned, credit, repaid, cancelled, amount)
	}
	switch y.random.IntN(12) {
	case 0: // provisioned later, and reported again
		provisioned = ""
		y.add(reported, "orders", "%s", line())
		reported += 1 + y.random.IntN(2)
		provisioned = y.day(min(reported, len(y.months)-1))
	case 1: // on credit, repaid later
		credit = "true"
		y.add(reported, "orders", "%s", line())
		reported += 1 + y.random.IntN(2)
		repaid = y.day(min(reported, len(y.months)-1))
	case 2:
		cancelled = placed
	case 3: // stays unpaid
		paid, provisioned = "", ""
	}
	y.add(reported, "orders", "%s", line())
	if y.one(6) {
		y.add(reported, "lines", "%s,1,p%d,%d.00,CNY", code, seller, amount-500)
		y.add(reported, "lines", "%s,2,p%d,500.00,CNY", code, y.random.IntN(y.sellers))
	}
	for n := range 2 {
		if y.one(5) {
			at := reported + y.random.IntN(3)
			told := at
			if y.one(2) {
				told = reported // known ahead
			}
			if at < len(y.months) {
				day := y.day(at)
				y.add(told, "refunds", "r%s-%d,%s,granted,%d.00,CNY,%s,%s", code, n, code, 1+y.random.IntN(amount/2), day, day)
			}
		}
	}
}

// TestAMonthThatReadsWhatIsOpenFindsWhatAllThatWasSoldComesTo: a dry run reads all
// that a seller ever sold, the run what is not settled whole. They come to the same,
// month by month, also where the first months were settled before what is open was
// noted; and what is settled whole is not open any more.
func TestAMonthThatReadsWhatIsOpenFindsWhatAllThatWasSoldComesTo(t *testing.T) {
	const months, old = 5, 2 // the first months were settled before anybody noted what is open
	y := trade(7, 40, months)
	s := storagetest.New(t)
	e := engine(t, s)
	e.ChunkSize = 13
	asTheyAre := func(lines []string) []string { return lines }
	for m := range months + 1 {
		if m < months { // the last month only looks at what is left
			takeInFiles(t, s, e, y.months[m], asTheyAre)
		}
		if m == old {
			storagetest.AsOwner(t, s, `ALTER TABLE statements DISABLE TRIGGER USER`, `UPDATE statements SET counts = NULL`, `ALTER TABLE statements ENABLE TRIGGER USER`,
				`ALTER TABLE counted_months DISABLE TRIGGER USER`, `DELETE FROM counted_months`, `ALTER TABLE counted_months ENABLE TRIGGER USER`,
				`INSERT INTO unsettled_orders (seller_id, order_id) SELECT DISTINCT seller_id, order_id FROM order_sellers ON CONFLICT DO NOTHING`)
		}
		request := jobs.Request{Job: "settlement", Site: "cn", On: market.NewDate(2024, time.Month(firstTradingMonth+m+1), 1) - 1}
		dry := request
		dry.DryRun = true
		preview, err := e.Run(t.Context(), dry)
		if err != nil {
			t.Fatal(err)
		}
		real, err := e.Run(t.Context(), request)
		if err != nil || !bytes.Equal(preview.Run.ResultHash, real.Run.ResultHash) {
			t.Fatalf("%s: the dry run came to %x, the run to %x, %v", request.On, preview.Run.ResultHash, real.Run.ResultHash, err)
		}
	}
	const unsettled = `
		SELECT count(DISTINCT u.order_id) FROM unsettled_orders u JOIN orders o ON o.id = u.order_id
		WHERE o.cancelled_at IS NULL AND o.paid_at IS NOT NULL AND NOT EXISTS (SELECT FROM refunds f WHERE f.order_id = o.id)
		  AND EXISTS (SELECT FROM event_keys k WHERE k.key LIKE 'settled/order/cn/' || o.code || '%')`
	sold, open, needless := count(t, s, `SELECT count(*) FROM orders`), count(t, s, `SELECT count(DISTINCT order_id) FROM unsettled_orders`), count(t, s, unsettled)
	if open > sold/3 || needless > sold/20 {
		t.Errorf("%d of %d orders are open, %d of them for no reason", open, sold, needless)
	}
	const counted = `SELECT string_agg(DISTINCT period || ' ' || coalesce(counts, 'nothing'), ', ' ORDER BY period || ' ' || coalesce(counts, 'nothing')) FROM statements WHERE period < 202407`
	if got := text(t, s, counted); got != "202403 nothing, 202404 nothing, 202405 all, 202406 more" {
		t.Errorf("what was settled is counted: %s", got)
	}
}
