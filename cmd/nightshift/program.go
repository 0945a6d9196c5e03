package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/term"

	"nightshift/cmd/nightshift/watching"
	"nightshift/jobs"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// program is one invocation: its streams, its settings, and what it opened.
type program struct {
	out, errs io.Writer
	env       func(string) string
	settings  settings
	json      bool   // for machines
	siteFlag  string // of the command; empty: the setting's
	workers   int    // of the command; 0: the setting's
	chunk     int    // candidates a transaction; 0: the usual
	store     *storage.Store
	traces    *watching.Traces
	rules     *rules.Book
}

// now is the wall clock; nothing below cmd reads one.
func (p *program) now() time.Time { return time.Now() }

// site is the name of the site that the command works on.
func (p *program) site() string {
	if p.siteFlag != "" {
		return p.siteFlag
	}
	return p.settings.Site
}

// book is the rules in force: those built in, or those of NIGHTSHIFT_RULES.
func (p *program) book() (*rules.Book, error) {
	if p.rules != nil {
		return p.rules, nil
	}
	var err error
	p.rules, err = loadRules(p.settings.Rules)
	return p.rules, err
}

func loadRules(dir string) (*rules.Book, error) {
	files, err := ruleFiles(dir)
	if err != nil {
		return nil, err
	}
	book, err := rules.Load(files)
	if errors.Is(err, fs.ErrNotExist) {
		err = misuse("read the rule files in %s: %v", dir, err)
	}
	return book, err
}

// ruleFiles is the directory of rule files in force.
func ruleFiles(dir string) (fs.FS, error) {
	if dir == "" {
		return rules.Defaults(), nil
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, misuse("read the rule files: there is no directory %s: name one with NIGHTSHIFT_RULES, or leave it out for the rules built in", dir)
	}
	return os.DirFS(dir), nil
}

// siteRules is the site that the command works on.
func (p *program) siteRules() (*rules.Site, error) {
	book, err := p.book()
	if err != nil {
		return nil, err
	}
	site, err := book.Site(p.site())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", jobs.ErrBadRequest, err)
	}
	return site, nil
}

// open connects to the database, once.
func (p *program) open(ctx context.Context) (*storage.Store, error) {
	if p.store != nil {
		return p.store, nil
	}
	var err error
	p.store, err = storage.Open(ctx, storage.Config{
		DatabaseURL: string(p.settings.DatabaseURL), OwnerURL: string(p.settings.OwnerURL), DataDir: p.settings.Data,
		PoolSize: p.workerCount() + 8, // besides the workers: the run's lock, pages, reports
	})
	return p.store, err
}

func (p *program) workerCount() int {
	if p.workers > 0 {
		return p.workers
	}
	return p.settings.Workers
}

// engine is all it takes to run jobs.
func (p *program) engine(ctx context.Context) (*jobs.Engine, error) {
	book, err := p.book()
	if err != nil {
		return nil, err
	}
	store, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	build, err := buildName()
	if err != nil {
		return nil, err
	}
	tracer, err := p.tracer(ctx)
	if err != nil {
		return nil, err
	}
	return &jobs.Engine{Store: store, Tracer: tracer, ArchiveDir: p.settings.Archive, Language: p.settings.Language, Book: book, Workers: p.workerCount(), ChunkSize: p.chunk, ParkLimit: p.settings.ParkLimit, Build: build, Helpers: p.settings.Helpers,
		ReleasesRequired: p.settings.Releases == releasesRequired}, nil
}

// tracer is where spans go, if they go anywhere.
func (p *program) tracer(ctx context.Context) (*jobs.Tracer, error) {
	address := cmp.Or(p.settings.Traces, p.settings.Collector)
	if address == "" || p.settings.NoTraces || p.env("OTEL_TRACES_EXPORTER") == "none" {
		return nil, nil
	}
	if p.traces == nil {
		build, err := buildName()
		if err != nil {
			return nil, err
		}
		log := slog.New(slog.NewTextHandler(p.errs, nil))
		if p.traces, err = watching.NewTraces(ctx, string(address), build, p.settings.Chunks == "all", log); err != nil {
			return nil, misuse("%v", err)
		}
	}
	return p.traces.Tracer, nil
}

func (p *program) close() error {
	if p.traces != nil {
		p.traces.Close()
	}
	if p.store == nil {
		return nil
	}
	return p.store.Close()
}

// buildName tells builds apart: by their commit where the tree was clean, else
// by the bytes of the program, so that a changed program never goes on with a
// run that another one began.
func buildName() (string, error) {
	if info, ok := debug.ReadBuildInfo(); ok {
		about := map[string]string{}
		for _, s := range info.Settings {
			about[s.Key] = s.Value
		}
		if about["vcs.modified"] == "false" && len(about["vcs.revision"]) >= 12 {
			return about["vcs.revision"][:12], nil
		}
	}
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program's own file: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read this program's own file: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("read this program's own file: %w", err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:6]), nil
}

// printJSON writes one value for machines.
func (p *program) printJSON(v any) error {
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (p *program) printf(format string, args ...any) { fmt.Fprintf(p.out, format, args...) }

// colour is how a word is painted on a terminal.
type colour string

const (
	red    colour = "\x1b[31m"
	green  colour = "\x1b[32m"
	yellow colour = "\x1b[33m"
	faint  colour = "\x1b[2m"
)

// paint colours a text where somebody sees it; a pipe gets it plain.
func (p *program) paint(w io.Writer, c colour, text string) string {
	if !p.terminal(w) || p.env("NO_COLOR") != "" {
		return text
	}
	return string(c) + text + "\x1b[0m"
}

// terminal tells whether a person watches the stream.
func (p *program) terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && p.env("TERM") != "dumb"
}

// date reads a business date that was typed.
func date(flag, text string) (market.Date, error) {
	if text == "" {
		return 0, misuse("required flag --%s: the business date, such as 2026-04-01", flag)
	}
	on, err := market.ParseDate(text)
	if err != nil {
		return 0, misuse("--%s %s: write a date like 2026-04-01", flag, text)
	}
	return on, nil
}

// instant reads a point in time that was typed; without an offset it is the
// site's local time.
func instant(flag, text string, zone *time.Location) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, misuse("--%s %s: write an instant like 2026-04-01T10:00:00+08:00, or without +08:00 in the site's time", flag, text)
}

// rfc3339 writes an instant in a zone; an unknown one is empty.
func rfc3339(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format(time.RFC3339)
}
