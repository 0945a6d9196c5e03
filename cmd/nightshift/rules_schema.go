package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"nightshift/rules"
)

func (p *program) rulesSchema() *cobra.Command {
	var kind, out string
	cmd := &cobra.Command{
		Use: "schema [RULESET]", Short: "Write the JSON Schemas by which editors complete and check rule files", Args: takes(0, 1, "at most one ruleset"),
		Long: `Schema writes the JSON Schema of rule files: of all of them, or of one ruleset.
Editors complete names, outcomes, carried values and facts by it, and explain
them. --of test, parameters or site is that of another kind of file; --out
writes all four into a directory.

An editor with the YAML language server takes the schema that the first line of
a file names:

  # yaml-language-server: $schema=./.schema/rules.schema.json`,
		Example: "  nightshift rules schema --out ./my-rules/.schema\n  nightshift rules schema acceptance\n  nightshift rules schema acceptance --of test",
		RunE: func(_ *cobra.Command, args []string) error {
			parameters := p.sharedParameters()
			if out == "" {
				text, err := rules.Schema(kind, parameters, args...)
				if err != nil {
					return misuse("%v", err)
				}
				_, err = p.out.Write(text)
				return err
			}
			if err := os.MkdirAll(out, 0o755); err != nil {
				return fmt.Errorf("write the schemas: %w", err)
			}
			for _, kind := range rules.SchemaKinds {
				text, err := rules.Schema(kind, parameters, args...)
				if err != nil {
					return misuse("%v", err)
				}
				to := filepath.Join(out, kind+".schema.json")
				if err := os.WriteFile(to, text, 0o644); err != nil {
					return fmt.Errorf("write the schemas: %w", err)
				}
				p.printf("%s\n", to)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&kind, "of", rules.SchemaKinds[0], "the kind of file: "+strings.Join(rules.SchemaKinds, ", "))
	cmd.Flags().StringVar(&out, "out", "", "write the schemas of every kind into this directory")
	p.completes(cmd, "of", func(*cobra.Command) []string { return rules.SchemaKinds })
	cmd.ValidArgsFunction = p.first(rulesetNames, false)
	return cmd
}

func rulesetNames(*cobra.Command) []string {
	var names []string
	for _, v := range rules.Vocabularies() {
		names = append(names, v.Ruleset)
	}
	return names
}

// sharedParameters are the names that the rule files of the site share; none
// while the files do not compile, since a schema helps to mend them.
func (p *program) sharedParameters() []string {
	book, err := p.book()
	if err != nil {
		return nil
	}
	site, err := book.Site(p.site())
	if err != nil {
		return nil
	}
	return site.Parameters()
}
