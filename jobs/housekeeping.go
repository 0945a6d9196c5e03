package jobs

import (
	"context"
	"time"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// Kept is what housekeeping of a site came to.
type Kept struct {
	Site string `json:"site"`
	storage.Purged
	Away    []string `json:"archived,omitempty"`    // months that left for the archive,
	CouldGo []string `json:"could_leave,omitempty"` // or would, were there one
}

// Housekeep makes the partitions of the coming month, removes what the site keeps no
// longer, and archives months whose time is over, where there is an archive. Dry
// only tells what it would do.
func (e *Engine) Housekeep(ctx context.Context, site *rules.Site, now time.Time, dry bool) (k Kept, err error) {
	k.Site = site.Name
	if !dry {
		if err := e.Store.EnsureMonth(ctx, market.DateOf(now, site.Zone).AddDays(monthsAhead)); err != nil {
			return k, err
		}
	}
	purge := storage.Purge{Site: site.Name, Dry: dry}
	if site.Keep.Documents > 0 {
		purge.Documents = now.Add(-site.Keep.Documents)
	}
	if site.Keep.Shards > 0 {
		purge.Shards = now.Add(-site.Keep.Shards)
	}
	if k.Purged, err = e.Store.Purge(ctx, purge); err != nil {
		return k, err
	}
	months, err := e.Archivable(ctx, now)
	for _, month := range months {
		name := market.Month(month).String()
		if dry || e.ArchiveDir == "" {
			k.CouldGo = append(k.CouldGo, name)
			continue
		}
		if _, err := e.Archive(ctx, Archiving{Dir: e.ArchiveDir, Month: month, Actor: "housekeeping", Now: now, Leave: true}); err != nil {
			return k, err
		}
		k.Away = append(k.Away, name)
	}
	return k, err
}

// Archivable are the months, oldest first, that no site keeps any longer. Sites
// share the months: one that keeps its history for ever keeps everybody's.
func (e *Engine) Archivable(ctx context.Context, now time.Time) ([]market.Date, error) {
	var longest time.Duration
	for _, site := range e.Book.Sites() {
		if site.Keep.History == 0 {
			return nil, nil
		}
		longest = max(longest, site.Keep.History)
	}
	return e.Store.MonthsAt(ctx, market.DateOf(now.Add(-longest), time.UTC))
}
