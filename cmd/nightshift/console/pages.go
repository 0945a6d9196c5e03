package console

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage"
)

//go:embed html
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{"count": count, "size": size}).ParseFS(files, "html/*.html"))

// pageRows is how many runs a page shows.
const pageRows = 60

// view is what every page shows: its language, and what is its own.
type view struct {
	Language string
	Title    string
	Runs     []runRow
	Stands   []string // why what is due does not begin
	Run      runRow
	Document []storage.Document
	Parked   []storage.Parked
	Outcomes []outcomeRow

	Shards []shardRow
	Reload int // seconds until the page asks again; 0: it does not

	Order, Site string
	Aside       string // why the order is set aside
	Decisions   []decisionRow
}

// runRow is a run on a page, with its instants in its site's time.
type runRow struct {
	market.Run
	Document string
	Began    string
	AsOfText string
	Took     time.Duration
	Hash     string
}

// Done is the outcome that a job is there for; empty where nobody said which.
func (r runRow) Done() string { return doneBy[r.Job] }

var doneBy = map[string]string{"acceptance": "accept", "renewal": "renew", "billing": "deduct", "settlement": "settle"}

// shardRow is how far a part of a run has come.
type shardRow struct {
	storage.Shard
	Percent int
}

// reload is how often the page of a run that is under way asks again, in seconds.
const reload = 5

// progress fills in how far a run has come that is not completed.
func (c Config) progress(ctx context.Context, v *view) error {
	if v.Run.State == market.RunCompleted {
		return nil
	}
	shards, err := c.Engine.Standing(ctx, v.Run.Run)
	if err != nil {
		return err
	}
	v.Run.Candidates, v.Run.Parked = 0, 0
	for _, s := range shards {
		row := shardRow{Shard: s, Percent: 100}
		if width := s.Upto - s.After; !s.Done && width > 0 {
			row.Percent = int(100 * (s.Checkpoint - s.After) / width)
		}
		v.Shards = append(v.Shards, row)
		v.Run.Candidates += s.Candidates
		v.Run.Parked += s.Parked
	}
	if v.Run.State == market.RunRunning {
		v.Reload = reload
	}
	return nil
}

type outcomeRow struct {
	Word string
	N    int64
}

// showHealth says that the program runs: a database that is away is not cured by
// starting it again.
func showHealth(_ Config, w http.ResponseWriter, _ *http.Request) error {
	_, err := w.Write([]byte("well\n"))
	return err
}

// showReady says that the program can work: the database is there, and of its
// schema.
func showReady(c Config, w http.ResponseWriter, r *http.Request) error {
	if err := c.Engine.Store.Ping(r.Context()); err != nil {
		return fmt.Errorf("ask the database how it is: %w", err)
	}
	_, err := w.Write([]byte("ready\n"))
	return err
}

func showMetrics(c Config, w http.ResponseWriter, r *http.Request) error {
	if c.Metrics == nil {
		return errNoPage
	}
	c.Metrics.ServeHTTP(w, r)
	return nil
}

func showStyle(_ Config, w http.ResponseWriter, r *http.Request) error {
	http.ServeFileFS(w, r, files, "html/style.css")
	return nil
}

func showNothing(Config, http.ResponseWriter, *http.Request) error { return errNoPage }

func showRuns(c Config, w http.ResponseWriter, r *http.Request) error {
	var v view
	err := c.Engine.Store.InTx(r.Context(), func(ctx context.Context, tx *storage.Tx) error {
		runs, err := tx.ListRuns(ctx, "", "", pageRows)
		for _, run := range runs {
			v.Runs = append(v.Runs, c.row(run))
		}
		return err
	})
	if err != nil {
		return err
	}
	v.Stands = c.stands(r.Context())
	return c.render(w, r, "runs.html", "title", v)
}

