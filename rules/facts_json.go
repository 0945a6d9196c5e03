package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unsafe"

	"nightshift/rules/market"
)

// field writes one fact as JSON. Fields are prepared once, so that keeping a
// decision takes no reflection.
type field struct {
	lead   string // {"name": or ,"name":
	offset uintptr
	write  func(buf []byte, p unsafe.Pointer) []byte
	read   func(text []byte, p unsafe.Pointer) bool

	stopwatch bool
}

// fields are the facts of the ruleset in the order of their struct.
func (v *Vocabulary) fields() []field {
	var out []field
	for i, fact := range v.Facts() {
		lead := ","
		if i == 0 {
			lead = "{"
		}
		out = append(out, field{
			lead:   lead + string(appendText(nil, fact.Name)) + ":",
			offset: fact.offset,
			write:  writers[fact.Kind],
			read:   readers[fact.Kind],

			stopwatch: fact.Kind == KindStopwatch,
		})
	}
	return out
}

// byName finds fields by the text of their names, quotation marks and all.
func byName(fields []field) map[string]*field {
	named := make(map[string]*field, len(fields))
	for i := range fields {
		named[fields[i].lead[1:len(fields[i].lead)-1]] = &fields[i]
	}
	return named
}

var writers = map[Kind]func(buf []byte, p unsafe.Pointer) []byte{
	KindBool:      func(buf []byte, p unsafe.Pointer) []byte { return strconv.AppendBool(buf, *(*bool)(p)) },
	KindInt:       func(buf []byte, p unsafe.Pointer) []byte { return strconv.AppendInt(buf, *(*int64)(p), 10) },
	KindDecimal:   func(buf []byte, p unsafe.Pointer) []byte { return appendText(buf, (*market.Decimal)(p).String()) },
	KindText:      func(buf []byte, p unsafe.Pointer) []byte { return appendText(buf, *(*string)(p)) },
	KindMoney:     func(buf []byte, p unsafe.Pointer) []byte { return appendMoney(buf, (*market.Money)(p)) },
	KindStopwatch: func(buf []byte, p unsafe.Pointer) []byte { return (*market.Stopwatch)(p).AppendJSON(buf) },
	KindList:      func(buf []byte, p unsafe.Pointer) []byte { return appendTexts(buf, *(*[]string)(p)) },
}

// appendMoney writes an amount as "99.00 CNY", and no amount at all as "".
func appendMoney(buf []byte, m *market.Money) []byte {
	if m.Currency == "" && m.IsZero() {
		return append(buf, `""`...)
	}
	buf = append(append(buf, '"'), m.Amount.Fixed(m.Currency.Places())...)
	return append(append(append(buf, ' '), m.Currency...), '"')
}

// AppendFacts appends the facts as JSON, as a decision keeps them: every field
// under its name, stopwatches by their anchors (in UTC), never by counts.
func (p *Policy) AppendFacts(buf []byte, facts any) []byte {
	base := p.vocabulary.pointerTo(p.pointer, facts)
	for _, f := range p.fields {
		buf = append(buf, f.lead...)
		buf = f.write(buf, unsafe.Add(base, f.offset))
	}
	return append(buf, '}')
}

// ParseFacts reads what AppendFacts wrote into a pointer to new facts, so that
// a decision can be replayed. Facts that the ruleset no longer has are an error.
func (p *Policy) ParseFacts(text []byte) (any, error) {
	facts := p.vocabulary.newFacts()
	if p.readFacts(text, facts) {
		return facts, nil
	}
	facts = p.vocabulary.newFacts()
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(facts); err != nil {
		return nil, fmt.Errorf("read the facts of %s: %w", p, err)
	}
	return facts, nil
}
