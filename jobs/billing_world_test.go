package jobs_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// world is a marketplace that bills: buyers with little and with much, what they
// pay with, orders, use and packages, charges, what is asked back. It is drawn
// from a seed, so that any two databases can hold the same.
type world struct {
	*rand.Rand
	nights int // from 1 June 2024 on: everything happens up to the end of the last
	files  map[string]*strings.Builder
	n      int // of codes
}

// worldFirst is the first business date of a world.
var worldFirst = market.NewDate(2024, 6, 1)

// worldKinds are the files of a world in the order in which they are imported.
var worldKinds = []string{"sellers", "products", "prices", "buyers", "limits", "instruments", "orders", "money", "instances", "packs", "charges", "refunds", "usage"}

var worldColumns = map[string]string{
	"sellers":     "code",
	"products":    "code,seller,product_class,credit_allowed",
	"prices":      "product,item,from_at,model,cycle,measure,accumulation,brackets,currency",
	"buyers":      "code,credit_limit,currency,month_end",
	"limits":      "buyer,from_at,amount",
	"instruments": "code,buyer,kind,amount,currency,rate,discount_kind,granted_at,valid_from,valid_until,seller,borne_by,restricted,min_spend,products,charge_modes,not_with",
	"orders":      "code,buyer,seller,product,access_type,delivery_mode,charge_mode,order_type,placed_at,amount,auto_pay,pay_at,pay_with",
	"money":       "code,buyer,kind,account,amount,at",
	"instances":   "code,buyer,seller,product,access_type,charge_mode,machine,opened_at",
	"packs":       "code,buyer,product,instance,items,quota,valid_from,valid_until,purchased_at,reset,stop_when_used_up,threshold,price",
	"charges":     "code,buyer,seller,product,item,amount,used_from,at",
	"refunds":     "code,order,request,amount,requested_at,approved_at",
	"usage":       "received_at,upload,metering_sn,seller,instance,item,record_time,begin_time,end_time,usage_value,relate_pkg_instance,forwarded",
}

// newWorld draws a world of buyers and nights.
func newWorld(seed uint64, buyers, nights int) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 1)), nights: nights, files: map[string]*strings.Builder{}}
	for kind, columns := range worldColumns {
		w.files[kind] = &strings.Builder{}
		w.files[kind].WriteString(columns + "\n")
	}
	for s := range 5 {
		w.row("sellers", fmt.Sprint("s", s))
		product := func(name, class string, credit bool, prices ...string) {
			code := fmt.Sprint(name, s)
			w.row("products", code, fmt.Sprint("s", s), class, fmt.Sprint(credit))
			for _, p := range prices {
				w.files["prices"].WriteString(code + "," + p + "\n")
			}
		}
		product("api", "service", true,
			"storage,2024-01-01T00:00:00,fixed,hour,usage,none,0.00028,CNY", "storage,2024-06-10T00:00:00,fixed,hour,usage,none,0.0003300077,CNY",
			"minutes,2024-01-01T00:00:00,step,day,usage,day,3:0.3;:0.2,CNY", "calls,2024-01-01T00:00:00,tier,day,usage,none,100:0.05;:0.04,CNY")
		product("img", "software", true, "hours,2024-01-01T00:00:00,fixed,hour,hours,none,2.005,CNY")
		product("box", "hardware", s%2 == 0)
	}
	for b := range buyers {
		w.buyer(fmt.Sprintf("b%03d", b))
	}
	return w
}

func (w *world) row(kind string, cells ...string) {
	for i, c := range cells {
		if strings.ContainsAny(c, ",\n") {
			cells[i] = `"` + c + `"`
		}
	}
	w.files[kind].WriteString(strings.Join(cells, ",") + "\n")
}

func (w *world) chance(percent int) bool { return w.IntN(100) < percent }

func pick[T any](w *world, of ...T) T { return of[w.IntN(len(of))] }

func (w *world) code(prefix string) string {
	w.n++
	return fmt.Sprintf("%s%d", prefix, w.n)
}

