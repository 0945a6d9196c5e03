package rules

import "math/bits"

// bitset is a set of samples.
type bitset []uint64

func newBits(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) set(i int) { b[i/64] |= 1 << (i % 64) }

func (b bitset) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

// first is the smallest member of a set that is not empty.
func (b bitset) first() int {
	for i, word := range b {
		if word != 0 {
			return i*64 + bits.TrailingZeros64(word)
		}
	}
	return -1
}

// split is the members that are in yes, and those that are not.
func (b bitset) split(yes bitset) (in, out bitset, some, others bool) {
	in, out = make(bitset, len(b)), make(bitset, len(b))
	for i, word := range b {
		in[i], out[i] = word&yes[i], word&^yes[i]
		some, others = some || in[i] != 0, others || out[i] != 0
	}
	return in, out, some, others
}

// meets tells whether some members are in yes, and whether some are not.
func (b bitset) meets(yes bitset) (some, others bool) {
	for i, word := range b {
		some, others = some || word&yes[i] != 0, others || word&^yes[i] != 0
	}
	return some, others
}

// domains is what each unknown can still be.
type domains []bitset

// verdict is what is known of a condition within some domains.
type verdict int8

const (
	open verdict = iota // of some facts yes, of others no, as far as was looked
	yes
	no
)

func (v verdict) not() verdict {
	switch v {
	case yes:
		return no
	case no:
		return yes
	}
	return open
}

// formula is a condition for the search: how it is made of its leaves, and which
// samples of its unknown answer a leaf with yes.
type formula struct {
	joint   Joint
	parts   []*formula
	leaf    *operand
	unknown *unknown
	yes     bitset
	fixed   verdict // of what depends on no fact
}

// formula is that of an operand which is a yes or no.
func (w *world) formula(o *operand) *formula {
	if known := w.formulas[o]; known != nil {
		return known
	}
	f := &formula{joint: o.joint()}
	if o.constant {
		f.fixed = no
		if as[bool](o)(&frame{}) {
			f.fixed = yes
		}
	}
	if f.joint != NoJoint {
		for _, part := range o.parts {
			f.parts = append(f.parts, w.formula(part))
		}
	}
	w.formulas[o] = f
	return f
}

// ask is what is known of a formula within the domains, and a leaf that is open
// where it is.
func (w *world) ask(f *formula, d domains) (verdict, *formula) {
	w.spent++
	switch {
	case f.fixed != open:
		return f.fixed, nil
	case f.unknown != nil:
		switch some, others := d[f.unknown.at].meets(f.yes); {
		case !others:
			return yes, nil
		case !some:
			return no, nil
		}
		return open, f
	}
	switch f.joint {
	case AllOf:
		return w.askBoth(f, d, no)
	case AnyOf:
		return w.askBoth(f, d, yes)
	case NotThis:
		v, leaf := w.ask(f.parts[0], d)
		return v.not(), leaf
	case NamedBy:
		return w.ask(f.parts[0], d)
	}
	return w.askChoice(f, d)
}

// askBoth is and, which a no settles, or or, which a yes does.
func (w *world) askBoth(f *formula, d domains, settles verdict) (verdict, *formula) {
	a, leaf := w.ask(f.parts[0], d)
	if a == settles {
		return a, nil
	}
	b, other := w.ask(f.parts[1], d)
	switch {
	case b == settles:
		return b, nil
	case a == open:
		return open, leaf
	}
	return b, other
}

func (w *world) askChoice(f *formula, d domains) (verdict, *formula) {
	cond, leaf := w.ask(f.parts[0], d)
	switch cond {
	case yes:
		return w.ask(f.parts[1], d)
	case no:
		return w.ask(f.parts[2], d)
	}
	a, _ := w.ask(f.parts[1], d)
	if b, _ := w.ask(f.parts[2], d); a == b && a != open {
		return a, nil
	}
	return open, leaf
}

// judge says of some domains whether what is looked for holds for all facts in
// them, for none, or which leaf to divide them by.
type judge func(d domains) (verdict, *formula)

// search looks for domains that the judge finds good and that accept agrees to.
// It divides them by one leaf after the other, so that it comes to an end: proved
// says that it looked at everything and accept had nothing to refuse, so that
// what was not found does not exist. It gives up when it has asked too much.
func (w *world) search(most int, judge judge, accept func(domains) bool) (found domains, proved bool) {
	limit, refused := w.spent+most, false
	d := w.everything()
	var look func() bool
	look = func() bool {
		if w.spent > limit {
			refused = true
			return true
		}
		v, leaf := judge(d)
		switch v {
		case no:
			return false
		case yes:
			if accept == nil || accept(d) {
				found = append(domains(nil), d...)
				return true
			}
			refused = true
			return false
		}
		at := leaf.unknown.at
		whole := d[at]
		in, out, _, _ := whole.split(leaf.yes)
		if out[0]&1 == 1 {
			in, out = out, in // first what nobody has to write down, so that examples are short
		}
		for _, part := range []bitset{in, out} {
			d[at] = part
			if look() {
				return true
			}
		}
		d[at] = whole
		return false
	}
	look()
	return found, found == nil && !refused
}

// wish is a condition that has to come out one way.
type wish struct {
	of   *formula
	want verdict
}

// all judges that every wish is fulfilled.
func (w *world) all(wishes []wish) judge {
	return func(d domains) (verdict, *formula) {
		var first *formula
		for _, wish := range wishes {
			v, leaf := w.ask(wish.of, d)
			switch {
			case v == open && first == nil:
				first = leaf
			case v != open && v != wish.want:
				return no, nil
			}
		}
		if first != nil {
			return open, first
		}
		return yes, nil
	}
}
