package storage_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

// inTx fails the test where the transaction fails.
func inTx(t *testing.T, s *storage.Store, work func(ctx context.Context, tx *storage.Tx) error) {
	t.Helper()
	if err := s.InTx(t.Context(), work); err != nil {
		t.Fatal(err)
	}
}

func one[T any](t *testing.T, s *storage.Store, query string, args ...any) T {
	t.Helper()
	var v T
	if err := s.DB().NewRaw(query, args...).Scan(t.Context(), &v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// as is the database's address with another login.
func as(t *testing.T, address, login string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("user", login)
	u.RawQuery = q.Encode()
	return u.String()
}

// ownerDo runs statements as the owner of the database.
func ownerDo(t *testing.T, address string, statements ...string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	for _, s := range statements {
		if _, err := c.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func TestEverySessionIsSetUp(t *testing.T) {
	s := storagetest.New(t)
	for setting, want := range map[string]string{
		"role": "nightshift_app", "timezone": "UTC", "application_name": "nightshift", "client_connection_check_interval": "1s",
	} {
		if got := one[string](t, s, `SELECT current_setting(?)`, setting); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
}

func TestATransactionKeepsAllOrNothing(t *testing.T) {
	s := storagetest.New(t)
	spoiled := errors.New("spoiled")
	for _, end := range []error{spoiled, nil} {
		err := s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
			if _, err := tx.NewRaw(`INSERT INTO buyers (site, code) VALUES ('cn', 'by bun')`).Exec(ctx); err != nil {
				return err
			}
			if err := tx.CopyRows(ctx, "buyers", []string{"site", "code"}, 2, func(i int, row *storage.Row) error {
				return row.Put("cn", fmt.Sprintf("by copy %d", i))
			}); err != nil {
				return err
			}
			if n, err := tx.Exec(ctx, `INSERT INTO buyers (site, code) SELECT 'cn', unnest($1::text[])`, []string{"by pgx", "by array"}); err != nil || n != 2 {
				return fmt.Errorf("%d rows: %w", n, err)
			}
			return end
		})
		if !errors.Is(err, end) {
			t.Fatal(err)
		}
		want := 5
		if end != nil {
			want = 0
		}
		if got := one[int](t, s, `SELECT count(*) FROM buyers`); got != want {
			t.Errorf("%d rows after %v, want %d", got, end, want)
		}
	}
}

func TestARowThatCannotBeCopiedStopsTheCopy(t *testing.T) {
	s := storagetest.New(t)
	bad := errors.New("bad row")
	err := s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
		return tx.CopyRows(ctx, "buyers", []string{"site", "code"}, 3, func(i int, row *storage.Row) error {
			if i == 1 {
				return bad
			}
			return row.Put("cn", fmt.Sprint(i))
		})
	})
	if !errors.Is(err, bad) || one[int](t, s, `SELECT count(*) FROM buyers`) != 0 {
		t.Errorf("kept rows of a copy that ended with %v", err)
	}
}

func TestAPoolOutlivesARestartOfItsConnections(t *testing.T) {
	address := storagetest.URL(t)
	s := storagetest.Open(t, address)
	one[int](t, s, `SELECT 1`)
	ownerDo(t, address, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	inTx(t, s, func(ctx context.Context, tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO buyers (site, code) VALUES ('cn', 'ann')`)
		return err
	})
}

func TestNumbersAndDatesTravelExactly(t *testing.T) {
	s := storagetest.New(t)
	edges := []string{"0", "0.01", "-0.01", "0.000000000001", "99999999999999999999999999.999999999999", "-99999999999999999999999999.999999999999", "1000000", "123456789.000000012", "-0.0001", "9999.9999", "10000", "922337203685477580.7", "9223372036854775807", "-9223372036854775808", "0.00"}
	check := func(text string, day market.Date) error {
		want, err := market.ParseDecimal(text)
		if err != nil {
			return err
		}
		return s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
			return tx.Raw(func(c *pgx.Conn) error {
				var got, first market.Decimal
				var on, none = market.Date(0), (*market.Decimal)(nil)
				err := c.QueryRow(ctx, `SELECT $1::numeric(38,12), ($2::numeric[])[1], $3::date, $4::numeric`,
					want, []market.Decimal{want, want}, day, none).Scan(&got, &first, &on, &none)
				if err == nil && (got.Cmp(want) != 0 || first.Cmp(want) != 0 || on != day || none != nil) {
					err = fmt.Errorf("%s came back as %s, %s; %s as %s; null as %v", want, got, first, day, on, none)
				}
				return err
			})
		})
	}
	for _, text := range edges {
		if err := check(text, market.NewDate(2026, 4, 1)); err != nil {
			t.Error(err)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,12})?`).Draw(r, "number")
		if err := check(text, market.Date(rapid.Int32Range(-700_000, 2_000_000).Draw(r, "day"))); err != nil {
			r.Fatal(err)
		}
	})
}

func TestWhatWouldBeRoundedIsRefused(t *testing.T) {
	s := storagetest.New(t)
	tooFine := market.DecimalOf(1).Mul(mustDecimal(t, "0.000000000001")).Mul(mustDecimal(t, "0.1"))
	err := s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `SELECT $1::numeric(38,12)`, tooFine)
		return err
	})
	if !errors.Is(err, market.ErrOutOfRange) {
		t.Errorf("through pgx: %v", err)
	}
	if _, err := (storage.Numeric{Decimal: tooFine}).Value(); !errors.Is(err, market.ErrOutOfRange) {
		t.Errorf("through bun: %v", err)
	}
}

