package storagetest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
)

// FailWith has the server refuse statements with an error of its own instead of
// carrying them out. Which is asked for each, by its number since then and its
// kind, its text without values, and answers the SQLSTATE; empty lets it through.
// Nil refuses nothing any more.
func (p *Proxy) FailWith(which func(n int, kind string) (sqlstate string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failWith, p.statements = which, 0
}

// spoken is what a connection has prepared: texts by name, and names by portal.
type spoken struct{ texts, portals map[string]string }

// refused is a message that has the server fail in place of one that has it carry
// out a statement; other messages stay as they are.
func (p *Proxy) refused(l *line, message []byte) []byte {
	kind, carriesOut := l.spoken.kind(message)
	if !carriesOut {
		return message
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failWith == nil {
		return message
	}
	p.statements++
	state := p.failWith(p.statements, kind)
	if state == "" {
		return message
	}
	raise := fmt.Sprintf("DO $$BEGIN RAISE EXCEPTION 'refused on purpose' USING ERRCODE = '%s'; END$$\x00", state)
	if message[0] == 'Q' {
		return packed('Q', raise)
	}
	return bytes.Join([][]byte{packed('P', "\x00"+raise+"\x00\x00"), packed('B', "\x00\x00\x00\x00\x00\x00\x00\x00"), packed('E', "\x00\x00\x00\x00\x00")}, nil)
}

func packed(kind byte, body string) []byte {
	message := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)+4))
	return append(message, body...)
}

// values are what differs between statements of a kind.
var values = regexp.MustCompile(`'[^']*'|\b\d+\b`)

// kind listens to a message; carriesOut tells that it has a statement carried out.
func (s *spoken) kind(message []byte) (kind string, carriesOut bool) {
	text := texts(message)
	switch message[0] {
	case 'P':
		s.texts[text(0)] = text(1)
	case 'B':
		s.portals[text(0)] = text(1)
	case 'Q':
		return values.ReplaceAllString(text(0), "?"), true
	case 'E':
		return values.ReplaceAllString(s.texts[s.portals[text(0)]], "?"), true
	}
	return "", false
}

// texts are the first texts of a message, by their number.
func texts(message []byte) func(n int) string {
	const head = 5
	parts := bytes.SplitN(message[min(head, len(message)):], []byte{0}, 3)
	return func(n int) string {
		if n < len(parts) {
			return string(parts[n])
		}
		return ""
	}
}
