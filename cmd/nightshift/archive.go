package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage"
)

// housekeeping is the command housekeeping.
func (p *program) housekeeping() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use: "housekeeping", Short: "Remove and archive what a site keeps no longer", Args: takes(0, 0, "no words, only options"),
		Long: `Housekeeping does what serve does by itself once a day: it makes the partitions of
the coming month, removes documents and shards that are older than keep: in
site.yaml says, and archives months of history where NIGHTSHIFT_ARCHIVE names a
directory and NIGHTSHIFT_OWNER_URL the database's owner, who alone lets go of
history. Decisions, journals and statements are never dropped.`,
		Example: "  nightshift housekeeping --dry-run     what it would do\n  nightshift housekeeping",
		RunE: func(cmd *cobra.Command, _ []string) error {
			site, err := p.siteRules()
			if err != nil {
				return err
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			k, err := e.Housekeep(cmd.Context(), site, p.now(), dry)
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(k)
			}
			word := "removed"
			if dry {
				word = "would be removed"
			}
			p.printf("%s of %s bytes and %s %s\n", counted(k.Documents, "document"), number(k.Bytes), counted(k.Shards, "shard"), word)
			if len(k.Away) > 0 {
				p.printf("archived in %s: %s\n", e.ArchiveDir, strings.Join(k.Away, " "))
			}
			if len(k.CouldGo) > 0 {
				p.printf("could leave for the archive%s: %s\n", lead(": ", k.Lacks), strings.Join(k.CouldGo, " "))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say what would be done")
	p.siteOption(cmd)
	return cmd
}

// archive is the command archive and those below it.
func (p *program) archive() *cobra.Command {
	cmd := group("archive", "Old history in files, and back",
		`An archive is a directory of files: each history of a month, a row a line as JSON,
packed by gzip, and a manifest that seals the one before it and carries the heads of
the ledgers. With --leave the database lets go of the month's decisions and notices,
of what nobody stands on, for its owner alone (NIGHTSHIFT_OWNER_URL), and only where
it comes to the digest of the file itself.
Journals and statements stay: balances are their sums.`, `
  nightshift archive make 202403
  nightshift archive make 202403 --leave
  nightshift archive list
  nightshift archive verify
  nightshift archive restore 202403`)
	var dir string
	cmd.PersistentFlags().StringVar(&dir, "dir", "", "the directory of the archive (default NIGHTSHIFT_ARCHIVE)")
	cmd.AddCommand(p.archiveMake(&dir), p.archiveList(), p.archiveVerify(&dir), p.archiveRestore(&dir))
	return cmd
}

// archived gives an engine, and the directory of its archive.
func (p *program) archived(cmd *cobra.Command, dir *string) (*jobs.Engine, error) {
	e, err := p.engine(cmd.Context())
	if err != nil {
		return nil, err
	}
	if *dir == "" {
		*dir = e.ArchiveDir
	}
	if *dir == "" {
		return nil, misuse("%s: name the directory of the archive with --dir, or NIGHTSHIFT_ARCHIVE", cmd.CommandPath())
	}
	return e, nil
}

func monthNamed(text string) (market.Date, error) {
	month, err := market.ParsePeriod(text)
	if err != nil {
		return 0, misuse("%s: write a month like 202403", text)
	}
	return month.From, nil
}

func (p *program) archiveMake(dir *string) *cobra.Command {
	var leave bool
	cmd := &cobra.Command{
		Use: "make MONTH", Short: "Write the history of a month to files", Args: takes(1, 1, "a month such as 202403"),
		Example: "  nightshift archive make 202403 --dir archive\n  nightshift archive make 202403 --leave",
		RunE: func(cmd *cobra.Command, args []string) error {
			month, err := monthNamed(args[0])
			if err != nil {
				return err
			}
			e, err := p.archived(cmd, dir)
			if err != nil {
				return err
			}
			m, err := e.Archive(cmd.Context(), jobs.Archiving{Dir: *dir, Month: month, Actor: p.actor(""), Now: p.now(), Leave: leave})
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(m)
			}
			g := &grid{}
			g.row("history", "rows", "file", "")
			for _, f := range m.Files {
				left := ""
				if f.Stayed != nil {
					left = fmt.Sprintf("left the database, %s stayed", number(*f.Stayed))
				}
				g.row(f.History, number(f.Lines), f.Name, left)
			}
			return g.print(p.out)
		},
	}
	cmd.Flags().BoolVar(&leave, "leave", false, "let the database go of what nobody stands on")
	return cmd
}

func (p *program) archiveList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List what has left the database", Args: takes(0, 0, "no words"), Example: "  nightshift archive list --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := p.open(cmd.Context())
			if err != nil {
				return err
			}
			away, err := store.Away(cmd.Context())
			if err != nil {
				return err
			}
			return p.showAway(away, "nothing has left the database")
		},
	}
}

func (p *program) showAway(away []storage.Left, none string) error {
	if p.json {
		return p.printJSON(append([]storage.Left{}, away...))
	}
	if len(away) == 0 {
		p.printf("%s\n", none)
		return nil
	}
	g := &grid{}
	g.row("month", "history", "rows", "stayed", "by", "at")
	for _, l := range away {
		g.row(market.Month(l.Month).String(), l.History, number(l.Lines), number(l.Stayed), l.Actor, rfc3339(l.At, time.UTC))
	}
	return g.print(p.out)
}

func (p *program) archiveVerify(dir *string) *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Read an archive again, and compare it with what has left", Args: takes(0, 0, "no words, only options"), Example: "  nightshift archive verify --dir archive",
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := p.archived(cmd, dir)
			if err != nil {
				return err
			}
			lines, head, err := e.VerifyArchive(cmd.Context(), *dir)
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(map[string]any{"rows": lines, "head": head})
			}
			p.printf("%s rows are what was written; keep this head somewhere else: %s\n", number(lines), head)
			return nil
		},
	}
}

func (p *program) archiveRestore(dir *string) *cobra.Command {
	return &cobra.Command{
		Use: "restore MONTH", Short: "Bring what has left of a month back into the database", Args: takes(1, 1, "a month such as 202403"), Example: "  nightshift archive restore 202403",
		RunE: func(cmd *cobra.Command, args []string) error {
			month, err := monthNamed(args[0])
			if err != nil {
				return err
			}
			e, err := p.archived(cmd, dir)
			if err != nil {
				return err
			}
			back, err := e.RestoreArchive(cmd.Context(), *dir, month, p.actor(""))
			if err != nil {
				return err
			}
			if !p.json {
				p.printf("back in the database, as it had left:\n")
			}
			return p.showAway(back, "")
		},
	}
}
