package rules

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unsafe"

	"nightshift/rules/market"
)

// Deciding history again reads the facts of millions of decisions, so what
// AppendFacts has written is read field by field, without reflection. A text of
// any other form is left to encoding/json, which says what is wrong with it.

// readers read the text of one value into a fact that is zero; false where it is
// not as writers write it.
var readers = map[Kind]func(text []byte, p unsafe.Pointer) bool{
	KindBool: func(text []byte, p unsafe.Pointer) bool {
		*(*bool)(p) = string(text) == "true"
		return *(*bool)(p) || string(text) == "false"
	},
	KindInt: func(text []byte, p unsafe.Pointer) (ok bool) {
		n, err := strconv.ParseInt(string(text), 10, 64)
		*(*int64)(p) = n
		return err == nil
	},
	KindDecimal: func(text []byte, p unsafe.Pointer) bool {
		inner, ok := plain(text)
		return ok && (*market.Decimal)(p).UnmarshalText(inner) == nil
	},
	KindText: func(text []byte, p unsafe.Pointer) bool {
		inner, ok := plain(text)
		*(*string)(p) = string(inner)
		return ok
	},
	KindMoney: func(text []byte, p unsafe.Pointer) bool {
		inner, ok := plain(text)
		return ok && (*market.Money)(p).UnmarshalText(inner) == nil
	},
	KindStopwatch: func(text []byte, p unsafe.Pointer) bool { return readStopwatch(text, (*market.Stopwatch)(p)) },
	KindList:      func(text []byte, p unsafe.Pointer) bool { return json.Unmarshal(text, (*[]string)(p)) == nil },
}

// plain is what stands between the quotation marks of a text without escapes.
func plain(text []byte) ([]byte, bool) {
	if len(text) < 2 || text[0] != '"' || bytes.IndexByte(text, '\\') >= 0 {
		return nil, false
	}
	return text[1 : len(text)-1], true
}

// readStopwatch reads one that has not started, or that was never stopped; the
// others are read in the general way.
func readStopwatch(text []byte, w *market.Stopwatch) bool {
	if string(text) == "null" {
		return true
	}
	s := factReader{text}
	s.take('{')
	name, _ := s.value()
	s.take(':')
	at, ok := s.value()
	if inner, quoted := plain(at); ok && quoted && string(name) == `"since"` && s.take('}') {
		since, err := time.Parse(time.RFC3339Nano, string(inner))
		*w = market.StartedAt(since)
		return err == nil && !since.IsZero()
	}
	return json.Unmarshal(text, w) == nil
}

// readFacts reads facts into a struct that is zero; false where the text is not
// as AppendFacts writes it, or the database after it.
func (p *Policy) readFacts(text []byte, facts any) bool {
	base := p.vocabulary.pointerTo(p.pointer, facts)
	s := factReader{text}
	if !s.take('{') {
		return false
	}
	for next := 0; !s.take('}'); next++ {
		if next > 0 && !s.take(',') {
			return false
		}
		name, named := s.value()
		f := p.named[string(name)]
		if !named || f == nil || !s.take(':') {
			return false
		}
		value, ok := s.value()
		if !ok || !f.read(value, unsafe.Add(base, f.offset)) {
			return false
		}
	}
	return len(bytes.TrimSpace(s.text)) == 0
}

// factReader takes JSON apart from its front.
type factReader struct{ text []byte }

// take passes over a character, if it comes next.
func (s *factReader) take(c byte) bool {
	s.space()
	if len(s.text) == 0 || s.text[0] != c {
		return false
	}
	s.text = s.text[1:]
	return true
}

func (s *factReader) space() {
	for len(s.text) > 0 && (s.text[0] == ' ' || s.text[0] == '\n' || s.text[0] == '\t' || s.text[0] == '\r') {
		s.text = s.text[1:]
	}
}

// value passes over a value and answers its text.
func (s *factReader) value() ([]byte, bool) {
	s.space()
	depth, quoted := 0, false
	for i := 0; i < len(s.text); i++ {
		c := s.text[i]
		switch {
		case quoted && c == '\\':
			i++
			continue
		case c == '"':
			quoted = !quoted
		case quoted:
			continue
		case c == '{' || c == '[':
			depth++
			continue
		case depth > 0 && (c == '}' || c == ']'):
			depth--
		case depth == 0 && (c == ',' || c == ':' || c == '}' || c == ']' || c == ' '):
			return s.cut(i)
		default:
			continue
		}
		if depth == 0 && !quoted {
			return s.cut(i + 1)
		}
	}
	return s.cut(len(s.text))
}

func (s *factReader) cut(at int) ([]byte, bool) {
	value := s.text[:at]
	s.text = s.text[at:]
	return value, at > 0
}
