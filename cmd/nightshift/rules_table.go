package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"nightshift/rules"
	"nightshift/rules/market"
)

// rulesTable is the command rules table and those below it.
func (p *program) rulesTable() *cobra.Command {
	cmd := group("table", "Edit a decision table in Excel, and bring it back",
		"Export writes the decision table of a ruleset as a workbook: every cell a text,\ndrop-downs where words are known. Import brings the workbook back to where the\ntable stands: in the rule file, or in the CSV file or the workbook beside it.", `
  nightshift rules table export acceptance -o windows.xlsx
  nightshift rules table import windows.xlsx --dry-run
  nightshift rules table import windows.xlsx`)
	cmd.AddCommand(p.tableExport(), p.tableImport())
	return cmd
}

func (p *program) tableExport() *cobra.Command {
	var version int
	var on, output string
	cmd := &cobra.Command{
		Use: "export RULESET", Short: "Write the decision table of a ruleset as a workbook", Args: takes(1, 1, "the name of a ruleset"),
		Long:    "Export writes the table of the version that holds today, or on a date, or of the\nversion that is named. The workbook remembers what it was made from.",
		Example: "  nightshift rules table export acceptance -o windows.xlsx\n  nightshift rules table export acceptance --version 1 -o old.xlsx\n  nightshift rules table export acceptance --on 2026-04-01 -o windows.xlsx",
		RunE: func(_ *cobra.Command, args []string) error {
			source, err := p.tableOf(args[0], version, on)
			if err != nil {
				return err
			}
			if output == "" {
				output = source.Ruleset + ".xlsx"
			}
			var book bytes.Buffer
			if err := source.Export(&book); err != nil {
				return misuse("%v", err)
			}
			if output == "-" {
				_, err = book.WriteTo(p.out)
				return err
			}
			if err := os.WriteFile(output, book.Bytes(), 0o644); err != nil {
				return fmt.Errorf("write the table of %s: %w", source.Ruleset, err)
			}
			rows := len(source.Cells()) - 1
			if p.json {
				return p.printJSON(map[string]any{"ruleset": source.Ruleset, "version": source.Version, "file": source.File, "table": source.Path, "rows": rows, "workbook": output})
			}
			p.printf("%d rows of %s, version %d, from %s are in %s\nChange them there, then `nightshift rules table import %s`.\n", rows, source.Ruleset, source.Version, source.Path, output, output)
			return nil
		},
	}
	cmd.Flags().IntVar(&version, "version", 0, "the version to export (default the one that holds)")
	cmd.Flags().StringVar(&on, "on", "", "the date whose version to export (default today)")
	cmd.Flags().StringVarP(&output, "output", "o", "", "the workbook to write, - for standard output (default RULESET.xlsx)")
	return cmd
}

// tableOf finds the table of a ruleset at the site that the command works on.
func (p *program) tableOf(ruleset string, version int, on string) (*rules.TableSource, error) {
	files, err := ruleFiles(p.settings.Rules)
	if err != nil {
		return nil, err
	}
	var day market.Date
	switch {
	case on != "" && version != 0:
		return nil, misuse("--on and --version both say which version: leave one out")
	case on != "":
		day, err = date("on", on)
	case version == 0:
		var site *rules.Site
		if site, err = p.siteRules(); err == nil {
			day = market.DateOf(p.now(), site.Zone)
		}
	}
	if err != nil {
		return nil, p.problems(err)
	}
	source, err := rules.FindTable(files, p.site(), ruleset, version, day)
	if err != nil {
		return nil, p.notATable(err)
	}
	return source, nil
}

// notATable answers what is wrong with a table as what it is: the request's or
// the file's trouble, not ours.
func (p *program) notATable(err error) error {
	var problems rules.Problems
	if errors.As(err, &problems) {
		return p.problems(problems)
	}
	return misuse("%v", err)
}

func (p *program) tableImport() *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use: "import FILE.xlsx", Short: "Bring an exported workbook back to where its table stands", Args: takes(1, 1, "one workbook"),
		Long: `Import writes the rows of the workbook into the file that the table was exported
from, and shows what has changed. Rows that nobody touched stay as they were
written, comments too. A table that would not compile is refused, with its cells;
so is one that has changed where it stands since it was exported.`,
		Example: "  nightshift rules table import windows.xlsx --dry-run\n  NIGHTSHIFT_RULES=./my-rules nightshift rules table import windows.xlsx",
		RunE: func(_ *cobra.Command, args []string) error {
			if p.settings.Rules == "" {
				return misuse("the rules built in cannot be changed: copy them, and name the directory in NIGHTSHIFT_RULES")
			}
			content, err := os.ReadFile(args[0])
			if err != nil {
				return misuse("import %s: there is no such file, or it cannot be read", args[0])
			}
			in, err := p.imported(args[0], content)
			if err != nil {
				return p.notATable(err)
			}
			if in.Content != nil && !dryRun {
				if err := replace(filepath.Join(p.settings.Rules, filepath.FromSlash(in.Path)), in.Content); err != nil {
					return fmt.Errorf("import %s: %w", args[0], err)
				}
			}
			return p.tellImport(in, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would change, and change nothing")
	return cmd
}

func (p *program) imported(name string, content []byte) (*rules.TableImport, error) {
	x, err := rules.ReadTableExport(name, content)
	if err != nil {
		return nil, err
	}
	files, err := ruleFiles(p.settings.Rules)
	if err != nil {
		return nil, err
	}
	source, err := rules.FindTable(files, x.Site, x.Ruleset, x.Version, 0)
	if err != nil {
		return nil, err
	}
	return source.Import(x)
}

// replace writes a file whole or not at all.
func replace(name string, content []byte) error {
	mode := os.FileMode(0o644)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".nightshift-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// cellView is a changed cell for machines.
type cellView struct {
	Column string `json:"column"`
	Was    string `json:"was"`
	Is     string `json:"is"`
}

func (p *program) tellImport(in *rules.TableImport, dryRun bool) error {
	g, views := &grid{}, []map[string]any{}
	for _, c := range in.Changes {
		var cells []string
		list := []cellView{}
		for _, cell := range c.Cells {
			cells = append(cells, fmt.Sprintf("%s: %s → %s", cell.Column, cell.Was, cell.Is))
			list = append(list, cellView{cell.Column, cell.Was, cell.Is})
		}
		g.row(c.What, c.Row, strings.Join(cells, ", "))
		views = append(views, map[string]any{"row": c.Row, "what": c.What, "cells": list})
	}
	if p.json {
		return p.printJSON(map[string]any{"file": in.Path, "changes": views, "written": in.Content != nil && !dryRun})
	}
	switch {
	case len(in.Changes) == 0:
		p.printf("nothing to change: %s says the same\n", in.Path)
		return nil
	case dryRun:
		p.printf("%s would change:\n", in.Path)
	default:
		p.printf("%s is changed:\n", in.Path)
	}
	if err := g.print(p.out); err != nil || dryRun {
		return err
	}
	p.printf("`nightshift rules check` runs its tests. Export again before the next change.\n")
	return nil
}
