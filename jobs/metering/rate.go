package metering

import (
	"time"

	"nightshift/rules/market"
)

// hour is a clock hour of a product on one machine: it is paid once.
type hour struct {
	machine string // or the instance, where no machine is known
	product int64
	item    string
	from    int64
}

// period is an accumulation period of an instance's item.
type period struct {
	instance int64
	item     string
	from     int64
}

func hourOf(i *market.Instance, item string, from time.Time) hour {
	machine := "machine " + i.Machine
	if i.Machine == "" {
		machine = "instance " + i.Code
	}
	return hour{machine, i.ProductID, item, from.Unix()}
}

// payHour notes that an hour is paid, and answers whether it was before.
func (w *Walk) payHour(h hour) (before bool) {
	if w.hours == nil {
		w.hours = map[hour]bool{}
	}
	before = w.hours[h]
	w.hours[h] = true
	return before
}

// settle rates a record that is due.
func (w *Walk) settle(j *judged) error {
	if j.result.Outcome != market.Accept {
		return nil
	}
	if j.measure != market.MeasureHours {
		return w.rate(j, j.cycle.Contains(j.begin, w.meter.Zone), j.begin, j.value)
	}
	for _, part := range market.CycleHour.Split(market.Span{From: j.begin, To: j.end}, w.meter.Zone) {
		whole := market.CycleHour.Contains(part.From, w.meter.Zone)
		hours := market.DecimalOf(1)
		if w.payHour(hourOf(j.instance, j.record.Item, whole.From)) {
			hours = market.Decimal{} // the same image used the machine before, within the hour
		}
		if err := w.rate(j, whole, part.From, hours); err != nil {
			return err
		}
	}
	return nil
}

// rate draws a quantity from packages and prices what exceeds them.
func (w *Walk) rate(j *judged, cycle market.Span, at time.Time, quantity market.Decimal) error {
	i := j.instance
	line := market.Rated{
		RecordID: j.record.ID, SN: j.record.SN, BuyerID: i.BuyerID, InstanceID: i.ID, Instance: i.Code, Seller: i.Seller,
		ProductID: i.ProductID, Product: i.Product, Item: j.record.Item, Measure: j.measure,
		Cycle: j.cycle, CycleFrom: cycle.From, CycleTo: cycle.To, UsedAt: at, UsedUntil: j.end, DueAt: j.result.DueAt, Late: j.result.Late,
		Quantity: quantity,
	}
	draws, excess := market.DrawDown(w.packsFor(j), at, quantity, w.meter.Zone)
	for _, d := range draws {
		line.Drawn = line.Drawn.Add(d.Quantity)
		w.out.Drawn = append(w.out.Drawn, market.Drawn{RecordID: j.record.ID, Draw: d})
		w.watch(d, j.result.DueAt)
	}
	switch {
	case j.stops:
		line.Unbilled = excess
	case excess.Sign() > 0:
		line.Excess = excess
		w.price(j, &line)
	}
	w.out.Rated = append(w.out.Rated, line)
	if !j.stops {
		return nil
	}
	return w.stop(j, draws, excess)
}

// packsFor are the packages that may pay for a record: the one that it names,
// or all that pay for its item and do not stop their instance, of those that
// are bought when it is deducted.
func (w *Walk) packsFor(j *judged) []*market.PackUse {
	if j.pack != nil {
		return []*market.PackUse{j.pack}
	}
	var packs []*market.PackUse
	for _, p := range w.usage.Packs {
		if !p.StopWhenUsedUp && !p.PurchasedAt.After(j.result.DueAt) && p.Pays(j.instance.ID, j.instance.ProductID, j.record.Item) {
			packs = append(packs, p)
		}
	}
	return packs
}

// stop ends an instance whose package is used up with the end of the use. What
// is used of it later is asked about again: it was not in use any more.
func (w *Walk) stop(j *judged, draws []market.Draw, excess market.Decimal) error {
	usedUp := excess.Sign() > 0
	for _, d := range draws {
		usedUp = usedUp || d.Left.IsZero()
	}
	if !usedUp || !j.instance.StoppedAt.IsZero() {
		return nil
	}
	j.instance.StoppedAt = j.end
	w.out.Stops = append(w.out.Stops, market.Stop{InstanceID: j.instance.ID, Pack: j.record.Package, RecordID: j.record.ID, At: j.end})
	late := begunSince(j.end)
	return w.askAgain(func(other *judged) bool { return other.instance == j.instance && late(other) })
}

// price says what the excess of a line costs, or that nobody knows.
func (w *Walk) price(j *judged, line *market.Rated) {
	p, ok := w.meter.Prices[Item{line.ProductID, line.Item}].At(line.UsedAt)
	if !ok {
		w.unpriced(NoPrice{line.Product, line.Item, market.DateOf(line.UsedAt, w.meter.Zone)})
		return
	}
	line.PriceFrom = p.From
	if p.Model != market.PriceStep || p.Accumulation == market.CycleNone {
		line.Amount = p.Rate(market.Decimal{}, line.Excess)
		return
	}
	span := p.Accumulation.Contains(line.UsedAt, w.meter.Zone)
	line.AccumulatedFrom, line.AccumulatedTo = span.From, span.To
	in := period{line.InstanceID, line.Item, line.AccumulatedFrom.Unix()}
	before := w.accumulatedIn(in)
	line.Amount = p.Rate(before, line.Excess)
	line.Accumulated = before.Add(line.Excess)
	w.accumulated[in] = line.Accumulated
}

func (w *Walk) accumulatedIn(in period) market.Decimal {
	if w.accumulated == nil {
		w.accumulated = make(map[period]market.Decimal, len(w.usage.Accumulated))
		for _, a := range w.usage.Accumulated {
			w.accumulated[period{a.InstanceID, a.Item, a.From.Unix()}] = a.Quantity
		}
	}
	return w.accumulated[in]
}

// unpriced names an item without a price once for each date.
func (w *Walk) unpriced(n NoPrice) {
	if w.unknown == nil {
		w.unknown = map[NoPrice]bool{}
	}
	if !w.unknown[n] {
		w.unknown[n] = true
		w.missing = append(w.missing, &n)
	}
}
