package storagetest

import (
	"context"
	"fmt"
	"net/url"
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

// Login is the address of a database for another login, which may do what the
// application may and owns nothing. It is made where it is not there yet.
func Login(t testing.TB, address, name string) string {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	err = admin(context.Background(), running.Load(), fmt.Sprintf(`DO $$ BEGIN CREATE ROLE %s LOGIN IN ROLE %s; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$`,
		pgx.Identifier{name}.Sanitize(), storage.AppRole))
	if err != nil {
		t.Fatal(err)
	}
	query := at.Query()
	query.Set("user", name)
	at.RawQuery = query.Encode()
	return at.String()
}
