package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage"
)

func (p *program) settlementWorkbook() *cobra.Command {
	var period, to string
	var version int
	var all bool
	cmd := &cobra.Command{
		Use: "workbook SELLER… --period YYYYMM", Short: "Write the workbooks of statements", Args: takes(0, -1, "sellers, by code"),
		Long: `Workbook writes the workbook of a statement from the history, whatever version it
is of: the same bytes whenever it is written. With --all it writes the newest
version of every statement of the month into a directory, several at a time; files
that are there and whole stay, so that one that was stopped goes on.`,
		Example: "  nightshift settlement workbook acme --period 202405\n  nightshift settlement workbook acme --period 202405 --version 1 -o acme.xlsx\n  nightshift settlement workbook --all --period 202405 -o statements/",
		RunE: func(cmd *cobra.Command, args []string) error {
			month, err := periodFlag(period)
			switch {
			case err != nil:
				return err
			case all && (len(args) > 0 || version != 0 || to == "-"):
				return misuse("--all writes the newest version of every statement into a directory: name no seller, no --version and no standard output")
			case !all && len(args) == 0:
				return misuse("name the sellers by code, or all of them with --all")
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			if all {
				return p.allStatements(cmd, e, month, to)
			}
			for _, seller := range args {
				file := to
				if info, err := os.Stat(to); to == "" || len(args) > 1 || err == nil && info.IsDir() {
					file = filepath.Join(to, jobs.StatementName(storage.StatementStand{Site: p.site(), Seller: seller, Period: month, Version: max(1, version)}))
				}
				write := func(w io.Writer) error {
					return e.StatementWorkbook(cmd.Context(), p.site(), seller, month, version, w)
				}
				if file == "-" {
					err = write(p.out)
				} else if err = putInPlace(file, write); err == nil && !p.json {
					p.printf("%s\n", file)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&period, "period", "", "the month, such as 202405")
	cmd.Flags().IntVar(&version, "version", 0, "which version (default the newest)")
	cmd.Flags().BoolVar(&all, "all", false, "every statement of the month")
	cmd.Flags().StringVarP(&to, "output", "o", "", "the file to write, or a directory, or - for standard output")
	p.siteOption(cmd)
	return cmd
}

// allStatements writes every statement of a month into a directory.
func (p *program) allStatements(cmd *cobra.Command, e *jobs.Engine, month market.Period, to string) error {
	if to == "" {
		to = "."
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	bar := p.progress("")
	e.Progress = bar.ofRun
	var written, there atomic.Int64
	err := e.StatementWorkbooks(cmd.Context(), p.site(), month, func(f jobs.StatementFile) error {
		file := filepath.Join(to, f.Name)
		same, err := holds(file, f.SHA256)
		if err != nil {
			return err
		}
		if same {
			there.Add(1)
			return nil
		}
		written.Add(1)
		return putInPlace(file, f.Write)
	})
	bar.end()
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(map[string]any{"directory": to, "written": written.Load(), "there": there.Load()})
	}
	p.printf("%s: %s written, %s were there\n", to, counted(written.Load(), "workbook"), number(there.Load()))
	return nil
}

// holds tells whether a file has the content of a hash; of nil none has.
func holds(file string, sum []byte) (bool, error) {
	if sum == nil {
		return false, nil
	}
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return bytes.Equal(h.Sum(nil), sum), err
}
