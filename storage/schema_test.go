package storage_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	"bank_accounts",
	"statement_moves", "payout_pauses", "payout_approvals", "payouts", "payout_lines", "bank_lines", "period_closes", // by people, after a run
	"skipped_nights", "halts", "messages", // by the schedule and by people, between runs
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
		"can be added to by the application":   `n.nspname = 'public' AND c.relname <> ALL ('{accounts}') AND NOT has_table_privilege(c.oid, 'INSERT')`,
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

// What the server has when its message n is the last is what it has when
// message n+1 never comes: one kind of cut is enough here.
func TestAMigrationCutAnywhereIsFinishedByTheNext(t *testing.T) {
	for n := 1; ; n++ {
		address := storagetest.Empty(t)
		p := storagetest.NewProxy(t, address)
		p.CutAfter(n)
		err := storagetest.Open(t, p.URL()).Migrate(t.Context())
		cut := p.WasCut()
		p.Heal()
		if !cut {
			if err != nil || n < 2*storage.SchemaVersion() {
				t.Errorf("uncut at %d: %v", n, err)
			}
			return
		}
		s := storagetest.Open(t, address)
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatalf("after a cut at message %d: %v", n, err)
		}
		if err := s.Ping(t.Context()); err != nil {
			t.Errorf("after a cut at message %d: %v", n, err)
		}
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