// when is an instant of the world's nights, to the minute: several things happen
// in one.
func (w *world) when() time.Time {
	return worldFirst.At(market.TimeOfDay{}, time.UTC).Add(time.Duration(w.IntN(w.nights*24*60-300)) * time.Minute)
}

func stamp(t time.Time) string { return t.Format(time.RFC3339) }

func (w *world) amount(most int) string { return fmt.Sprintf("%d.%02d CNY", w.IntN(most), w.IntN(100)) }

// buyer draws one buyer. Four in ten are short of money.
func (w *world) buyer(code string) {
	rich := 3000
	if w.chance(40) {
		rich = 30
	}
	limit, currency := "", ""
	if w.chance(30) {
		limit, currency = fmt.Sprint(w.IntN(rich/2+1)), "CNY"
	}
	w.row("buyers", code, limit, currency, fmt.Sprint(w.chance(8)))
	if limit != "" && w.chance(50) {
		w.row("limits", code, stamp(w.when()), w.amount(rich))
	}
	if w.chance(30) {
		account := pick(w, "cash", "arrears", "credit")
		if limit == "" && account == "credit" {
			account = "cash"
		}
		if account == "credit" {
			w.row("money", w.code("M"), code, "opening", account, "0.00 CNY", "2024-06-01T00:00:00")
		} else {
			w.row("money", w.code("M"), code, "opening", account, w.amount(rich/10+1), "2024-06-01T00:00:00")
		}
	}
	for range 1 + w.IntN(4) {
		kind := pick(w, "top_up", "top_up", "top_up", "card", "boleto", "chargeback", "repayment", "refund_in")
		account := ""
		if kind == "repayment" {
			account = pick(w, "credit", "month_end", "arrears")
		}
		w.row("money", w.code("M"), code, kind, account, w.amount(rich), stamp(w.when()))
	}
	for range w.IntN(4) {
		w.instrument(code, rich)
	}
	for range w.IntN(5) {
		w.order(code, rich)
	}
	for range w.IntN(3) {
		s := w.IntN(5)
		amount := pick(w, w.amount(50), "-3.10 CNY", "0.00 CNY", "0.12345678901 CNY", "-0.00000000001 CNY")
		at := w.when()
		w.row("charges", w.code("H"), code, fmt.Sprint("s", s), fmt.Sprint("api", s), "", amount, stamp(at.Add(-24*time.Hour)), stamp(at))
	}
	for range w.IntN(3) {
		w.instance(code)
	}
}

func (w *world) instrument(buyer string, rich int) {
	kind := pick(w, "discount", "voucher", "voucher", "coupon", "coupon", "card")
	granted := w.when()
	amount, currency, rate, how := fmt.Sprint(w.IntN(rich/3+1)), "CNY", "", ""
	if kind == "discount" {
		amount, currency, rate, how = "", "", pick(w, "0.9", "0.333", "0.5"), pick(w, "commercial", "promotional", "coupon")
	}
	var from, until, seller, borne, least, products, modes, without string
	borne = "platform"
	if w.chance(40) {
		from = stamp(granted.Add(time.Duration(w.IntN(72)) * time.Hour))
		until = stamp(granted.Add(time.Duration(80+w.IntN(200)) * time.Hour))
	}
	if kind != "card" && w.chance(40) {
		seller = fmt.Sprint("s", w.IntN(5))
		borne = pick(w, "platform", "seller")
	}
	if w.chance(20) {
		least = "20"
	}
	if w.chance(20) {
		products = "api1 img2 box3"
	}
	if w.chance(10) {
		modes = "PERIOD ON_DEMAND"
	}
	if w.chance(20) && kind != "discount" {
		without = pick(w, "promotional", "commercial coupon")
	}
	w.row("instruments", w.code("I"), buyer, kind, amount, currency, rate, how, stamp(granted), from, until, seller, borne, fmt.Sprint(w.chance(20)), least, products, modes, without)
}

