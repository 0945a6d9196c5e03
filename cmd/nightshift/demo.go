package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"nightshift/jobs"
	"nightshift/jobs/intake"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/cluster"
)

const demoHelp = `Demo makes up a marketplace by a seed, writes it down as csv files, takes them
in with the importer, runs every night of some months, and leaves a workbook of
each night on disk. It works on a database of its own, whatever DATABASE_URL
says, which stays in DIR for you to look around in.`

const (
	demoSite    = "cn"
	mostMonths  = 6
	demoMark    = "demo.txt" // a directory that has it is a demo's, and may be made anew
	markContent = "This directory is written by `nightshift demo`, which makes it anew each time.\n"
)

// demo is the command demo.
func (p *program) demo() *cobra.Command {
	d := &demo{program: p}
	cmd := &cobra.Command{
		Use: "demo", Short: "Everything at once: a marketplace, months of nights, workbooks on disk", Long: demoHelp,
		Args: takes(0, 0, "no words, only options"),
		Example: `  nightshift demo
  nightshift demo --months 1 --seed 7 --out nights`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := d.play(cmd.Context())
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(s)
			}
			return d.show(s)
		},
	}
	cmd.Flags().IntVar(&d.months, "months", 2, fmt.Sprintf("months of nights, 1 to %d, from %s on", mostMonths, demoFirstNight))
	cmd.Flags().Uint64Var(&d.seed, "seed", 1, "another seed is another marketplace")
	cmd.Flags().StringVar(&d.dir, "out", "out", "the directory that data, database and workbooks are put into")
	return cmd
}

// demo is one performance.
type demo struct {
	*program
	months int
	seed   uint64
	dir    string // everything is put below it
	data   string // the database's directory
	began  time.Time
	market *demoMarket
	site   *rules.Site
	engine *jobs.Engine
}

// play does all of it, from nothing to the last workbook.
func (d *demo) play(ctx context.Context) (s demoSummary, err error) {
	d.began = d.now()
	if d.months < 1 || d.months > mostMonths {
		return s, misuse("--months %d: from 1 to %d", d.months, mostMonths)
	}
	if err := d.clear(); err != nil {
		return s, err
	}
	book, err := rules.Load(rules.Defaults())
	if err != nil {
		return s, err
	}
	if d.site, err = book.Site(demoSite); err != nil {
		return s, err
	}
	d.market = makeMarket(d.seed, d.months, d.site.Zone)
	files, err := d.market.write(filepath.Join(d.dir, "data"))
	if err != nil {
		return s, fmt.Errorf("write the marketplace down: %w", err)
	}
	d.say("made up %s orders of %d sellers", number(int64(d.market.orders)), demoSellers)
	if err := d.openDatabase(ctx, book); err != nil {
		return s, err
	}
	s = d.summary()
	if err := d.takeIn(ctx, files, &s); err != nil {
		return s, err
	}
	if err := d.runNights(ctx, &s); err != nil {
		return s, err
	}
	if s.Decisions, err = d.store.CountDecisions(ctx, d.market.lived()); err != nil {
		return s, err
	}
	s.Money, err = d.store.SumDeductions(ctx, d.market.lived())
	s.Took = d.now().Sub(d.began).Round(100 * time.Millisecond)
	return s, err
}

// clear makes room for what the demo writes. What it did not write it leaves
// alone.
func (d *demo) clear() (err error) {
	if d.dir, err = filepath.Abs(d.dir); err != nil {
		return err
	}
	mark := filepath.Join(d.dir, demoMark)
	found, err := os.ReadDir(d.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return misuse("write to --out: %s", err)
	}
	if _, err := os.Stat(mark); err != nil && len(found) > 0 {
		return misuse("--out %s: there are other files in it, and they would be lost: name a new directory", d.dir)
	}
	d.data = d.databaseDir()
	for _, dir := range []string{filepath.Join(d.dir, "data"), filepath.Join(d.dir, "workbooks"), d.data} {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("clear %s: %w", dir, err)
		}
	}
	if err := os.MkdirAll(filepath.Join(d.dir, "workbooks"), 0o755); err != nil {
		return misuse("write to --out: %s", err)
	}
	return os.WriteFile(mark, []byte(markContent), 0o644)
}

