package jobs_test

import (
	_ "embed"
	"slices"
	"strings"
	"testing"

	"nightshift/jobs"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// The comparison of the benchmark: the same rows and facts written to the same
// tables by SQL alone, as somebody who knows the database would.
//
//go:embed testdata/acceptance.sql
var acceptanceSQL string

// nightInSQL carries the night of 2024-03-15 out in one session and one transaction.
func nightInSQL(t testing.TB, s *storage.Store) {
	t.Helper()
	storagetest.AsOwner(t, s, strings.Split(strings.TrimSpace(acceptanceSQL), ";\n")...)
}

// written are the tables that a night writes, without the number of its run.
var written = map[string]string{
	"decisions":   "subject, ruleset, business_date, no, outcome, rule, due_at, look_at, facts, carried, actor, because, evidence",
	"event_keys":  "key, business_date",
	"completions": "order_id, outcome, completed_at, valid_from, valid_until, business_date",
	"notices":     "key, business_date, site, kind, subject, recipients, at",
	"due":         "job, site, subject, look_at, stands",
}

func TestTheSQLOfTheBenchmarkWritesWhatTheEngineWrites(t *testing.T) {
	const orders = 5000
	ours, theirs := storagetest.New(t), storagetest.New(t)
	marketplace(t, ours, orders)
	if _, err := engine(t, ours).Run(t.Context(), jobs.Request{Job: "acceptance", Site: "cn", On: date(t, "2024-03-15")}); err != nil {
		t.Fatal(err)
	}
	marketplace(t, theirs, orders)
	if err := theirs.EnsureMonth(t.Context(), date(t, "2024-03-15")); err != nil {
		t.Fatal(err)
	}
	nightInSQL(t, theirs)
	for table, columns := range written {
		e, q := rowsOf(t, ours, table, columns), rowsOf(t, theirs, table, columns)
		if len(e) < orders/4 {
			t.Errorf("the engine left %d rows of %s", len(e), table)
		}
		if !slices.Equal(e, q) {
			t.Errorf("%s differs: the engine left %d rows, SQL %d\n%s", table, len(e), len(q), firstDifference(e, q))
		}
	}
}

// rowsOf are the rows of a table as JSON, sorted.
func rowsOf(t testing.TB, s *storage.Store, table, columns string) []string {
	t.Helper()
	var rows []string
	if err := s.DB().NewRaw("SELECT row_to_json(r)::text FROM (SELECT "+columns+" FROM "+table+") r").Scan(t.Context(), &rows); err != nil {
		t.Fatal(err)
	}
	slices.Sort(rows)
	return rows
}

func firstDifference(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[i] + "\n" + b[i]
		}
	}
	return "one ends before the other"
}
