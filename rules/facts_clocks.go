package rules

import (
	"iter"
	"unsafe"

	"nightshift/rules/market"
)

// Stopwatches are the time facts of facts that the policy decides on, in the
// order of their struct.
func (p *Policy) Stopwatches(facts any) iter.Seq[*market.Stopwatch] {
	base := p.vocabulary.pointerTo(p.pointer, facts)
	return func(yield func(*market.Stopwatch) bool) {
		for _, f := range p.fields {
			if f.stopwatch && !yield((*market.Stopwatch)(unsafe.Add(base, f.offset))) {
				return
			}
		}
	}
}
