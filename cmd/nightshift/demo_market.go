package main

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"nightshift/rules/market"
)

// The demo's marketplace: how large it is, and which days it lives through.
const (
	demoSellers   = 40
	demoBuyers    = 600
	ordersAWeek   = 265
	ordersOverdue = 320 // placed in the months before, and still open
	monthsBefore  = 3   // of orders before the first night
)

// demoFirstNight is the first business date that the demo runs.
var demoFirstNight = market.NewDate(2026, time.March, 1)

// demoMarket is a marketplace that never was, told by a seed. It is written
// down as an export of the real one would be: nothing in it is later than the
// export.
type demoMarket struct {
	rand     *rand.Rand
	purse    *rand.Rand // of the money
	zone     *time.Location
	opens    market.Date // the first orders; those overdue are older
	nights   market.Period
	exported time.Time // nothing that came later is known
	products []demoProduct
	sheets   []*demoSheet // in the order in which they are imported
	sheet    map[string]*demoSheet
	orders   int
}

// demoSheet is a file of one kind.
type demoSheet struct {
	kind string
	rows [][]string // the first is the heading
}

// demoHeadings are the kinds of files and their columns, in the order in which
// they can be imported: a row comes after those it refers to.
var demoHeadings = []string{
	"sellers code name certified_at",
	"buyers code name level credit_limit month_end",
	"products code seller name access_type product_class",
	"orders code buyer seller product order_type access_type delivery_mode charge_mode track placed_at paid_at cancelled_at invoiced_at term_count term_unit receiver_phone amount auto_pay pay_at",
	"lines order line product seller quantity amount",
	"deliveries order attempt delivered_at start_at proof_at collected_at reviewed_at accepted_at rejected_at",
	"shipments order attempt shipped_at signed_at phone carrier tracking",
	"activations code order activated_at",
	"appeals order code party opened_at decided_at decision",
	"subscriptions code buyer product access_type term_count term_unit term_start term_end policy charge_day trial instance",
	"renewal_prices product term_count term_unit from_at price sold_as",
	"policy_changes subscription at policy renew_count renew_unit",
	"manual_renewals code subscription term_count term_unit at amount",
	"unsubscriptions code subscription requested_at reason",
	"instruments code buyer kind amount rate discount_kind seller borne_by granted_at valid_until min_spend",
	"refunds code order request amount requested_at",
	"money code buyer kind amount at reference",
	"gateway reference at amount kind",
	"instances code buyer seller product access_type charge_mode machine opened_at",
	"prices product item from_at model cycle measure per brackets currency",
	"packs code buyer instance quota valid_from valid_until purchased_at reset threshold price",
	"usage received_at metering_sn seller instance item record_time begin_time end_time usage_value",
}

// makeMarket makes up the marketplace of a seed for some months of nights.
func makeMarket(seed uint64, months int, zone *time.Location) *demoMarket {
	last := demoFirstNight.AddMonths(months, 1)
	m := &demoMarket{
		rand: rand.New(rand.NewPCG(seed, 20260301)), purse: rand.New(rand.NewPCG(seed, 20260302)), zone: zone,
		opens:    demoFirstNight.AddMonths(-monthsBefore, 1),
		nights:   market.Period{From: demoFirstNight, To: last},
		exported: last.At(market.TimeOfDay{}, zone),
		sheet:    map[string]*demoSheet{},
	}
	for _, heading := range demoHeadings {
		words := strings.Fields(heading)
		s := &demoSheet{kind: words[0], rows: [][]string{words[1:]}}
		m.sheets, m.sheet[s.kind] = append(m.sheets, s), s
	}
	m.parties()
	m.purses()
	m.use()
	m.renewals(seed)
	m.overdue()
	for on := m.opens; on < m.nights.To; on++ {
		n := ordersAWeek / 6
		if wd := on.Weekday(); wd == time.Saturday || wd == time.Sunday {
			n = ordersAWeek / 12
		}
		for range n + m.rand.IntN(5) - 2 {
			m.sell(on, m.pick())
		}
	}
	m.mistakes()
	return m
}

