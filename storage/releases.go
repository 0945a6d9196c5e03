package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// Why an act on a release is refused.
var (
	ErrNoRelease = errors.New("there is no such release")
	ErrReleased  = errors.New("that was done before")
	ErrAuthor    = errors.New("who proposed a text does not approve it")
	ErrWithdrawn = errors.New("it was withdrawn")
)

// Release is a proposal to put a version of a ruleset in force, and what became
// of it. Who acted is a login of the database, as the database knew it.
type Release struct {
	ID       int64
	Site     string
	Ruleset  string
	Version  int
	Texts    [][]byte // content hashes, one a date on which the version's values change
	Proposed ReleaseAct
	Approved ReleaseAct // zero while nobody has
	Withdrew ReleaseAct
}

// ReleaseAct is who did something about a release, when and why.
type ReleaseAct struct {
	By      string
	At      time.Time
	Because string
}

// InForce tells whether the release counts: it was approved and stands.
func (r Release) InForce() bool { return r.Approved.By != "" && r.Withdrew.By == "" }

// Acts on a release.
const (
	ReleaseApprove  = "approve"
	ReleaseWithdraw = "withdraw"
)

// Propose appends a release whose texts are kept already, and answers its number.
func (tx *Tx) Propose(ctx context.Context, r Release) (id int64, err error) {
	_, err = tx.one(ctx, `INSERT INTO releases (site, ruleset, version, texts, because) VALUES ($1, $2, $3, $4, $5) RETURNING id`,
		[]any{r.Site, r.Ruleset, r.Version, r.Texts, r.Proposed.Because}, &id)
	if err != nil {
		return 0, fmt.Errorf("propose %s@%d: %w", r.Ruleset, r.Version, err)
	}
	return id, nil
}

// ActOnRelease approves or withdraws a release, as the login of the connection.
// Its author's approval is ErrAuthor; the database is who says so.
func (tx *Tx) ActOnRelease(ctx context.Context, site string, id int64, act, because string) error {
	n, err := tx.Exec(ctx, `INSERT INTO release_acts (release_id, act, because) SELECT id, $3, $4 FROM releases WHERE site = $1 AND id = $2`, site, id, act, because)
	refused := new(pgconn.PgError)
	switch {
	case errors.As(err, &refused) && refused.ConstraintName == "approver_is_not_author":
		err = fmt.Errorf("%w: have another login of the database do it", ErrAuthor)
	case errors.As(err, &refused) && refused.ConstraintName == "withdrawn_for_good":
		err = fmt.Errorf("%w: propose it again", ErrWithdrawn)
	case errors.As(err, &refused) && refused.ConstraintName == "release_acts_pkey":
		err = ErrReleased
	case err == nil && n == 0:
		err = ErrNoRelease
	}
	if err != nil {
		return fmt.Errorf("%s release %d at %s: %w", act, id, site, err)
	}
	return nil
}

// Releases are all releases of a site, in the order in which they came to
// count: those approved by the time of approval, behind them the others.
func (tx *Tx) Releases(ctx context.Context, site string) ([]Release, error) {
	var list []Release
	var r Release
	var approved, withdrew pgtype.Timestamptz
	dest := []any{&r.ID, &r.Site, &r.Ruleset, &r.Version, &r.Texts, &r.Proposed.By, &r.Proposed.At, &r.Proposed.Because,
		&r.Approved.By, &approved, &r.Approved.Because, &r.Withdrew.By, &withdrew, &r.Withdrew.Because}
	err := tx.Query(ctx, `
		SELECT r.id, r.site, r.ruleset, r.version, r.texts, r.proposed_by, r.proposed_at, r.because,
		       coalesce(a.acted_by, ''), a.acted_at, coalesce(a.because, ''), coalesce(w.acted_by, ''), w.acted_at, coalesce(w.because, '')
		FROM releases r
		LEFT JOIN release_acts a ON a.release_id = r.id AND a.act = 'approve'
		LEFT JOIN release_acts w ON w.release_id = r.id AND w.act = 'withdraw'
		WHERE r.site = $1
		ORDER BY a.acted_at NULLS LAST, r.id`, []any{site}, func(rows pgx.Rows) error {
		r.Texts = nil // the next row's are its own
		err := rows.Scan(dest...)
		r.Approved.At, r.Withdrew.At = approved.Time, withdrew.Time
		list = append(list, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the releases of %s: %w", site, err)
	}
	return list, nil
}
