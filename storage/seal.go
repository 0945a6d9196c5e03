package storage

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// Block is what one source booked on one business date, sealed: from then on
// no journal of it can be changed, added or taken away unnoticed.
type Block struct {
	No       int64 // counts from 1 at each site
	Source   string
	On       market.Date
	FirstID  int64 // of its journals, as they were numbered
	LastID   int64
	Journals int64
	Previous [sha256.Size]byte // of the block before it; zeros for the first
	SHA256   [sha256.Size]byte
}

// Seal closes into blocks what was booked at a site and is not in one yet, a
// transaction each, and answers them. What a run booked is sealed when the run
// is completed; what people booked, whenever somebody seals. Blocks of several
// sources are made in the order of their dates, people's before runs', earlier
// runs' before later ones'. Nothing that works is held up, save who books by
// hand.
func (s *Store) Seal(ctx context.Context, site string) ([]Block, error) {
	var blocks []Block
	for {
		var sealed *Block
		err := s.InTx(ctx, func(ctx context.Context, tx *Tx) (err error) {
			sealed, err = tx.sealNext(ctx, site)
			return err
		})
		if err != nil {
			return blocks, fmt.Errorf("seal what was booked at %s: %w", site, err)
		}
		if sealed == nil {
			return blocks, nil
		}
		if sealed.Journals > 0 {
			blocks = append(blocks, *sealed)
		}
	}
}

// sealNext makes one block; nil where there is nothing to seal. A block
// without journals is none: its source had been sealed before.
func (tx *Tx) sealNext(ctx context.Context, site string) (*Block, error) {
	if err := tx.Serialise(ctx, "sealing/"+site); err != nil {
		return nil, err
	}
	var b Block
	found, err := tx.one(ctx, `
		SELECT u.source, u.business_date
		FROM unsealed u
		WHERE u.site = $1 AND NOT EXISTS (SELECT FROM runs r WHERE 'run/' || r.id = u.source AND r.state <> 'completed')
		ORDER BY u.business_date, u.source LIKE 'run/%', length(u.source), u.source
		LIMIT 1`, []any{site}, &b.Source, &b.On)
	if err != nil || !found {
		return nil, err
	}
	// Waits for those who book on their way, and lets later ones wait: their
	// journals have ids above all that are sealed here.
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || 'seal/' || $1, 0))`, site); err != nil {
		return nil, err
	}
	if err := tx.seal(ctx, site, &b); err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `DELETE FROM unsealed WHERE site = $1 AND source = $2 AND business_date = $3`, site, b.Source, b.On)
	return &b, err
}

func (tx *Tx) seal(ctx context.Context, site string, b *Block) error {
	var last []byte
	if _, err := tx.one(ctx, `SELECT no, sha256 FROM blocks WHERE site = $1 ORDER BY no DESC LIMIT 1`, []any{site}, &b.No, &last); err != nil {
		return err
	}
	b.No++
	copy(b.Previous[:], last)
	seal := market.NewSeal(b.Previous, site, b.On)
	err := tx.Query(ctx, `
		SELECT id, digest FROM journals
		WHERE site = $1 AND source = $2 AND business_date = $3
		  AND id > coalesce((SELECT max(last_id) FROM blocks WHERE site = $1 AND source = $2 AND business_date = $3), 0)
		ORDER BY key`, []any{site, b.Source, b.On}, func(rows pgx.Rows) error {
		var id int64
		var digest []byte
		if err := rows.Scan(&id, &digest); err != nil {
			return err
		}
		if b.FirstID == 0 || id < b.FirstID {
			b.FirstID = id
		}
		b.LastID = max(b.LastID, id)
		seal.Add([sha256.Size]byte(digest))
		return nil
	})
	if err != nil {
		return err
	}
	if b.SHA256, b.Journals = seal.Sum(); b.Journals == 0 {
		return nil
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO blocks (site, no, source, business_date, first_id, last_id, journals, previous, sha256)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		site, b.No, b.Source, b.On, b.FirstID, b.LastID, b.Journals, b.Previous[:], b.SHA256[:])
	return err
}

// Blocks are those of a site, in their order.
func (tx *Tx) Blocks(ctx context.Context, site string) ([]Block, error) {
	var blocks []Block
	err := tx.Query(ctx, `
		SELECT no, source, business_date, first_id, last_id, journals, previous, sha256
		FROM blocks WHERE site = $1 ORDER BY no`, []any{site}, func(rows pgx.Rows) error {
		var b Block
		var previous, sum []byte
		if err := rows.Scan(&b.No, &b.Source, &b.On, &b.FirstID, &b.LastID, &b.Journals, &previous, &sum); err != nil {
			return err
		}
		copy(b.Previous[:], previous)
		copy(b.SHA256[:], sum)
		blocks = append(blocks, b)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the blocks of %s: %w", site, err)
	}
	return blocks, nil
}
