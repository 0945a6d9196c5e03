package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage"
)

// reports is the command reports and those below it.
func (p *program) reports() *cobra.Command {
	cmd := group("reports", "List, get and verify the workbooks of runs",
		"Each completed run has a workbook. It is kept in the database, and can be\nwritten again from the history at any time: the same bytes.", `
  nightshift reports list
  nightshift reports get 12 -o april.xlsx
  nightshift reports verify 12
  nightshift reports purge`)
	cmd.AddCommand(p.reportsList(), p.reportsGet(), p.reportsVerify(), p.reportsPurge())
	return cmd
}

func (p *program) reportsList() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "list [RUN]", Short: "List the newest documents, or those of a run", Args: takes(0, 1, "at most the number of one run"),
		Example:           "  nightshift reports list\n  nightshift reports list 12 --json",
		ValidArgsFunction: p.first(p.runNames, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := p.open(cmd.Context())
			if err != nil {
				return err
			}
			var list []storage.Document
			if len(args) == 0 {
				list, err = store.NewestDocuments(cmd.Context(), 0, limit)
			} else {
				var run market.Run
				if run, err = p.findRun(cmd.Context(), args[0]); err == nil {
					list, err = store.Documents(cmd.Context(), run.ID)
				}
			}
			if err != nil {
				return err
			}
			return p.showDocuments(list)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 30, "how many at most")
	return cmd
}

func (p *program) showDocuments(list []storage.Document) error {
	views, g := []map[string]any{}, &grid{}
	g.row("run", "date", "site", "bytes", "document")
	for _, d := range list {
		views = append(views, map[string]any{"run": d.RunID, "job": d.Job, "site": d.Site, "date": d.On.Date, "name": d.Name,
			"bytes": d.Size, "sha256": fmt.Sprintf("%x", d.SHA256), "created_at": d.CreatedAt.Format(time.RFC3339)})
		g.row(strconv.FormatInt(d.RunID, 10), d.On.String(), d.Site, number(d.Size), d.Name)
	}
	if p.json {
		return p.printJSON(views)
	}
	if len(list) == 0 {
		p.printf("no documents yet: a completed run has one\n")
		return nil
	}
	return g.print(p.out)
}

func (p *program) reportsGet() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use: "get RUN [NAME]", Short: "Get a document of a run, its workbook unless named", Args: takes(1, 2, "the number of a run, and the name of a document"),
		Example:           "  nightshift reports get 12\n  nightshift reports get 12 -o april.xlsx\n  nightshift reports get 12 -o - > april.xlsx",
		ValidArgsFunction: p.first(p.runNames, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			run, err := p.findRun(ctx, args[0])
			if err != nil {
				return err
			}
			d, err := p.document(ctx, run, args[1:])
			if err != nil {
				return err
			}
			if to == "" {
				to = d.Name
			}
			return p.save(ctx, d, to)
		},
	}
	cmd.Flags().StringVarP(&to, "output", "o", "", "the file to write, - for standard output (default the document's name)")
	return cmd
}

// exportsKept is how long the marketplace keeps a file that was exported.
const exportsKept = 3 * 24 * time.Hour

func (p *program) reportsPurge() *cobra.Command {
	var keep time.Duration
	var asOf string
	cmd := &cobra.Command{
		Use: "purge", Short: "Remove documents whose time is over", Args: takes(0, 0, "no arguments"),
		Long: `Purge removes the documents that were produced --keep ago or earlier. A run's
workbook is not lost: get writes it from the history again, the same bytes.`,
		Example: "  nightshift reports purge                        what was produced three days ago or earlier\n  nightshift reports purge --keep 2160h           ninety days\n  nightshift reports purge --as-of 2024-05-09T08:00:00+08:00",
		RunE: func(cmd *cobra.Command, _ []string) error {
			at := p.now()
			if asOf != "" {
				var err error
				if at, err = time.Parse(time.RFC3339, asOf); err != nil {
					return misuse("--as-of %q: write an instant like 2024-05-09T08:00:00+08:00", asOf)
				}
			}
			if keep < 0 {
				return misuse("--keep %s: a document is kept for 0s or longer", keep)
			}
			store, err := p.open(cmd.Context())
			if err != nil {
				return err
			}
			gone, err := store.Purge(cmd.Context(), storage.Purge{Site: p.site(), Documents: at.Add(-keep)})
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(map[string]any{"documents": gone.Documents, "bytes": gone.Bytes})
			}
			p.printf("%s purged, %s bytes: reports get writes a workbook again\n", counted(gone.Documents, "document"), number(gone.Bytes))
			return nil
		},
	}
	cmd.Flags().DurationVar(&keep, "keep", exportsKept, "how long a document is kept")
	cmd.Flags().StringVar(&asOf, "as-of", "", "the instant to purge at (default now)")
	return cmd
}

// document finds the document that was named, or the run's workbook, which is
// written now if the run was killed before it could.
func (p *program) document(ctx context.Context, run market.Run, name []string) (storage.Document, error) {
	if len(name) > 0 {
		return p.store.Document(ctx, run.ID, name[0])
	}
	if run.State != market.RunCompleted {
		return storage.Document{}, misuse("get the workbook of run %d: it is %s: start it again, it goes on where it stopped", run.ID, run.State)
	}
	e, err := p.engine(ctx)
	if err != nil {
		return storage.Document{}, err
	}
	return p.workbook(ctx, e, jobs.Result{Run: run})
}

// save writes a document beside its final name and then renames it, so that no
// half of it is ever taken for the whole.
func (p *program) save(ctx context.Context, d storage.Document, to string) error {
	if to == "-" {
		return p.store.WriteDocument(ctx, d, p.out)
	}
	if err := putInPlace(to, func(w io.Writer) error { return p.store.WriteDocument(ctx, d, w) }); err != nil {
		return err
	}
	if p.json {
		return p.printJSON(map[string]any{"file": to, "bytes": d.Size, "sha256": fmt.Sprintf("%x", d.SHA256)})
	}
	p.printf("%s  %s bytes\n", to, number(d.Size))
	return nil
}

// putInPlace writes a file beside its final name and then renames it.
func putInPlace(to string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(to), ".nightshift-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	defer os.Remove(f.Name()) // after the rename there is nothing to remove
	err = errors.Join(write(f), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), to)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	return nil
}

func (p *program) reportsVerify() *cobra.Command {
	return &cobra.Command{
		Use: "verify RUN [NAME]", Short: "Write a run's workbook again from the history and compare", Args: takes(1, 2, "the number of a run, and the name of a document"),
		Long:              "Verify writes the workbook of a run again, from the history alone, and compares\nit with the one that was kept; with a name, another document of the run, such as\na seller's statement. A difference is exit code 4.",
		Example:           "  nightshift reports verify 12\n  nightshift reports verify 14 statement-cn-acme-202405.xlsx",
		ValidArgsFunction: p.first(p.runNames, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			run, err := p.findRun(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			kept, difference, err := e.VerifyDocument(cmd.Context(), run, strings.Join(args[1:], ""))
			if err != nil {
				return err
			}
			if difference != "" {
				return fmt.Errorf("%w: %s is not what the history says: %s: keep both, and find out who changed one", jobs.ErrControl, kept.Name, difference)
			}
			if p.json {
				return p.printJSON(map[string]any{"document": kept.Name, "same": true, "sha256": fmt.Sprintf("%x", kept.SHA256)})
			}
			_, err = io.WriteString(p.out, kept.Name+": "+p.paint(p.out, green, "the same bytes")+" as the history gives\n")
			return err
		},
	}
}
