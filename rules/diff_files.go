package rules

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"nightshift/rules/market"
)

// Shelf is the rule files of a directory, read but not compiled.
type Shelf struct {
	sites []*shelved // the default site first, then by name
}

// shelved is the files of one site.
type shelved struct {
	*Site
	rulesets   []*Ruleset // by name, then by version
	parameters *parameters
}

// ReadShelf reads every rule file below fsys. The error is Problems: all that is
// wrong with their form. What their conditions say is not checked.
func ReadShelf(fsys fs.FS) (*Shelf, error) {
	l := loader{fsys: fsys, sites: map[string]*Site{}, documents: map[string][]*document{}, shared: map[string]*document{}}
	if err := l.read(); err != nil {
		return nil, fmt.Errorf("read the rule directory: %w", err)
	}
	s := &Shelf{}
	for dir, site := range l.sites {
		one := &shelved{Site: site}
		for _, d := range l.documents[dir] {
			one.rulesets = append(one.rulesets, parse(d, l.beside(dir)))
			l.problems = append(l.problems, d.problems...)
		}
		if d := l.shared[dir]; d != nil {
			one.parameters = readParameters(d)
			l.problems = append(l.problems, d.problems...)
		}
		slices.SortFunc(one.rulesets, func(a, b *Ruleset) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
		})
		s.sites = append(s.sites, one)
	}
	slices.SortFunc(s.sites, func(x, y *shelved) int {
		return cmp.Or(boolOrder(x.Dir != ".", y.Dir != "."), cmp.Compare(x.Name, y.Name))
	})
	if err := l.problems.err(); err != nil {
		return nil, err
	}
	return s, nil
}

// ReadRuleset reads one rule file, and the table beside it. The error is
// Problems.
func ReadRuleset(fsys fs.FS, name string) (*Ruleset, error) {
	text, err := readLimited(fsys, name, maxFileBytes)
	if err != nil {
		return nil, err
	}
	l := loader{fsys: fsys}
	rs := parse(readDocument(name, text), l.beside(path.Dir(name)))
	if err := rs.doc.problems.err(); err != nil {
		return nil, err
	}
	return rs, nil
}

func (s *Shelf) site(name string) *shelved {
	for _, one := range s.sites {
		if one.Name == name {
			return one
		}
	}
	return nil
}

// Zone is the time zone of a site; UTC where there is no such site.
func (s *Shelf) Zone(site string) *time.Location {
	if one := s.site(site); one != nil {
		return one.Site.Zone
	}
	return time.UTC
}

// Bare are the same sites without their rule files.
func (s *Shelf) Bare() *Shelf {
	out := &Shelf{}
	for _, one := range s.sites {
		out.sites = append(out.sites, &shelved{Site: one.Site})
	}
	return out
}

// Newest is the highest version of a ruleset on the shelf, at the default site;
// 0 where there is none.
func (s *Shelf) Newest(ruleset string) int {
	newest := 0
	for _, one := range s.sites {
		for _, rs := range one.rulesets {
			if one.Dir == "." && rs.Name == ruleset {
				newest = max(newest, rs.Version)
			}
		}
	}
	return newest
}

// Ruleset is one version of a ruleset of a site; version 0 is the one that holds
// on the date.
func (s *Shelf) Ruleset(site, name string, version int, on market.Date) (*Ruleset, error) {
	var known, sites []string
	for _, one := range s.sites {
		sites = append(sites, one.Name)
	}
	one := s.site(site)
	if one == nil {
		return nil, fmt.Errorf("unknown site %q%s", clip(site), guessed(", ", site, sites))
	}
	var holds *Ruleset
	for _, rs := range one.rulesets {
		if rs.Name == name && (rs.Version == version || version == 0 && rs.Effective <= on) {
			holds = rs
		}
		known = append(known, rs.String())
	}
	if holds == nil && version == 0 {
		return nil, fmt.Errorf("site %s has no rule file of %s that holds on %s%s", site, clip(name), on, guessed(": ", name, known))
	}
	if holds == nil {
		asked := fmt.Sprintf("%s@%d", name, version)
		return nil, fmt.Errorf("site %s has no %s%s", site, clip(asked), guessed(": ", asked, known))
	}
	return holds, nil
}

// Diff says what differs between two directories: file by file, those that are
// new against the version before them.
func (s *Shelf) Diff(other *Shelf) []Difference {
	var out []Difference
	for _, b := range other.sites {
		a := s.site(b.Name)
		if a == nil {
			out = append(out, Difference{Site: b.Name, To: "site " + b.Name, Changes: []Change{{Subject: "site", Name: b.Name, What: "added"}}})
			continue
		}
		out = append(out, a.diff(b)...)
	}
	for _, a := range s.sites {
		if other.site(a.Name) == nil {
			out = append(out, Difference{Site: a.Name, From: "site " + a.Name, Changes: []Change{{Subject: "site", Name: a.Name, What: "removed"}}})
		}
	}
	return out
}

func (a *shelved) diff(b *shelved) []Difference {
	var out []Difference
	note := func(d Difference) {
		if d.Site = b.Name; len(d.Changes) > 0 {
			out = append(out, d)
		}
	}
	d := differ{}
	d.differs("site", b.Name, "currency", string(a.Currency), string(b.Currency))
	d.differs("site", b.Name, "time zone", a.Zone.String(), b.Zone.String())
	note(Difference{From: siteFile, To: siteFile, Changes: d.changes})
	note(diffParameters(a.parameters, b.parameters))
	for _, rs := range b.rulesets {
		was := a.version(rs.Name, rs.Version)
		switch {
		case was != nil:
			note(Diff(was, rs))
		case versionBefore(b.rulesets, rs) != nil:
			note(Diff(versionBefore(b.rulesets, rs), rs))
		default:
			note(Difference{To: rs.String(), Changes: []Change{{Subject: "file", Name: rs.File, What: "added"}}})
		}
	}
	for _, rs := range a.rulesets {
		if b.version(rs.Name, rs.Version) == nil {
			note(Difference{From: rs.String(), Changes: []Change{{Subject: "file", Name: rs.File, What: "removed"}}})
		}
	}
	return out
}

func (a *shelved) version(name string, version int) *Ruleset {
	for _, rs := range a.rulesets {
		if rs.Name == name && rs.Version == version {
			return rs
		}
	}
	return nil
}

// versionBefore is the version before one, in the same directory; nil where it is the
// first.
func versionBefore(rulesets []*Ruleset, rs *Ruleset) *Ruleset {
	var last *Ruleset
	for _, other := range rulesets {
		if other.Name == rs.Name && other.Version < rs.Version {
			last = other
		}
	}
	return last
}

// diffParameters compares the parameters that the rule files of a site share.
func diffParameters(a, b *parameters) Difference {
	d := differ{}
	empty := &parameters{}
	if a == nil {
		a = empty
	}
	if b == nil {
		b = empty
	}
	d.bindings("parameter", "", a.lets, b.lets)
	d.overrides(a.overrides, b.overrides)
	return Difference{From: sharedFile, To: sharedFile, Changes: d.changes}
}
