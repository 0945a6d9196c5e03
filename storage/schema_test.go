package storage_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// facts are the tables that imports write; a dry run only reads them.
var facts = []string{
	"sellers", "buyers", "products", "orders", "order_lines", "deliveries", "shipments", "activations", "appeals", "subscriptions",
	"corrections", "imports", "instruments", "charges", "refunds", "credit_limits", "money", "gateway_lines",
	"releases", "release_acts", "reversals", // written by people, between runs
	"instances", "freezes", "prices", "packs", "usage_records",
	"manual_renewals", "policy_changes", "renewal_prices", "unsubscriptions", "upgrades", "adjustments",
	"bank_accounts", "calls", "probes", "leads", "offers", "offer_answers",
	"statement_moves", "payout_pauses", "payout_approvals", "payouts", "payout_lines", "bank_lines", "bank_clearings", "period_closes", // by people, after a run
	"skipped_nights", "halts", "messages", "archive_acts", // by the schedule and by people, between runs
}

// kept are tables that the database keeps by itself: the application only
// reads them.
var kept = []string{"accounts"}

func tables(t *testing.T, s *storage.Store, which string) []string {
	t.Helper()
	var names []string
	err := s.DB().NewRaw(`
		SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT LIKE 'schema\_%' AND `+which+`
		ORDER BY c.relname`).Scan(t.Context(), &names)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// Whoever adds a table says in its migration what the application may do with
// it, and whether a dry run needs a copy.
func TestEveryTableHasItsLaw(t *testing.T) {
	s := storagetest.New(t)
	for law, which := range map[string]string{
		"can be read by the application":       `n.nspname = 'public' AND NOT has_table_privilege(c.oid, 'SELECT')`,
		"can be added to by the application":   `n.nspname = 'public' AND c.relname <> ALL ('{accounts,archive_acts}') AND NOT has_table_privilege(c.oid, 'INSERT')`,
		"are not the application's to empty":   `n.nspname = 'public' AND has_table_privilege(c.oid, 'TRUNCATE')`,
		"are not open to everybody's triggers": `n.nspname = 'public' AND has_table_privilege(c.oid, 'TRIGGER')`,
	} {
		if breaking := tables(t, s, which); len(breaking) != 0 {
			t.Errorf("tables %s, but not %v", law, breaking)
		}
	}
	history := slices.Sorted(slices.Values(storagetest.History))
	unchangeable := tables(t, s, `n.nspname = 'public' AND NOT has_table_privilege(c.oid, 'UPDATE')`)
	unchangeable = slices.DeleteFunc(unchangeable, func(name string) bool { return slices.Contains(kept, name) })
	if diff := cmp.Diff(history, unchangeable); diff != "" {
		t.Errorf("history, and what the application cannot update (-history +cannot):\n%s", diff)
	}
	guarded := tables(t, s, `(SELECT count(*) FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgname IN ('keep_history', 'keep_all') AND g.tgenabled <> 'D') = 2`)
	if diff := cmp.Diff(history, guarded); diff != "" {
		t.Errorf("history, and what triggers keep (-history +kept):\n%s", diff)
	}
}

func TestAScratchCopyHasEveryTableThatARunWrites(t *testing.T) {
	s := storagetest.New(t)
	_, drop, err := s.Scratch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer drop()
	want := slices.DeleteFunc(tables(t, s, `n.nspname = 'public'`), func(name string) bool { return slices.Contains(facts, name) })
	if diff := cmp.Diff(want, tables(t, s, `n.nspname LIKE 'scratch\_%'`)); diff != "" {
		t.Errorf("written tables, and those of a scratch copy (-written +copied):\n%s", diff)
	}
}

// looks is all there is in a database that migrations made: every table, column,
// constraint, index, trigger, function and right, and which migrations are
// written down.
const looks = `
	SELECT coalesce(string_agg(line, E'\n' ORDER BY line COLLATE "C"), '') FROM (
		SELECT concat_ws(' ', oid::regclass, relkind, relowner::regrole, relacl, reloptions, pg_get_expr(relpartbound, oid), pg_get_viewdef(oid)) FROM pg_class WHERE relnamespace = 'public'::regnamespace
		UNION ALL SELECT concat_ws(' ', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attacl, attstattarget, pg_get_expr(adbin, adrelid))
			FROM pg_attribute JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE relnamespace = 'public'::regnamespace AND attnum > 0
		UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
		UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace = 'public'::regnamespace
		UNION ALL SELECT concat_ws(' ', pg_get_triggerdef(g.oid), tgenabled) FROM pg_trigger g JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = 'public'::regnamespace AND NOT tgisinternal
		UNION ALL SELECT concat_ws(' ', proowner::regrole, proacl, proconfig, pg_get_functiondef(oid)) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
		UNION ALL SELECT query_to_xml('TABLE ' || oid::regclass, false, false, '')::text FROM pg_class WHERE relname = 'schema_laws'
		UNION ALL SELECT 'migration ' || xmlserialize(CONTENT query_to_xml('SELECT name FROM ' || oid::regclass || ' ORDER BY name', false, false, '') AS text) FROM pg_class WHERE relname = 'schema_migrations'
	) t (line)`

var numbered = regexp.MustCompile(`<name>\d+</name>`)

// look is at which version a database is, and how it looks.
func look(t *testing.T, address string) (version int, all string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if err := c.QueryRow(t.Context(), looks).Scan(&all); err != nil {
		t.Fatal(err)
	}
	return len(numbered.FindAllString(all, -1)), all
}

// A migration that is cut leaves the database as it was until its commit, and the
// next Migrate goes on from there: the database that is carried through all versions
// here was cut at each commit, and looks in the end like one that was never
// disturbed. What the server has when its message n is the last is what it has when
// message n+1 never comes: one kind of cut is enough. The short form cuts at every
// message of the first start, of the newest migration and of a Migrate that finds
// nothing to do, and around the commits of the migrations between; the long one at
// all.
func TestAMigrationCutAnywhereIsFinishedByTheNext(t *testing.T) {
	_, want := look(t, storagetest.URL(t))
	newest, address := storage.SchemaVersion(), storagetest.Empty(t)
	for at := range newest + 1 {
		_, before := look(t, address)
		after, last := storagetest.CopyOf(t, address), 0
		t.Run(fmt.Sprintf("version %d, commit", at), func(t *testing.T) {
			last = len(cutMigration(t, after, (*storagetest.Proxy).CutAfterCommit))
		})
		if version, _ := look(t, after); version != min(at+1, newest) {
			t.Fatalf("cut after a commit, version %d is left at version %d", at, version)
		}
		first, finished := last-1, map[string]bool{}
		if everyMessage || at == 0 || at >= newest-1 {
			first = 1
		}
		for n := first; n < last; n++ {
			t.Run(fmt.Sprintf("version %d, message %d", at, n), func(t *testing.T) {
				copied := storagetest.CopyOf(t, address)
				heard := cutMigration(t, copied, func(p *storagetest.Proxy) { p.CutAfter(n) })
				version, all := look(t, copied)
				granted := at == newest && all == want // the last statement is on its own, and may have been heard
				if version != at || all != before && at > 0 && !granted {
					t.Fatalf("cut at %s, it is left at version %d:\n%s", heard[n-1], version, differ(before, all))
				}
				if first == 1 && !finished[all] {
					finished[all] = true
					finishes(t, copied, want)
				}
			})
		}
		address = after
	}
	finishes(t, address, want)
}

func differ(want, got string) string {
	return cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n"))
}

// cutMigration cuts the line of a migration, and answers what it had sent until
// then. One that ends before is no trouble.
func cutMigration(t *testing.T, address string, arm func(*storagetest.Proxy)) []string {
	t.Helper()
	p := storagetest.NewProxy(t, address)
	arm(p)
	err := storagetest.Open(t, p.URL()).Migrate(t.Context())
	heard := p.Heard()
	done := err == nil && heard[len(heard)-1] == "goodbye" // what it says once it is finished misses nobody
	if cut := p.WasCut(); cut != (err != nil) && !done {
		t.Fatalf("the line was cut: %t, and the migration ended with %v", cut, err)
	}
	p.Heal()
	return heard
}

// finishes has the next Migrate come to the end.
func finishes(t *testing.T, address, want string) {
	t.Helper()
	s := storagetest.Open(t, address)
	if err := errors.Join(s.Migrate(t.Context()), s.Ping(t.Context())); err != nil {
		t.Fatal(err)
	}
	if _, all := look(t, address); all != want {
		t.Errorf("finished, it looks different:\n%s", differ(want, all))
	}
}

func TestTheMigrationsAreNumberedWithoutAGap(t *testing.T) {
	list, err := storagetest.New(t).Migrations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range list {
		if m.No != i+1 || !strings.Contains(m.Name, "_") {
			t.Errorf("migration %d is %q", i+1, m.Name)
		}
	}
}
