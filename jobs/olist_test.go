package jobs_test

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"nightshift/jobs"
	"nightshift/jobs/intake"
	"nightshift/rules"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// What the year comes to. A second program, in another language, counted the
// same from the files.
const (
	olistAccepted = 2301 // by the night of 2018-03-31
	olistStopped  = 149  // of these, whose clock an appeal stopped
	olistUnsigned = 1675 // never delivered
)

// olistFiles are the files of the data set and the mapping of each kind that
// is taken from them.
var olistFiles = []struct {
	kind, file string
	rows       int64 // taken in; each row of the file that the mapping keeps
}{
	{"buyers", "orders", 3977}, {"sellers", "sellers", 932}, {"products", "products", 2777}, {"orders", "orders", 3977},
	{"lines", "order_items", 3939}, {"shipments", "orders", 2834}, {"appeals", "order_reviews", 1396},
}

// TestAYearOfRealOrders imports a year of a real marketplace, runs each of its
// nights, and holds what was accepted against one SQL query over the files.
func TestAYearOfRealOrders(t *testing.T) {
	t.Parallel()
	dir := olistData(t)
	s := storagetest.New(t)
	e := engine(t, s)
	site, err := e.Book.Site("br")
	if err != nil {
		t.Fatal(err)
	}
	importOlist(t, s, site, dir)
	for on := date(t, "2017-01-01"); on <= date(t, "2018-03-31"); on++ {
		if result, err := e.Run(t.Context(), jobs.Request{Job: "acceptance", Site: site.Name, On: on}); err != nil || result.Run.Parked > 0 {
			t.Fatalf("night of %s: %d parked, %v", on, result.Run.Parked, err)
		}
	}

	raw := olistRaw(t, dir)
	want, got := olistOracle(t, raw, olistAcceptances), olistAnswers(t, s, ourAcceptances)
	if diff := cmp.Diff(perNight(want), perNight(got)); diff != "" {
		t.Errorf("acceptances per business date (-query over the files +nightshift):\n%s", diff)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("acceptances (-query over the files +nightshift):\n%s", diff)
	}
	overdue, reminded := olistOracle(t, raw, olistReminders), olistAnswers(t, s, ourReminders)
	if diff := cmp.Diff(overdue, reminded); diff != "" {
		t.Errorf("reminders (-query over the files +nightshift):\n%s", diff)
	}
	stopped := count(t, s, `SELECT count(*) FROM completions c JOIN shipments p USING (order_id) WHERE c.completed_at <> p.signed_at + interval '240 hours'`)
	held := count(t, s, `SELECT count(DISTINCT subject) FROM decisions JOIN completions ON order_id = subject WHERE rule = 'under appeal' AND ruleset = 'acceptance'`)
	unsigned := count(t, s, `
		SELECT count(*)
		FROM (SELECT DISTINCT ON (subject) subject, rule FROM decisions WHERE ruleset = 'acceptance' ORDER BY subject, business_date DESC) standing
		LEFT JOIN shipments p ON p.order_id = subject
		WHERE p.signed_at IS NULL AND rule IN ('no signature', 'under appeal')`)
	t.Logf("accepted %d on %d nights; stopped by an appeal %d, seen frozen by a night %d; without a signature %d; reminded %d",
		len(got), len(perNight(got)), stopped, held, unsigned, len(reminded))
	if len(got) != olistAccepted || stopped != olistStopped || unsigned != olistUnsigned {
		t.Errorf("accepted %d, stopped %d, without a signature %d; want %d, %d, %d", len(got), stopped, unsigned, olistAccepted, olistStopped, olistUnsigned)
	}
}

// olistData is the folder of the real orders. A bare machine lacks it.
func olistData(t *testing.T) string {
	t.Helper()
	return filepath.Dir(realData(t, "olist-2017/orders.csv.gz"))
}

