package reports

import (
	"errors"
	"slices"

	"nightshift/rules/market"
)

// cover is what the document says of itself.
func (r AcceptanceReport) cover() cover {
	return cover{
		title:    label{"验收夜报", "Acceptance run"},
		subject:  r.Site + " · " + r.On.String(),
		zone:     r.Zone,
		currency: r.Currency,
		dated:    r.AsOf,
	}
}

// acceptance is an acceptance workbook while it is written: its lists stand,
// its summary and its control sheet are to be made from them.
type acceptance struct {
	AcceptanceReport
	book      *book
	accepted  listed
	refunded  listed
	waiting   listed
	held      listed
	reminders listed
	parked    listed
	ageing    *ageing
	dueCell   string // where the summary has added up what was decided and parked
}

// The tabs that are laid out by hand.
const (
	summaryTab = "Summary"
	controlTab = "Control"
)

// write fills the workbook. Summary and control come first in it, but are
// written last, when the lists have been counted.
func (r AcceptanceReport) write(b *book) (*control, error) {
	a := &acceptance{AcceptanceReport: r, book: b, ageing: newAgeing(r.AsOf)}
	if err := errors.Join(b.addTab(summaryTab), b.addTab(controlTab)); err != nil {
		return nil, err
	}
	if err := a.writeLists(); err != nil {
		return nil, err
	}
	c := a.control()
	if err := a.writeSummary(c); err != nil {
		return nil, err
	}
	return c, c.write(b, a)
}

func (a *acceptance) writeLists() (err error) {
	if a.accepted, err = writeTable(a.book, acceptedTable, a.Accepted, nil); err != nil {
		return err
	}
	if a.refunded, err = writeTable(a.book, refundedTable, a.Refunded, nil); err != nil {
		return err
	}
	if a.waiting, err = writeTable(a.book, waitingTable("Waiting", a.AsOf), a.Waiting, a.ageing.see); err != nil {
		return err
	}
	if a.held, err = writeTable(a.book, waitingTable("Held", a.AsOf), a.Held, nil); err != nil {
		return err
	}
	if a.reminders, err = writeTable(a.book, remindersTable, a.Reminders, nil); err != nil {
		return err
	}
	a.parked, err = writeTable(a.book, parkedTable, a.Parked, nil)
	return err
}

// outcome is an outcome as people read it, and the list that shows it.
type outcome struct {
	word    string
	name    label
	meaning label
	list    *listed // nil where there is none
	money   bool    // its list has amounts
}

// outcomes is every outcome of the run in a fixed order: those that acceptance
// knows, then whatever else the run decided.
func (a *acceptance) outcomes() []outcome {
	known := []outcome{
		{market.Accept, label{"验收", "Accept"}, label{"代买家验收，自视为验收之时起生效", "accepted in the buyer's place"}, &a.accepted, true},
		{market.Refund, label{"退款", "Refund"}, label{"订单关闭，款项退回", "closed, the money goes back"}, &a.refunded, true},
		{market.Wait, label{"等待", "Wait"}, label{"条件未满足，以后再看", "looked at again later"}, &a.waiting, true},
		{market.Hold, label{"待人工", "Hold"}, label{"须由人决定", "a person decides"}, &a.held, true},
		{market.Unsupervised, label{"无需监督", "Unsupervised"}, label{"没有需要监督的交付", "nothing to watch"}, nil, false},
	}
	var others []string
	for word := range a.Counts.Decided {
		if !slices.ContainsFunc(known, func(o outcome) bool { return o.word == word }) {
			others = append(others, word)
		}
	}
	slices.Sort(others)
	for _, word := range others {
		known = append(known, outcome{word: word, name: label{word, ""}})
	}
	return known
}
