package metering_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"nightshift/jobs/metering"
	"nightshift/rules/market"
)

// anyWorld is a buyer with packages, some of which stop their instance, two
// images on a machine, and records in no particular order of use.
func anyWorld(t *testing.T, draw *rapid.T) *world {
	w := newWorld(t)
	w.instance("A", "image", onMachine("ecs-1", 1))
	w.price("run", "2.00", hours)
	w.instance("A2", "image", onMachine("ecs-1", 1))
	w.instance("app", "saas", func(i *market.Instance) { i.ChargeMode = "ON_DEMAND_PKG" })
	w.price("units", "3:0.3;:0.2", step(market.CycleDay), daily)
	w.instance("stops", "saas", func(i *market.Instance) { i.ChargeMode = "ON_DEMAND_PKG" })
	w.pack("M", "20", "01-01", "12-01", func(p *market.Pack) { p.Reset, p.InstanceID = market.ResetMonth, 3 })
	w.pack("N", "10", "06-02", "12-01", func(p *market.Pack) { p.InstanceID = 3 })
	w.pack("S", "20", "01-01", "12-01", func(p *market.Pack) { p.StopWhenUsedUp, p.InstanceID = true, 4 })
	start := w.at("05-30 00:00")
	for range rapid.IntRange(0, 25).Draw(draw, "records") {
		begin := start.Add(time.Duration(rapid.IntRange(0, 5*24*60).Draw(draw, "begin")) * time.Minute)
		end := begin.Add(time.Duration(rapid.IntRange(0, 90).Draw(draw, "minutes")) * time.Minute)
		instance := rapid.SampledFrom([]string{"A", "A2", "app", "app", "stops"}).Draw(draw, "instance")
		item, pack := "units", ""
		switch instance {
		case "A", "A2":
			item = "run"
		case "stops":
			pack = "S"
		}
		layout := "01-02 15:04"
		w.record(instance, item, begin.Format(layout), end.Format(layout), fmt.Sprint(rapid.IntRange(1, 9).Draw(draw, "value")), naming(pack),
			received(end.Add(time.Duration(rapid.IntRange(0, 40*60).Draw(draw, "reported"))*time.Minute)))
	}
	slices.SortStableFunc(w.buyer.Records, func(a, b market.UsageRecord) int { return a.ReceivedAt.Compare(b.ReceivedAt) })
	for i := range w.buyer.Records {
		w.buyer.Records[i].ID = int64(i + 1)
	}
	return w
}

// clone is the buyer as nothing had happened.
func (w *world) clone() *market.Usage {
	b := w.buyer
	b.Instances, b.Packs = slices.Clone(b.Instances), nil
	for _, p := range w.buyer.Packs {
		b.Packs = append(b.Packs, &market.PackUse{Pack: p.Pack})
	}
	return &b
}

// night meters a buyer's open records by an instant and keeps what later nights
// have to know, as storage does.
func (w *world) night(b *market.Usage, asOf time.Time) metering.Metered {
	out, err := w.meter.Meter(b, asOf)
	if err != nil {
		w.Fatal(err)
	}
	done := map[int64]bool{}
	for _, r := range out.Results {
		done[r.RecordID] = true
	}
	b.Records = slices.DeleteFunc(slices.Clone(b.Records), func(r market.UsageRecord) bool { return done[r.ID] })
	for _, r := range out.Rated {
		b.Earlier = append(b.Earlier, market.Earlier{InstanceID: r.InstanceID, Item: r.Item, Measure: r.Measure, CycleFrom: r.CycleFrom, UsedAt: r.UsedAt, UsedUntil: r.UsedUntil})
		if !r.AccumulatedFrom.IsZero() {
			b.Accumulated = append(b.Accumulated, market.Accumulated{InstanceID: r.InstanceID, Item: r.Item, From: r.AccumulatedFrom, Quantity: r.Accumulated})
		}
	}
	return out
}

// One late run comes to what punctual nights came to, result by result, and
// every record has one.
func TestALateRunRatesLikePunctualOnes(t *testing.T) {
	rapid.Check(t, func(draw *rapid.T) {
		w := anyWorld(t, draw)
		end := w.at("06-20 04:00")
		late := w.night(w.clone(), end)
		var punctual metering.Metered
		b := w.clone()
		every := time.Duration(rapid.IntRange(1, 60).Draw(draw, "hours")) * time.Hour
		for at := w.at("05-30 04:00"); ; at = at.Add(every) {
			if at.After(end) {
				at = end
			}
			out := w.night(b, at)
			punctual.Results = append(punctual.Results, out.Results...)
			punctual.Rated = append(punctual.Rated, out.Rated...)
			punctual.Drawn = append(punctual.Drawn, out.Drawn...)
			punctual.Stops = append(punctual.Stops, out.Stops...)
			if at.Equal(end) {
				break
			}
		}
		slices.SortFunc(punctual.Results, func(a, b market.UsageResult) int { return int(a.RecordID - b.RecordID) })
		if diff := cmp.Diff(strings.Split(w.write(late), "\n"), strings.Split(w.write(punctual), "\n")); diff != "" {
			draw.Fatalf("a late run, and nights every %s (-late +punctual):\n%s", every, diff)
		}
		if len(late.Results) != len(w.buyer.Records) {
			draw.Fatalf("%d records have %d results", len(w.buyer.Records), len(late.Results))
		}
	})
}

// Whatever is rated adds up: what packages gave, what was priced and what was
// not billed is what was used, no quota is overdrawn, no hour is paid twice.
func TestWhatIsRatedAddsUp(t *testing.T) {
	rapid.Check(t, func(draw *rapid.T) {
		w := anyWorld(t, draw)
		b := w.clone()
		out := w.night(b, w.at("06-20 04:00"))
		hours := map[string]bool{}
		drawn := map[int64]market.Decimal{}
		for _, d := range out.Drawn {
			drawn[d.RecordID] = drawn[d.RecordID].Add(d.Quantity)
		}
		for _, r := range out.Rated {
			if r.Drawn.Add(r.Excess).Add(r.Unbilled).Cmp(r.Quantity) != 0 || r.Measure == market.MeasureUsage && drawn[r.RecordID].Cmp(r.Drawn) != 0 {
				draw.Fatalf("record %d: %s is not %s drawn, %s priced, %s unbilled", r.RecordID, r.Quantity, r.Drawn, r.Excess, r.Unbilled)
			}
			key := fmt.Sprint(r.ProductID, r.Item, r.CycleFrom.Unix())
			if r.Measure == market.MeasureHours && r.Quantity.Sign() > 0 && hours[key] {
				draw.Fatalf("record %d: the hour %s is paid twice", r.RecordID, r.CycleFrom)
			}
			hours[key] = hours[key] || r.Quantity.Sign() > 0
		}
		for _, p := range b.Packs {
			for _, win := range p.Windows {
				if win.Used.Cmp(p.Quota) > 0 {
					draw.Fatalf("package %s gave %s of %s", p.Code, win.Used, p.Quota)
				}
			}
		}
	})
}
