package jobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// inForce is the site that a run decides by. Where releases are required it has
// the rules of the released texts alone, and the rule directory is full of
// candidates.
func (e *Engine) inForce(ctx context.Context, name string) (*rules.Site, error) {
	site, err := e.Book.Site(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	if !e.ReleasesRequired {
		return site, nil
	}
	list, err := e.Releases(ctx, site.Name)
	if err != nil {
		return nil, err
	}
	var policies []*rules.Policy
	for _, r := range standingReleases(list) {
		for _, hash := range r.Texts {
			policy, err := kept(ctx, e.Store, site, fmt.Sprintf("%x", hash))
			if err == nil && !bytes.Equal(policy.Hash[:], hash) {
				err = errors.New("the kept text is not the one that was approved: find out who changed it")
			}
			if err != nil {
				return nil, fmt.Errorf("restore release %d of %s@%d: %w", r.ID, r.Ruleset, r.Version, err)
			}
			policies = append(policies, policy)
		}
	}
	return site.Released(policies), nil
}

// standingReleases are the releases that count: of several of one version the
// one approved last.
func standingReleases(list []storage.Release) []storage.Release {
	var standing []storage.Release
	for _, r := range list {
		if !r.InForce() {
			continue
		}
		for i, s := range standing {
			if s.Ruleset == r.Ruleset && s.Version == r.Version {
				standing = append(standing[:i], standing[i+1:]...)
				break
			}
		}
		standing = append(standing, r)
	}
	return standing
}

// unreleased says what to do where a ruleset has no rules in force.
func (e *Engine) unreleased(err error, ruleset string, on market.Date) error {
	if !e.ReleasesRequired || !errors.Is(err, rules.ErrNoPolicy) {
		return err
	}
	return fmt.Errorf("%w: no version of %s is released for %s, and releases are required: `nightshift rules release propose %s --because …`, then have another login approve it",
		rules.ErrNoPolicy, ruleset, on, ruleset)
}

// Releases are all releases of a site, in the order in which they came to count.
func (e *Engine) Releases(ctx context.Context, site string) (list []storage.Release, err error) {
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		list, err = tx.Releases(ctx, site)
		return err
	})
	return list, err
}

// StandingReleases are those of the releases that count.
func (e *Engine) StandingReleases(ctx context.Context, site string) ([]storage.Release, error) {
	list, err := e.Releases(ctx, site)
	return standingReleases(list), err
}

// Propose keeps the text of a version of a site's rule file and proposes it for
// release. The directory's tests must pass: what is proposed is what was tested.
func (e *Engine) Propose(ctx context.Context, siteName, ruleset string, version int, because string) (r storage.Release, err error) {
	site, err := e.Book.Site(siteName)
	if err != nil {
		return r, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	if because == "" {
		return r, fmt.Errorf("%w: propose %s: a reason is needed: --because \"…\"", ErrBadRequest, ruleset)
	}
	policy := site.Version(ruleset, version)
	if policy == nil {
		return r, fmt.Errorf("%w: propose %s: the rule directory has no such version at %s: see `nightshift rules list`", ErrBadRequest, ruleset, site.Name)
	}
	if err := site.Test().Err(); err != nil {
		return r, err
	}
	r = storage.Release{Site: site.Name, Ruleset: policy.Ruleset, Version: policy.Version, Proposed: storage.ReleaseAct{Because: because}}
	for _, phase := range policy.Phases() {
		r.Texts = append(r.Texts, phase.Hash[:])
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		list, err := tx.Releases(ctx, site.Name)
		if err != nil {
			return err
		}
		for _, other := range list {
			if other.Withdrew.By == "" && other.Ruleset == r.Ruleset && sameTexts(other.Texts, r.Texts) {
				return fmt.Errorf("%w: propose %s: release %d has this text already", ErrBadRequest, policy, other.ID)
			}
		}
		for _, phase := range policy.Phases() {
			if err := keepPolicy(ctx, tx, site, phase); err != nil {
				return err
			}
		}
		r.ID, err = tx.Propose(ctx, r)
		return err
	})
	return r, err
}

func sameTexts(a, b [][]byte) bool {
	return bytes.Equal(bytes.Join(a, nil), bytes.Join(b, nil))
}

// ActOnRelease approves or withdraws a release, as the login that the store
// works as.
func (e *Engine) ActOnRelease(ctx context.Context, site string, id int64, act, because string) error {
	if because == "" {
		return fmt.Errorf("%w: %s release %d: a reason is needed: --because \"…\"", ErrBadRequest, act, id)
	}
	err := e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		return tx.ActOnRelease(ctx, site, id, act, because)
	})
	for _, wrong := range []error{storage.ErrAuthor, storage.ErrNoRelease, storage.ErrReleased, storage.ErrWithdrawn} {
		if errors.Is(err, wrong) {
			return fmt.Errorf("%w: %w", ErrBadRequest, err)
		}
	}
	return err
}

// ReleasedTexts are the kept texts of a release, the earliest first, whether or
// not their files are still there.
func (e *Engine) ReleasedTexts(ctx context.Context, site string, id int64) (r storage.Release, texts []storage.RuleVersion, err error) {
	list, err := e.Releases(ctx, site)
	if err != nil {
		return r, nil, err
	}
	for _, r = range list {
		if r.ID != id {
			continue
		}
		for _, hash := range r.Texts {
			v, err := e.Store.RuleVersion(ctx, hash)
			if err != nil {
				return r, nil, err
			}
			texts = append(texts, v)
		}
		return r, texts, nil
	}
	return r, nil, fmt.Errorf("%w: show release %d at %s: %w", ErrBadRequest, id, site, storage.ErrNoRelease)
}
