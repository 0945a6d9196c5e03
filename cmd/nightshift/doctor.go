package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/storage"
)

// doctor is the command doctor.
func (p *program) doctor() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Look at all that a night stands on, and say what to do", Args: takes(0, 0, "no words"),
		Long: `Doctor looks at the database, its clock beside this machine's, disk, rule files and
their tests, working-day calendars, next month's partitions, runs that nobody
carries, nights that are due, and the age of the last backup (NIGHTSHIFT_BACKUPS,
or the server's archive of its log). Exit code 0 says that all is good, 3 that a
person should know something, 1 that nights fail or will.`,
		Example: "  nightshift doctor\n  nightshift doctor --json\n  NIGHTSHIFT_BACKUPS=/var/backups/nightshift nightshift doctor",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.showFindings(p.examine(cmd.Context()))
		},
	}
}

// errUnwell is the end of an examination that found something bad.
var errUnwell = errors.New("something is bad: see what doctor says")

// Limits by which disk and backups are judged.
const (
	littleDisk = 0.10 // free
	noDisk     = 0.03
	oldBackup  = 26 * time.Hour
	badBackup  = 7 * 24 * time.Hour
)

// examine asks everything; what cannot be asked is a finding as well.
func (p *program) examine(ctx context.Context) []jobs.Finding {
	all := []jobs.Finding{p.ruleFinding()}
	e, err := p.engine(ctx)
	if err != nil {
		if all[0].Grade != jobs.Bad { // rules that do not load have been said
			all = append(all, jobs.Finding{Check: "database", Grade: jobs.Bad, Says: err.Error(), Advice: "start it, or correct DATABASE_URL"})
		}
		return all
	}
	all = append(all, e.Examine(ctx, p.now())...)
	v, err := e.Store.Vitals(ctx)
	if err != nil {
		return all // said above
	}
	return append(all, diskFinding(v), p.backupFinding(v))
}

func (p *program) ruleFinding() jobs.Finding {
	f := jobs.Finding{Check: "rules", Grade: jobs.Good}
	book, err := p.book()
	if err != nil {
		f.Grade, f.Says, f.Advice = jobs.Bad, err.Error(), "no run begins before it is mended: `nightshift rules check`"
		return f
	}
	report := book.Test()
	f.Says = fmt.Sprintf("%d sites, %d cases hold", len(book.Sites()), report.Cases)
	if len(report.Problems) > 0 {
		f.Grade, f.Says, f.Advice = jobs.BeAware, counted(int64(len(report.Problems)), "failure")+" of the tests of rules", "see `nightshift rules check`"
	}
	return f
}

// diskFinding judges the disk of the embedded database. That of a server
// elsewhere is not seen from here.
func diskFinding(v storage.Vitals) jobs.Finding {
	f := jobs.Finding{Check: "disk", Grade: jobs.Good, Says: "the server's, which is not seen from here: have it watched there"}
	if v.DataDir == "" {
		return f
	}
	free, all, err := storage.DiskFree(v.DataDir)
	if err != nil || all == 0 {
		f.Grade, f.Says = jobs.BeAware, fmt.Sprintf("of %s is not known: %v", v.DataDir, err)
		return f
	}
	return roomFinding(v.DataDir, free, all)
}

// roomFinding judges how much of a disk is free.
func roomFinding(dir string, free, all uint64) jobs.Finding {
	f := jobs.Finding{Check: "disk", Grade: jobs.Good}
	share := float64(free) / float64(all)
	f.Says = fmt.Sprintf("%.1f GB (%.0f %%) are free for %s", float64(free)/(1<<30), 100*share, dir)
	if share < littleDisk {
		f.Grade, f.Advice = jobs.BeAware, "make room, or move NIGHTSHIFT_DATA"
	}
	if share < noDisk {
		f.Grade = jobs.Bad
	}
	return f
}

// backupFinding judges the newest backup that is known of.
func (p *program) backupFinding(v storage.Vitals) jobs.Finding {
	newest, from := v.WALArchivedAt, "the server's archive of its log"
	if dir := p.settings.Backups; dir != "" {
		at, name, err := newestFile(dir)
		if err != nil {
			return jobs.Finding{Check: "backup", Grade: jobs.Bad, Says: err.Error(), Advice: "correct NIGHTSHIFT_BACKUPS"}
		}
		if at.After(newest) {
			newest, from = at, name
		}
	}
	return ageFinding(newest, from, p.now())
}

// ageFinding judges how old the newest backup is.
func ageFinding(newest time.Time, from string, now time.Time) jobs.Finding {
	f := jobs.Finding{Check: "backup", Grade: jobs.Good}
	if newest.IsZero() {
		f.Grade, f.Says, f.Advice = jobs.BeAware, "none is known of", "make one every day (see Backups in the README), and name its directory in NIGHTSHIFT_BACKUPS"
		return f
	}
	age := now.Sub(newest).Round(time.Minute)
	f.Says = fmt.Sprintf("%s is %s old", from, age)
	if age > oldBackup {
		f.Grade, f.Advice = jobs.BeAware, "see why the last ones were not made"
	}
	if age > badBackup {
		f.Grade = jobs.Bad
	}
	return f
}

// newestFile is the youngest file below a directory.
func newestFile(dir string) (at time.Time, name string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.ModTime().After(at) && info.Size() > 0 {
			at, name = info.ModTime(), path
		}
		return err
	})
	if err != nil {
		return at, "", fmt.Errorf("look for backups: %w", err)
	}
	return at, name, nil
}

// showFindings shows all, the bad with what to do.
func (p *program) showFindings(all []jobs.Finding) error {
	worst := jobs.Good
	g := &grid{}
	for _, f := range all {
		colours := map[string]colour{jobs.Good: green, jobs.BeAware: yellow, jobs.Bad: red}
		g.row(p.paint(p.out, colours[f.Grade], f.Grade), f.Check, f.Says)
		if f.Advice != "" {
			g.row("", "", "→ "+f.Advice)
		}
		if f.Grade == jobs.Bad || f.Grade == jobs.BeAware && worst == jobs.Good {
			worst = f.Grade
		}
	}
	show := func() error { return g.print(p.out) }
	if p.json {
		show = func() error { return p.printJSON(all) }
	}
	switch err := show(); {
	case err != nil:
		return err
	case worst == jobs.Bad:
		return errUnwell
	case worst == jobs.BeAware:
		return errSetAside
	}
	return nil
}
