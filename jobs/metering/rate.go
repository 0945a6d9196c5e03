package metering

import (
	"cmp"
	"slices"
	"time"

	"nightshift/rules/market"
)

// rating is one buyer's records on their way to what they come to.
type rating struct {
	meter       *Meter
	buyer       *Buyer
	instances   map[string]*market.Instance
	seen        map[same]bool             // use that was accepted before
	hours       map[hour]bool             // clock hours that are paid
	accumulated map[period]market.Decimal // made when the first is asked for
	judged      []judged

	rated   []market.Rated
	drawn   []market.Drawn
	stops   []market.Stop
	low     []Low
	missing []error
	unknown map[NoPrice]bool // named in missing
}

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

func newRating(m *Meter, b *Buyer) *rating {
	r := &rating{meter: m, buyer: b, instances: make(map[string]*market.Instance, len(b.Instances)),
		seen: make(map[same]bool, len(b.Records)), judged: make([]judged, 0, len(b.Records))}
	byID := make(map[int64]*market.Instance, len(b.Instances))
	for i := range b.Instances {
		r.instances[b.Instances[i].Code], byID[b.Instances[i].ID] = &b.Instances[i], &b.Instances[i]
	}
	for _, e := range b.Earlier {
		r.seen[same{e.InstanceID, e.Item, e.UsedAt.Unix(), e.UsedUntil.Unix()}] = true
		if i := byID[e.InstanceID]; i != nil && e.Measure == market.MeasureHours {
			r.payHour(hourOf(i, e.Item, e.CycleFrom))
		}
	}
	return r
}

func hourOf(i *market.Instance, item string, from time.Time) hour {
	machine := "machine " + i.Machine
	if i.Machine == "" {
		machine = "instance " + i.Code
	}
	return hour{machine, i.ProductID, item, from.Unix()}
}

// payHour notes that an hour is paid, and answers whether it was before.
func (r *rating) payHour(h hour) (before bool) {
	if r.hours == nil {
		r.hours = map[hour]bool{}
	}
	before = r.hours[h]
	r.hours[h] = true
	return before
}

// inOrderOfDue are the judged records in the order in which they count.
func (r *rating) inOrderOfDue() []*judged {
	order := make([]*judged, len(r.judged))
	for i := range r.judged {
		order[i] = &r.judged[i]
	}
	slices.SortFunc(order, func(a, b *judged) int {
		return cmp.Or(a.result.DueAt.Compare(b.result.DueAt), a.begin.Compare(b.begin), cmp.Compare(a.record.ID, b.record.ID))
	})
	return order
}

// settle rates a record that is due. One whose instance was stopped by a record
// before it is asked about again: it was not in use any more.
func (r *rating) settle(j *judged) error {
	if j.result.Outcome != market.Accept {
		return nil
	}
	if i := j.instance; !i.StoppedAt.IsZero() && i.State(j.begin) != market.StateOpen {
		delete(r.seen, same{i.ID, j.record.Item, j.begin.Unix(), j.end.Unix()})
		if err := r.ask(j); err != nil || j.result.Outcome != market.Accept {
			return err
		}
	}
	if j.measure != market.MeasureHours {
		r.rate(j, j.cycle.Contains(j.begin, r.meter.Zone), j.begin, j.value)
		return nil
	}
	for _, part := range market.CycleHour.Split(market.Span{From: j.begin, To: j.end}, r.meter.Zone) {
		whole := market.CycleHour.Contains(part.From, r.meter.Zone)
		if !r.payHour(hourOf(j.instance, j.record.Item, whole.From)) {
			r.rate(j, whole, part.From, market.DecimalOf(1))
		}
	}
	return nil
}

