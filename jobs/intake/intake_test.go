package intake

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightshift/rules"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

var shanghai = zone("Asia/Shanghai")

func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

// desk takes files in, as a person does who has one database and one directory.
type desk struct {
	t     *testing.T
	store *storage.Store
	dir   string
	req   Request
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	dir := t.TempDir()
	return &desk{t, storagetest.New(t), dir, Request{Site: "cn", Zone: shanghai, RejectsPath: filepath.Join(dir, "rejects.csv")}}
}

func (d *desk) file(name, text string) string {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// take imports the text as a csv file and answers the counts and the error's text.
func (d *desk) take(kind, text string) string {
	d.t.Helper()
	return d.takeFile(kind, d.file(kind+".csv", text))
}

func (d *desk) takeFile(kind string, paths ...string) string {
	d.t.Helper()
	req := d.req
	req.Kind, req.Files = kind, paths
	res, err := Import(d.t.Context(), d.store, req)
	said := ""
	for _, f := range res.Files {
		said += fmt.Sprintf("+%d ~%d =%d !%d", f.Added, f.Changed, f.Unchanged, f.Rejected)
		if f.LeftOut > 0 {
			said += fmt.Sprintf(" left out %d", f.LeftOut)
		}
		if !f.Kept {
			said += " not kept"
		}
	}
	if err != nil {
		said += ": " + strings.ReplaceAll(err.Error(), d.dir+"/", "")
	}
	return said
}

// must imports and expects counts.
func (d *desk) must(kind, text, want string) {
	d.t.Helper()
	if got := d.take(kind, text); got != want {
		d.t.Errorf("import %s: got %s, want %s", kind, got, want)
	}
}

// rows answers what a query finds, a line a row, its cells between spaces.
func (d *desk) rows(query string) string {
	d.t.Helper()
	var lines []string
	rows, err := d.store.DB().QueryContext(d.t.Context(), query)
	if err != nil {
		d.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			d.t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (d *desk) wantRows(query, want string) {
	d.t.Helper()
	if diff := cmp.Diff(strings.TrimSpace(want), d.rows(query)); diff != "" {
		d.t.Errorf("%s\n%s", query, diff)
	}
}

func (d *desk) wantRejects(want string) {
	d.t.Helper()
	got, err := os.ReadFile(d.req.RejectsPath)
	if err != nil {
		d.t.Fatal(err)
	}
	text := strings.ReplaceAll(string(got), d.dir+"/", "")
	if diff := cmp.Diff("file,line,column,value,reason\n"+want, text); diff != "" {
		d.t.Error(diff)
	}
}

const (
	ordersText = "code,buyer,seller,access_type,placed_at,amount\n" +
		"o1,ann,acme,hardware,2024-03-01T10:00:00,99.00 CNY\n" +
		"o2,bob,acme,license,2024-03-02 10:00:00,10 USD\n"
	dueQuery = `SELECT o.code || ' ' || d.job || ' ' || d.site || ' ' || to_char(d.look_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS') FROM due d JOIN orders o ON o.id = d.subject WHERE d.job = 'acceptance' ORDER BY o.code`
)

// begin imports two orders and what they refer to.
func (d *desk) begin() {
	d.t.Helper()
	d.must("sellers", "code,name\nacme,Acme\n", "+1 ~0 =0 !0")
	d.must("buyers", "code,name\nann,Ann\nbob,Bob\n", "+2 ~0 =0 !0")
	d.must("orders", ordersText, "+2 ~0 =0 !0")
}

// postpone does what a night does with an order that waits.
func (d *desk) postpone() {
	d.t.Helper()
	if _, err := d.store.DB().ExecContext(d.t.Context(), `UPDATE due SET look_at = '2024-06-01T00:00:00+08:00'`); err != nil {
		d.t.Fatal(err)
	}
}

func TestTheSameFileTwiceChangesNothing(t *testing.T) {
	d := newDesk(t)
	d.begin()
	d.postpone()
	before := d.rows(`SELECT o::text || o.xmin || o.ctid FROM orders o ORDER BY code`)
	d.must("orders", ordersText, "+0 ~0 =2 !0")
	d.wantRows(`SELECT o::text || o.xmin || o.ctid FROM orders o ORDER BY code`, before)
	d.wantRows(dueQuery, "o1 acceptance cn 2024-06-01 00:00:00\no2 acceptance cn 2024-06-01 00:00:00")
	d.wantRows(`SELECT concat_ws(' ', kind, added, changed, unchanged, rejected, length(sha256)) FROM imports WHERE kind = 'orders' ORDER BY id`,
		"orders 2 0 0 0 32\norders 0 0 2 0 32")
}

func TestChangedRowsUpdateAndWake(t *testing.T) {
	d := newDesk(t)
	d.begin()
	d.wantRows(dueQuery, "o1 acceptance cn 2024-03-01 10:00:00\no2 acceptance cn 2024-03-02 10:00:00")
	d.postpone()
	d.must("orders", strings.Replace(ordersText, "99.00 CNY", "98.99 CNY", 1), "+0 ~1 =1 !0")
	d.wantRows(dueQuery, "o1 acceptance cn 2024-03-01 10:00:00\no2 acceptance cn 2024-06-01 00:00:00")
	d.wantRows(`SELECT concat_ws(' ', code, amount, currency, order_type, charge_mode) FROM orders ORDER BY code`,
		"o1 98.990000000000 CNY new ONE_TIME\no2 10.000000000000 USD new ONE_TIME")
	d.postpone()
	d.must("deliveries", "order,delivered_at\no2,2024-03-03 10:00:00\n", "+1 ~0 =0 !0")
	d.wantRows(dueQuery, "o1 acceptance cn 2024-06-01 00:00:00\no2 acceptance cn 2024-03-02 10:00:00")
}

func TestEveryFactOfAnOrderWakesIt(t *testing.T) {
	d := newDesk(t)
	d.begin()
	for _, f := range []struct{ kind, text, again string }{
		{"deliveries", "order,attempt,delivered_at\no1,1,2024-03-03 10:00:00\n", "order,attempt,delivered_at,proof_at\no1,1,2024-03-03 10:00:00,2024-03-04 10:00:00\n"},
		{"shipments", "order,shipped_at\no1,2024-03-03 10:00:00\n", "order,signed_at\no1,2024-03-05 10:00:00\n"},
		{"appeals", "order,code,opened_at\no1,a1,2024-03-06 10:00:00\n", "order,code,opened_at,decided_at,decision\no1,a1,2024-03-06 10:00:00,2024-03-07 10:00:00,continue\n"},
		{"activations", "order,code,activated_at\no1,x1,2024-03-06 10:00:00\n", "order,code,activated_at\no1,x2,2024-03-06 10:00:00\n"},
	} {
		for _, text := range []string{f.text, f.again} {
			d.postpone()
			if got := d.take(f.kind, text); !strings.HasSuffix(got, " =0 !0") {
				t.Errorf("%s: %s", f.kind, got)
			}
			d.wantRows(dueQuery, "o1 acceptance cn 2024-03-01 10:00:00\no2 acceptance cn 2024-06-01 00:00:00")
		}
	}
	d.wantRows(`SELECT concat_ws(' ', shipped_at, signed_at) FROM shipments`, "2024-03-03 02:00:00+00 2024-03-05 02:00:00+00")
	d.postpone()
	d.must("lines", "order,line,amount,currency\no1,1,99.00,CNY\n", "+1 ~0 =0 !0")
	d.must("products", "code,seller,product_class\np1,acme,hardware\n", "+1 ~0 =0 !0")
	d.must("subscriptions", "code,order,buyer,access_type,term_count,term_unit,term_start,term_end,policy,price\n"+
		"s1,o1,ann,saas,1,month,2024-03-01 00:00:00,2024-03-31 23:59:59,auto,99.00 CNY\n", "+1 ~0 =0 !0")
	d.wantRows(dueQuery, "o1 acceptance cn 2024-06-01 00:00:00\no2 acceptance cn 2024-06-01 00:00:00")
}

func TestACompletedOrderSleepsOn(t *testing.T) {
	d := newDesk(t)
	d.begin()
	for _, q := range []string{`DELETE FROM due`,
		`INSERT INTO completions (order_id, outcome, completed_at, business_date) SELECT id, 'accept', '2024-03-20', '2024-03-20' FROM orders WHERE code = 'o1'`} {
		if _, err := d.store.DB().ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	d.must("shipments", "order,signed_at\no1,2024-03-05 10:00:00\no2,2024-03-05 10:00:00\n", "+2 ~0 =0 !0")
	d.wantRows(dueQuery, "o2 acceptance cn 2024-03-02 10:00:00")
}

func TestAnAbsentColumnKeepsAnEmptyCellEmpties(t *testing.T) {
	d := newDesk(t)
	d.begin()
	d.must("orders", "code,buyer,access_type,placed_at,track,receiver_phone\no1,ann,hardware,2024-03-01 10:00:00,base,123\n", "+0 ~1 =0 !0")
	d.must("orders", "code,buyer,access_type,placed_at,track,seller\no1,ann,hardware,2024-03-01 10:00:00,,\n", "+0 ~1 =0 !0")
	d.wantRows(`SELECT concat_ws('|', track, receiver_phone, seller_id, amount) FROM orders WHERE code = 'o1'`, "|123|99.000000000000")
}

func TestOrderOfRowsDoesNotMatter(t *testing.T) {
	lines := []string{"o1,1,2024-03-03 10:00:00", "o2,1,2024-03-04 10:00:00", "o1,2,2024-03-05 10:00:00"}
	seen := map[string]bool{}
	for range 3 {
		d := newDesk(t)
		d.begin()
		d.must("deliveries", "order,attempt,delivered_at\n"+strings.Join(lines, "\n"), "+3 ~0 =0 !0")
		seen[d.rows(`SELECT concat_ws(' ', o.code, x.attempt, x.delivered_at) FROM deliveries x JOIN orders o ON o.id = x.order_id ORDER BY 1`)] = true
		lines = append(lines[1:], lines[0])
	}
	if len(seen) != 1 {
		t.Error(seen)
	}
}

func TestRowsTwiceInAFile(t *testing.T) {
	d := newDesk(t)
	d.begin()
	d.req.Partial = true
	got := d.take("buyers", "code,name\ncid,Cid\ndan,Dan\ncid,Cid\nann,Ann\ndan,Don\ndan,Dan\nann,Ann\n")
	if got != "+1 ~0 =3 !3" {
		t.Error(got)
	}
	d.wantRejects(`buyers.csv,3,code,dan,line 6 says something else of the same fact in the column name: keep one of the two
buyers.csv,6,code,dan,line 3 says something else of the same fact in the column name: keep one of the two
buyers.csv,7,code,dan,line 6 says something else of the same fact in the column name: keep one of the two
`)
	d.wantRows(`SELECT code FROM buyers ORDER BY code`, "ann\nbob\ncid")
}

func TestACodeIsActivatedOnce(t *testing.T) {
	d := newDesk(t)
	d.begin()
	const header = "code,order,activated_at\n"
	d.must("activations", header+"x1,o2,2024-03-05 10:00:00\n", "+1 ~0 =0 !0")
	d.must("activations", header+"x1,o2,2024-03-05 10:00:00\n", "+0 ~0 =1 !0")
	d.postpone()
	d.req.Partial = true
	d.must("activations", header+"x1,o2,2024-03-04 10:00:00\nx2,o1,2024-03-07 10:00:00\nx2,o2,2024-03-06 10:00:00\nx2,o2,2024-03-06 10:00:00\n", "+1 ~0 =1 !2")
	d.wantRejects(`activations.csv,3,code,x2,92020003: line 4 activates the code first: its start does not change
activations.csv,2,code,x1,"92020003: the code was activated before, order o2, activated_at 2024-03-05 02:00:00+00: its start does not change"
`)
	d.wantRows(`SELECT concat_ws(' ', a.code, o.code, activated_at) FROM activations a JOIN orders o ON o.id = a.order_id ORDER BY 1`,
		"x1 o2 2024-03-05 02:00:00+00\nx2 o2 2024-03-06 02:00:00+00")
}

func TestRejectReasons(t *testing.T) {
	d := newDesk(t)
	d.begin()
	before := d.rows(`SELECT o::text FROM orders o ORDER BY code`)
	long := strings.Repeat("x", 201)
	got := d.take("orders", "code,buyer,seller,access_type,placed_at,amount,currency,term_count,term_unit\n"+
		"o3,ann,acme,hardware,2024-03-01 10:00:00,1,CNY,,\n"+ // nothing is wrong with this one
		",ann,acme,hardware,2024-03-01 10:00:00,1,CNY,,\n"+
		"o5,zed,acne,hardware,2024-03-01 10:00:00,1,CNY,,\n"+
		"o6,ann,acme,hardwear,01/03/2024,1e30,CNY,,\n"+
		"o7,ann,acme,hardware,2024-02-30 10:00:00,1,XYZ,,\n"+
		"o8,ann,acme,hardware,2024-03-01 10:00:00,\"1,5\",CNY,0,month\n"+
		"o9,ann,acme,hardware,2024-03-01 10:00:00,1,,1,\n"+
		"o10,ann,acme,hardware,2024-03-01 10:00:00,1 USD,CNY,,\n"+
		"o11,ann,acme,hardware,2024-03-01 10:00:00,0.1234567890123,CNY,,\n"+
		"o12,ann,acme,hardware,0204-03-01 10:00:00,123456789012345678901234567,CNY,,\n"+
		"o13,ann,acme,hardware,2024-03-01 10:00:00,1,CNY,2,\n"+
		long+",ann,acme,hardware,2024-03-01 10:00:00,1,CNY,,\n"+
		"o15,ann,acme,hardware,2024-03-01 10:00:00,1,CNY\n"+
		"=o16,\x00,acme,hardware,2024-03-01 10:00:00,1,CNY,,\n"+
		"o17,ann,acme,hardware,2024-03-01 10:00:00,-0.01,CNY,,\n")
	if want := "+0 ~0 =0 !14 not kept: import orders from orders.csv: 14 rows were rejected and nothing was kept: mend them, or keep the others with --partial (all of them: rejects.csv)\n  orders.csv:3, column code: is empty"; !strings.HasPrefix(got, want) {
		t.Error(got)
	}
	d.wantRejects(strings.TrimLeft(`
orders.csv,3,code,,is empty: it must be filled in
orders.csv,5,access_type,hardwear,is no access_type: did you mean hardware?
orders.csv,5,placed_at,01/03/2024,"is no instant: write 2024-04-01T10:00:00+08:00, or 2024-04-01 10:00:00 for the local time in Asia/Shanghai"
orders.csv,5,amount,1e30,"read number ""1e30"": not a plain decimal number: write it like 1234.56"
orders.csv,6,placed_at,2024-02-30 10:00:00,"is no instant: write 2024-04-01T10:00:00+08:00, or 2024-04-01 10:00:00 for the local time in Asia/Shanghai"
orders.csv,6,amount,1,"unknown currency ""XYZ"": use an ISO 4217 code such as CNY, USD or BRL"
orders.csv,7,term_count,0,is no whole number from 1 to 2147483647
orders.csv,7,amount,"1,5",has a comma in it: write amounts like 1234.56
orders.csv,8,amount,1,"has no currency: write it like 99.00 CNY, or fill in the column currency"
orders.csv,9,amount,1 USD,is in USD while the column currency says CNY: make them agree
orders.csv,10,amount,0.1234567890123,number out of range: 0.1234567890123 needs more than 26 digits before the point or 12 after
orders.csv,11,placed_at,0204-03-01 10:00:00,is in the year 204: is a digit missing?
orders.csv,11,amount,123456789012345678901234567,number out of range: 123456789012345678901234567 needs more than 26 digits before the point or 12 after
orders.csv,12,term_unit,,is empty while term_count is filled in: fill in both or neither
orders.csv,13,code,`+long[:200]+`…,is 201 bytes long: a code has at most 200
orders.csv,14,,"o15,ann,acme,hardware,2024-03-01 10:00:00,1,CNY","has 7 cells, the header has 9: quote cells that contain the delimiter"
`+"orders.csv,15,buyer,\x00,"+`"holds a NUL character, which no database text can: remove it"
orders.csv,16,amount,-0.01,is less than nothing: write 0 or more
orders.csv,4,buyer,zed,"there is none of the buyers with this code: import buyers first, or mend the code"
orders.csv,4,seller,acne,"there is none of the sellers with this code: import sellers first, or mend the code"
`, "\n"))
	d.wantRows(`SELECT o::text FROM orders o ORDER BY code`, before)
	d.wantRows(`SELECT count(*)::text FROM imports WHERE kind = 'orders'`, "1")
}

func TestPartialKeepsTheOtherRows(t *testing.T) {
	d := newDesk(t)
	d.begin()
	d.req.Partial = true
	d.must("shipments", "order,signed_at\no1,2024-03-05 10:00:00\no9,2024-03-05 10:00:00\no2,yesterday\n", "+1 ~0 =0 !2")
	d.wantRows(`SELECT concat_ws(' ', added, changed, unchanged, rejected) FROM imports WHERE kind = 'shipments'`, "1 0 0 2")
}

func TestEachFileStandsOrFallsAlone(t *testing.T) {
	d := newDesk(t)
	bad, good := d.file("bad.csv", "code,level\nann,\n,gold\n"), d.file("good.csv", "code\nbob\n")
	got := d.takeFile("buyers", bad, filepath.Join(d.dir, "missing.csv"), good)
	for _, want := range []string{"+0 ~0 =0 !1 not kept+1 ~0 =0 !0: import buyers from bad.csv: 1 rows were rejected", "import buyers from missing.csv: open missing.csv: no such file"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
	d.wantRows(`SELECT code FROM buyers`, "bob")
}

func TestHeadersAreCheckedBeforeTheFirstRow(t *testing.T) {
	d := newDesk(t)
	for _, tt := range []struct{ name, kind, header, want string }{
		{"unknown and missing", "orders", "code,byer,access_type,placed", ": import orders from orders.csv: the column byer is unknown to orders, did you mean buyer?; " +
			"the column placed is unknown to orders, did you mean placed_at?; the column buyer (code) is missing; the column placed_at (instant) is missing. Nothing was read"},
		{"missing", "orders", "code,access_type,placed_at", "the column buyer (code) is missing. Nothing was read"},
		{"half a pair", "appeals", "order,code,opened_at,decided_at", "the columns decided_at and decision come together or not at all"},
		{"a currency of nothing", "orders", "code,buyer,access_type,placed_at,currency", "the column currency stands there without amount"},
		{"no such kind", "order", "code", "import order: is no kind of file: did you mean orders?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := d.take(tt.kind, tt.header+"\nrubbish\n")
			if !strings.Contains(got, tt.want) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if strings.Contains(got, "!") {
				t.Error("rows were read")
			}
		})
	}
}

func TestPairsInOrder(t *testing.T) {
	d := newDesk(t)
	d.begin()
	d.req.Partial = true
	d.must("appeals", "order,code,opened_at,decided_at,decision\n"+
		"o1,a1,2024-03-06 10:00:00,2024-03-06 10:00:00,continue\no1,a2,2024-03-06 10:00:00,2024-03-06 09:59:59,back\no1,a3,2024-03-06 10:00:00,,back\n", "+1 ~0 =0 !2")
	d.wantRejects(`appeals.csv,3,decided_at,2024-03-06T09:59:59+08:00,"is not after opened_at, 2024-03-06T10:00:00+08:00"
appeals.csv,4,decided_at,,is empty while decision is filled in: fill in both or neither
`)
}

func TestInstants(t *testing.T) {
	for _, tt := range []struct{ name, zone, cell, want string }{
		{"an offset", "Asia/Shanghai", "2024-03-01T10:00:00+01:00", "2024-03-01T09:00:00Z"},
		{"UTC", "Asia/Shanghai", "2024-03-01T10:00:00Z", "2024-03-01T10:00:00Z"},
		{"an offset after a space", "Asia/Shanghai", "2024-03-01 10:00:00+08:00", "2024-03-01T02:00:00Z"},
		{"local time", "Asia/Shanghai", "2024-03-01 10:00:00", "2024-03-01T02:00:00Z"},
		{"local time with a T", "America/Sao_Paulo", "2017-10-02T10:56:33", "2017-10-02T13:56:33Z"},
		{"fractions to the microsecond", "Asia/Shanghai", "2024-03-01 10:00:00.1234567", "2024-03-01T02:00:00.123456Z"},
		{"skipped in spring: when the clocks went forward", "Europe/Berlin", "2024-03-31 02:30:00", "2024-03-31T01:00:00Z"},
		{"midnight skipped", "America/Sao_Paulo", "2017-10-15 00:00:00", "2017-10-15T03:00:00Z"},
		{"twice in autumn: the first", "Europe/Berlin", "2024-10-27 02:30:00", "2024-10-27T00:30:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &converter{zone: zone(tt.zone)}
			at, err := c.instant(tt.cell)
			if err != nil {
				t.Fatal(err)
			}
			if got := at.(time.Time).UTC().Format(time.RFC3339Nano); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	for _, cell := range []string{"2024-03-01", "10:00", "2024-13-01 00:00:00", "20240301", "45383.5", "2024-03-01 24:00:00", "infinity"} {
		if at, err := (&converter{zone: shanghai}).instant(cell); err == nil {
			t.Errorf("%s was read as %v", cell, at)
		}
	}
}

func TestMappingMakesOurColumns(t *testing.T) {
	d := newDesk(t)
	d.begin()
	k, _ := KindNamed("orders")
	parse := func(text string) *rules.Mapping {
		m, err := rules.ParseMapping("x.map.yaml", []byte(text), k.ColumnNames())
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	d.req.Mapping = parse(`
kind: orders
time_zone: America/Sao_Paulo
where: status != "test"
columns:
  code: 'id + "-x"'
  buyer: customer
  access_type: '"hardware"'
  placed_at: time(bought)
  amount: money(price, "BRL")
`)
	d.req.Partial = true
	d.must("orders", "id,customer,status,bought,price\n1,ann,ok,2017-10-02 10:56:33,12.90\n2,ann,test,,\n3,bob,ok,2017-10-02,\n4,bob,ok,2017-10-02 00:00:00,1e3\n", "+2 ~0 =0 !1 left out 1")
	d.wantRows(`SELECT concat_ws(' ', code, placed_at, amount, currency) FROM orders WHERE code LIKE '%-x' ORDER BY 1`,
		"1-x 2017-10-02 13:56:33+00 12.900000000000 BRL\n3-x 2017-10-02 03:00:00+00")
	d.wantRejects("orders.csv,5,amount,1e3,\"read number \"\"1e3\"\": not a plain decimal number: write it like 1234.56\"\n")
	if got := d.take("orders", "id,custumer,status,bought,price\n"); !strings.Contains(got, "the file has no column customer") {
		t.Error(got)
	}
	if got := d.take("buyers", "code\nann\n"); !strings.Contains(got, "the mapping is one of orders: name the mapping of buyers") {
		t.Error(got)
	}
	d.req.Mapping = parse("kind: orders\nsite: br\ncolumns: {code: id}\n")
	if got := d.take("orders", "id\n1\n"); !strings.Contains(got, "the mapping is one of the site br, not of cn") {
		t.Error(got)
	}
}

func TestSitesAreApart(t *testing.T) {
	d := newDesk(t)
	d.begin()
	d.req.Site = "br"
	got := d.take("orders", ordersText)
	if !strings.Contains(got, "!2 not kept") {
		t.Error(got)
	}
	d.must("buyers", "code,name\nann,Ana\n", "+1 ~0 =0 !0")
	d.wantRows(`SELECT concat_ws(' ', site, name) FROM buyers WHERE code = 'ann' ORDER BY site`, "br Ana\ncn Ann")
}

func TestAnInterruptedImportKeepsNothing(t *testing.T) {
	d := newDesk(t)
	ctx, cancel := context.WithCancel(t.Context())
	var b strings.Builder
	b.WriteString("code,name\n")
	for i := range 20_000 {
		fmt.Fprintf(&b, "b%d,Buyer\n", i)
	}
	req := d.req
	req.Kind, req.Files = "buyers", []string{d.file("buyers.csv", b.String())}
	req.Progress = func(p Progress) {
		if p.Rows > 10_000 {
			cancel()
		}
	}
	_, err := Import(ctx, d.store, req)
	var input *InputError
	if err == nil || errors.As(err, &input) {
		t.Errorf("got %v", err)
	}
	d.wantRows(`SELECT count(*)::text FROM buyers`, "0")
	req.Progress = nil
	if res, err := Import(t.Context(), d.store, req); err != nil || res.Files[0].Added != 20_000 {
		t.Error(res, err)
	}
}

func TestEveryFormatComesToTheSame(t *testing.T) {
	const want = "o1 2024-03-01 02:00:00+00 99.99 true"
	book, err := os.ReadFile("testdata/orders.xlsx") // placed_at is a date cell, the amount is stored as 99.989999999999995
	if err != nil {
		t.Fatal(err)
	}
	const text = "\xef\xbb\xbfcode,buyer,access_type,placed_at,amount,term_count,term_unit\r\n" + "o1,\"ann\",hardware,2024-03-01 10:00:00,99.99 CNY,1,month\r\n"
	for file, content := range map[string]string{
		"o.csv": text, "o.csv.gz": gzipped(text), "o.xlsx": string(book), "blank.csv": text + strings.Repeat("\r\n", 100_000),
		"tabs.tsv": strings.ReplaceAll(text, ",", "\t"),
		"o.jsonl":  `{"code":"o1","buyer":"ann","access_type":"hardware","placed_at":"2024-03-01T10:00:00+08:00","amount":99.99,"currency":"CNY","term_count":1,"term_unit":"month","paid_at":null}`,
	} {
		t.Run(file, func(t *testing.T) {
			d := newDesk(t)
			d.must("buyers", "code\nann\n", "+1 ~0 =0 !0")
			if got := d.takeFile("orders", d.file(file, content)); got != "+1 ~0 =0 !0" {
				t.Error(got)
			}
			d.wantRows(`SELECT concat_ws(' ', code, placed_at, trim_scale(amount), term_count = 1) FROM orders`, strings.Replace(want, "true", "t", 1))
		})
	}
}

func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}

func TestTenMegabyteNameIsKept(t *testing.T) {
	d := newDesk(t)
	d.must("buyers", "code,name\nann,"+strings.Repeat("x", 10<<20)+"\n", "+1 ~0 =0 !0")
	d.wantRows(`SELECT length(name)::text FROM buyers`, fmt.Sprint(10<<20))
}

func TestAFileThatBreaksOffKeepsNothing(t *testing.T) {
	d := newDesk(t)
	d.req.Partial = true // even so: nobody knows what is missing
	var b strings.Builder
	b.WriteString("code,name\n")
	for i := range 50_000 {
		fmt.Fprintf(&b, "b%d,Buyer %d\n", i, i*i)
	}
	whole := gzipped(b.String())
	for file, content := range map[string]string{"cut.csv.gz": whole[:len(whole)/2], "latin.csv": b.String() + "x,S\xe3o\n", "quote.csv": b.String() + "x,\"y\n"} {
		got := d.takeFile("buyers", d.file(file, content))
		if !strings.HasPrefix(got, "+0 ~0 =0 !0 not kept: import buyers from "+file+": "+file) {
			t.Error(got)
		}
	}
	d.wantRows(`SELECT count(*)::text FROM buyers`, "0")
}

// A chunk that has read the old facts puts its subjects back before a change
// wakes them, or the change would be overslept.
func TestAChangeWaitsForTheChunkOnItsWay(t *testing.T) {
	d := newDesk(t)
	d.begin()
	d.postpone()
	done := make(chan string, 1)
	path := d.file("shipments.csv", "order,signed_at\no1,2024-03-05 10:00:00\n")
	err := d.store.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
		if err := tx.HoldFacts(ctx, "cn"); err != nil {
			return err
		}
		go func() { done <- d.takeFile("shipments", path) }()
		for d.rows(`SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`) == "0" {
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		_, err := tx.Exec(ctx, `UPDATE due SET look_at = '2024-07-01T00:00:00+08:00'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := <-done; got != "+1 ~0 =0 !0" {
		t.Error(got)
	}
	d.wantRows(dueQuery, "o1 acceptance cn 2024-03-01 10:00:00\no2 acceptance cn 2024-07-01 00:00:00")
}

func TestDescriptions(t *testing.T) {
	var b bytes.Buffer
	if err := Describe(&b); err != nil {
		t.Fatal(err)
	}
	for i := range Kinds {
		if !strings.Contains(b.String(), "  "+Kinds[i].Name+" ") {
			t.Errorf("%s is not listed", Kinds[i].Name)
		}
		var one bytes.Buffer
		if err := Kinds[i].Describe(&one); err != nil {
			t.Fatal(err)
		}
		for _, c := range Kinds[i].ColumnNames() {
			if !strings.Contains(one.String(), "\n  "+c+" ") {
				t.Errorf("%s of %s is not described", c, Kinds[i].Name)
			}
		}
	}
}
