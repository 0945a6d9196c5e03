package storagetest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"nightshift/storage"
	"nightshift/storage/cluster"
)

// AsOwner does on a store's database what the application's role may not:
// change a table, vacuum, analyse.
func AsOwner(t testing.TB, s *storage.Store, statements ...string) {
	t.Helper()
	ctx := context.Background()
	var database string
	if err := s.DB().QueryRowContext(ctx, `SELECT current_database()`).Scan(&database); err != nil {
		t.Fatal(err)
	}
	c, err := pgx.Connect(ctx, running.Load().URL(cluster.Superuser, database))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	for _, statement := range statements {
		if _, err := c.Exec(ctx, statement); err != nil {
			t.Fatalf("%v\n%s", err, statement)
		}
	}
}
