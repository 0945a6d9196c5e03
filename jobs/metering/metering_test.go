package metering_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"nightshift/jobs/metering"
	"nightshift/rules"
	"nightshift/rules/market"
)

var defaults = sync.OnceValues(func() (*rules.Book, error) { return rules.Load(rules.Defaults()) })

// world is a buyer whose use is being told.
type world struct {
	testing.TB
	meter  metering.Meter
	buyer  market.Usage
	site   *rules.Site
	nextID int64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	book, err := defaults()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{TB: t, buyer: market.Usage{BuyerID: 1}}
	if w.site, err = book.Site("cn"); err != nil {
		t.Fatal(err)
	}
	w.meter = metering.Meter{Zone: w.site.Zone, Prices: map[metering.Item]market.Prices{}}
	if w.meter.Policy, err = w.site.Policy(metering.Ruleset, market.NewDate(2024, 6, 1)); err != nil {
		t.Fatal(err)
	}
	return w
}

// at reads "06-01 10:05" as a time of 2024 on the site's clock.
func (w *world) at(text string) time.Time {
	w.Helper()
	layout := "2006-01-02 15:04"
	if strings.Count(text, ":") == 2 {
		layout = time.DateTime
	}
	t, err := time.ParseInLocation(layout, "2024-"+text, w.site.Zone)
	if err != nil {
		w.Fatal(err)
	}
	return t
}

func (w *world) dec(text string) market.Decimal {
	w.Helper()
	d, err := market.ParseDecimal(text)
	if err != nil {
		w.Fatal(err)
	}
	return d
}

// instance is "app" of product "p-app", on demand, open since January.
func (w *world) instance(code, accessType string, change ...func(*market.Instance)) {
	i := market.Instance{ID: int64(len(w.buyer.Instances) + 1), Code: code, BuyerID: 1, Seller: "acme", Product: "p-" + code, AccessType: accessType,
		ChargeMode: "ON_DEMAND", OpenedAt: w.at("01-01 00:00")}
	i.ProductID = 100 + i.ID
	for _, c := range change {
		c(&i)
	}
	w.buyer.Instances = append(w.buyer.Instances, i)
}

// price is of the newest instance's product, by the hour unless changed.
func (w *world) price(item, brackets string, change ...func(*market.Price)) {
	w.Helper()
	i := w.buyer.Instances[len(w.buyer.Instances)-1]
	b, err := market.ParseBrackets(brackets)
	if err != nil {
		w.Fatal(err)
	}
	p := market.Price{ProductID: i.ProductID, Product: i.Product, Item: item, From: w.at("01-01 00:00"), Model: market.PriceFixed, Cycle: market.CycleHour,
		Measure: market.MeasureUsage, Accumulation: market.CycleNone, Brackets: b, Currency: "CNY"}
	for _, c := range change {
		c(&p)
	}
	if err := p.Valid(); err != nil {
		w.Fatal(err)
	}
	key := metering.Item{ProductID: i.ProductID, Name: item}
	w.meter.Prices[key] = append(w.meter.Prices[key], p)
}

func (w *world) pack(code, quota, from, until string, change ...func(*market.Pack)) {
	p := market.Pack{ID: int64(len(w.buyer.Packs) + 1), BuyerID: 1, Code: code, Quota: w.dec(quota), ValidFrom: w.at(from + " 00:00"), ValidUntil: w.at(until + " 00:00"),
		PurchasedAt: w.at(from + " 00:00"), Reset: market.ResetNone}
	for _, c := range change {
		c(&p)
	}
	w.buyer.Packs = append(w.buyer.Packs, &market.PackUse{Pack: p})
}

// record is a record of use, received some time after its end unless it says.
func (w *world) record(instance, item, begin, end, value string, change ...func(*market.UsageRecord)) {
	w.nextID++
	utc := func(t time.Time) string { return t.UTC().Format(market.UsageTimeLayout) }
	from, to := w.at(begin), w.at(end)
	r := market.UsageRecord{ID: w.nextID, SN: "sn" + strconv.FormatInt(w.nextID, 10), Seller: "acme", Instance: instance, Item: item,
		RecordTime: utc(to), BeginTime: utc(from), EndTime: utc(to), Value: value, ReceivedAt: to.Add(5 * time.Minute)}
	for _, c := range change {
		c(&r)
	}
	w.buyer.Records = append(w.buyer.Records, r)
}

