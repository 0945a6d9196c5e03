package main

import (
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"nightshift/jobs"
)

// worker is the command worker.
func (p *program) worker() *cobra.Command {
	cmd := &cobra.Command{
		Use: "worker", Short: "Help with the runs of other machines", Args: takes(0, 0, "no words, only options"),
		Long: `Worker waits for runs that ask for help and carries shards of them, on as many
machines as you like, against the same database. A run asks for as many slots as
NIGHTSHIFT_HELPERS says where it is started. Where a machine dies its shards go to
the others within seconds; where the one that started a run dies, a worker brings
it to its end. All machines run the same build. SIGTERM stops after the chunk that
is being carried.`,
		Example: "  DATABASE_URL=postgres://… nightshift worker --workers 4\n  NIGHTSHIFT_HELPERS=4 nightshift serve      on the machine that starts the runs",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if p.settings.DatabaseURL == "" {
				return misuse("worker: name the database that the machines share with DATABASE_URL")
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			if err := e.Store.Ping(cmd.Context()); err != nil {
				return err
			}
			return p.help(cmd, e)
		},
	}
	cmd.Flags().IntVar(&p.workers, "workers", 0, "shards carried at a time (default NIGHTSHIFT_WORKERS, one a processor)")
	return cmd
}

func (p *program) help(cmd *cobra.Command, e *jobs.Engine) error {
	log := slog.New(slog.NewTextHandler(p.errs, &slog.HandlerOptions{Level: slog.LevelWarn}))
	fmt.Fprintf(p.errs, "waiting for runs that ask for help, with %d slots\n", e.Workers)
	return e.Store.Help(cmd.Context(), e.Workers, log, e.Help)
}
