package jobs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"nightshift/jobs"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// newerSchema is a migration that this program does not know.
var newerSchema = fmt.Sprintf("INSERT INTO schema_migrations (name, group_id) VALUES ('%04d', 9)", storage.SchemaVersion()+1)

// The database is migrated under a run: the old program keeps nothing more, and
// neither it nor the schedule goes on. The new one does, from the last chunk on,
// where a person says so, and what is left is what one program leaves.
func TestARunThatIsMigratedUnderStopsAndIsAdopted(t *testing.T) {
	s, untouched := storagetest.New(t), storagetest.New(t)
	marketplace(t, s, 300)
	marketplace(t, untouched, 300)
	mustRun(t, engine(t, untouched), request(t, ides))
	e := engine(t, s)
	e.Workers, e.ChunkSize = 1, 50
	e.Progress = func(p jobs.Progress) {
		if p.Done == 100 {
			storagetest.AsOwner(t, s, newerSchema)
		}
	}
	if _, err := e.Run(t.Context(), request(t, ides)); !errors.Is(err, storage.ErrSchemaNewer) || !strings.Contains(err.Error(), "install the newer nightshift") {
		t.Fatalf("on a newer schema: %v", err)
	}
	if n := count(t, s, `SELECT sum(candidates) FROM shards`); n != 100 {
		t.Errorf("%d candidates are kept, the schema was changed after 100", n)
	}
	storagetest.AsOwner(t, s, fmt.Sprintf("DELETE FROM schema_migrations WHERE name::int > %d", storage.SchemaVersion())) // what follows is the new program
	e.Progress, e.Build = nil, "the new one"
	if _, err := e.Run(t.Context(), request(t, ides)); !errors.Is(err, jobs.ErrBadRequest) || !strings.Contains(err.Error(), "nightshift run acceptance --date 2024-03-15 --adopt") {
		t.Fatalf("by another build: %v", err)
	}
	req := request(t, ides)
	req.Adopt, req.Actor = true, "ann"
	if r := mustRun(t, e, req); r.Run.Build != "the new one" || history(t, s) != history(t, untouched) {
		t.Errorf("adopted: %+v", r.Run)
	}
	if n := count(t, s, `SELECT count(*) FROM halts WHERE actor = 'ann' AND because = 'begun by build test, build the new one decides the rest'`); n != 1 {
		t.Errorf("%d acts say who had it adopted", n)
	}
}
