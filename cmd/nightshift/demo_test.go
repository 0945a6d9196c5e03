package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// playDemo runs the command and answers what it says for machines.
func playDemo(t *testing.T, dir string) demoSummary {
	t.Helper()
	var out, errs bytes.Buffer
	none := func(string) string { return "" }
	if code := run(t.Context(), []string{"demo", "--json", "--out", dir}, none, &out, &errs); code != exitDone {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	var s demoSummary
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheDemoShowsEverything(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	s := playDemo(t, dir)
	if s.Orders < 5000 || len(s.Nights) != 3*61+2 || s.Rejected != 3 {
		t.Errorf("%d orders, %d runs, %d rows rejected", s.Orders, len(s.Nights), s.Rejected)
	}
	if s.Parked < 5 || s.Parked > 100 {
		t.Errorf("%d parked", s.Parked)
	}
	for _, outcome := range []string{"accept", "wait", "hold", "refund", "unsupervised", "remind", "quiet", "deduct", "reject", "cancel", "renew", "retry", "lapse"} {
		var kept int64
		for _, c := range s.Decisions {
			if c.Outcome == outcome {
				kept += c.Count
			}
		}
		if kept < 20 {
			t.Errorf("%s was decided %d times", outcome, kept)
		}
	}
	for _, kind := range []string{"order", "usage", "repurchase", "renewal"} {
		i := slices.IndexFunc(s.Money, func(m storage.DeductionSum) bool { return m.Kind == kind })
		if i < 0 || s.Money[i].Deductions < 20 || s.Money[i].Due.Amount.Sign() <= 0 {
			t.Errorf("deductions of kind %s: %+v", kind, s.Money)
		}
	}
	books, err := filepath.Glob(filepath.Join(dir, "workbooks", "*.xlsx"))
	if err != nil || len(books) != s.Workbooks || s.Workbooks < 3*61 {
		t.Errorf("%d workbooks, %v", len(books), err)
	}
	sameNightsElsewhere(t, s)
}

// sameNightsElsewhere tells the same seed to another database, with one
// worker: the first nights decide the same.
func sameNightsElsewhere(t *testing.T, s demoSummary) {
	t.Helper()
	const some = 10
	book, err := rules.Load(rules.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	d := &demo{program: &program{errs: new(bytes.Buffer), env: os.Getenv}, dir: t.TempDir(), seed: 1}
	if d.site, err = book.Site(demoSite); err != nil {
		t.Fatal(err)
	}
	d.market = makeMarket(1, 2, d.site.Zone)
	files, err := d.market.write(filepath.Join(d.dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	d.store = storagetest.New(t)
	if err := d.takeIn(t.Context(), files, &demoSummary{}); err != nil {
		t.Fatal(err)
	}
	e := &jobs.Engine{Store: d.store, Book: book, Workers: 1, ChunkSize: 777, Build: "another"}
	var nights []demoNight
	err = d.eachNight(t.Context(), e, demoFirstNight+some-1, func(r jobs.Result) { nights = append(nights, nightOf(r)) })
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range nights {
		if n.Hash != s.Nights[i].Hash {
			t.Errorf("%s of %s: result %s, in the demo %s", n.Job, n.Date, n.Hash, s.Nights[i].Hash)
		}
	}
}

func demoZone(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestAMarketIsItsSeed(t *testing.T) {
	zone := demoZone(t)
	market, again, other := makeMarket(1, 1, zone), makeMarket(1, 1, zone), makeMarket(2, 1, zone)
	for i := range market.sheets {
		if !reflect.DeepEqual(market.sheets[i].rows, again.sheets[i].rows) {
			t.Errorf("%s differ under one seed", market.sheets[i].kind)
		}
	}
	if reflect.DeepEqual(market.sheet["orders"].rows, other.sheet["orders"].rows) {
		t.Error("two seeds have the same orders")
	}
}

func TestAMarketHasOrdersOfEveryKind(t *testing.T) {
	rows := makeMarket(1, 2, demoZone(t)).sheet["orders"].rows
	for column, words := range map[string]string{
		"access_type":   "saas license image human_service consulting hardware container api agent ai_asset data_asset data_file orchestration content",
		"delivery_mode": "instant offline online_code identification_code package",
		"charge_mode":   "PERIOD ONE_TIME ON_DEMAND ON_DEMAND_PKG",
		"track":         "empowerment base",
		"order_type":    "new renewal change",
	} {
		seen, at := map[string]int{}, slices.Index(rows[0], column)
		for _, row := range rows[1:] {
			seen[row[at]]++
		}
		for _, word := range strings.Fields(words) {
			if seen[word] < 20 {
				t.Errorf("%d orders whose %s is %s", seen[word], column, word)
			}
		}
	}
}

func TestTheDemoLeavesOtherFilesAlone(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "letters.txt")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"demo", "--out", dir}, func(string) string { return "" }, &out, &errs)
	if code != exitMisuse || !strings.Contains(errs.String(), "other files") {
		t.Errorf("exit %d: %s", code, errs.String())
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error(err)
	}
}