func (w *world) order(buyer string, rich int) {
	code, s := w.code("O"), w.IntN(5)
	access, product, mode := "saas", fmt.Sprint("api", s), "instant"
	switch w.IntN(4) {
	case 0:
		access, product, mode = "hardware", fmt.Sprint("box", s), ""
	case 1:
		access, product, mode = "human_service", "", "offline"
	}
	placed, auto, byHand := w.when(), "", ""
	switch w.IntN(5) {
	case 0, 1, 2:
		auto = "true"
	case 3:
		byHand = stamp(placed.Add(time.Duration(w.IntN(200*60)) * time.Minute))
	}
	if auto != "" && w.chance(20) {
		byHand = stamp(placed.Add(time.Duration(w.IntN(100*60)) * time.Minute))
	}
	price := w.amount(rich/2 + 10)
	seller := fmt.Sprint("s", s)
	if product == "" && w.chance(30) {
		seller = ""
	}
	w.row("orders", code, buyer, seller, product, access, mode, pick(w, "PERIOD", "ONE_TIME"), "new", stamp(placed), price, auto, byHand, "")
	for range w.IntN(3) {
		asked := placed.Add(time.Duration(w.IntN(8*24*60)) * time.Minute)
		agreed, request, amount := "", pick(w, "unconditional", "negotiated", "failed", "granted"), ""
		if request == "negotiated" && w.chance(80) {
			agreed = stamp(asked.Add(time.Duration(w.IntN(50)) * time.Hour))
		}
		if w.chance(50) {
			amount = w.amount(rich/3 + 5)
		}
		w.row("refunds", w.code("F"), code, request, amount, stamp(asked), agreed)
	}
}

// instance draws something that is used: now and then wrongly reported, late, or
// by somebody else, and paid by packages as far as they go.
func (w *world) instance(buyer string) {
	code, s := w.code("i"), w.IntN(5)
	image := w.chance(30)
	access, product, machine, items := "api", fmt.Sprint("api", s), "", []string{"storage", "minutes", "calls"}
	if image {
		access, product, machine, items = "image", fmt.Sprint("img", s), pick(w, "", "ecs-"+buyer), []string{"hours"}
	}
	seller, mode := fmt.Sprint("s", s), pick(w, "ON_DEMAND", "ON_DEMAND", "ON_DEMAND_PKG")
	w.row("instances", code, buyer, seller, product, access, mode, machine, "2024-05-20T00:00:00")
	packs := []string{""}
	for range w.IntN(3) {
		pack, bought := w.code("P"), w.when()
		reset, threshold, price := pick(w, "none", "month", "day"), "", ""
		if w.chance(60) {
			threshold, price = fmt.Sprint(w.IntN(40)), w.amount(60)
		}
		stops := w.chance(15)
		if stops {
			packs = []string{pack}
		}
		w.row("packs", pack, buyer, product, pick(w, code, ""), pick(w, "", "calls", "minutes calls"), fmt.Sprint(10+w.IntN(150)), stamp(bought),
			stamp(bought.Add(time.Duration(100+w.IntN(900))*time.Hour)), stamp(bought), reset, fmt.Sprint(stops), threshold, price)
	}
	for range w.IntN(12) {
		begin := w.when().Add(-24 * time.Hour)
		end := begin.Add(time.Duration(5+w.IntN(50)) * time.Minute)
		if image {
			end = begin.Add(time.Duration(20+w.IntN(200)) * time.Minute)
		}
		received := end.Add(time.Duration(1+w.IntN(90)) * time.Minute)
		value := fmt.Sprintf("%d.%d", w.IntN(80), w.IntN(10000))
		sn, of, who := w.code("u"), code, seller
		switch w.IntN(20) {
		case 0:
			value = pick(w, "0", "-3", "1.23456", "many", "1e30", "1"+strings.Repeat("0", 30))
		case 1:
			of = "nobody's"
		case 2:
			who = "s9"
		case 3:
			begin, end = end, begin
		case 4:
			received = received.Add(time.Duration(w.IntN(26*24)) * time.Hour)
		case 5:
			sn = fmt.Sprintf("u%d", max(1, w.n-1-w.IntN(5)))
		}
		if last := worldFirst.At(market.TimeOfDay{}, time.UTC).Add(time.Duration(w.nights*24-4) * time.Hour); received.After(last) {
			received = last
		}
		utc := func(t time.Time) string { return t.UTC().Format(market.UsageTimeLayout) }
		w.row("usage", stamp(received), "", sn, who, of, pick(w, items...), utc(end), utc(begin), utc(end), value, pick(w, packs...), pick(w, "", "", "", "false"))
	}
}

