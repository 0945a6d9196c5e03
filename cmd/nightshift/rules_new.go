package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"nightshift/rules"
	"nightshift/rules/market"
)

// newSite is the site.yaml of a directory that has none.
const newSite = `# The marketplace whose rules these are.
site: cn
currency: CNY
time_zone: Asia/Shanghai
`

func (p *program) rulesNew() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: "new RULESET", Short: "Begin a rule file with a test that fails", Args: takes(1, 1, "the name of one ruleset, such as acceptance"),
		Long: `New begins a rule file and the test beside it, in the directory of --dir or of
NIGHTSHIFT_RULES. The rule file compiles; one case fails, and says what to do
next. Files that are there already are never changed.`,
		Example: "  nightshift rules new acceptance --dir ./my-rules\n  nightshift rules check ./my-rules",
		RunE: func(_ *cobra.Command, args []string) error {
			if dir == "" {
				dir = p.settings.Rules
			}
			if dir == "" {
				return misuse("begin the rule file where? Name a directory: --dir ./my-rules, or set NIGHTSHIFT_RULES")
			}
			return p.beginRules(args[0], dir)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "the directory of the rule files (default NIGHTSHIFT_RULES)")
	cmd.ValidArgsFunction = p.first(rulesetNames, false)
	return cmd
}

func (p *program) beginRules(ruleset, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("begin a rule file: %w", err)
	}
	shelf, err := rules.ReadShelf(os.DirFS(dir))
	if err != nil { // an empty directory, or one that somebody is amid writing: the site is then the default one
		if shelf, err = rules.ReadShelf(rules.Defaults()); err != nil {
			return err
		}
		shelf = shelf.Bare()
	}
	version := 1 + shelf.Newest(ruleset)
	text, test, err := rules.Begin(ruleset, version, market.DateOf(p.now(), shelf.Zone(rules.DefaultSite)))
	if err != nil {
		return misuse("%v", err)
	}
	names := []string{ruleset + ".yaml", ruleset + ".test.yaml"}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return misuse("%s is there already: change it, or, where the old rules are to hold for the old dates, rename it to %s.v%d.yaml first", filepath.Join(dir, name), ruleset, max(version-1, 1))
		}
	}
	written := []string{}
	for i, content := range []string{text, test, newSite} {
		name := append(names, "site.yaml")[i]
		to := filepath.Join(dir, name)
		f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if name == "site.yaml" && errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("begin a rule file: %w", err)
		}
		_, err = f.WriteString(content)
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("write %s: %w", to, err)
		}
		written = append(written, to)
	}
	if p.json {
		return p.printJSON(map[string]any{"files": written, "version": version})
	}
	for _, name := range written {
		p.printf("%s\n", name)
	}
	p.printf("\nnext: `nightshift rules check %s` names the case that fails; make it say what should happen\n", dir)
	return nil
}
