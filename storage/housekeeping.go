package storage

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Purge says what of a site may go: what is as old as an instant, or older. A zero
// instant lets nothing go.
type Purge struct {
	Site      string
	Documents time.Time // produced by then: a run's workbook can be written again from the history, the same bytes
	Shards    time.Time // of runs completed by then
	Dry       bool      // only count
}

// Purged is what went, or would.
type Purged struct {
	Documents int64 `json:"documents"`
	Bytes     int64 `json:"bytes"`
	Shards    int64 `json:"shards"`
}

var errOnlyCounted = errors.New("it was only counted")

// Purge removes what may go, and answers how much it was. A document of which
// history has left stays: nobody could write it again.
func (s *Store) Purge(ctx context.Context, p Purge) (gone Purged, err error) {
	err = s.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		if !p.Documents.IsZero() {
			if _, err := tx.one(ctx, `
				WITH purged AS (
					DELETE FROM documents d USING runs r
					WHERE r.id = d.run_id AND r.site = $1 AND d.created_at <= $2
					  AND NOT EXISTS (SELECT FROM `+newestActs+` AND a.month <= r.business_date AND a.at >= r.business_date)
					RETURNING d.size)
				SELECT count(*), coalesce(sum(size), 0)::bigint FROM purged`, []any{p.Site, p.Documents}, &gone.Documents, &gone.Bytes); err != nil {
				return err
			}
		}
		if !p.Shards.IsZero() {
			if gone.Shards, err = tx.Exec(ctx, `DELETE FROM shards h USING runs r WHERE r.id = h.run_id AND r.site = $1 AND r.state = 'completed' AND r.finished_at <= $2`, p.Site, p.Shards); err != nil {
				return err
			}
		}
		if p.Dry {
			return errOnlyCounted
		}
		return nil
	})
	if err != nil && !errors.Is(err, errOnlyCounted) {
		return Purged{}, fmt.Errorf("remove what is old of %s: %w", p.Site, err)
	}
	return gone, nil
}
