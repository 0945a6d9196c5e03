package rules

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"nightshift/rules/market"
)

// Vocabulary is what one ruleset may ask (its facts) and answer (its outcomes).
type Vocabulary struct {
	Ruleset  string
	Means    string
	Outcomes []Outcome
	Several  bool // its job asks for all answers, so that a hit policy may give several
	Alone    bool // no answer changes what the next is asked about, so that other rules can be asked as well: shadows, backtests

	placed    string // the stopwatch that runs since the order was placed; empty where none does
	prototype any    // a zero value of the facts struct
}

// Outcome is a word a rule may answer with.
type Outcome struct {
	Name    string
	Means   string
	Carries []Carried // the values it may carry
}

// Carried is a value that an outcome may carry.
type Carried struct {
	Name  string
	Kind  Kind
	Words []string // the texts it may be; any text where empty
	Means string
}

// Fact is one field of a facts struct, as rule authors see it.
type Fact struct {
	Name    string
	Kind    Kind
	Words   []string // the texts it may be, besides empty; any text where none are named
	Down    bool     // a stopwatch that counts down to an instant
	Means   string
	Chinese string // the same for those who read explanations in Chinese; empty: Means

	offset uintptr
}

// Vocabularies are all rulesets, in the order they are documented.
func Vocabularies() []Vocabulary { return slices.Clone(vocabularies) }

// VocabularyOf finds a ruleset by its name.
func VocabularyOf(ruleset string) (*Vocabulary, error) {
	var known []string
	for i := range vocabularies {
		if vocabularies[i].Ruleset == ruleset {
			return &vocabularies[i], nil
		}
		known = append(known, vocabularies[i].Ruleset)
	}
	return nil, fmt.Errorf("unknown ruleset %q%s", clip(ruleset), guessed(", ", ruleset, known))
}

// factsOf are the facts of a facts struct, by its type: reading its tags takes
// longer than a test case.
var factsOf sync.Map

// Facts are the fields of the ruleset's facts struct. A field of a type that
// rules cannot read is our own mistake, and panics. The list is shared: do not
// change it.
func (v *Vocabulary) Facts() []Fact {
	t := reflect.TypeOf(v.prototype)
	known, read := factsOf.Load(t)
	if !read {
		known, _ = factsOf.LoadOrStore(t, v.readFacts())
	}
	return known.([]Fact)
}

func (v *Vocabulary) readFacts() []Fact {
	t := reflect.TypeOf(v.prototype)
	facts := make([]Fact, 0, t.NumField())
	for i := range t.NumField() {
		field := t.Field(i)
		fact := Fact{
			Name:    field.Tag.Get("expr"),
			Kind:    kindOfField(field.Type),
			Words:   strings.Fields(field.Tag.Get("words")),
			Down:    field.Tag.Get("counts") == "down",
			Means:   field.Tag.Get("means"),
			Chinese: field.Tag.Get("zh"),
			offset:  field.Offset,
		}
		if fact.Name == "" || fact.Kind == 0 || fact.Name != field.Tag.Get("json") {
			panic(fmt.Sprintf("facts of %s: field %s: it needs the same expr and json name, and a type that rules can read", v.Ruleset, field.Name))
		}
		facts = append(facts, fact)
	}
	return facts
}

func kindOfField(t reflect.Type) Kind {
	switch t {
	case reflect.TypeFor[bool]():
		return KindBool
	case reflect.TypeFor[int64]():
		return KindInt
	case reflect.TypeFor[market.Decimal]():
		return KindDecimal
	case reflect.TypeFor[string]():
		return KindText
	case reflect.TypeFor[market.Money]():
		return KindMoney
	case reflect.TypeFor[market.Stopwatch]():
		return KindStopwatch
	case reflect.TypeFor[[]string]():
		return KindList
	}
	return 0
}

func (v *Vocabulary) outcome(name string) *Outcome {
	for i := range v.Outcomes {
		if v.Outcomes[i].Name == name {
			return &v.Outcomes[i]
		}
	}
	return nil
}

func (v *Vocabulary) outcomeNames() []string {
	names := make([]string, len(v.Outcomes))
	for i, o := range v.Outcomes {
		names[i] = o.Name
	}
	return names
}

// newFacts is a pointer to a zero facts struct.
func (v *Vocabulary) newFacts() any { return reflect.New(reflect.TypeOf(v.prototype)).Interface() }

// pointerTo is the address of the facts struct that facts points to. Facts of
// another ruleset are our own mistake, and panic.
func (v *Vocabulary) pointerTo(want reflect.Type, facts any) unsafe.Pointer {
	if got := reflect.TypeOf(facts); got != want {
		panic(fmt.Sprintf("ruleset %s decides on %v, not on %v", v.Ruleset, want, got))
	}
	return reflect.ValueOf(facts).UnsafePointer()
}

// at reads the field at the offset of a facts struct in place.
func at[T any](facts unsafe.Pointer, offset uintptr) *T {
	return (*T)(unsafe.Add(facts, offset))
}
