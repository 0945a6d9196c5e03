package jobs_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/jobs/intake"
	"nightshift/jobs/metering"
	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// meterNight meters everything that was received by asOf, buyer by buyer, and
// keeps it; the run that books it is told elsewhere.
func meterNight(t testing.TB, s *storage.Store, asOf time.Time) (results []market.UsageResult, rated []market.Rated) {
	t.Helper()
	book, err := defaults()
	if err != nil {
		t.Fatal(err)
	}
	site, err := book.Site("cn")
	if err != nil {
		t.Fatal(err)
	}
	on := market.DateOf(asOf, site.Zone)
	policy, err := site.Policy(metering.Ruleset, on)
	if err != nil {
		t.Fatal(err)
	}
	err = s.InTx(context.Background(), func(ctx context.Context, tx *storage.Tx) error {
		k := storage.Keeping{RunID: 1, Site: "cn", On: on}
		prices, err := jobs.ReadPrices(ctx, tx, "cn")
		if err != nil {
			return err
		}
		m := &metering.Meter{Policy: policy, Zone: site.Zone, Prices: prices}
		if _, err := jobs.JudgeStrays(ctx, tx, k, m, asOf); err != nil {
			return err
		}
		var buyers []int64
		if err := tx.NewRaw(`SELECT id FROM buyers ORDER BY id`).Scan(ctx, &buyers); err != nil {
			return err
		}
		all, err := tx.UsageOf(ctx, "cn", buyers, asOf, site.Zone)
		if err != nil {
			return err
		}
		var kept market.MeteredUse
		for i := range all {
			out, err := m.Meter(&all[i], asOf)
			if err != nil {
				return err
			}
			kept.Add(all[i].BuyerID, out.Results, out.Rated, out.Drawn, out.Stops, out.Received)
		}
		results, rated = kept.Results, kept.Rated
		return tx.KeepUsage(ctx, k, kept)
	})
	if err != nil {
		t.Fatal(err)
	}
	return results, rated
}

// usageDesk takes files of the site cn in.
func usageDesk(t *testing.T, s *storage.Store) func(kind, text string) {
	dir := t.TempDir()
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	return func(kind, text string) {
		t.Helper()
		n++
		path := filepath.Join(dir, fmt.Sprintf("%s-%d.csv", kind, n))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := intake.Import(t.Context(), s, intake.Request{Kind: kind, Site: "cn", Zone: shanghai, Files: []string{path}}); err != nil {
			t.Fatal(err)
		}
	}
}

