// Package console is the web page for finance and operations: the runs, what
// became of them, their documents, and why an order was decided as it was.
//
// Owns: routes, pages, who may see them.
// Does not own: any figure; pages show what was kept.
// Always: nothing is changed by a page; no script runs; whoever has not signed
// in learns only whether the program is well.
package console

import (
	"log/slog"
	"net/http"

	"nightshift/jobs"
)

// Config is what the pages show and who may see them. Without a token and
// without a user everybody may who reaches the address.
type Config struct {
	Engine   *jobs.Engine
	Log      *slog.Logger
	Metrics  http.Handler // answers a scrape; nil: nobody does
	Token    string
	User     string
	Password string
}

// Routes are all the pages.
func Routes(c Config) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", c.open(showHealth))
	mux.Handle("GET /readyz", c.open(showReady))
	mux.Handle("GET /metrics", c.page(showMetrics))
	mux.Handle("GET /{$}", c.page(showRuns))
	mux.Handle("GET /runs/{run}", c.page(showRun))
	mux.Handle("GET /runs/{run}/{name}", c.page(getDocument))
	mux.Handle("GET /explain", c.page(findOrder))
	mux.Handle("GET /explain/{order...}", c.page(showOrder))
	mux.Handle("GET /style.css", c.page(showStyle))
	mux.Handle("/", c.page(showNothing))
	return secured(mux)
}
