package bank

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Reference is what a payment is known by from end to end: readable where the
// codes allow it, never longer than a bank keeps, and different for different
// statements and tries. A code that must be cut or changed gets a piece of its
// hash, so that two such codes stay two references.
func Reference(site string, period int, seller string, version, try int) string {
	const (
		siteRoom = 8
		digits   = 10 // of the hash: one in a million million
	)
	tail := fmt.Sprintf("-%d.%d", version, try)
	place := plain(site)
	head := fmt.Sprintf("%s-%06d-", place[:min(len(place), siteRoom)], period)
	room := maxID - len(head) - len(tail)
	if plain(seller) == seller && len(seller) <= room && place == site && len(site) <= siteRoom {
		return head + seller + tail
	}
	sum := sha256.Sum256([]byte(site + "/" + seller))
	mark := "+" + hex.EncodeToString(sum[:])[:digits]
	return head + plain(seller)[:min(len(plain(seller)), room-len(mark))] + mark + tail
}

// plain is a code in characters that no bank changes.
func plain(code string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '.' {
			return r
		}
		return '.'
	}, code)
}
