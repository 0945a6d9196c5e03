package jobs_test

import (
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nightshift/jobs"
	"nightshift/jobs/intake"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// What the payments of the year come to. The files alone say so.
const (
	olistPaid    = 3451 // whose payments cover their items and freight
	olistShort   = 4
	olistDiffers = 20
)

// TestTheSeveralPaymentsOfRealOrders runs the payments of a real year through
// the waterfall: vouchers are instruments, cards and boletos are money that came
// when the order was placed. Order by order what was deducted is what its items
// and their freight cost; where the source's own payments do not add up to that,
// the difference is left on the buyer's accounts or the order is not paid.
func TestTheSeveralPaymentsOfRealOrders(t *testing.T) {
	t.Parallel()
	year := readPayments(t)
	s := storagetest.New(t)
	e := engine(t, s)
	year.takeIn(t, s)
	for on := date(t, "2017-01-01"); on <= date(t, "2018-01-31"); on += 28 { // late nights pay what punctual ones would have
		if r, err := e.Run(t.Context(), jobs.Request{Job: "billing", Site: "br", On: on}); err != nil || r.Run.Parked > 0 {
			t.Fatalf("night of %s: %d parked, %v: %s", on, r.Run.Parked, err, text(t, s, `SELECT coalesce(min(reason), '') FROM parked`))
		}
	}
	deducted := map[string]string{}
	for _, line := range strings.Split(text(t, s, `SELECT coalesce(string_agg(o.code || ' ' || trim_scale(d.due), E'\n' ORDER BY o.code), '') FROM deductions d JOIN orders o ON o.id = d.subject`), "\n") {
		code, amount, _ := strings.Cut(line, " ")
		deducted[code] = amount
	}
	paid, short, differs := 0, 0, 0
	for _, o := range year.orders {
		covers := o.paid().Cmp(o.costs) >= 0
		amount, isPaid := deducted[o.code]
		switch {
		case covers != isPaid:
			t.Errorf("order %s costs %s, was paid %s: deducted %q", o.code, o.costs.FloatString(2), o.paid().FloatString(2), amount)
		case isPaid && ratOf(amount).Cmp(o.costs) != 0:
			t.Errorf("order %s costs %s, and %s was deducted", o.code, o.costs.FloatString(2), amount)
		}
		if isPaid {
			paid++
		} else {
			short++
		}
		if o.paid().Cmp(o.costs) != 0 {
			differs++
		}
	}
	// What was paid in is either in deductions or still on the buyers' accounts.
	left := ratOf(text(t, s, `SELECT trim_scale(coalesce(sum(balance), 0))::text FROM accounts WHERE name LIKE 'buyer:%'`))
	all := new(big.Rat)
	for _, o := range year.orders {
		all.Add(all, o.paid())
	}
	spent := ratOf(text(t, s, `SELECT trim_scale(coalesce(sum(due), 0))::text FROM deductions`))
	if new(big.Rat).Add(spent, left).Cmp(all) != 0 {
		t.Errorf("%s was paid in, %s deducted, %s is left", all.FloatString(2), spent.FloatString(2), left.FloatString(2))
	}
	t.Logf("%d orders paid, %d short; of %d the source's payments are not what they cost", paid, short, differs)
	if paid != olistPaid || short != olistShort || differs != olistDiffers {
		t.Errorf("%d paid, %d short, %d differ; want %d, %d, %d", paid, short, differs, olistPaid, olistShort, olistDiffers)
	}
}

// paidOrder is an order of the source with its payments.
type paidOrder struct {
	code, buyer, placed string
	costs               *big.Rat
	payments            [][2]string // type, value
}

func (o *paidOrder) paid() *big.Rat {
	sum := new(big.Rat)
	for _, p := range o.payments {
		sum.Add(sum, ratOf(p[1]))
	}
	return sum
}

func ratOf(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic("no number: " + text)
	}
	return r
}

type paidYear struct{ orders []*paidOrder }

// readPayments reads the orders that have items, with what they cost and what
// was paid, from the files themselves.
func readPayments(t *testing.T) paidYear {
	t.Helper()
	dir := olistData(t)
	byCode := map[string]*paidOrder{}
	var year paidYear
	eachRow(t, filepath.Join(dir, "orders.csv.gz"), func(cell func(string) string) {
		byCode[cell("order_id")] = &paidOrder{code: cell("order_id"), buyer: cell("customer_id"), placed: cell("order_purchase_timestamp"), costs: new(big.Rat)}
	})
	eachRow(t, filepath.Join(dir, "order_items.csv.gz"), func(cell func(string) string) {
		if o := byCode[cell("order_id")]; o != nil {
			o.costs.Add(o.costs, new(big.Rat).Add(ratOf(cell("price")), ratOf(cell("freight_value"))))
		}
	})
	eachRow(t, filepath.Join(dir, "order_payments.csv.gz"), func(cell func(string) string) {
		if o := byCode[cell("order_id")]; o != nil && cell("payment_value") != "0.00" {
			o.payments = append(o.payments, [2]string{cell("payment_type"), cell("payment_value")})
		}
	})
	for _, o := range byCode {
		if o.costs.Sign() > 0 {
			year.orders = append(year.orders, o)
		}
	}
	slices.SortFunc(year.orders, func(a, b *paidOrder) int { return strings.Compare(a.code, b.code) })
	return year
}

// eachRow visits the records of a file; cell finds one by its column.
func eachRow(t *testing.T, path string, visit func(cell func(string) string)) {
	t.Helper()
	header, records := readPacked(t, path)
	for _, r := range records {
		visit(func(column string) string { return r[slices.Index(header, column)] })
	}
}

// takeIn imports the orders as not paid yet, and their payments as money and
// vouchers that came when they were placed.
func (y paidYear) takeIn(t *testing.T, s *storage.Store) {
	t.Helper()
	e := engine(t, s)
	site, err := e.Book.Site("br")
	if err != nil {
		t.Fatal(err)
	}
	buyers, orders := "code\n", "code,buyer,access_type,placed_at,amount,currency,auto_pay\n"
	money, instruments := "code,buyer,kind,amount,currency,at\n", "code,buyer,kind,amount,currency,granted_at\n"
	for _, o := range y.orders {
		buyers += o.buyer + "\n"
		orders += fmt.Sprintf("%s,%s,hardware,%s,%s,BRL,true\n", o.code, o.buyer, o.placed, o.costs.FloatString(2))
		for n, p := range o.payments {
			name := fmt.Sprintf("%s-%d", o.code, n+1)
			switch p[0] {
			case "voucher":
				instruments += fmt.Sprintf("%s,%s,voucher,%s,BRL,%s\n", name, o.buyer, p[1], o.placed)
			case "boleto":
				money += fmt.Sprintf("%s,%s,boleto,%s,BRL,%s\n", name, o.buyer, p[1], o.placed)
			default:
				money += fmt.Sprintf("%s,%s,card,%s,BRL,%s\n", name, o.buyer, p[1], o.placed)
			}
		}
	}
	for _, f := range [][2]string{{"buyers", buyers}, {"orders", orders}, {"instruments", instruments}, {"money", money}} {
		path := filepath.Join(t.TempDir(), f[0]+".csv")
		if err := os.WriteFile(path, []byte(f[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := intake.Import(t.Context(), s, intake.Request{Kind: f[0], Site: site.Name, Zone: site.Zone, Files: []string{path}}); err != nil || r.Rejected() > 0 {
			t.Fatalf("import %s: %v, %v", f[0], r.Rejects, err)
		}
	}
}