// taken takes the world in, all at once: history may be imported first, and its
// nights run after. It answers the address of a database that can be copied.
func (w *world) taken(t *testing.T) (address string) {
	t.Helper()
	address = storagetest.URL(t)
	t.Run("import", func(t *testing.T) { // whose connections end with it
		take := usageDesk(t, storagetest.Open(t, address))
		for _, kind := range worldKinds {
			take(kind, w.files[kind].String())
		}
	})
	return address
}

// anew is a world that was taken in, and that no night has looked at.
func anew(t *testing.T, taken string) *storage.Store {
	t.Helper()
	return storagetest.Open(t, storagetest.CopyOf(t, taken))
}

// billingNight is the run of billing of a business date of the world, counted
// from 0.
func billingNight(night int) jobs.Request {
	return jobs.Request{Job: "billing", Site: "cn", On: worldFirst + market.Date(night)}
}

// booksOf is what billing leaves behind, without serial numbers, clocks, and the
// dates of the nights that found it.
func booksOf(t testing.TB, s *storage.Store) string {
	t.Helper()
	var out strings.Builder
	for _, query := range []string{
		`SELECT concat_ws('|', j.key, j.at AT TIME ZONE 'UTC', p.no, p.from_account, p.to_account, trim_scale(p.amount), p.currency) FROM journals j LEFT JOIN postings p ON p.journal_id = j.id ORDER BY j.key COLLATE "C", p.no`,
		`SELECT concat_ws('|', name, currency, trim_scale(balance)) FROM accounts ORDER BY name, currency`,
		`SELECT concat_ws('|', d.key, d.kind, d.at AT TIME ZONE 'UTC', trim_scale(price), discount, trim_scale(discounted), trim_scale(due), trim_scale(dropped), refused,
			(SELECT string_agg(s.instrument || ' ' || trim_scale(s.amount), ',' ORDER BY s.no) FROM deduction_sources s WHERE s.key = d.key)) FROM deductions d ORDER BY d.key COLLATE "C"`,
		`SELECT concat_ws('|', u.id, u.metering_sn, r.outcome, r.code, r.rule, r.late, r.due_at AT TIME ZONE 'UTC') FROM usage_results r JOIN usage_records u ON u.id = r.record_id ORDER BY u.id`,
		`SELECT concat_ws('|', record_id, item, cycle_from AT TIME ZONE 'UTC', trim_scale(quantity), trim_scale(drawn), trim_scale(excess), trim_scale(unbilled), trim_scale(accumulated), amount) FROM rated ORDER BY record_id, cycle_from`,
		`SELECT concat_ws('|', coalesce(p.code, q.code), window_from AT TIME ZONE 'UTC', trim_scale(used_before), trim_scale(used_after), record_id) FROM draws d LEFT JOIN packs p ON p.id = pack_id LEFT JOIN packs_bought q ON q.id = pack_id ORDER BY 1`,
		`SELECT concat_ws('|', o.code, e.outcome, e.at AT TIME ZONE 'UTC') FROM order_ends e JOIN orders o ON o.id = e.order_id ORDER BY 1`,
		`SELECT concat_ws('|', f.code, r.outcome, r.rule, trim_scale(r.amount), r.at AT TIME ZONE 'UTC') FROM refund_results r JOIN refunds f ON f.id = r.refund_id ORDER BY 1`,
		`SELECT concat_ws('|', key, kind, recipients, at AT TIME ZONE 'UTC') FROM notices ORDER BY 1`,
		`SELECT concat_ws('|', buyer_id, month, currency, key, at AT TIME ZONE 'UTC', trim_scale(due), trim_scale(charged)) FROM rounded_lines ORDER BY 1`,
		`SELECT concat_ws('|', b.code, p.reason) FROM parked p JOIN buyers b ON b.id = p.subject WHERE requeued_at IS NULL ORDER BY 1`,
	} {
		rows, err := s.DB().QueryContext(context.Background(), query)
		if err != nil {
			t.Fatal(err, query)
		}
		out.WriteString(lines(t, rows))
	}
	return out.String()
}

