package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

// RuleVersion is the text of a version of a rule file that was used.
type RuleVersion struct {
	Hash      []byte // sha256 of its content; names it for ever
	Site      string
	Ruleset   string
	Version   int
	Effective Day
	File      string
	Text      string
	FirstUsed time.Time // wall clock, filled in by the database
}

// KeepRuleVersion keeps a version the first time it is used.
func (tx *Tx) KeepRuleVersion(ctx context.Context, v RuleVersion) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO rule_versions (hash, site, ruleset, version, effective, file, text)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (hash) DO NOTHING`,
		v.Hash, v.Site, v.Ruleset, v.Version, v.Effective.Date, v.File, v.Text)
	if err != nil {
		return fmt.Errorf("keep version %d of ruleset %s: %w", v.Version, v.Ruleset, err)
	}
	return nil
}

const ruleVersionColumns = `SELECT hash, site, ruleset, version, effective, file, text, first_used FROM rule_versions `

// RuleVersion finds a version by its hash.
func (s *Store) RuleVersion(ctx context.Context, hash []byte) (RuleVersion, error) {
	return ruleVersion(ctx, s.db, hash)
}

// RuleVersion finds a version by its hash.
func (tx *Tx) RuleVersion(ctx context.Context, hash []byte) (RuleVersion, error) {
	return ruleVersion(ctx, tx.Tx, hash)
}

func ruleVersion(ctx context.Context, db bun.IDB, hash []byte) (RuleVersion, error) {
	var v RuleVersion
	err := db.NewRaw(ruleVersionColumns+`WHERE hash = ?`, hash).Scan(ctx, &v)
	if errors.Is(err, sql.ErrNoRows) {
		return RuleVersion{}, fmt.Errorf("find rule version %x: it was never used here", hash)
	}
	if err != nil {
		return RuleVersion{}, fmt.Errorf("find rule version %x: %w", hash, err)
	}
	return v, nil
}

// RuleVersions lists the versions that a site used, the newest of each ruleset
// first.
func (s *Store) RuleVersions(ctx context.Context, site string) ([]RuleVersion, error) {
	var list []RuleVersion
	err := s.db.NewRaw(ruleVersionColumns+`WHERE site = ? ORDER BY ruleset, version DESC, first_used DESC, hash`, site).Scan(ctx, &list)
	if err != nil {
		return nil, fmt.Errorf("list the rule versions of site %s: %w", site, err)
	}
	return list, nil
}
