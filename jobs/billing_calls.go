package jobs

import (
	"context"
	"time"

	"nightshift/rules/market"
	"nightshift/storage"
)

// turn is what the sellers of all that a buyer uses have to do at an instant.
type turn struct {
	buyer int64
	call  string // a status, or a release
	at    time.Time
}

// sellersAct is what sellers have to do where the arrears of a buyer come from one
// state into another; empty where it is nothing.
func sellersAct(was, is string) string {
	frozen := was == "freeze" || was == "release"
	switch {
	case is == "release":
		return market.ReleaseInstance
	case is == "freeze" && !frozen:
		return market.StatusFreeze
	case is != "freeze" && frozen:
		return market.StatusUnfreeze
	}
	return ""
}

// callSellers puts the calls for what buyers use to what the chunk leaves behind:
// each instance that was open then is frozen, can be used again, or is given up. What
// is given up is not spoken of again.
func (k *harvest) callSellers(ctx context.Context, tx *storage.Tx) error {
	if len(k.turns) == 0 {
		return nil
	}
	var buyers []int64
	for _, t := range k.turns {
		buyers = append(buyers, t.buyer)
	}
	list, err := tx.MeteredInstances(ctx, buyers)
	if err != nil {
		return err
	}
	var keys []string
	for i := range list {
		keys = append(keys, list[i].ReleaseKey())
	}
	released, err := tx.EventsSeen(ctx, keys)
	if err != nil {
		return err
	}
	for _, t := range k.turns {
		for i := range list {
			m := &list[i]
			if m.BuyerID != t.buyer || !m.OpenAt(t.at) || released[m.ReleaseKey()] {
				continue
			}
			call := m.StatusCall(t.call, t.at)
			if t.call == market.ReleaseInstance {
				call = m.ReleaseCall(t.at)
				released[call.Key] = true
			}
			k.effects.Events = append(k.effects.Events, market.Event{Key: call.Key})
			k.effects.Calls = append(k.effects.Calls, call)
			k.doubtful = append(k.doubtful, call.Key)
		}
	}
	return nil
}
