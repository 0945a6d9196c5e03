package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/otel/attribute"

	"nightshift/jobs"
	"nightshift/jobs/intake"
	"nightshift/rules"
	"nightshift/storage"
)

const importHelp = `Import takes files of facts from outside into the database: csv, csv.gz, xlsx
(file.xlsx#Sheet names a sheet) and jsonl. A file is taken in as a whole or,
with --partial, without its rejected rows; importing the same file twice
changes nothing. With --partial, rejected rows are exit code 3.

The kinds of files:

`

// importing is the command import.
func (p *program) importing() *cobra.Command {
	var mapFile, rejects string
	var partial bool
	var kinds strings.Builder
	_ = intake.Describe(&kinds) // a Builder takes everything
	cmd := &cobra.Command{
		Use: "import KIND FILE…", Short: "Take files of facts in", Long: importHelp + kinds.String(),
		Args: takes(2, -1, "a kind and at least one file, such as `orders orders.csv`"),
		Example: `  nightshift import orders --help                          the columns of orders
  nightshift import orders orders.csv
  nightshift import orders export.xlsx --map orders.map.yaml --site br
  nightshift import shipments july.csv.gz --partial --rejects rejected.csv`,
		ValidArgsFunction: p.first(kindNames, true),
		RunE: func(cmd *cobra.Command, args []string) error {
			req := intake.Request{Kind: args[0], Files: args[1:], Partial: partial, RejectsPath: rejects}
			return p.runImport(cmd, req, mapFile)
		},
	}
	cmd.Flags().StringVar(&mapFile, "map", "", "a mapping file that turns the files' columns into ours; one of the rule files too, such as br/orders.map.yaml")
	cmd.Flags().BoolVar(&partial, "partial", false, "keep the good rows of a file that has bad ones")
	cmd.Flags().StringVar(&rejects, "rejects", "", "write the rejected rows to this csv: file, line, column, value, reason")
	p.siteOption(cmd)
	help := cmd.HelpFunc()
	cmd.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if named := cmd.Flags().Args(); len(named) > 0 {
			if kind, err := intake.KindNamed(named[0]); err == nil {
				_ = kind.Describe(cmd.OutOrStdout()) // nobody is left to tell
				return
			}
		}
		help(cmd, args)
	})
	return cmd
}

func (p *program) runImport(cmd *cobra.Command, req intake.Request, mapFile string) error {
	kind, err := intake.KindNamed(req.Kind)
	if err != nil {
		return err
	}
	if mapFile != "" {
		if req.Mapping, err = p.readMapping(mapFile, kind); err != nil {
			return err
		}
		if p.siteFlag == "" && req.Mapping.Site != "" {
			p.siteFlag = req.Mapping.Site
		}
	}
	site, err := p.siteRules()
	if err != nil {
		return err
	}
	req.Site, req.Zone = site.Name, site.Zone
	store, err := p.open(cmd.Context())
	if err != nil {
		return err
	}
	bar := p.progress("B")
	req.Progress = func(at intake.Progress) { bar.of(at.File, at.Read, at.Size) }
	result, err := p.traced(cmd.Context(), store, req)
	bar.end()
	return worst(errors.Join(err, p.showImport(result, req)), result.Rejected())
}

// traced is an import, and what it took. Values of bad rows are none of a trace's
// business.
func (p *program) traced(ctx context.Context, store *storage.Store, req intake.Request) (intake.Result, error) {
	tracer, err := p.tracer(ctx)
	if err != nil {
		return intake.Result{}, err
	}
	ctx, span := tracer.Of(ctx, "import "+req.Kind, attribute.String("nightshift.site", req.Site), attribute.Int("nightshift.files", len(req.Files)))
	result, err := intake.Import(ctx, store, req)
	var rows int64
	for _, f := range result.Files {
		rows += f.Added + f.Changed + f.Unchanged
	}
	span.Note(attribute.Int64("nightshift.rows", rows), attribute.Int64("nightshift.rejected", result.Rejected()))
	if isInput(err) {
		span.End(jobs.ErrBadRequest)
	} else {
		span.End(err)
	}
	return result, err
}

// readMapping reads a mapping file, or one that lies beside the rules.
func (p *program) readMapping(file string, kind *intake.Kind) (*rules.Mapping, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && fs.ValidPath(file) {
		files, failed := ruleFiles(p.settings.Rules)
		if failed != nil {
			return nil, failed
		}
		text, err = fs.ReadFile(files, file)
	}
	if err != nil {
		return nil, misuse("read the mapping: %s", err)
	}
	return rules.ParseMapping(file, text, kind.ColumnNames())
}

// importedFile is a file's result for machines.
type importedFile struct {
	File      string `json:"file"`
	SHA256    string `json:"sha256"`
	Kept      bool   `json:"kept"`
	Added     int64  `json:"added"`
	Changed   int64  `json:"changed"`
	Unchanged int64  `json:"unchanged"`
	Rejected  int64  `json:"rejected"`
	LeftOut   int64  `json:"left_out"`
}

func (p *program) showImport(result intake.Result, req intake.Request) error {
	if p.json {
		files := []importedFile{}
		for _, f := range result.Files {
			files = append(files, importedFile{File: f.File, SHA256: fmt.Sprintf("%x", f.SHA256), Kept: f.Kept, Added: f.Added,
				Changed: f.Changed, Unchanged: f.Unchanged, Rejected: f.Rejected, LeftOut: f.LeftOut})
		}
		return p.printJSON(map[string]any{"kind": req.Kind, "site": req.Site, "files": files})
	}
	if len(result.Files) == 0 {
		return nil
	}
	g := &grid{}
	g.row("file", "added", "changed", "unchanged", "rejected", "left out", "")
	for _, f := range result.Files {
		kept := p.paint(p.out, green, "kept")
		if !f.Kept {
			kept = p.paint(p.out, red, "nothing kept")
		}
		g.row(f.File, number(f.Added), number(f.Changed), number(f.Unchanged), number(f.Rejected), number(f.LeftOut), kept)
	}
	if err := g.print(p.out); err != nil {
		return err
	}
	if !req.Partial {
		return nil // the error names them
	}
	for _, r := range result.Rejects {
		p.printf("rejected %s\n", r)
	}
	if req.RejectsPath != "" && result.Rejected() > 0 {
		p.printf("all rejected rows: %s\n", req.RejectsPath)
	}
	return nil
}