// databaseDir is beside the workbooks or, where the server's account cannot
// get there, as below the home of root, beside the usual place.
func (d *demo) databaseDir() string {
	usual, err := cluster.DefaultDir()
	for dir := d.dir; err == nil && os.Geteuid() == 0 && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o001 == 0 {
			return usual + "-demo"
		}
	}
	return filepath.Join(d.dir, "db")
}

func (d *demo) openDatabase(ctx context.Context, book *rules.Book) error {
	build, err := buildName()
	if err != nil {
		return err
	}
	// A demo that is lost with the power is played again.
	settings := map[string]string{"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
	d.store, err = storage.Open(ctx, storage.Config{DataDir: d.data, Settings: settings, PoolSize: d.workerCount() + 8})
	if err != nil {
		return err
	}
	d.engine = &jobs.Engine{Store: d.store, Book: book, Workers: d.workerCount(), Build: build}
	d.say("started a database of its own")
	return nil
}

// takeIn imports the files, the referred to before those that refer to them.
func (d *demo) takeIn(ctx context.Context, files map[string]string, s *demoSummary) error {
	bar := d.progress("B")
	defer bar.end()
	for _, sheet := range d.market.sheets {
		rejected := filepath.Join(d.dir, "data", "rejected-"+sheet.kind+".csv")
		result, err := intake.Import(ctx, d.store, intake.Request{
			Kind: sheet.kind, Site: d.site.Name, Zone: d.site.Zone, Files: []string{files[sheet.kind]}, Partial: true, RejectsPath: rejected,
			Progress: func(at intake.Progress) { bar.of("import "+sheet.kind, at.Read, at.Size) },
		})
		if err != nil {
			return err
		}
		if result.Rejected() == 0 {
			if err := os.Remove(rejected); err != nil {
				return err
			}
		}
		for _, f := range result.Files {
			s.Rows += f.Added + f.Changed + f.Unchanged
		}
		s.Rejected += result.Rejected()
	}
	bar.end()
	d.say("imported %s rows, rejected %d", number(s.Rows), s.Rejected)
	return nil
}

// runNights runs the nights one after the other, while the workbooks of those
// that are done are written: a workbook is the same whenever it is written.
func (d *demo) runNights(ctx context.Context, s *demoSummary) error {
	first, last := d.market.nights.From, d.market.nights.To-1
	bar := d.progress("nights")
	defer bar.end()
	done := make(chan market.Run, len(jobs.NamesAt(d.site))*int(last-first+1))
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(done)
		return d.eachNight(ctx, d.engine, last, func(r jobs.Result) {
			s.Nights = append(s.Nights, nightOf(r))
			s.Parked += r.Run.Parked
			done <- r.Run
		})
	})
	group.Go(func() error {
		for r := range done {
			if !jobs.HasWorkbook(r.Job) {
				continue
			}
			size, err := d.writeWorkbook(ctx, r)
			if err != nil {
				return err
			}
			s.Workbooks++
			s.Bytes += size
			bar.of("nights", int64(r.On-first)+1, int64(last-first)+1)
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	bar.end()
	d.say("ran %d nights and wrote their workbooks", last-first+1)
	return nil
}

// eachNight carries out the nights up to one, every job of each.
func (d *demo) eachNight(ctx context.Context, e *jobs.Engine, last market.Date, each func(jobs.Result)) error {
	for on := d.market.nights.From; on <= last; on++ {
		if err := e.Night(ctx, d.site.Name, on, d.now(), each); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) writeWorkbook(ctx context.Context, r market.Run) (size int64, err error) {
	document, err := d.engine.KeepWorkbook(ctx, r)
	if err != nil {
		return 0, err
	}
	f, err := os.Create(filepath.Join(d.dir, "workbooks", document.Name))
	if err != nil {
		return 0, fmt.Errorf("write workbook %s: %w", document.Name, err)
	}
	err = d.store.WriteDocument(ctx, document, f)
	return document.Size, errors.Join(err, f.Close())
}

// say tells how far the demo is, and how long it took to get there.
func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(d.errs, "%6.1f s  %s\n", d.now().Sub(d.began).Seconds(), fmt.Sprintf(format, args...))
}

// typed is how this program was started, for the commands to type next.
func typed() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/nightshift"
	}
	return os.Args[0]
}
