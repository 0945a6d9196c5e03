package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/reports"
	"nightshift/rules/market"
)

func (p *program) settlementFocus() *cobra.Command {
	var period, to, check string
	cmd := &cobra.Command{
		Use: "focus --period YYYYMM", Short: "Export what was charged in a month in the FOCUS format, or check such a file", Args: takes(0, 0, "no words, only options"),
		Long: `Focus writes the charges of a settled month as a dataset of FOCUS 1.2, the FinOps
Open Cost and Usage Specification: CSV, one charge a row. Each row is held against
the rules that a program can check: columns, types, nulls, allowed words, periods,
prices times quantities. The sum is tied to the statements: exit code 4 where it
differs. With --check it reads anybody's dataset, CSV or CSV packed by gzip, with
any of the columns of FOCUS 1.2, and names the rules it breaks: each once, with the
first row that breaks it and how many more do.`,
		Example: "  nightshift settlement focus --period 202405 -o focus.csv\n  nightshift settlement focus --check focus.csv",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if check != "" {
				return p.checkFocus(check)
			}
			month, err := periodFlag(period)
			if err != nil {
				return err
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			var out jobs.FocusExport
			write := func(w io.Writer) (err error) {
				out, err = e.ExportFocus(cmd.Context(), p.site(), month, w)
				return err
			}
			if to == "-" {
				return write(p.out)
			}
			if to == "" {
				to = fmt.Sprintf("focus-%s-%s.csv", p.site(), month)
			}
			if err := putInPlace(to, write); err != nil {
				return err
			}
			if p.json {
				return p.printJSON(map[string]any{"file": to, "charges": out.Charges, "billed": out.Billed})
			}
			p.printf("%s  %s charges, %s\n", to, number(out.Charges), billed(out.Billed))
			return nil
		},
	}
	cmd.Flags().StringVar(&period, "period", "", "the month, such as 202405")
	cmd.Flags().StringVarP(&to, "output", "o", "", "the file to write, - for standard output")
	cmd.Flags().StringVar(&check, "check", "", "a dataset to be checked; nothing is written")
	p.siteOption(cmd)
	return cmd
}

// billed are sums as people read them.
func billed(sums map[market.Currency]market.Decimal) string {
	var words []string
	for c, d := range sums {
		words = append(words, market.NewMoney(d, c).String())
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

func (p *program) checkFocus(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return misuse("check a FOCUS dataset: %v", err)
	}
	defer f.Close()
	dataset, err := unpacked(f)
	if err != nil {
		return misuse("check %s: %v", name, err)
	}
	problems, sums, err := reports.CheckFocus(dataset)
	if err != nil {
		return misuse("check %s: %v", name, err)
	}
	views := []map[string]any{}
	for _, problem := range problems {
		views = append(views, map[string]any{"row": problem.Row, "rows": problem.Rows, "rule": problem.Rule})
		if !p.json {
			where := "header"
			if problem.Row > 0 {
				where = fmt.Sprintf("row %d", problem.Row)
			}
			if more := problem.Rows - 1; more > 0 {
				where += fmt.Sprintf(" and %s more", number(int64(more)))
			}
			p.printf("%s: %s\n", where, problem.Rule)
		}
	}
	if p.json {
		if err := p.printJSON(map[string]any{"problems": views, "billed": sums}); err != nil {
			return err
		}
	} else if len(problems) == 0 {
		p.printf("%s keeps the rules of FOCUS %s; billed %s\n", name, reports.FocusVersion, billed(sums))
	}
	if len(problems) > 0 {
		return misuse("%s breaks rules of FOCUS %s", name, reports.FocusVersion)
	}
	return nil
}

// unpacked reads a file, also one that is packed by gzip.
func unpacked(f io.Reader) (io.Reader, error) {
	in := bufio.NewReader(f)
	if head, _ := in.Peek(2); string(head) != "\x1f\x8b" {
		return in, nil
	}
	return gzip.NewReader(in)
}
