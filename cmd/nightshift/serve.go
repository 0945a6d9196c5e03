package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"nightshift/cmd/nightshift/console"
	"nightshift/cmd/nightshift/watching"
	"nightshift/jobs"
)

const serveHelp = `Serve wakes the jobs of the timetable at their local time in the site's zone,
catches up with missed nights, and shows runs and documents on a web page. Any
number of them may run on one database: it decides which dates are due.

/healthz answers while the program runs, /readyz while the database does, both to
everybody; /metrics has the figures for Prometheus. With NIGHTSHIFT_SMTP or
NIGHTSHIFT_WEBHOOK people are told how each night went, and of a deadline before
it is missed.

The page listens on this machine alone. To listen beyond it, set
NIGHTSHIFT_TOKEN, or NIGHTSHIFT_USER and NIGHTSHIFT_PASSWORD. SIGTERM stops after the chunk that is being carried.`

// serve is the command serve.
func (p *program) serve() *cobra.Command {
	var listen string
	var sites []string
	cmd := &cobra.Command{
		Use: "serve", Short: "Wake the jobs at night, and show runs and documents on a web page", Long: serveHelp,
		Args: takes(0, 0, "no words, only options"),
		Example: `  nightshift serve
  NIGHTSHIFT_TOKEN=… nightshift serve --listen 0.0.0.0:8042
  nightshift serve --sites cn,br`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if listen == "" {
				listen = p.settings.Listen
			}
			if len(sites) == 0 {
				sites = []string{p.site()}
			}
			return p.listen(cmd.Context(), listen, sites)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "where to listen (default NIGHTSHIFT_LISTEN, 127.0.0.1:8042)")
	cmd.Flags().StringSliceVar(&sites, "sites", nil, "the sites whose jobs are woken (default NIGHTSHIFT_SITE, cn)")
	p.completes(cmd, "sites", p.siteNames)
	return cmd
}

// Time limits of the page's server.
const (
	headerTime = 10 * time.Second
	idleTime   = 2 * time.Minute
	goodbye    = 5 * time.Second // for pages being written when asked to stop
	untilRest  = 10 * time.Second
)

func (p *program) listen(ctx context.Context, address string, sites []string) error {
	guarded := p.settings.Token != "" || p.settings.User != ""
	if !guarded && !loopback(address) {
		return misuse("listen on %s: that is beyond this machine: set NIGHTSHIFT_TOKEN, or NIGHTSHIFT_USER and NIGHTSHIFT_PASSWORD, first", address)
	}
	e, err := p.engine(ctx)
	if err != nil {
		return err
	}
	if err := e.Store.Ping(ctx); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(p.errs, nil))
	socket, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen: %w: name another place with --listen", err)
	}
	senders, err := p.senders()
	if err != nil {
		return errors.Join(err, socket.Close())
	}
	nights := watching.New(e, sites, log, senders...)
	defer nights.Close()
	pages := &http.Server{
		Handler: watching.Traced(e.Tracer, console.Routes(console.Config{
			Engine: e, Log: log, Metrics: nights.Handler(), Token: string(p.settings.Token), User: p.settings.User, Password: string(p.settings.Password)})),
		// What is read is small and what is written may be large: only reading is limited.
		ReadTimeout: headerTime, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	schedule := jobs.Schedule{Engine: e, Sites: sites, Clock: clockwork.NewRealClock(), Log: log, Watch: newResting(nights)}
	log.Info("serving", "address", "http://"+socket.Addr().String(), "sites", sites, "signed_in", guarded)
	return serveUntil(ctx, pages, socket, &schedule)
}

// resting gives memory back once nobody was woken for a while: an idle schedule
// needs a fraction of what a night does.
type resting struct {
	*watching.Watch
	rest *time.Timer
}

func newResting(w *watching.Watch) resting {
	return resting{w, time.AfterFunc(untilRest, rest)}
}

// Woken counts a wake, and begins to wait anew.
func (r resting) Woken(site, job string, took time.Duration, err error) {
	r.Watch.Woken(site, job, took, err)
	r.rest.Reset(untilRest)
}

// senders are the ways to people that the settings name.
func (p *program) senders() (senders []watching.Sender, err error) {
	if p.settings.SMTP != "" {
		mail, err := watching.NewMail(string(p.settings.SMTP), p.settings.MailFrom, p.settings.MailTo)
		if err != nil {
			return nil, misuse("%v", err)
		}
		senders = append(senders, mail)
	}
	if p.settings.Webhook != "" {
		hook, err := watching.NewWebhook(string(p.settings.Webhook))
		if err != nil {
			return nil, misuse("%v", err)
		}
		senders = append(senders, hook)
	}
	return senders, nil
}

// serveUntil serves and wakes until the context ends or one of the two fails.
func serveUntil(ctx context.Context, pages *http.Server, socket net.Listener, schedule *jobs.Schedule) error {
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return schedule.Run(ctx) })
	both.Go(func() error {
		if err := pages.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the pages: %w", err)
		}
		return nil
	})
	both.Go(func() error {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
		defer cancel()
		if err := pages.Shutdown(last); err != nil {
			return pages.Close() // somebody is still reading: the night does not wait
		}
		return nil
	})
	return both.Wait()
}

// loopback tells whether an address is reached from this machine alone.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