// realData is a file of real data. It lies beside the clone, so a machine may
// not have it.
func realData(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("NIGHTSHIFT_TEST_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "data")
	}
	file := filepath.Join(root, name)
	if _, err := os.Stat(file); err != nil {
		message := fmt.Sprintf("real data: %v: set NIGHTSHIFT_TEST_DATA to the folder that holds %s", err, filepath.Dir(name))
		if os.Getenv("NIGHTSHIFT_NO_SKIP") == "1" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	return file
}

// olistMapping is the shipped mapping from a file of the data set to a kind.
func olistMapping(t *testing.T, kindName string) *rules.Mapping {
	t.Helper()
	return shippedMapping(t, "br", kindName)
}

// shippedMapping is the mapping of a site's files to a kind.
func shippedMapping(t *testing.T, site, kindName string) *rules.Mapping {
	t.Helper()
	kind, err := intake.KindNamed(kindName)
	if err != nil {
		t.Fatal(err)
	}
	name := site + "/" + kindName + ".map.yaml"
	text, err := fs.ReadFile(rules.Defaults(), name)
	if err != nil {
		t.Fatal(err)
	}
	mapping, err := rules.ParseMapping(name, text, kind.ColumnNames())
	if err != nil {
		t.Fatal(err)
	}
	return mapping
}

// importOlist takes the files in through the mappings that ship. Every row is
// taken in or left out by its mapping; none is rejected.
func importOlist(t *testing.T, s *storage.Store, site *rules.Site, dir string) {
	t.Helper()
	for _, f := range olistFiles {
		result, err := intake.Import(t.Context(), s, intake.Request{Kind: f.kind, Site: site.Name, Zone: site.Zone,
			Mapping: olistMapping(t, f.kind), Files: []string{filepath.Join(dir, f.file+".csv.gz")}})
		if err != nil {
			t.Fatal(err)
		}
		if got := result.Files[0]; got.Added != f.rows || got.Rejected != 0 {
			t.Errorf("import %s: %d added, %d rejected; want %d and none", f.kind, got.Added, got.Rejected, f.rows)
		}
	}
}

// TestTheShippedMappings needs no data: a row of each file, as the data set
// writes it, becomes a row of ours, or is left out.
func TestTheShippedMappings(t *testing.T) {
	const (
		orders  = "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,order_delivered_customer_date,order_estimated_delivery_date"
		reviews = "review_id,order_id,review_score,review_creation_date,review_answer_timestamp"
	)
	for _, tt := range []struct{ name, kind, header, row, want string }{
		{"an order names its buyer", "buyers", orders, "o1,c1,delivered,2017-07-09 21:57:05,2017-07-09 22:10:13,,,", "code=c1"},
		{"times are those of Sao Paulo", "orders", orders, "o1,c1,delivered,2017-07-09 21:57:05,2017-12-09 22:10:13,,,",
			"code=o1 buyer=c1 access_type=hardware placed_at=2017-07-09T21:57:05-03:00 paid_at=2017-12-09T22:10:13-02:00"},
		{"an order may never be approved", "orders", orders, "o1,c1,created,2017-07-09 21:57:05,,,,",
			"code=o1 buyer=c1 access_type=hardware placed_at=2017-07-09T21:57:05-03:00"},
		{"a parcel on its way", "shipments", orders, "o1,c1,shipped,2017-07-09 21:57:05,,2017-07-11 14:58:04,,", "order=o1 shipped_at=2017-07-11T14:58:04-03:00"},
		{"a parcel that arrived", "shipments", orders, "o1,c1,delivered,2017-07-09 21:57:05,,2017-07-11 14:58:04,2017-07-26 10:57:55,",
			"order=o1 shipped_at=2017-07-11T14:58:04-03:00 signed_at=2017-07-26T10:57:55-03:00"},
		{"an order that never left has no parcel", "shipments", orders, "o1,c1,canceled,2017-07-09 21:57:05,,,,", ""},
		{"one star is an appeal", "appeals", reviews, "r1,o1,1,2017-04-06 00:00:00,2017-04-09 18:25:12",
			"order=o1 code=r1 opened_at=2017-04-06T00:00:00-03:00 decided_at=2017-04-09T18:25:12-03:00 decision=continue"},
		{"two stars are not", "appeals", reviews, "r1,o1,2,2017-04-06 00:00:00,2017-04-09 18:25:12", ""},
		{"a seller is a number", "sellers", "seller_id,seller_zip_code_prefix,seller_city,seller_state", "s1,70740,brasilia,DF", "code=s1 certified_at=2016-01-01T00:00:00-03:00"},
		{"a product has a category for a name", "products", "product_id,product_category_name,product_weight_g", "p1,cool_stuff,1175", "code=p1 name=cool_stuff access_type=hardware product_class=hardware"},
		{"or none", "products", "product_id,product_category_name,product_weight_g", "p1,,1175", "code=p1 access_type=hardware product_class=hardware"},
		{"a line is a piece without its freight", "lines", "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value",
			"o1,2,p1,s1,2017-11-27 19:09:02,21.99,11.85", "order=o1 line=2 product=p1 seller=s1 amount=21.99 BRL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mapping := olistMapping(t, tt.kind)
			if err := mapping.Check(strings.Split(tt.header, ",")); err != nil {
				t.Fatal(err)
			}
			kind, err := intake.KindNamed(tt.kind)
			if err != nil {
				t.Fatal(err)
			}
			columns := kind.ColumnNames()
			cells := make([]string, len(columns))
			keep, err := mapping.Row(cells, strings.Split(tt.row, ","))
			if err != nil {
				t.Fatal(err)
			}
			var filled []string
			for i, name := range columns {
				if keep && cells[i] != "" {
					filled = append(filled, name+"="+cells[i])
				}
			}
			if got := strings.Join(filled, " "); got != tt.want {
				t.Errorf("%s\nbecame %s\n  want %s", tt.row, got, tt.want)
			}
		})
	}
}

