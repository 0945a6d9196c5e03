package jobs

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math/bits"
	"time"

	"nightshift/rules/market"
)

// The result hash of a run is the sum, modulo 2^256, of the SHA-256 of what was
// decided and changed for each candidate. A sum does not depend on the order
// of its parts, so the hash depends on no number of shards or workers; and no
// part holds a serial number or a clock.

// digest is the text of one candidate's part.
type digest struct{ bytes []byte }

func newDigest(code string) *digest {
	d := &digest{bytes: make([]byte, 0, 256)}
	return d.text(code)
}

func (d *digest) text(s string) *digest {
	d.bytes = append(append(d.bytes, s...), 0)
	return d
}

func (d *digest) instant(t time.Time) *digest {
	if t.IsZero() {
		return d.text("-")
	}
	d.bytes = binary.BigEndian.AppendUint64(d.bytes, uint64(t.UnixMicro()))
	return d
}

func (d *digest) decision(v market.Decision) {
	d.text(v.Ruleset).text(v.Outcome).text(v.Rule).text(string(v.Carried)).instant(v.DueAt).instant(v.LookAt)
}

func (d *digest) event(e market.Event) { d.text(e.Key) }

// fnvBasis is the FNV-1a hash of nothing.
const fnvBasis uint64 = 14695981039346656037

// fnv1a goes on with an FNV-1a hash by a text and the zero that ends it: what
// hash/fnv computes, without a copy of the text.
func fnv1a[T string | []byte](h uint64, text T) uint64 {
	const prime = 1099511628211
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * prime
	}
	return h * prime
}

// newSum is the hash that documents are named by.
func newSum() hash.Hash { return sha256.New() }

// addHash adds the hash of a part to a sum.
func addHash(sum, part []byte) []byte {
	h := sha256.Sum256(part)
	return addSums(sum, h[:])
}

// addSums adds two sums of 32 bytes, big end first, modulo 2^256.
func addSums(a, b []byte) []byte {
	out := make([]byte, sha256.Size)
	copy(out, a)
	var carry uint64
	for i := len(out) - 8; i >= 0; i -= 8 {
		var word uint64
		word, carry = bits.Add64(binary.BigEndian.Uint64(out[i:]), binary.BigEndian.Uint64(b[i:]), carry)
		binary.BigEndian.PutUint64(out[i:], word)
	}
	return out
}