// stands is what is due and does not begin at the sites that are worked, in a sentence
// each.
func (c Config) stands(ctx context.Context) (lines []string) {
	for _, site := range c.Engine.Book.Sites() {
		outlooks, err := c.Engine.Outlook(ctx, site.Name, time.Now())
		if err != nil {
			return append(lines, err.Error())
		}
		worked := slices.ContainsFunc(outlooks, func(o jobs.Outlook) bool { return o.Ran })
		for _, o := range outlooks {
			if worked && o.Stands() {
				lines = append(lines, fmt.Sprintf("%s of %s at %s: %v", o.Job, o.Due[0], o.Site, o.Why))
			}
		}
	}
	return lines
}

func showRun(c Config, w http.ResponseWriter, r *http.Request) error {
	run, err := c.run(r)
	if err != nil {
		return err
	}
	v := view{Run: c.row(run)}
	if err := c.progress(r.Context(), &v); err != nil {
		return err
	}
	for word, n := range run.Outcomes {
		v.Outcomes = append(v.Outcomes, outcomeRow{word, n})
	}
	slices.SortFunc(v.Outcomes, func(a, b outcomeRow) int { return strings.Compare(a.Word, b.Word) })
	if v.Document, err = c.Engine.Store.Documents(r.Context(), run.ID); err != nil {
		return err
	}
	parked, err := c.Engine.Parked(r.Context(), run.Job, run.Site, pageRows)
	if err != nil {
		return err
	}
	for _, k := range parked {
		if k.RunID == run.ID {
			v.Parked = append(v.Parked, k)
		}
	}
	if len(v.Document) == 0 && v.Run.Document != "" {
		v.Document = []storage.Document{{RunID: run.ID, Name: v.Run.Document}} // written when it is asked for
	}
	return c.render(w, r, "run.html", "run", v)
}

// getDocument sends a document. A workbook that is missing, since its run was
// killed at its end, is written from the history.
func getDocument(c Config, w http.ResponseWriter, r *http.Request) error {
	run, err := c.run(r)
	if err != nil {
		return err
	}
	d, err := c.Engine.Store.Document(r.Context(), run.ID, r.PathValue("name"))
	if errors.Is(err, storage.ErrNoDocument) && r.PathValue("name") == jobs.WorkbookName(run) && run.State == market.RunCompleted {
		d, err = c.Engine.KeepWorkbook(r.Context(), run)
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", d.MediaType)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": d.Name}))
	h.Set("Content-Length", strconv.FormatInt(d.Size, 10))
	h.Set("ETag", fmt.Sprintf(`"%x"`, d.SHA256))
	return c.Engine.Store.WriteDocument(r.Context(), d, w)
}

// run is the run that the address names.
func (c Config) run(r *http.Request) (run market.Run, err error) {
	id, err := strconv.ParseInt(r.PathValue("run"), 10, 64)
	if err != nil {
		return run, errNoPage
	}
	err = c.Engine.Store.InTx(r.Context(), func(ctx context.Context, tx *storage.Tx) error {
		run, err = tx.RunByID(ctx, id)
		return err
	})
	return run, err
}

// row is a run as a page shows it.
func (c Config) row(run market.Run) runRow {
	zone := time.UTC
	if site, err := c.Engine.Book.Site(run.Site); err == nil { // a site may have gone since
		zone = site.Zone
	}
	const shown = "2006-01-02 15:04 -07:00"
	row := runRow{Run: run, Began: run.StartedAt.In(zone).Format(shown), AsOfText: run.AsOf.In(zone).Format(shown), Hash: fmt.Sprintf("%x", run.ResultHash)}
	if run.State == market.RunCompleted {
		row.Document, row.Took = jobs.WorkbookName(run), run.FinishedAt.Sub(run.StartedAt).Round(time.Millisecond)
	}
	return row
}

// render writes a page as a whole, or not at all.
func (c Config) render(w http.ResponseWriter, r *http.Request, name, title string, v view) error {
	v.Language = spoken(r)
	v.Title = v.Say(title)
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err := w.Write(page.Bytes())
	return err
}

// count writes 1,234,567.
func count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// size writes a number of bytes.
func size(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KB", float64(n)/(1<<10))
	default:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	}
}
