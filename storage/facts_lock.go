package storage

import (
	"context"
	"fmt"
)

// Nobody may decide on facts that change under the decision: the change wakes
// its subject, and the decision, taken on what was there before, would put the
// subject back to sleep. So a chunk holds its site's facts from before it reads
// them to its commit, and whoever changed facts waits for the chunks on their
// way before waking. Chunks hold side by side; a change waits for one chunk, and
// the next chunks wait for the change's commit.

// HoldFacts keeps changed facts of a site from becoming visible until the
// transaction ends. It comes before the first fact is read.
func (tx *Tx) HoldFacts(ctx context.Context, site string) error {
	return tx.lockFacts(ctx, "pg_advisory_xact_lock_shared", site)
}

// ChangeFacts waits until nobody decides on the facts of a site, and keeps them
// from being held until the transaction ends. It comes after the facts are
// written and before their subjects are woken.
func (tx *Tx) ChangeFacts(ctx context.Context, site string) error {
	return tx.lockFacts(ctx, "pg_advisory_xact_lock", site)
}

func (tx *Tx) lockFacts(ctx context.Context, lock, site string) error {
	if _, err := tx.Exec(ctx, `SELECT `+lock+`(hashtextextended('facts/' || $1::text, 0))`, site); err != nil {
		return fmt.Errorf("lock the facts of %s: %w", site, err)
	}
	return nil
}