func mustDecimal(t *testing.T, text string) market.Decimal {
	t.Helper()
	d, err := market.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestBunReadsAndWritesNumbersAndDays(t *testing.T) {
	type row struct {
		Amount  storage.Numeric
		Missing *storage.Numeric
		On      storage.Day `bun:"on"`
		Never   *storage.Day
		At      time.Time
	}
	s := storagetest.New(t)
	amount, on := storage.Numeric{Decimal: mustDecimal(t, "98.99")}, storage.Day{Date: market.NewDate(2024, 2, 29)}
	at := time.Date(2026, 4, 1, 2, 0, 0, 0, time.FixedZone("Shanghai", 8*60*60))
	var got row
	err := s.DB().NewRaw(`SELECT ?::numeric(38,12) AS amount, NULL::numeric AS missing, ?::date AS "on", NULL::date AS never, ?::timestamptz AS at`, amount, on, at).Scan(t.Context(), &got)
	if err != nil {
		t.Fatal(err)
	}
	if got.Amount.Cmp(amount.Decimal) != 0 || got.Missing != nil || got.On != on || got.Never != nil || !got.At.Equal(at) {
		t.Errorf("got %+v", got)
	}
	if got.At.Location() != time.UTC {
		t.Errorf("an instant came back in %s", got.At.Location())
	}
}

func TestMigratingAtOnceMigratesOnce(t *testing.T) {
	address := storagetest.Empty(t)
	const many = 4
	errs := make([]error, many)
	var all sync.WaitGroup
	for i := range many {
		s := storagetest.Open(t, address)
		all.Go(func() { errs[i] = s.Migrate(t.Context()) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	s := storagetest.Open(t, address)
	list, err := s.Migrations(t.Context())
	if err != nil || len(list) != storage.SchemaVersion() {
		t.Fatalf("%v %v", list, err)
	}
	for i, m := range list {
		if m.No != i+1 || m.AppliedAt.IsZero() {
			t.Errorf("migration %d: %+v", i+1, m)
		}
	}
	if n := one[int](t, s, `SELECT count(*) FROM schema_migrations`); n != len(list) {
		t.Errorf("%d migrations are written down, want %d", n, len(list))
	}
}

func TestASchemaOfAnotherVersionIsRefused(t *testing.T) {
	never := storagetest.Open(t, storagetest.Empty(t))
	if err := never.Ping(t.Context()); !errors.Is(err, storage.ErrSchemaMissing) {
		t.Errorf("never migrated: %v", err)
	}
	address := storagetest.URL(t)
	u, _ := url.Parse(address)
	stranger := u.Path[1:] + "_stranger"
	ownerDo(t, address, "CREATE ROLE "+stranger+" LOGIN")
	defer ownerDo(t, address, "DROP ROLE "+stranger)
	strange, err := storage.Open(t.Context(), storage.Config{DatabaseURL: as(t, address, stranger)})
	if err != nil {
		t.Fatal(err)
	}
	defer strange.Close()
	if err := strange.Ping(t.Context()); !errors.Is(err, storage.ErrSchemaMissing) || !strings.Contains(err.Error(), "which lets this login work") {
		t.Errorf("for a login that nobody migrated for: %v", err)
	}
	if list, err := never.Migrations(t.Context()); err != nil || !list[0].AppliedAt.IsZero() {
		t.Errorf("status of a database that was never migrated: %v %v", list, err)
	}
	for _, tt := range []struct {
		name, change string
		want         error
	}{
		{"older", fmt.Sprintf("DELETE FROM schema_migrations WHERE name::int = %d", storage.SchemaVersion()), storage.ErrSchemaOlder},
		{"newer", fmt.Sprintf("INSERT INTO schema_migrations (name, group_id) VALUES ('%04d', 9)", storage.SchemaVersion()+1), storage.ErrSchemaNewer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			address := storagetest.URL(t)
			ownerDo(t, address, tt.change)
			s := storagetest.Open(t, address)
			err := s.InTx(t.Context(), func(context.Context, *storage.Tx) error { return nil })
			if !errors.Is(err, tt.want) {
				t.Errorf("work: %v", err)
			}
			if tt.want == storage.ErrSchemaNewer {
				if err := s.Migrate(t.Context()); !errors.Is(err, tt.want) {
					t.Errorf("migrate: %v", err)
				}
			}
		})
	}
}

func TestALoginWithoutRightsWorksOnceTheOwnerMigrated(t *testing.T) {
	address := storagetest.Empty(t)
	u, _ := url.Parse(address)
	database := u.Path[1:]
	owner, login := database+"_owner", database+"_login"
	ownerDo(t, address, "CREATE ROLE "+owner+" LOGIN CREATEROLE", "CREATE ROLE "+login+" LOGIN", "ALTER DATABASE "+database+" OWNER TO "+owner,
		"GRANT nightshift_app TO "+owner+" WITH ADMIN OPTION")
	t.Cleanup(func() {
		c, err := pgx.Connect(context.Background(), address)
		if err == nil {
			_, err = c.Exec(context.Background(), "REASSIGN OWNED BY "+owner+" TO nightshift; DROP OWNED BY "+owner+", "+login+"; DROP ROLE "+owner+", "+login)
			c.Close(context.Background())
		}
		if err != nil {
			t.Error(err)
		}
	})
	s, err := storage.Open(t.Context(), storage.Config{DatabaseURL: as(t, address, login), OwnerURL: as(t, address, owner)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	storagetest.Forbidden(t, s)
	copies, drop, err := s.Scratch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := one[int](t, copies, `SELECT count(*) FROM runs`); n != 0 {
		t.Errorf("%d runs in a scratch copy", n)
	}
	if err := drop(); err != nil {
		t.Fatal(err)
	}
}

func TestHistoryDoesNotChangeForItsOwnerEither(t *testing.T) {
	address := storagetest.URL(t)
	s := storagetest.Open(t, address)
	if err := s.EnsureMonth(t.Context(), market.NewDate(2026, 4, 1)); err != nil {
		t.Fatal(err)
	}
	ownerDo(t, address, `INSERT INTO notices VALUES ('accepted/cn/A-1', '2026-04-01', 'cn', 'accepted', 1, '{buyer}', now())`)
	c, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	for _, statement := range []string{"UPDATE notices SET kind = 'x'", "DELETE FROM notices", "TRUNCATE notices", "TRUNCATE notices_2026_04", "DELETE FROM notices_2026_04"} {
		if _, err := c.Exec(t.Context(), statement); err == nil {
			t.Errorf("%s: done", statement)
		}
	}
}

func TestMonthsAreMadeOnceByManyAtOnce(t *testing.T) {
	s := storagetest.New(t)
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		all.Go(func() { errs[i] = s.EnsureMonth(t.Context(), market.NewDate(2026, 12, 1+i)) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	bounds := one[string](t, s, `SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'decisions_2026_12'`)
	if diff := cmp.Diff("FOR VALUES FROM ('2026-12-01') TO ('2027-01-01')", bounds); diff != "" {
		t.Error(diff)
	}
	if _, err := s.DB().ExecContext(t.Context(), `SELECT ensure_month('orders', '2026-12-01')`); err == nil {
		t.Error("orders were given a month")
	}
}

func TestANewMonthWaitsForNobodyWhoWritesAnother(t *testing.T) {
	s := storagetest.New(t)
	if err := s.EnsureMonth(t.Context(), market.NewDate(2026, 4, 1)); err != nil {
		t.Fatal(err)
	}
	inTx(t, s, func(ctx context.Context, tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO notices VALUES ('k', '2026-04-01', 'cn', 'accepted', 1, '{buyer}', now())`); err != nil {
			return err
		}
		soon, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		return s.EnsureMonth(soon, market.NewDate(2026, 5, 1))
	})
}

// Leads and runs hold locks for hours: they take no connection from those who work.
func TestLocksTakeNoConnectionFromThoseWhoWork(t *testing.T) {
	url := storagetest.URL(t)
	s, err := storage.Open(t.Context(), storage.Config{DatabaseURL: url, OwnerURL: url, PoolSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, name := range []string{"a", "b", "c"} {
		lock, err := s.Lock(t.Context(), name)
		if err != nil || lock == nil {
			t.Fatal(lock, err)
		}
		defer lock.Release(t.Context())
	}
	if again, err := s.Lock(t.Context(), "b"); err != nil || again != nil {
		t.Errorf("a lock that is held was taken: %v, %v", again, err)
	}
	if err := s.InTx(t.Context(), func(context.Context, *storage.Tx) error { return nil }); err != nil {
		t.Error(err)
	}
}
