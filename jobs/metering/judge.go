package metering

import (
	"fmt"
	"strings"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
)

// judged is a record, what it says as far as it can be read, and its result.
type judged struct {
	record   *market.UsageRecord
	instance *market.Instance // nil where there is none
	begin    time.Time
	end      time.Time
	value    market.Decimal
	measure  market.Measure
	cycle    market.Cycle
	pack     *market.PackUse // the one that the record names
	stops    bool            // the instance is paid by packages alone
	result   market.UsageResult
	settled  bool
}

// same is what makes two records reports of the same use.
type same struct {
	instance   int64
	item       string
	begin, end int64 // seconds since 1970
}

// judge asks the rules about the next record in the order of receipt.
func (w *Walk) judge(record *market.UsageRecord) error {
	w.judged = append(w.judged, judged{record: record, instance: w.instances[record.Instance]})
	j := &w.judged[len(w.judged)-1]
	if err := w.ask(j); err != nil {
		return err
	}
	if j.result.Outcome == market.Accept {
		w.seen[j.use()] = true
	}
	return nil
}

func (j *judged) use() same {
	return same{j.instance.ID, j.record.Item, j.begin.Unix(), j.end.Unix()}
}

// ask decides on a record as things stand now.
func (w *Walk) ask(j *judged) error {
	f := w.prepare(j)
	record := j.record
	answer, err := w.meter.Policy.Decide(f, record.ReceivedAt)
	if err != nil {
		return fmt.Errorf("judge usage record %d, metering_sn %q: %w", record.ID, record.SN, err)
	}
	j.result = market.UsageResult{RecordID: record.ID, BuyerID: w.usage.BuyerID, Outcome: answer.Outcome, Rule: answer.Rule, DueAt: record.ReceivedAt}
	switch answer.Outcome {
	case market.Accept:
		if j.instance == nil || j.begin.IsZero() {
			return fmt.Errorf("judge usage record %d: rule %q accepts what cannot be rated: it has no instance or no times", record.ID, answer.Rule)
		}
		late, _ := answer.Value("late")
		within, _ := answer.Value("reported_within")
		after, _ := answer.Value("deducted_after")
		j.result.Late = late.Bool()
		j.result.DueAt = w.due(j, within.Duration(), after.Duration())
	case market.Reject:
		code, _ := answer.Value("code")
		j.result.Code = code.Text()
	case market.Uncharged:
	default:
		return fmt.Errorf("judge usage record %d: rule %q answers %q, which is no outcome of %s", record.ID, answer.Rule, answer.Outcome, Ruleset)
	}
	return nil
}

// prepare reads the record and makes its facts.
func (w *Walk) prepare(j *judged) *rules.UsageFacts {
	record, f := j.record, &w.meter.facts
	*f = rules.UsageFacts{IDGiven: record.SN != "", IDSeen: record.Seen, Package: "none", Forwarded: !denied(record.Forwarded)}
	f.UsageReadable, f.UsageDecimals = j.readUsage()
	f.UsageValue = j.value
	f.TimesReadable = j.readTimes()
	if f.TimesReadable {
		f.InOrder = !j.end.Before(j.begin)
		f.UsedFor, f.EndedFor = market.StartedAt(j.begin), market.StartedAt(j.end)
	}
	i := j.instance
	if i == nil {
		return f
	}
	f.InstanceKnown, f.SellerMatches = true, i.Seller == record.Seller
	f.AccessType, f.ChargeMode = i.AccessType, i.ChargeMode
	w.askPackages(j, f)
	if !f.TimesReadable {
		return f
	}
	f.ResourceState = i.State(j.begin)
	f.Delisted = !i.DelistedAt.IsZero() && !j.begin.Before(i.DelistedAt)
	f.Repeated = w.seen[j.use()]
	j.cycle, j.measure = w.billedBy(i.ProductID, record.Item, j.begin)
	f.Cycle = string(j.cycle)
	f.CycleEndedFor = market.StartedAt(w.cycleOf(j).To)
	return f
}

// denied tells whether a record says of its calls that they were not forwarded.
func denied(forwarded string) bool {
	switch strings.ToLower(forwarded) {
	case "false", "no", "0":
		return true
	}
	return false
}

func (j *judged) readUsage() (readable bool, decimals int64) {
	value, err := market.ParseDecimal(j.record.Value)
	if err != nil {
		return false, 0
	}
	j.value = value
	if _, fraction, ok := strings.Cut(j.record.Value, "."); ok {
		decimals = int64(len(fraction))
	}
	return true, decimals
}

func (j *judged) readTimes() bool {
	_, recorded := market.ParseUsageTime(j.record.RecordTime)
	begin, begins := market.ParseUsageTime(j.record.BeginTime)
	end, ends := market.ParseUsageTime(j.record.EndTime)
	if !recorded || !begins || !ends {
		return false
	}
	j.begin, j.end = begin, end
	return true
}

// askPackages finds the package that the record names, and whether the buyer
// has one for the item, of those that were bought when it was received.
func (w *Walk) askPackages(j *judged, f *rules.UsageFacts) {
	named := j.record.Package
	if named != "" {
		f.Package = "unknown"
	}
	for _, p := range w.usage.Packs {
		if p.PurchasedAt.After(j.record.ReceivedAt) || !p.Pays(j.instance.ID, j.instance.ProductID, j.record.Item) {
			continue
		}
		if named != "" && p.Code == named {
			f.Package, j.pack = "known", p
		}
		f.OwnsPackage = f.OwnsPackage || !j.begin.IsZero() && p.Valid(j.begin)
		f.StopsWhenUsedUp = f.StopsWhenUsedUp || p.StopWhenUsedUp
	}
	j.stops = f.StopsWhenUsedUp
}

// billedBy is by what an item is billed: as its price then says, or else its
// first price, or else by the hour: packages may pay for an item without one.
func (w *Walk) billedBy(product int64, item string, at time.Time) (market.Cycle, market.Measure) {
	prices := w.meter.Prices[Item{product, item}]
	if p, ok := prices.At(at); ok {
		return p.Cycle, p.Measure
	}
	if len(prices) > 0 {
		return prices[0].Cycle, prices[0].Measure
	}
	return market.CycleHour, market.MeasureUsage
}

// cycleOf is the cycle whose end decides whether a record is late: the one in
// which the use began, or of hours the last that it touches.
func (w *Walk) cycleOf(j *judged) market.Span {
	if j.measure == market.MeasureHours && j.end.After(j.begin) {
		return j.cycle.Contains(j.end.Add(-time.Second), w.meter.Zone)
	}
	return j.cycle.Contains(j.begin, w.meter.Zone)
}

// due is when a record is deducted: so long after the end of its cycle, and not
// before it was received. Days and months have one such time a day; a record
// that came too late for one waits for the next.
func (w *Walk) due(j *judged, within, after time.Duration) time.Time {
	end, received := w.cycleOf(j).To, j.record.ReceivedAt
	if j.cycle == market.CycleHour {
		if due := end.Add(after); due.After(received) {
			return due
		}
		return received
	}
	day := max(market.DateOf(end, w.meter.Zone), market.DateOf(received, w.meter.Zone))
	midnight := day.At(market.TimeOfDay{}, w.meter.Zone)
	if received.After(midnight.Add(within)) {
		midnight = (day + 1).At(market.TimeOfDay{}, w.meter.Zone)
	}
	return midnight.Add(after).UTC()
}
