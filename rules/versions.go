package rules

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"nightshift/rules/market"
)

// The kinds of file in a rule directory, by how their names end.
const (
	siteFile      = "site.yaml"
	sharedFile    = "parameters.yaml"
	testSuffix    = ".test.yaml"
	mappingSuffix = ".map.yaml"
	fileSuffix    = ".yaml"
)

// Book is a rule directory: every site with its rules, compiled.
type Book struct {
	sites []*Site // the default site first, then by name
	fsys  fs.FS   // where they were read
}

// Load reads every file below fsys and compiles the rules. The error is
// Problems: all that is wrong, in all files.
func Load(fsys fs.FS) (*Book, error) { return newLoader(fsys).load() }

func newLoader(fsys fs.FS) *loader {
	return &loader{fsys: fsys, sites: map[string]*Site{}, documents: map[string][]*document{}, shared: map[string]*document{}}
}

func (l *loader) load() (*Book, error) {
	if err := l.read(); err != nil {
		return nil, fmt.Errorf("read the rule directory: %w", err)
	}
	l.compile()
	if err := l.problems.err(); err != nil {
		return nil, err
	}
	b := &Book{fsys: l.fsys}
	for _, s := range l.sites {
		b.sites = append(b.sites, s)
	}
	slices.SortFunc(b.sites, func(x, y *Site) int {
		return cmp.Or(boolOrder(x.Dir != ".", y.Dir != "."), cmp.Compare(x.Name, y.Name))
	})
	return b, nil
}

// Sites are all sites, the default one first.
func (b *Book) Sites() []*Site { return slices.Clone(b.sites) }

// Site finds a site by its name; the empty name is the default site.
func (b *Book) Site(name string) (*Site, error) {
	if name == "" {
		name = DefaultSite
	}
	var known []string
	for _, s := range b.sites {
		if s.Name == name {
			return s, nil
		}
		known = append(known, s.Name)
	}
	return nil, fmt.Errorf("unknown site %q%s", clip(name), guessed(", ", name, known))
}

// loader collects what Load finds.
type loader struct {
	fsys      fs.FS
	sites     map[string]*Site       // by directory
	documents map[string][]*document // rule files, by directory
	shared    map[string]*document   // the parameters they share, by directory
	rulesets  []*Ruleset             // all that were read
	problems  Problems
}

// read reads all files, the sites' first of all.
func (l *loader) read() error {
	var names []string
	err := fs.WalkDir(l.fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(entry.Name(), ".") && name != "."
		switch {
		case err != nil:
			return err
		case entry.IsDir() && hidden:
			return fs.SkipDir
		case !entry.IsDir() && !hidden && strings.HasSuffix(name, fileSuffix) && !strings.HasSuffix(name, mappingSuffix):
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("there is no %s in it: %w", siteFile, fs.ErrNotExist)
	}
	slices.SortStableFunc(names, func(a, b string) int {
		return cmp.Or(boolOrder(path.Base(a) != siteFile, path.Base(b) != siteFile), cmp.Compare(a, b))
	})
	documents, failed := make([]*document, len(names)), make([]error, len(names))
	inParallel(len(names), func(i int) {
		var text []byte
		if text, failed[i] = readLimited(l.fsys, names[i], maxFileBytes); failed[i] == nil {
			documents[i] = readDocument(names[i], text)
		}
	})
	if err := errors.Join(failed...); err != nil {
		return err
	}
	for _, d := range documents {
		l.take(d)
	}
	return nil
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// readLimited reads no more of a file than is needed to see that it is too large.
func readLimited(fsys fs.FS, name string, most int) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, int64(most)+1))
}

// take puts a file where it belongs.
func (l *loader) take(d *document) {
	dir, base := path.Dir(d.name), path.Base(d.name)
	if base == siteFile {
		if d.root != nil {
			l.addSite(dir, readSite(l.fsys, d), d)
		}
		l.problems = append(l.problems, d.problems...)
		return
	}
	site := l.sites[dir]
	if site == nil {
		d.lineProblem(1, "the directory of the file is no site", "put a "+siteFile+" beside it")
		l.problems = append(l.problems, d.problems...)
		return
	}
	if strings.HasSuffix(base, testSuffix) {
		l.problems = append(l.problems, d.problems...)
		site.tests = append(site.tests, d)
		return
	}
	if base == sharedFile {
		l.shared[dir] = d
		return
	}
	l.documents[dir] = append(l.documents[dir], d)
}

func (l *loader) addSite(dir string, site *Site, d *document) {
	for _, other := range l.sites {
		if other.Name == site.Name && site.Name != "" {
			d.lineProblem(1, fmt.Sprintf("site %s is in %s too", site.Name, path.Join(other.Dir, siteFile)), "choose another name")
		}
	}
	l.sites[dir] = site
}

// compile compiles the rule files of every site and puts their versions in
// order.
func (l *loader) compile() {
	for dir, site := range l.sites {
		l.compileSite(site, l.documents[dir], l.beside(dir))
	}
	for dir, site := range l.sites {
		if dir != "." && len(site.shares) > 0 && l.sites["."] != nil {
			l.share(site)
		}
	}
}