// lived are the business dates of the nights: money is billed for the day before.
func (m *demoMarket) lived() market.Period {
	return market.Period{From: m.nights.From - 1, To: m.nights.To}
}

// parties fills the lists of sellers, buyers and products.
func (m *demoMarket) parties() {
	for i := range demoSellers {
		certified := m.opens.AddDays(-400 - m.rand.IntN(900))
		m.add("sellers", fmt.Sprintf("S%03d", i+1), demoCompany(i, demoMakers), m.text(certified.At(market.TimeOfDay{Hour: 9}, m.zone)))
	}
	for i := range demoBuyers {
		limit, monthEnd := m.wallet(i)
		m.add("buyers", fmt.Sprintf("B%04d", i+1), demoCompany(i+5, demoTrades), []string{"", "V1", "V2", "V3"}[m.rand.IntN(4)], limit, monthEnd)
	}
	for i, p := range demoCatalogue {
		p.code, p.seller = fmt.Sprintf("P%03d", i+1), fmt.Sprintf("S%03d", i%demoSellers+1)
		m.products = append(m.products, p)
		m.add("products", p.code, p.seller, p.name, p.access, p.class)
	}
}

// mistakes are rows that the importer has to reject: they happen in every export.
func (m *demoMarket) mistakes() {
	m.add("deliveries", "CN260100000", "1", "2026-01-08 10:00:00", "", "", "", "", "", "")       // of an order that was left out
	m.add("shipments", m.sheet["orders"].rows[1][0], "9", "2026-02-30 10:00:00", "", "", "", "") // on a day that there is not
	twice := m.sheet["activations"].rows[1]
	m.add("activations", twice[0], m.sheet["orders"].rows[2][0], twice[2]) // with a code that was used before
}

// pick is a product, those of more weight more often.
func (m *demoMarket) pick() demoProduct {
	weights := make([]int, len(m.products))
	for i, p := range m.products {
		weights[i] = p.weight
	}
	return m.products[m.choose(weights...)]
}

// choose answers an index, each as often as its weight says.
func (m *demoMarket) choose(weights ...int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := m.rand.IntN(sum)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// chance is true so many times in a hundred.
func (m *demoMarket) chance(percent int) bool { return m.rand.IntN(100) < percent }

// later is an instant between two durations after another.
func (m *demoMarket) later(t time.Time, least, most time.Duration) time.Time {
	return t.Add(least + m.within(most-least)).Truncate(time.Second)
}

// text writes an instant as the marketplace exports it: local time, and
// nothing for what had not happened by the export.
func (m *demoMarket) text(t time.Time) string {
	if t.IsZero() || !t.Before(m.exported) {
		return ""
	}
	return t.In(m.zone).Format(time.DateTime)
}

func (m *demoMarket) add(kind string, cells ...string) {
	s := m.sheet[kind]
	if len(cells) != len(s.rows[0]) {
		panic(fmt.Sprintf("%d cells for the %d columns of %s", len(cells), len(s.rows[0]), kind))
	}
	s.rows = append(s.rows, cells)
}

// write puts the files into a directory and answers their paths by kind. The
// larger half is compressed, as large exports are.
func (m *demoMarket) write(dir string) (paths map[string]string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	paths = map[string]string{}
	for _, s := range m.sheets {
		name := s.kind + ".csv"
		if len(s.rows) > demoBuyers+1 {
			name += ".gz"
		}
		paths[s.kind] = filepath.Join(dir, name)
		if err := s.write(paths[s.kind]); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

func (s *demoSheet) write(path string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var to io.Writer = f
	if strings.HasSuffix(path, ".gz") {
		z := gzip.NewWriter(f)
		defer func() { err = errors.Join(z.Close(), err) }()
		to = z
	}
	return csv.NewWriter(to).WriteAll(s.rows)
}

func yuan(n int) string { return strconv.Itoa(n) + ".00 CNY" }

// within is a length below another.
func (m *demoMarket) within(d time.Duration) time.Duration {
	return time.Duration(m.rand.Int64N(int64(d)))
}