func received(t time.Time) func(*market.UsageRecord) {
	return func(r *market.UsageRecord) { r.ReceivedAt = t }
}

func naming(pack string) func(*market.UsageRecord) {
	return func(r *market.UsageRecord) { r.Package = pack }
}

// told is what became of the records by then: a line for each result, and for
// each thing that was rated.
func (w *world) told(asOf string) string {
	w.Helper()
	out, err := w.meter.Meter(&w.buyer, w.at(asOf))
	if err != nil {
		return "error: " + err.Error()
	}
	return w.write(out)
}

func (w *world) write(out metering.Metered) string {
	var b strings.Builder
	for _, r := range out.Results {
		fmt.Fprintf(&b, "%d %s %s", r.RecordID, r.Outcome, r.Code)
		if r.Late {
			b.WriteString("late")
		}
		b.WriteString("\n")
	}
	for _, r := range out.Rated {
		fmt.Fprintf(&b, "%s/%s/%s %s", r.Instance, r.Item, r.CycleFrom.In(w.site.Zone).Format("01-02T15"), r.Quantity)
		for _, part := range []struct {
			name string
			d    market.Decimal
		}{{"drawn", r.Drawn}, {"excess", r.Excess}, {"unbilled", r.Unbilled}} {
			if !part.d.IsZero() {
				fmt.Fprintf(&b, ", %s %s", part.name, part.d)
			}
		}
		if r.Amount.Currency != "" {
			fmt.Fprintf(&b, ", %s", r.Amount)
		}
		fmt.Fprintf(&b, ", due %s\n", r.DueAt.In(w.site.Zone).Format("01-02 15:04"))
	}
	for _, d := range out.Drawn {
		fmt.Fprintf(&b, "from %s %s, left %s\n", d.Pack, d.Quantity, d.Left)
	}
	for _, s := range out.Stops {
		fmt.Fprintf(&b, "instance %d stops at %s\n", s.InstanceID, s.At.In(w.site.Zone).Format("01-02 15:04"))
	}
	if !out.NextDue.IsZero() {
		fmt.Fprintf(&b, "next due %s\n", out.NextDue.In(w.site.Zone).Format("01-02 15:04"))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func onMachine(machine string, product int64) func(*market.Instance) {
	return func(i *market.Instance) { i.Machine, i.ProductID = machine, product }
}

func hours(p *market.Price) { p.Measure = market.MeasureHours }
func daily(p *market.Price) { p.Cycle = market.CycleDay }
func step(over market.Cycle) func(*market.Price) {
	return func(p *market.Price) { p.Model, p.Accumulation = market.PriceStep, over }
}

func TestUseIsMetered(t *testing.T) {
	for _, tt := range []struct {
		name string
		tell func(w *world)
		asOf string
		want string
	}{
		{"two images on one machine within an hour are two fees", func(w *world) {
			w.instance("A", "image", onMachine("ecs-1", 1))
			w.price("run", "2.00", hours)
			w.instance("B", "image", onMachine("ecs-1", 2))
			w.price("run", "3.00", hours)
			w.record("A", "run", "06-01 10:05", "06-01 10:20", "1")
			w.record("B", "run", "06-01 10:20", "06-01 10:50", "1")
		}, "06-02 04:00", `
1 accept 
2 accept 
A/run/06-01T10 1, excess 1, 2.00 CNY, due 06-01 13:00
B/run/06-01T10 1, excess 1, 3.00 CNY, due 06-01 13:00`},
		{"the same image put back on the machine within the hour is one", func(w *world) {
			w.instance("A", "image", onMachine("ecs-1", 1))
			w.price("run", "2.00", hours)
			w.instance("A2", "image", onMachine("ecs-1", 1))
			w.record("A", "run", "06-01 10:05", "06-01 10:20", "1")
			w.record("A2", "run", "06-01 10:20", "06-01 11:10", "1")
		}, "06-02 04:00", `
1 accept 
2 accept 
A/run/06-01T10 1, excess 1, 2.00 CNY, due 06-01 13:00
A2/run/06-01T10 0, due 06-01 14:00
A2/run/06-01T11 1, excess 1, 2.00 CNY, due 06-01 14:00`},
		{"the same image on two machines is two fees", func(w *world) {
			w.instance("A", "image", onMachine("ecs-1", 1))
			w.price("run", "2.00", hours)
			w.instance("A2", "image", onMachine("ecs-2", 1))
			w.record("A", "run", "06-01 10:05", "06-01 10:20", "1")
			w.record("A2", "run", "06-01 10:20", "06-01 10:30", "1")
		}, "06-02 04:00", `
1 accept 
2 accept 
A/run/06-01T10 1, excess 1, 2.00 CNY, due 06-01 13:00
A2/run/06-01T10 1, excess 1, 2.00 CNY, due 06-01 13:00`},
		{"fifty minutes are an hour, sixty-one are two", func(w *world) {
			w.instance("A", "image")
			w.price("run", "2.00", hours)
			w.record("A", "run", "06-01 10:00", "06-01 10:50", "1")
			w.record("A", "run", "06-02 10:00", "06-02 11:01", "1")
		}, "06-03 04:00", `
1 accept 
2 accept 
A/run/06-01T10 1, excess 1, 2.00 CNY, due 06-01 13:00
A/run/06-02T10 1, excess 1, 2.00 CNY, due 06-02 14:00
A/run/06-02T11 1, excess 1, 2.00 CNY, due 06-02 14:00`},
		{"a backup of a hundred gigabytes for two hours costs parts of a fen", func(w *world) {
			w.instance("backup", "saas")
			w.price("gb-hours", "0.00028")
			w.record("backup", "gb-hours", "06-01 17:00", "06-01 18:20", "200")
		}, "06-02 04:00", `
1 accept 
backup/gb-hours/06-01T17 200, excess 200, 0.056 CNY, due 06-01 20:00`},
		{"calls count when they are forwarded, whatever the seller answers", func(w *world) {
			w.instance("api", "api")
			w.price("calls", "0.01")
			w.record("api", "calls", "06-01 10:00", "06-01 10:59", "963")
			w.record("api", "calls", "06-01 10:00", "06-01 10:58", "37", func(r *market.UsageRecord) { r.Forwarded = "yes" })
			w.record("api", "calls", "06-01 10:00", "06-01 10:57", "5", func(r *market.UsageRecord) { r.Forwarded = "no" })
		}, "06-02 04:00", `
1 accept 
2 accept 
3 uncharged 
api/calls/06-01T10 963, excess 963, 9.63 CNY, due 06-01 13:00
api/calls/06-01T10 37, excess 37, 0.37 CNY, due 06-01 13:00`},
		{"several billing items of one instance, tokens by the million", func(w *world) {
			w.instance("agent", "agent")
			w.price("calls", "0.01")
			w.price("tokens", "8", func(p *market.Price) { p.Per = 6 })
			w.record("agent", "calls", "06-01 10:00", "06-01 10:59", "2")
			w.record("agent", "tokens", "06-01 10:00", "06-01 10:59", "1234")
		}, "06-02 04:00", `
1 accept 
2 accept 
agent/calls/06-01T10 2, excess 2, 0.02 CNY, due 06-01 13:00
agent/tokens/06-01T10 1234, excess 1234, 0.009872 CNY, due 06-01 13:00`},
		{"records of a day go on where the previous one stopped, and the next day starts anew", func(w *world) {
			w.instance("call", "saas")
			w.price("minutes", "3:0.3;:0.2", step(market.CycleDay))
			w.record("call", "minutes", "06-01 10:00", "06-01 10:08", "2")
			w.record("call", "minutes", "06-01 11:00", "06-01 11:08", "6")
			w.record("call", "minutes", "06-02 00:00", "06-02 00:08", "2")
		}, "06-02 04:00", `
1 accept 
2 accept 
3 accept 
call/minutes/06-01T10 2, excess 2, 0.60 CNY, due 06-01 13:00
call/minutes/06-01T11 6, excess 6, 1.30 CNY, due 06-01 14:00
call/minutes/06-02T00 2, excess 2, 0.60 CNY, due 06-02 03:00`},
		{"without an accumulation period each record starts at zero", func(w *world) {
			w.instance("call", "saas")
			w.price("minutes", "3:0.3;:0.2", step(market.CycleNone))
			w.record("call", "minutes", "06-01 10:00", "06-01 10:08", "8")
			w.record("call", "minutes", "06-01 10:10", "06-01 10:18", "8")
		}, "06-02 04:00", `
1 accept 
2 accept 
call/minutes/06-01T10 8, excess 8, 1.90 CNY, due 06-01 13:00
call/minutes/06-01T10 8, excess 8, 1.90 CNY, due 06-01 13:00`},
		{"a monthly quota is lost with its month", func(w *world) {
			w.instance("app", "saas", func(i *market.Instance) { i.ChargeMode = "ON_DEMAND_PKG" })
			w.price("units", "0.05")
			w.pack("P", "1000", "01-01", "04-01", func(p *market.Pack) { p.Reset = market.ResetMonth })
			w.record("app", "units", "01-20 10:00", "01-20 10:30", "800")
			w.record("app", "units", "02-20 10:00", "02-20 10:30", "1200")
			w.record("app", "units", "03-20 10:00", "03-20 10:30", "960")
		}, "06-02 04:00", `
1 accept 
2 accept 
3 accept 
app/units/01-20T10 800, drawn 800, due 01-20 13:00
app/units/02-20T10 1200, drawn 1000, excess 200, 10.00 CNY, due 02-20 13:00
app/units/03-20T10 960, drawn 960, due 03-20 13:00
from P 800, left 200
from P 1000, left 0
from P 960, left 40`},
		{"a package of a delisted product keeps working for its owner", func(w *world) {
			w.instance("app", "saas", func(i *market.Instance) { i.ChargeMode, i.DelistedAt = "ON_DEMAND_PKG", w.at("05-01 00:00") })
			w.pack("P", "1000", "01-01", "12-01")
			w.record("app", "units", "06-01 10:00", "06-01 10:30", "10")
			w.instance("other", "saas", func(i *market.Instance) { i.DelistedAt = w.at("05-01 00:00") })
			w.buyer.Packs[0].ProductID = w.buyer.Instances[0].ProductID
			w.record("other", "units", "06-01 10:00", "06-01 10:30", "10")
		}, "06-02 04:00", `
1 accept 
2 reject 006
app/units/06-01T10 10, drawn 10, due 06-01 13:00
from P 10, left 990`},
		{"what stops when it is used up leaves the rest unbilled, and later use is no use", func(w *world) {
			w.instance("app", "saas", func(i *market.Instance) { i.ChargeMode = "ON_DEMAND_PKG" })
			w.pack("P", "100", "01-01", "12-01", func(p *market.Pack) { p.StopWhenUsedUp, p.InstanceID = true, 1 })
			w.record("app", "units", "06-01 10:00", "06-01 10:30", "60")
			w.record("app", "units", "06-01 10:00", "06-01 10:30", "60", naming("P"))
			w.record("app", "units", "06-01 11:00", "06-01 11:30", "60", naming("P"))
			w.record("app", "units", "06-01 11:10", "06-01 11:40", "1", naming("P"))
			w.record("app", "units", "06-01 12:00", "06-01 12:30", "1", naming("P"))
			w.record("app", "units", "06-01 12:00", "06-01 12:30", "1", naming("Q"))
		}, "06-02 04:00", `
1 reject 014
2 accept 
3 accept 
4 accept 
5 reject 013
6 reject 001
app/units/06-01T10 60, drawn 60, due 06-01 13:00
app/units/06-01T11 60, drawn 40, unbilled 20, due 06-01 14:00
app/units/06-01T11 1, unbilled 1, due 06-01 14:00
from P 60, left 40
from P 40, left 0
instance 1 stops at 06-01 11:30`},
		{"an hour is in time for two hours after its end", func(w *world) {
			w.instance("app", "saas")
			w.price("units", "1")
			w.record("app", "units", "06-01 13:25", "06-01 13:30", "1", received(w.at("06-01 14:10")))
			w.record("app", "units", "06-01 13:25", "06-01 13:31", "1", received(w.at("06-01 15:59")))
			w.record("app", "units", "06-01 13:25", "06-01 13:32", "1", received(w.at("06-01 16:30")))
		}, "06-02 04:00", `
1 accept 
2 accept 
3 accept late
app/units/06-01T13 1, excess 1, 1.00 CNY, due 06-01 16:00
app/units/06-01T13 1, excess 1, 1.00 CNY, due 06-01 16:00
app/units/06-01T13 1, excess 1, 1.00 CNY, due 06-01 16:30`},
		{"a day that is reported after one o'clock is deducted a day later", func(w *world) {
			w.instance("app", "saas")
			w.price("units", "1", daily)
			w.record("app", "units", "06-10 09:00", "06-10 10:00", "1", received(w.at("06-11 00:10")))
			w.record("app", "units", "06-10 10:00", "06-10 11:00", "1", received(w.at("06-11 01:30")))
		}, "06-11 04:00", `
1 accept 
app/units/06-10T00 1, excess 1, 1.00 CNY, due 06-11 03:00
next due 06-12 03:00`},
		{"and then it is", func(w *world) {
			w.instance("app", "saas")
			w.price("units", "1", daily)
			w.record("app", "units", "06-10 10:00", "06-10 11:00", "1", received(w.at("06-11 01:30")))
			w.record("app", "units", "06-10 11:00", "06-10 12:00", "1", received(w.at("06-13 14:00")))
		}, "06-14 04:00", `
1 accept late
2 accept late
app/units/06-10T00 1, excess 1, 1.00 CNY, due 06-12 03:00
app/units/06-10T00 1, excess 1, 1.00 CNY, due 06-14 03:00`},
		{"an afternoon in UTC is the next day in Shanghai", func(w *world) {
			w.instance("app", "saas")
			w.price("units", "1", func(p *market.Price) { p.Cycle = market.CycleMonth })
			w.record("app", "units", "05-01 00:30", "05-01 00:40", "1", func(r *market.UsageRecord) {
				if r.BeginTime != "20240430T163000Z" {
					t.Errorf("the record begins at %s", r.BeginTime)
				}
			})
		}, "06-01 04:00", `
1 accept 
app/units/05-01T00 1, excess 1, 1.00 CNY, due 06-01 03:00`},
		{"errors of the record itself", func(w *world) {
			w.instance("app", "saas")
			w.price("units", "1")
			for _, value := range []string{"0", "-1", "1.00001", "1e3", "", "1.0000"} {
				w.record("app", "units", "06-01 10:00", "06-01 10:"+strconv.Itoa(30+len(w.buyer.Records)), value)
			}
			w.record("app", "units", "06-01 10:00", "06-01 09:00", "1")
			w.record("app", "units", "06-01 10:00", "06-01 10:50", "1", func(r *market.UsageRecord) { r.BeginTime = "2024-06-01T10:00:00Z" })
			w.record("app", "units", "06-01 10:00", "06-01 10:51", "1", func(r *market.UsageRecord) { r.SN = "" })
			w.record("app", "units", "06-01 10:00", "06-01 10:52", "1", func(r *market.UsageRecord) { r.Seen = true })
			w.record("app", "units", "06-01 10:00", "06-01 10:53", "1", func(r *market.UsageRecord) { r.Seller = "other" })
			w.record("app", "units", "06-01 10:00", "06-01 10:35", "1")
		}, "06-02 04:00", `
1 reject 003
2 reject 003
3 reject 003
4 reject 003
5 reject 003
6 accept 
7 reject 011
8 reject 002
9 reject 004
10 reject 005
11 reject 009
12 reject 010
app/units/06-01T10 1, excess 1, 1.00 CNY, due 06-01 13:00`},
		{"a record is three weeks old at most, when it is received", func(w *world) {
			w.instance("app", "saas")
			w.price("units", "1")
			w.record("app", "units", "06-01 10:00:00", "06-01 10:01:00", "1", received(w.at("06-22 10:00:00")))
			w.record("app", "units", "06-01 10:00:00", "06-01 10:02:00", "1", received(w.at("06-22 10:00:01")))
		}, "07-30 04:00", `
1 accept late
2 reject 007
app/units/06-01T10 1, excess 1, 1.00 CNY, due 06-22 10:00`},
		{"an item without a price is nobody's error but the price list's", func(w *world) {
			w.instance("app", "saas")
			w.price("units", "1", func(p *market.Price) { p.From = w.at("06-02 00:00") })
			w.record("app", "units", "06-01 10:00", "06-01 10:30", "1")
			w.record("app", "units", "06-01 10:30", "06-01 10:40", "1")
			w.record("app", "extras", "06-02 10:30", "06-02 10:40", "1")
		}, "06-03 04:00", `
error: no price of item "units" of product p-app on 2024-06-01: import prices that hold by then
no price of item "extras" of product p-app on 2024-06-02: import prices that hold by then`},
		{"states of an instance are those in which the use began", func(w *world) {
			w.instance("app", "saas", func(i *market.Instance) {
				i.OpenedAt, i.ClosedAt = w.at("06-01 08:00"), w.at("06-01 18:00")
				i.Frozen = []market.Span{{From: w.at("06-01 12:00"), To: w.at("06-01 13:00")}}
			})
			w.price("units", "1")
			w.record("app", "units", "06-01 07:59", "06-01 08:30", "1")
			w.record("app", "units", "06-01 08:00", "06-01 08:30", "1")
			w.record("app", "units", "06-01 12:00", "06-01 12:30", "1")
			w.record("app", "units", "06-01 13:00", "06-01 13:30", "1")
			w.record("app", "units", "06-01 17:59", "06-01 18:30", "1")
			w.record("app", "units", "06-01 18:00", "06-01 18:30", "1")
		}, "06-02 04:00", `
1 reject 013
2 accept 
3 reject 013
4 accept 
5 accept 
6 reject 013
app/units/06-01T08 1, excess 1, 1.00 CNY, due 06-01 11:00
app/units/06-01T13 1, excess 1, 1.00 CNY, due 06-01 16:00
app/units/06-01T17 1, excess 1, 1.00 CNY, due 06-01 20:00`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tt.tell(w)
			if got, want := w.told(tt.asOf), strings.TrimPrefix(tt.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestAMissingPriceCanBeTold(t *testing.T) {
	w := newWorld(t)
	w.instance("app", "saas")
	w.record("app", "units", "06-01 10:00", "06-01 10:30", "1")
	if _, err := w.meter.Meter(&w.buyer, w.at("06-02 04:00")); !errors.Is(err, market.ErrNoPrice) {
		t.Errorf("got %v", err)
	}
}

func TestAStrayRecordGoesToTheErrorList(t *testing.T) {
	w := newWorld(t)
	w.record("nobody", "units", "06-01 10:00", "06-01 10:30", "1")
	w.record("nobody", "units", "06-01 10:00", "06-01 10:30", "1", func(r *market.UsageRecord) { r.Seen = true })
	w.record("", "", "06-01 10:00", "06-01 10:30", "", func(r *market.UsageRecord) { r.BeginTime, r.SN = "", "" })
	results, err := w.meter.Strays(w.buyer.Records)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := w.write(metering.Metered{Results: results}), "1 reject 001\n2 reject 005\n3 reject 004"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
