package market

import (
	"crypto/sha256"
	"hash"
	"strconv"
	"time"
)

// Digest is the SHA-256 of all that a journal says at its site: what it is
// called, when it took effect, what it takes back and every posting, each text
// after its length so that no two journals read the same. Neither serials nor
// the time of booking are in it; the instant counts to the microsecond, as the
// books keep it.
func (j Journal) Digest(site string) [sha256.Size]byte {
	buf := make([]byte, 0, 512)
	for _, text := range []string{site, j.Key, j.At.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano), j.Memo, j.Reverses} {
		buf = appendText(buf, text)
	}
	for _, p := range j.Postings {
		for _, text := range []string{string(p.From), string(p.To), p.Amount.Amount.String(), string(p.Amount.Currency)} {
			buf = appendText(buf, text)
		}
	}
	return sha256.Sum256(buf)
}

func appendText(buf []byte, text string) []byte {
	buf = strconv.AppendInt(buf, int64(len(text)), 10)
	return append(append(buf, ':'), text...)
}

// Seal is the SHA-256 of a block while it is made: of the block before it in
// the chain of its site, the business date, and the digests of its journals in
// the order of their keys. It depends on what was booked alone, not on who
// booked it in which order.
type Seal struct {
	hash  hash.Hash
	count int64
}

// NewSeal begins a block. The first of a chain has a previous of zeros.
func NewSeal(previous [sha256.Size]byte, site string, on Date) *Seal {
	s := &Seal{hash: sha256.New()}
	s.hash.Write(previous[:])
	s.hash.Write(appendText(appendText(nil, site), on.String()))
	return s
}

// Add takes the digest of the journal that comes next by its key.
func (s *Seal) Add(digest [sha256.Size]byte) {
	s.hash.Write(digest[:])
	s.count++
}

// Sum is the block's SHA-256 and how many journals are in it.
func (s *Seal) Sum() (sum [sha256.Size]byte, journals int64) {
	return [sha256.Size]byte(s.hash.Sum(nil)), s.count
}