// acceptance is when something became of an order, and by which night.
type acceptance struct {
	Due   string // UTC
	Night string // empty where it does not matter
}

func perNight(of map[string]acceptance) map[string]int {
	nights := map[string]int{}
	for _, a := range of {
		nights[a.Night]++
	}
	return nights
}

// Nightshift's answers to the same two questions.
const (
	ourAcceptances = `
		SELECT o.code, c.completed_at, c.business_date::text
		FROM completions c JOIN orders o ON o.id = c.order_id
		WHERE c.outcome = 'accept'`
	ourReminders = `
		SELECT o.code, n.at, ''
		FROM notices n JOIN orders o ON o.id = n.subject
		WHERE n.kind = 'overdue'`
)

// olistAnswers is what Nightshift kept, by order.
func olistAnswers(t *testing.T, s *storage.Store, query string) map[string]acceptance {
	t.Helper()
	rows, err := s.DB().QueryContext(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]acceptance{}
	for rows.Next() {
		var code, night string
		var due time.Time
		if err := rows.Scan(&code, &due, &night); err != nil {
			t.Fatal(err)
		}
		all[code] = acceptance{due.UTC().Format(time.RFC3339Nano), night}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// olistDue knows nothing but the texts of the files. The spans in which an
// order's complaints were open, united and cut at its signature, are walked in
// order: each that has begun by the instant reached so far moves it on by its
// length.
const olistDue = `
WITH signed AS (
	SELECT order_id, order_delivered_customer_date::timestamp AT TIME ZONE 'America/Sao_Paulo' AS at
	FROM raw.orders
	WHERE order_delivered_customer_date <> ''
), complained AS (
	SELECT order_id, range_agg(tstzrange(review_creation_date::timestamp AT TIME ZONE 'America/Sao_Paulo',
	                                     review_answer_timestamp::timestamp AT TIME ZONE 'America/Sao_Paulo')) AS spans
	FROM raw.order_reviews
	WHERE review_score = '1'
	GROUP BY order_id
), stopped AS (
	SELECT order_id, lower(span) AS from_, upper(span) - lower(span) AS length
	FROM signed JOIN complained USING (order_id),
	     unnest(spans * tstzmultirange(tstzrange(at, 'infinity'))) AS span
), reached AS (
	SELECT order_id, from_, length,
	       at + interval '240 hours' + coalesce(sum(length) OVER (PARTITION BY order_id ORDER BY from_ ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), interval '0') AS so_far
	FROM stopped JOIN signed USING (order_id)
), counted AS (
	SELECT order_id, length, bool_and(from_ <= so_far) OVER (PARTITION BY order_id ORDER BY from_) AS counts
	FROM reached
), due AS (
	SELECT order_id, at + interval '240 hours' + coalesce((SELECT sum(length) FROM counted WHERE counted.order_id = signed.order_id AND counts), interval '0') AS at
	FROM signed
)`

// olistAcceptances answer when each order was accepted, and by which night: the
// first at 02:00 that is not before the instant.
const olistAcceptances = olistDue + `, accepted AS (
	SELECT order_id, at, at AT TIME ZONE 'America/Sao_Paulo' AS local
	FROM due
)
SELECT order_id, at, (local::date + CASE WHEN local::time > '02:00' THEN 1 ELSE 0 END)::text AS night
FROM accepted
WHERE local::date + CASE WHEN local::time > '02:00' THEN 1 ELSE 0 END <= date '2018-03-31'`

// olistReminders answer which orders were paid and still open 180 days after
// they were placed, and when they had been. One was placed in the hour that
// came twice as the clocks went back; it is the first of the two.
const olistReminders = olistDue + `, read AS (
	SELECT order_id, order_purchase_timestamp::timestamp AS local,
	       order_purchase_timestamp::timestamp AT TIME ZONE 'America/Sao_Paulo' AS at,
	       order_approved_at::timestamp AT TIME ZONE 'America/Sao_Paulo' AS paid
	FROM raw.orders
	WHERE order_approved_at <> ''
), placed AS (
	SELECT order_id, paid, CASE WHEN (at - interval '1 hour') AT TIME ZONE 'America/Sao_Paulo' = local THEN at - interval '1 hour' ELSE at END AS at
	FROM read
), overdue AS (
	SELECT order_id, greatest(at + interval '4320 hours', paid) AS at
	FROM placed
)
SELECT order_id, overdue.at, '' AS night
FROM overdue LEFT JOIN due USING (order_id)
WHERE overdue.at <= least(due.at, timestamptz '2018-03-31 02:00-03')`

// olistRaw is a database that holds the files as text and nothing that
// Nightshift wrote or reads.
func olistRaw(t *testing.T, dir string) *pgx.Conn {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, storagetest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	if _, err := conn.Exec(ctx, `CREATE SCHEMA raw; SET TimeZone = 'UTC'`); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"orders", "order_reviews"} {
		loadText(t, conn, file, filepath.Join(dir, file+".csv.gz"))
	}
	return conn
}

// olistOracle answers a query over the files, by order.
func olistOracle(t *testing.T, raw *pgx.Conn, query string) map[string]acceptance {
	t.Helper()
	rows, err := raw.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]acceptance{}
	for rows.Next() {
		var code, night string
		var due time.Time
		if err := rows.Scan(&code, &due, &night); err != nil {
			t.Fatal(err)
		}
		all[code] = acceptance{due.UTC().Format(time.RFC3339Nano), night}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// readPacked reads a packed CSV file: its header and its records.
func readPacked(t *testing.T, path string) (header []string, records [][]string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(unpacked).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	header = all[0]
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	return header, all[1:]
}

// loadText copies a file into raw.<table>, every column as text.
func loadText(t *testing.T, conn *pgx.Conn, table, path string) {
	t.Helper()
	header, records := readPacked(t, path)
	if _, err := conn.Exec(t.Context(), fmt.Sprintf("CREATE TABLE raw.%s (%s text)", table, strings.Join(header, " text, "))); err != nil {
		t.Fatal(err)
	}
	rows := make([][]any, 0, len(records))
	for _, record := range records {
		row := make([]any, len(record))
		for i, cell := range record {
			row[i] = cell
		}
		rows = append(rows, row)
	}
	if _, err := conn.CopyFrom(t.Context(), pgx.Identifier{"raw", table}, header, pgx.CopyFromRows(rows)); err != nil {
		t.Fatal(err)
	}
}
