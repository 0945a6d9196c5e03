package storagetest

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// kinds are the messages of a client, by their type.
// https://www.postgresql.org/docs/current/protocol-message-formats.html
var kinds = map[byte]string{
	'Q': "query", 'P': "parse", 'B': "bind", 'D': "describe", 'E': "execute", 'S': "sync", 'C': "close", 'H': "flush",
	'd': "copy data", 'c': "copy done", 'f': "copy fail", 'X': "goodbye", 'p': "password",
}

const (
	startUp = "start-up"
	// commit is the message after which the server has kept what its client may
	// never learn of.
	commit = "query commit"
)

// word is a message's kind and, where it has one, the first word of its
// statement: "execute INSERT", "copy data", "query commit".
func (s *spoken) word(message []byte) string {
	text, statement := texts(message), ""
	switch message[0] {
	case 'Q':
		statement = text(0)
	case 'P':
		statement = text(1)
	case 'B':
		statement = s.texts[text(1)]
	case 'E':
		statement = s.texts[s.portals[text(0)]]
	}
	verb, _, _ := strings.Cut(strings.TrimSpace(statement), " ")
	return strings.TrimSpace(kinds[message[0]] + " " + verb)
}

// Cuts chooses at which of the messages that were heard a line is cut, numbered
// from 1 as CutAfter counts: at every commit, at the first and the last of every
// other kind, and at every nth of all from a random one on. With 1 for n it is at
// all of them.
func Cuts(heard []string, n int) []int {
	random := rand.IntN(n)
	var at []int
	for i, kind := range heard {
		if kind == commit || i%n == random || !slices.Contains(heard[:i], kind) || !slices.Contains(heard[i+1:], kind) {
			at = append(at, i+1)
		}
	}
	return at
}