// rate draws a quantity from packages and prices what exceeds them.
func (r *rating) rate(j *judged, cycle market.Span, at time.Time, quantity market.Decimal) {
	i := j.instance
	line := market.Rated{
		RecordID: j.record.ID, SN: j.record.SN, BuyerID: i.BuyerID, InstanceID: i.ID, Instance: i.Code, Seller: i.Seller,
		ProductID: i.ProductID, Product: i.Product, Item: j.record.Item, Measure: j.measure,
		Cycle: j.cycle, CycleFrom: cycle.From, CycleTo: cycle.To, UsedAt: at, UsedUntil: j.end, DueAt: j.result.DueAt, Late: j.result.Late,
		Quantity: quantity,
	}
	draws, excess := market.DrawDown(r.packsFor(j), at, quantity, r.meter.Zone)
	for _, d := range draws {
		line.Drawn = line.Drawn.Add(d.Quantity)
		r.drawn = append(r.drawn, market.Drawn{RecordID: j.record.ID, Draw: d})
		r.watch(d, j.result.DueAt)
	}
	if j.stops {
		line.Unbilled = excess
		r.stop(j, draws, excess)
	} else if line.Excess = excess; excess.Sign() > 0 {
		r.price(j, &line)
	}
	r.rated = append(r.rated, line)
}

// packsFor are the packages that may pay for a record: the one that it names,
// or all that pay for its item and do not stop their instance.
func (r *rating) packsFor(j *judged) []*market.PackUse {
	if j.pack != nil {
		return []*market.PackUse{j.pack}
	}
	var packs []*market.PackUse
	for _, p := range r.buyer.Packs {
		if !p.StopWhenUsedUp && p.Pays(j.instance.ID, j.instance.ProductID, j.record.Item) {
			packs = append(packs, p)
		}
	}
	return packs
}

// stop ends an instance whose package is used up with the end of the use.
func (r *rating) stop(j *judged, draws []market.Draw, excess market.Decimal) {
	usedUp := excess.Sign() > 0
	for _, d := range draws {
		usedUp = usedUp || d.Left.IsZero()
	}
	if !usedUp || !j.instance.StoppedAt.IsZero() {
		return
	}
	j.instance.StoppedAt = j.end
	r.stops = append(r.stops, market.Stop{InstanceID: j.instance.ID, Pack: j.record.Package, RecordID: j.record.ID, At: j.end})
}

// price says what the excess of a line costs, or that nobody knows.
func (r *rating) price(j *judged, line *market.Rated) {
	p, ok := r.meter.Prices[Item{line.ProductID, line.Item}].At(line.UsedAt)
	if !ok {
		r.unpriced(NoPrice{line.Product, line.Item, market.DateOf(line.UsedAt, r.meter.Zone)})
		return
	}
	line.PriceFrom = p.From
	if p.Model != market.PriceStep || p.Accumulation == market.CycleNone {
		line.Amount = p.Rate(market.Decimal{}, line.Excess)
		return
	}
	line.AccumulatedFrom = p.Accumulation.Contains(line.UsedAt, r.meter.Zone).From
	in := period{line.InstanceID, line.Item, line.AccumulatedFrom.Unix()}
	before := r.accumulatedIn(in)
	line.Amount = p.Rate(before, line.Excess)
	line.Accumulated = before.Add(line.Excess)
	r.accumulated[in] = line.Accumulated
}

func (r *rating) accumulatedIn(in period) market.Decimal {
	if r.accumulated == nil {
		r.accumulated = make(map[period]market.Decimal, len(r.buyer.Accumulated))
		for _, a := range r.buyer.Accumulated {
			r.accumulated[period{a.InstanceID, a.Item, a.From.Unix()}] = a.Quantity
		}
	}
	return r.accumulated[in]
}

// unpriced names an item without a price once for each date.
func (r *rating) unpriced(n NoPrice) {
	if r.unknown == nil {
		r.unknown = map[NoPrice]bool{}
	}
	if !r.unknown[n] {
		r.unknown[n] = true
		r.missing = append(r.missing, &n)
	}
}
