package rules

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// LoadFile reads one rule file, with the tables and the parameters beside it,
// as a candidate for a site. It is in force nowhere. Where no parameters lie
// beside it the site's hold. The error is Problems.
func LoadFile(fsys fs.FS, name string, site *Site) (*Policy, error) {
	text, err := readLimited(fsys, name, maxFileBytes)
	if err != nil {
		return nil, fmt.Errorf("read the rule file: %w", err)
	}
	dir := path.Dir(name)
	l := loader{fsys: fsys, shared: map[string]*document{}}
	rs := parse(readDocument(name, text), l.beside(dir))
	shared := site.shared
	switch text, err := readLimited(fsys, path.Join(dir, sharedFile), maxFileBytes); {
	case err == nil:
		l.shared[site.Dir] = readDocument(path.Join(dir, sharedFile), text)
		shared = l.readShared(site)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read the parameters beside the rule file: %w", err)
	}
	rs.shared = shared.quiet()
	p := compileRead(rs, site, 0)
	problems := rs.doc.problems
	if shared != nil {
		problems = append(problems, shared.doc.problems...)
	}
	if err := problems.sorted().err(); err != nil {
		return nil, err
	}
	return p, nil
}

// IsRuleFile tells by its name whether a file is a rule file.
func IsRuleFile(name string) bool {
	base := path.Base(name)
	return strings.HasSuffix(base, fileSuffix) && base != siteFile && base != sharedFile && !strings.HasSuffix(base, testSuffix) && !strings.HasSuffix(base, mappingSuffix)
}
