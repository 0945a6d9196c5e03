package metering_test

import (
	"fmt"
	"strconv"
	"testing"

	"nightshift/rules/market"
)

// benchUsage is a buyer with five instances and ten records of each: one in ten
// is drawn from a package, one in ten is on the error list.
func benchUsage(w *world) *market.Usage {
	for i := range 5 {
		code := "app" + strconv.Itoa(i)
		w.instance(code, "saas", func(in *market.Instance) { in.ProductID = int64(1 + i%2) })
		if i < 2 {
			w.price("units", "3:0.3;:0.2", func(p *market.Price) { p.Model = market.PriceTier })
		}
	}
	w.buyer.Instances[4].ChargeMode = "ON_DEMAND_PKG"
	w.pack("P", "1000", "01-01", "12-01", func(p *market.Pack) { p.InstanceID, p.Reset = 5, market.ResetMonth })
	for hour := range 10 {
		for i := range 5 {
			value := "1.25"
			if hour == 3 {
				value = "0"
			}
			w.record("app"+strconv.Itoa(i), "units", fmt.Sprintf("06-01 %02d:00", hour), fmt.Sprintf("06-01 %02d:59", hour), value)
		}
	}
	return &w.buyer
}

// BenchmarkMeter judges, rates and draws, a buyer at a time.
func BenchmarkMeter(b *testing.B) {
	w := newWorld(b)
	u := benchUsage(w)
	asOf := w.at("06-02 04:00")
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range u.Packs {
			p.Windows = p.Windows[:0]
		}
		out, err := w.meter.Meter(u, asOf)
		if err != nil || len(out.Results) != len(u.Records) {
			b.Fatal(len(out.Results), err)
		}
	}
	records := float64(b.N * len(u.Records))
	b.ReportMetric(records/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/records, "ns/record")
}
