package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// migrate is the command migrate and those below it.
func (p *program) migrate() *cobra.Command {
	cmd := group("migrate", "Bring the database's schema up to date",
		"The embedded database is migrated by itself. Another one is migrated by this\ncommand, as its owner (NIGHTSHIFT_OWNER_URL). Schemas only go forward.", `
  nightshift migrate status
  nightshift migrate up`)
	cmd.AddCommand(p.migrateUp(), p.migrateStatus())
	return cmd
}

func (p *program) migrateUp() *cobra.Command {
	return &cobra.Command{
		Use: "up", Short: "Apply every migration that is missing", Args: takes(0, 0, "no words"),
		Example: "  nightshift migrate up\n  NIGHTSHIFT_OWNER_URL=postgres://owner@db/night nightshift migrate up",
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := p.open(cmd.Context())
			if err != nil {
				return err
			}
			if err := store.Migrate(cmd.Context()); err != nil {
				return err
			}
			return p.showMigrations(cmd)
		},
	}
}

func (p *program) migrateStatus() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "List the migrations, and when each was applied", Args: takes(0, 0, "no words"),
		Example: "  nightshift migrate status --json",
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.showMigrations(cmd) },
	}
}

func (p *program) showMigrations(cmd *cobra.Command) error {
	store, err := p.open(cmd.Context())
	if err != nil {
		return err
	}
	list, err := store.Migrations(cmd.Context())
	if err != nil {
		return err
	}
	views, g := []map[string]any{}, &grid{}
	for _, m := range list {
		applied := p.paint(p.out, yellow, "missing: nightshift migrate up")
		if !m.AppliedAt.IsZero() {
			applied = m.AppliedAt.Format(time.RFC3339)
		}
		g.row(fmt.Sprintf("%04d", m.No), m.Name, applied)
		views = append(views, map[string]any{"no": m.No, "name": m.Name, "applied": !m.AppliedAt.IsZero()})
	}
	if p.json {
		return p.printJSON(views)
	}
	return g.print(p.out)
}
