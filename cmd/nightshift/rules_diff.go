package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"nightshift/rules"
	"nightshift/rules/market"
)

func (p *program) rulesDiff() *cobra.Command {
	cmd := &cobra.Command{
		Use: "diff A [B]", Short: "Say what differs between rule files, in the words of rules", Args: takes(1, 2, "one or two of: a rule file, a directory, a version such as acceptance@2"),
		Long: `Diff says what differs between two rule files, or two directories of them: which
rules came, went, moved or were renamed, which part of a condition changed, which
parameter, cell or outcome. A and B are files, directories, or versions in force,
such as acceptance@2; acceptance alone is the version that holds today. With A
alone the rules in force are compared with it.

The exit code is 0 whether something differs or not.`,
		Example: "  nightshift rules diff acceptance@1 acceptance@2\n  nightshift rules diff my-rules/acceptance.yaml\n  nightshift rules diff ./my-rules\n  nightshift rules diff ./my-rules ./their-rules --json",
		RunE: func(_ *cobra.Command, args []string) error {
			differences, err := p.differences(args)
			var problems rules.Problems
			switch {
			case errors.As(err, &problems):
				return p.problems(problems)
			case err != nil:
				return err
			}
			return p.showDifferences(differences)
		},
	}
	p.siteOption(cmd)
	return cmd
}

// differences reads what was named and compares it.
func (p *program) differences(args []string) ([]rules.Difference, error) {
	last := args[len(args)-1]
	if isDirectory(last) || isDirectory(args[0]) {
		from, err := ruleFiles(p.settings.Rules)
		if len(args) == 2 {
			from, err = ruleFiles(args[0])
		}
		if err != nil {
			return nil, err
		}
		to, err := ruleFiles(last)
		if err != nil {
			return nil, err
		}
		return diffDirectories(from, to)
	}
	to, err := p.ruleset(last)
	if err != nil {
		return nil, err
	}
	before := to.Name
	if len(args) == 2 {
		before = args[0]
	} else if !isFile(last) {
		return nil, misuse("compare %s with what? Name a second version or a file: see `nightshift rules diff --help`", last)
	}
	from, err := p.ruleset(before)
	if err != nil {
		return nil, err
	}
	return []rules.Difference{rules.Diff(from, to)}, nil
}

func diffDirectories(from, to fs.FS) ([]rules.Difference, error) {
	a, err := rules.ReadShelf(from)
	if err != nil {
		return nil, unlessThere(err)
	}
	b, err := rules.ReadShelf(to)
	if err != nil {
		return nil, unlessThere(err)
	}
	return a.Diff(b), nil
}

// unlessThere is a directory without rule files as bad input.
func unlessThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return misuse("%v", err)
	}
	return err
}

func isDirectory(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

var versionName = regexp.MustCompile(`^([a-z][a-z0-9_]*)(?:@(\d{1,9}))?$`)

// ruleset reads a file, or a version of the rules in force.
func (p *program) ruleset(name string) (*rules.Ruleset, error) {
	if isFile(name) {
		rs, err := rules.ReadRuleset(os.DirFS(filepath.Dir(name)), filepath.Base(name))
		return rs, err
	}
	m := versionName.FindStringSubmatch(name)
	if m == nil {
		return nil, misuse("there is no file %s, and it is no version such as acceptance@2", name)
	}
	files, err := ruleFiles(p.settings.Rules)
	if err != nil {
		return nil, err
	}
	shelf, err := rules.ReadShelf(files)
	if err != nil {
		return nil, unlessThere(err)
	}
	version, _ := strconv.Atoi(m[2]) // empty: the one that holds
	rs, err := shelf.Ruleset(p.site(), m[1], version, market.DateOf(p.now(), shelf.Zone(p.site())))
	if err != nil {
		return nil, misuse("%v", err)
	}
	return rs, nil
}

func (p *program) showDifferences(differences []rules.Difference) error {
	if p.json {
		if differences == nil {
			differences = []rules.Difference{}
		}
		return p.printJSON(differences)
	}
	shown := 0
	for _, d := range differences {
		if len(d.Changes) == 0 {
			continue
		}
		if shown++; shown > 1 {
			p.printf("\n")
		}
		p.printf("%s\n", differenceName(d))
		for _, c := range d.Changes {
			for i, line := range c.Lines() {
				p.printf("%s%s\n", strings.Repeat("  ", min(i, 1)+1), line)
			}
		}
	}
	if shown == 0 {
		p.printf("the rules are the same\n")
	}
	return nil
}

func differenceName(d rules.Difference) string {
	name := d.To
	switch {
	case d.To == "":
		name = d.From
	case d.From != "" && d.From != d.To:
		name = d.From + " → " + d.To
	}
	if d.Site != "" {
		name = fmt.Sprintf("%s (site %s)", name, d.Site)
	}
	return name
}
