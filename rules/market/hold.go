package market

import (
	"fmt"
	"strings"
	"time"
)

// How a hold ended. It ends once: its end has one key.
const (
	HoldPosted  = "posted"  // the payment went through
	HoldVoided  = "voided"  // the payment was called off
	HoldExpired = "expired" // nobody said what became of it in time
)

// HoldCash sets cash apart for a payment in doubt: it can no longer be spent, and
// is not paid yet. What becomes of it is said by exactly one of PostHold,
// VoidHold and ExpireHold, whose journals share a key.
func HoldCash(key, buyer string, amount Money, at time.Time) Journal {
	j := Journal{Key: "hold/" + key, Memo: "held", At: at}
	j.Post(BuyerCash(buyer), BuyerHeld(buyer), amount)
	return j
}

// PostHold pays what was held, or a part of it, to an account; the rest is
// cash again.
func PostHold(hold Journal, to Account, amount Money, at time.Time) (Journal, error) {
	held, err := heldBy(hold)
	if err != nil {
		return Journal{}, err
	}
	rest, err := held.Amount.Sub(amount)
	if err != nil {
		return Journal{}, fmt.Errorf("%s: %w", hold.Key, err)
	}
	if amount.Amount.Sign() <= 0 || rest.Amount.Sign() < 0 {
		return Journal{}, fmt.Errorf("%s: post %s of %s held: it must be more than nothing and no more than that", hold.Key, amount, held.Amount)
	}
	j := Journal{Key: hold.Key + "/end", Memo: HoldPosted, At: at, Back: true}
	j.Post(held.To, to, amount)
	j.Post(held.To, held.From, rest)
	return j, nil
}

// VoidHold gives back what was held, because the payment was called off.
func VoidHold(hold Journal, at time.Time) (Journal, error) { return giveBack(hold, HoldVoided, at) }

// ExpireHold gives back what was held, because its time was over.
func ExpireHold(hold Journal, at time.Time) (Journal, error) { return giveBack(hold, HoldExpired, at) }

func giveBack(hold Journal, how string, at time.Time) (Journal, error) {
	held, err := heldBy(hold)
	if err != nil {
		return Journal{}, err
	}
	j := Journal{Key: hold.Key + "/end", Memo: how, At: at, Back: true}
	j.Post(held.To, held.From, held.Amount)
	return j, nil
}

func heldBy(hold Journal) (Posting, error) {
	if len(hold.Postings) != 1 || !strings.HasPrefix(hold.Key, "hold/") || hold.Postings[0].To != BuyerHeld(hold.Postings[0].To.Owner()) {
		return Posting{}, fmt.Errorf("%s: it is no hold", hold.Key)
	}
	return hold.Postings[0], nil
}