// share gives a site rulesets of the default site, compiled for its currency.
// They are checked and tested there, and one that has an error is not read again.
func (l *loader) share(site *Site) {
	from, known := l.sites["."], len(site.doc.problems)
	for _, n := range site.shares {
		name, ok := site.doc.scalar(n, "a shared ruleset")
		if !ok {
			continue
		}
		site.borrowed = append(site.borrowed, name)
		all, found := l.again(name)
		switch {
		case !found:
			site.doc.problem(n, "", fmt.Sprintf("the default site has no rule file of %s", clip(name)), didYouMean(name, from.Rulesets()))
		case len(site.policies[name]) > 0:
			site.doc.problem(n, "", fmt.Sprintf("the site has a rule file of %s itself", clip(name)), "take it from shares, or take the file away")
		}
		for _, rs := range all {
			if p := compileRead(rs, site, nextOf(rs, all)); p != nil {
				site.policies[name] = append(site.policies[name], p)
			}
		}
		slices.SortFunc(site.policies[name], func(a, b *Policy) int { return cmp.Compare(a.Effective, b.Effective) })
	}
	l.problems = append(l.problems, site.doc.problems[known:]...)
}

// again reads the versions of a ruleset of the default site once more, to be
// compiled for another one.
func (l *loader) again(name string) (all []*Ruleset, found bool) {
	for _, rs := range l.rulesets {
		if rs.Name != name || path.Dir(rs.File) != "." {
			continue
		}
		found = true
		if len(rs.doc.problems) == 0 {
			read := parse(readDocument(rs.doc.name, []byte(rs.doc.text)), l.beside("."))
			read.shared = rs.shared
			all = append(all, read)
		}
	}
	return all, found
}

func (l *loader) compileSite(site *Site, documents []*document, beside opener) {
	shared := l.readShared(site)
	site.shared = shared
	all := parseAll(documents, shared, beside)
	l.rulesets = append(l.rulesets, all...)
	policies := make([]*Policy, len(all))
	inParallel(len(all), func(i int) { policies[i] = compileRead(all[i], site, nextOf(all[i], all)) })
	var good []*Ruleset
	shadows := 0
	for i, rs := range all {
		p := policies[i]
		l.problems = append(l.problems, rs.doc.problems...)
		switch {
		case p == nil:
		case p.Shadow:
			site.shadows[rs.Name] = append(site.shadows[rs.Name], p)
			shadows++
		default:
			site.policies[rs.Name] = append(site.policies[rs.Name], p)
			good = append(good, rs)
		}
	}
	l.problems = append(l.problems, clashes(good)...)
	for _, versions := range site.policies {
		slices.SortFunc(versions, func(a, b *Policy) int { return cmp.Compare(a.Effective, b.Effective) })
	}
	if len(good)+shadows == len(all) {
		shared.unused(site)
	}
	if shared != nil {
		l.problems = append(l.problems, shared.doc.problems...)
	}
}

// parseAll reads the rule files of a site.
func parseAll(documents []*document, shared *parameters, beside opener) []*Ruleset {
	all := make([]*Ruleset, len(documents))
	inParallel(len(all), func(i int) {
		all[i] = parse(documents[i], beside)
		all[i].shared = shared.quiet()
	})
	return all
}

// nextOf is the date on which another version of the ruleset follows; 0 for none.
func nextOf(rs *Ruleset, all []*Ruleset) market.Date {
	var next market.Date
	for _, other := range all {
		if other.Name == rs.Name && !other.Shadow && !rs.Shadow && other.Effective > rs.Effective && (next == 0 || other.Effective < next) {
			next = other.Effective
		}
	}
	return next
}

// beside opens the tables that lie beside a rule file.
func (l *loader) beside(dir string) opener {
	return func(name string, most int) ([]byte, error) { return readLimited(l.fsys, path.Join(dir, name), most) }
}

// compileRead compiles a ruleset whose form may have problems already: what
// its conditions say is reported with them.
func compileRead(rs *Ruleset, site *Site, until market.Date) *Policy {
	if rs.doc.root == nil {
		return nil
	}
	p := compilePhases(rs, site.Currency, until)
	if len(rs.doc.problems) > 0 {
		return nil
	}
	return p
}

// clashes are files of one ruleset between which no date could choose.
func clashes(rulesets []*Ruleset) Problems {
	slices.SortFunc(rulesets, func(a, b *Ruleset) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.File, b.File))
	})
	var problems Problems
	for i, rs := range rulesets {
		if i == 0 || rulesets[i-1].Name != rs.Name {
			continue
		}
		before := rulesets[i-1]
		d := &document{name: rs.File, lines: rs.doc.lines}
		fields := rs.top.fields
		switch {
		case before.Version == rs.Version:
			d.problem(fields["version"], "", fmt.Sprintf("version %d of %s is in %s too", rs.Version, rs.Name, before.File), "raise it")
		case before.Effective == rs.Effective:
			d.problem(fields["effective"], "", fmt.Sprintf("%s (version %d) is effective on the same date", before.File, before.Version), "each version needs a date of its own")
		case before.Effective > rs.Effective:
			d.problem(fields["effective"], "", fmt.Sprintf("version %d is effective before version %d, in %s", rs.Version, before.Version, before.File), "a higher version begins later")
		}
		problems = append(problems, d.problems...)
	}
	return problems
}