// differs names the first lines in which two books differ.
func differs(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	var out []string
	for _, l := range a {
		if !slices.Contains(b, l) && len(out) < 12 {
			out = append(out, "- "+l)
		}
	}
	for _, l := range b {
		if !slices.Contains(a, l) && len(out) < 24 {
			out = append(out, "+ "+l)
		}
	}
	return strings.Join(out, "\n")
}

// brokenLaws are what must never be found in the books, by what it would be.
var brokenLaws = map[string]string{
	"an account has another balance than its postings": `
		SELECT a.name FROM accounts a LEFT JOIN (
			SELECT name, currency, sum(amount) AS amount FROM (
				SELECT to_account AS name, currency, amount FROM postings UNION ALL SELECT from_account, currency, -amount FROM postings) m GROUP BY name, currency) p
			ON (p.name, p.currency) = (a.name, a.currency)
		WHERE a.balance <> coalesce(p.amount, 0)`,
	"a buyer's account is not kept": `
		SELECT name FROM (SELECT to_account AS name FROM postings UNION SELECT from_account FROM postings) p WHERE name LIKE 'buyer:%' AND NOT EXISTS (SELECT FROM accounts a WHERE a.name = p.name)`,
	"money is spent that is not there": `
		SELECT name FROM accounts WHERE balance < 0 AND split_part(name, ':', 3) IN ('cash', 'held', 'voucher', 'coupon', 'card')`,
	"more credit is spent than there ever was": `
		SELECT a.name FROM accounts a JOIN buyers b ON b.code = split_part(a.name, ':', 2)
		WHERE split_part(a.name, ':', 3) = 'credit' AND (a.balance > 0 OR -a.balance > greatest(coalesce(b.credit_limit, 0), (SELECT max(amount) FROM credit_limits l WHERE l.buyer_id = b.id)))`,
	"a deduction is paid in part": `
		SELECT d.key FROM deductions d WHERE d.due <> coalesce((SELECT sum(amount) FROM deduction_sources s WHERE s.key = d.key), CASE WHEN d.price <= 0 THEN d.due END, 0)`,
	"a price is not what was taken off, due and dropped": `SELECT key FROM deductions WHERE price <> discounted + due + dropped`,
	"a deduction and its journal differ": `
		WITH booked AS (
			SELECT j.key, sum(CASE WHEN p.from_account LIKE 'buyer:%' AND p.to_account NOT LIKE 'platform:dropped' THEN p.amount
			                       WHEN p.from_account LIKE 'seller:%' OR p.from_account = 'platform:shared' THEN -p.amount ELSE 0 END) AS amount
			FROM journals j JOIN postings p ON p.journal_id = j.id GROUP BY j.key)
		SELECT d.key FROM deductions d LEFT JOIN booked b USING (key)
		WHERE d.price <> 0 AND d.due + abs(d.dropped) <> 0 AND b.key IS NULL OR d.due <> coalesce(b.amount, 0)`,
	"a month is shared out to other lines than its deductions, or not in cents": `
		SELECT l.key FROM rounded_lines l LEFT JOIN deductions d ON d.key = l.key AND d.buyer_id = l.buyer_id
		WHERE d.due IS DISTINCT FROM l.due AND NOT (d.key IS NULL AND l.due < 0 AND l.key ~ '^(refund|unsubscription)/') OR l.charged <> round(l.charged, 2) OR abs(l.due - l.charged) >= 0.01`,
	"the lines of a month lost other than what was posted": `
		SELECT m.key FROM (
			SELECT 'rounding/' || u.site || '/' || u.code || '/' || to_char(l.month, 'YYYYMM') || '/' || l.currency AS key, sum(l.due - l.charged) AS lost
			FROM rounded_lines l JOIN buyers u ON u.id = l.buyer_id GROUP BY 1) m
		WHERE m.lost <> coalesce((SELECT sum(CASE WHEN p.from_account = 'platform:dropped' THEN p.amount ELSE -p.amount END)
			FROM journals j JOIN postings p ON p.journal_id = j.id WHERE j.key = m.key), 0)`,
	"a month was rounded and is still to be": `
		SELECT r.key FROM unrounded r JOIN buyers u ON u.id = r.buyer_id JOIN event_keys e ON e.key = 'rounding/' || u.site || '/' || u.code || '/' || to_char(r.month, 'YYYYMM') || '/' || r.currency`,
	"more is drawn than the quota": `SELECT pack_id::text FROM draws WHERE used_after > quota`,
	"a record is rated as more or less than was used": `
		SELECT r.record_id::text FROM rated r JOIN usage_records u ON u.id = r.record_id WHERE r.measure = 'usage' GROUP BY r.record_id, u.usage_value HAVING sum(quantity) <> u.usage_value::numeric`,
	"what counts has no result": `
		SELECT u.metering_sn FROM usage_records u
		WHERE u.received_at < (SELECT max(as_of) FROM runs WHERE job = 'billing') - interval '51 hours' AND NOT EXISTS (SELECT FROM usage_results r WHERE r.record_id = u.id)
		  AND NOT EXISTS (SELECT FROM parked p JOIN instances i ON i.buyer_id = p.subject WHERE i.code = u.instance AND p.requeued_at IS NULL)`,
	"what is on the error list is rated": `SELECT r.record_id::text FROM rated r JOIN usage_results u ON u.record_id = r.record_id WHERE u.outcome <> 'accept'`,
	"more is given back than was paid": `
		SELECT o.code FROM refund_results r JOIN orders o ON o.id = r.order_id GROUP BY o.id, o.code
		HAVING sum(r.amount) > coalesce((SELECT sum(due) FROM deductions d WHERE d.kind = 'order' AND d.subject = o.id), 0)`,
	"a source gets more back than it paid": `
		SELECT o.code FROM refund_results r JOIN refunds f ON f.id = r.refund_id JOIN orders o ON o.id = r.order_id JOIN journals j ON j.key = 'refund/cn/' || f.code JOIN postings p ON p.journal_id = j.id
		WHERE p.to_account NOT LIKE '%:cash' GROUP BY o.code, p.to_account HAVING sum(p.amount) > (SELECT coalesce(sum(s.amount), 0) FROM deduction_sources s WHERE s.key = 'order/cn/' || o.code || '/paid' AND s.account = p.to_account)`,
	"an order is paid without an end, or ended without being paid": `
		SELECT d.key FROM deductions d FULL JOIN order_ends e ON e.order_id = d.subject AND d.kind = 'order' AND e.outcome = 'paid' WHERE d.kind = 'order' AND e.order_id IS NULL OR e.outcome = 'paid' AND d.key IS NULL`,
	"something happened before it happened": `SELECT j.key FROM journals j JOIN runs r ON j.source = 'run/' || r.id WHERE j.at > r.as_of`,
	"money is due and not booked": `
		SELECT m.code FROM money m WHERE m.at <= (SELECT max(as_of) FROM runs WHERE job = 'billing') AND NOT EXISTS (SELECT FROM journals j WHERE j.key = 'money/cn/' || m.code)
		  AND NOT EXISTS (SELECT FROM parked p WHERE p.subject = m.buyer_id AND p.requeued_at IS NULL)`,
	// Orders of no product are settled once somebody reports one; nothing else is set aside.
	"somebody is parked": `SELECT reason FROM parked WHERE requeued_at IS NULL AND NOT (job = 'settlement' AND reason LIKE '%The product has no class%')`,
	"what is not booked is not known to be open": `
		SELECT 'money ' || m.code FROM money m WHERE NOT EXISTS (SELECT FROM event_keys e WHERE e.key = 'money/cn/' || m.code) AND NOT EXISTS (SELECT FROM unbooked u WHERE (u.buyer_id, u.kind, u.fact) = (m.buyer_id, 'money', m.id))
		UNION ALL
		SELECT 'charge ' || c.code FROM charges c WHERE NOT EXISTS (SELECT FROM event_keys e WHERE e.key = 'charge/cn/' || c.code) AND NOT EXISTS (SELECT FROM unbooked u WHERE (u.buyer_id, u.kind, u.fact) = (c.buyer_id, 'charge', c.id))
		UNION ALL
		SELECT 'instrument ' || i.code FROM instruments i WHERE i.kind <> 'discount' AND NOT EXISTS (SELECT FROM event_keys e WHERE e.key = 'issue/cn/' || i.code) AND NOT EXISTS (SELECT FROM unbooked u WHERE (u.buyer_id, u.kind, u.fact) = (i.buyer_id, 'instrument', i.id))
		UNION ALL
		SELECT 'order ' || o.code FROM orders o WHERE o.paid_at IS NULL AND o.cancelled_at IS NULL AND NOT EXISTS (SELECT FROM order_ends e WHERE e.order_id = o.id) AND NOT EXISTS (SELECT FROM unbooked u WHERE (u.buyer_id, u.kind, u.fact) = (o.buyer_id, 'order', o.id))
		UNION ALL
		SELECT 'refund ' || r.code FROM refunds r JOIN orders o ON o.id = r.order_id WHERE r.refunded_at IS NULL AND NOT EXISTS (SELECT FROM refund_results b WHERE b.refund_id = r.id) AND NOT EXISTS (SELECT FROM unbooked u WHERE (u.buyer_id, u.kind, u.fact) = (o.buyer_id, 'refund', r.id))`,
	"what is booked is open": `
		SELECT kind || ' ' || fact FROM unbooked u
		WHERE CASE kind WHEN 'money' THEN EXISTS (SELECT FROM event_keys e JOIN money m ON e.key = 'money/cn/' || m.code WHERE m.id = u.fact)
			WHEN 'charge' THEN EXISTS (SELECT FROM event_keys e JOIN charges c ON e.key = 'charge/cn/' || c.code WHERE c.id = u.fact)
			WHEN 'instrument' THEN EXISTS (SELECT FROM event_keys e JOIN instruments i ON e.key = 'issue/cn/' || i.code WHERE i.id = u.fact)
			WHEN 'order' THEN EXISTS (SELECT FROM order_ends e WHERE e.order_id = u.fact)
			WHEN 'refund' THEN EXISTS (SELECT FROM refund_results b WHERE b.refund_id = u.fact) END`,
}

// lawful finds what must not be in the books.
func lawful(t testing.TB, s *storage.Store, when string) {
	t.Helper()
	for law, query := range brokenLaws {
		rows, err := s.DB().QueryContext(context.Background(), query)
		if err != nil {
			t.Fatal(err, law)
		}
		if found := lines(t, rows); found != "--\n" {
			t.Errorf("%s, %s: %s", when, law, found[:min(len(found), 600)])
		}
	}
	balances, err := s.TrialBalance(context.Background(), storage.BooksAt{Site: "cn"})
	if err != nil {
		t.Fatal(err)
	}
	total := market.Decimal{}
	for _, b := range balances {
		total = total.Add(b.Balance.Amount)
	}
	if !total.IsZero() {
		t.Errorf("%s the trial balance is off by %s", when, total)
	}
}
