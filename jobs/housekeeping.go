package jobs

import (
	"context"
	"errors"
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
	CouldGo []string `json:"could_leave,omitempty"` // or would, were there one,
	Lacks   string   `json:"lacks,omitempty"`       // and why they do not
}

// Housekeep makes the partitions of the coming month, removes what the site keeps no
// longer, and archives months whose time is over, where there is an archive and the
// database's owner is named, who alone lets go of history. Dry only tells what it
// would do.
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
	if err != nil {
		return k, err
	}
	if err := e.lets(ctx, months); err != nil {
		k.Lacks = err.Error()
	}
	for _, month := range months {
		name := market.Month(month).String()
		if dry || k.Lacks != "" {
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

// errNoArchive says that old history has nowhere to go.
var errNoArchive = errors.New("no directory is named in NIGHTSHIFT_ARCHIVE")

// lets tells why months do not leave by themselves.
func (e *Engine) lets(ctx context.Context, months []market.Date) error {
	switch {
	case len(months) == 0:
		return nil
	case e.ArchiveDir == "":
		return errNoArchive
	}
	return e.Store.LetsGo(ctx)
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