// localTime reads "06-01 10:00" of 2024 in Shanghai.
func localTime(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04 -0700", "2024-"+text+" +0800")
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// reported is a line of a usage file: begin and end on the clock of Shanghai.
func reported(t testing.TB, received, sn, instance, item, begin, end, value, pack string) string {
	utc := func(text string) string { return localTime(t, text).UTC().Format(market.UsageTimeLayout) }
	return fmt.Sprintf("%s,%s,acme,%s,%s,%s,%s,%s,%s,%s\n", localTime(t, received).Format(time.RFC3339), sn, instance, item, utc(end), utc(begin), utc(end), value, pack)
}

const usageColumns = "received_at,metering_sn,seller,instance,item,record_time,begin_time,end_time,usage_value,relate_pkg_instance\n"

func openShop(t *testing.T, take func(kind, text string)) {
	take("sellers", "code\nacme\n")
	take("buyers", "code\nann\nbob\n")
	take("products", "code,seller,access_type\np1,acme,saas\nimg,acme,image\n")
	take("instances", "code,buyer,seller,product,access_type,charge_mode,opened_at,machine\n"+
		"app,ann,acme,p1,saas,ON_DEMAND_PKG,2024-01-01 00:00:00,\n"+
		"A,ann,acme,img,image,ON_DEMAND,2024-01-01 00:00:00,ecs-1\n"+
		"A2,ann,acme,img,image,ON_DEMAND,2024-01-01 00:00:00,ecs-1\n"+
		"stop,bob,acme,p1,saas,ON_DEMAND_PKG,2024-01-01 00:00:00,\n")
	take("prices", "product,item,from_at,model,cycle,measure,accumulation,brackets,currency\n"+
		"p1,units,2024-01-01 00:00:00,step,day,usage,month,3:0.3;:0.2,CNY\n"+
		"img,run,2024-01-01 00:00:00,fixed,hour,hours,none,2.00,CNY\n")
	take("packs", "code,buyer,instance,quota,valid_from,valid_until,purchased_at,reset,stop_when_used_up\n"+
		"P,ann,app,5,2024-01-01 00:00:00,2024-12-01 00:00:00,2024-01-01 00:00:00,month,false\n"+
		"S,bob,stop,5,2024-01-01 00:00:00,2024-12-01 00:00:00,2024-01-01 00:00:00,none,true\n")
}

func came(results []market.UsageResult, rated []market.Rated) string {
	var b strings.Builder
	slices.SortFunc(results, func(x, y market.UsageResult) int { return int(x.RecordID - y.RecordID) })
	for _, r := range results {
		fmt.Fprintf(&b, "%d %s%s ", r.RecordID, r.Outcome, r.Code)
	}
	for _, r := range rated {
		fmt.Fprintf(&b, "%s=%s-%s-%s:%s ", r.Instance, r.Drawn, r.Excess, r.Unbilled, r.Amount.Amount)
	}
	return strings.TrimSpace(b.String())
}

// What earlier nights rated, drew and stopped is known to later ones, and a
// night that is repeated finds nothing to do.
func TestUseIsMeteredNightByNight(t *testing.T) {
	s := storagetest.New(t)
	take := usageDesk(t, s)
	openShop(t, take)
	take("usage", usageColumns+
		reported(t, "06-01 10:35", "s1", "app", "units", "06-01 10:00", "06-01 10:30", "4", "")+
		reported(t, "06-01 10:36", "s2", "A", "run", "06-01 10:05", "06-01 10:20", "1", "")+
		reported(t, "06-01 11:00", "s3", "stop", "units", "06-01 10:00", "06-01 11:00", "5", "S")+
		reported(t, "06-01 11:00", "s4", "nobody", "units", "06-01 10:00", "06-01 11:00", "5", "")+
		reported(t, "06-03 01:30", "s5", "app", "units", "06-02 10:00", "06-02 10:30", "6", ""))
	night := func(asOf, want string) {
		t.Helper()
		if got := came(meterNight(t, s, localTime(t, asOf))); got != want {
			t.Errorf("%s: got %s, want %s", asOf, got, want)
		}
	}
	night("06-02 04:00", "1 accept 2 accept 3 accept A=0-1-0:2 app=4-0-0:0 stop=5-0-0:0")
	night("06-02 04:00", "")
	night("06-03 04:00", "")
	take("usage", usageColumns+
		reported(t, "06-01 11:40", "s6", "A2", "run", "06-01 10:20", "06-01 11:30", "1", "")+
		reported(t, "06-02 00:30", "s7", "stop", "units", "06-01 12:00", "06-01 13:00", "1", "S")+
		reported(t, "06-02 00:30", "s1", "app", "units", "06-01 20:00", "06-01 21:00", "1", "")+
		reported(t, "06-02 00:30", "s8", "app", "units", "06-01 10:00", "06-01 10:30", "4", "")+
		reported(t, "06-02 00:30", "s4", "app", "units", "06-01 14:00", "06-01 15:00", "1", ""))
	night("06-03 04:00", "6 accept 7 reject013 8 reject005 9 reject010 10 reject005 A2=0-0-0:0 A2=0-1-0:2")
	night("06-04 04:00", "5 accept app=1-5-0:1.3")
	take("usage", usageColumns+reported(t, "06-05 00:30", "s9", "app", "units", "06-04 10:00", "06-04 10:30", "1", ""))
	night("06-05 04:00", "11 accept app=0-1-0:0.2")
	if n := count(t, s, `SELECT count(*) FROM usage_records u WHERE NOT EXISTS (SELECT FROM usage_results r WHERE r.record_id = u.id)`); n != 0 {
		t.Errorf("%d records have no result", n)
	}
}

// An instance may be reported after its use, however the nights lie between.
func TestAnInstanceMayComeAfterItsUse(t *testing.T) {
	s := storagetest.New(t)
	take := usageDesk(t, s)
	openShop(t, take)
	meterNight(t, s, localTime(t, "06-02 04:00"))
	take("usage", usageColumns+reported(t, "06-01 10:35", "s1", "new", "units", "06-01 10:00", "06-01 10:30", "4", ""))
	take("instances", "code,buyer,seller,product,access_type,charge_mode,opened_at\nnew,ann,acme,p1,saas,ON_DEMAND,2024-01-01 00:00:00\n")
	if got, want := came(meterNight(t, s, localTime(t, "06-03 04:00"))), "1 accept new=0-4-0:1.1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Nothing is rated or drawn twice, whoever tries: the database refuses it.
func TestUseIsKeptOnce(t *testing.T) {
	s := storagetest.New(t)
	take := usageDesk(t, s)
	openShop(t, take)
	at := localTime(t, "06-01 10:00")
	two, five := market.DecimalOf(2), market.DecimalOf(5)
	result := market.MeteredUse{Results: []market.UsageResult{{RecordID: 7, BuyerID: 1, Outcome: market.Accept, Rule: "x", DueAt: at}}}
	draw := market.MeteredUse{Drawn: []market.Drawn{{RecordID: 7, Draw: market.Draw{PackID: 1, Window: market.Span{From: at, To: at.Add(time.Hour)}, Quantity: two, Quota: five, Left: market.DecimalOf(3)}}}}
	overdrawn := market.MeteredUse{Drawn: []market.Drawn{{RecordID: 8, Draw: market.Draw{PackID: 1, Window: market.Span{From: at.Add(time.Hour), To: at.Add(2 * time.Hour)}, Quantity: five.Add(two), Quota: five, Left: two.Neg()}}}}
	keep := func(u market.MeteredUse) error {
		return s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
			return tx.KeepUsage(ctx, storage.Keeping{RunID: 1, Site: "cn", On: date(t, "2024-06-01")}, u)
		})
	}
	for name, u := range map[string]market.MeteredUse{"a result": result, "a draw": draw} {
		if err := keep(u); err != nil {
			t.Fatal(err)
		}
		if err := keep(u); err == nil || !strings.Contains(err.Error(), "duplicate key") {
			t.Errorf("%s was kept twice: %v", name, err)
		}
	}
	if err := keep(overdrawn); err == nil || !strings.Contains(err.Error(), "draws_check") {
		t.Errorf("a quota was overdrawn: %v", err)
	}
}
