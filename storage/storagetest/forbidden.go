package storagetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"nightshift/rules/market"
	"nightshift/storage"
)

// History is the tables that are only ever added to.
var History = []string{"decisions", "notices", "completions", "counted_months", "event_keys", "rule_versions", "corrections", "imports",
	"deductions", "deduction_sources", "order_ends", "refund_results", "month_bills", "rounded_lines", "journals", "postings", "blocks", "releases", "release_acts", "shadow_differences", "reversals",
	"usage_records", "usage_results", "rated", "draws", "instance_stops", "packs_bought", "terms", "skipped_nights", "statements", "statement_lines", "waiting_lines",
	"statement_moves", "payout_pauses", "payout_approvals", "payouts", "payout_lines", "bank_lines", "bank_clearings", "period_closes", "halts",
	"policy_results", "unsubscription_results", "outbox",
	"messages", "archive_acts", "endings", "offer_answers"}

// months are the tables of History that are kept by month.
var months = []string{"decisions", "notices", "deductions", "deduction_sources", "journals", "postings", "shadow_differences", "statement_lines", "waiting_lines", "outbox"}

// Forbidden tries on every table of history, and on a month of it, what the
// role that the store works as must not be able to do.
func Forbidden(t *testing.T, s *storage.Store) {
	t.Helper()
	on := market.NewDate(2026, 4, 1)
	if err := s.EnsureMonth(t.Context(), on); err != nil {
		t.Fatal(err)
	}
	tables := append([]string{}, History...)
	for _, history := range months {
		month := history + "_2026_04"
		tables = append(tables, month)
		refused(t, s, fmt.Sprintf("ALTER TABLE %s DETACH PARTITION %s", history, month))
		refused(t, s, fmt.Sprintf("ALTER TABLE %s DETACH PARTITION %s CONCURRENTLY", history, month))
	}
	for _, table := range tables {
		for _, statement := range []string{
			"UPDATE <table> SET <column> = <column>",
			"DELETE FROM <table>",
			"DELETE FROM <table> WHERE false",
			"TRUNCATE <table>",
			"TRUNCATE <table> CASCADE",
			"ALTER TABLE <table> DISABLE TRIGGER ALL",
			"ALTER TABLE <table> DISABLE TRIGGER keep_history",
			"DROP TRIGGER keep_history ON <table>",
			"ALTER TABLE <table> OWNER TO CURRENT_USER",
			"ALTER TABLE <table> RENAME TO forgotten",
			"CREATE RULE forget AS ON INSERT TO <table> DO INSTEAD NOTHING",
			"DROP TABLE <table>",
			"DROP TABLE <table> CASCADE",
		} {
			refused(t, s, strings.NewReplacer("<table>", table, "<column>", columnOf(t, s, table)).Replace(statement))
		}
	}
	for _, statement := range []string{
		"SET session_replication_role = replica",
		"DROP FUNCTION keep_history() CASCADE",
		"CREATE OR REPLACE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
		"DROP SCHEMA public CASCADE",
		"CREATE TABLE public.mine ()",
		"DELETE FROM schema_migrations",
		"INSERT INTO accounts (site, name, currency, balance) VALUES ('cn', 'buyer:ann:cash', 'CNY', 1)",
		"UPDATE accounts SET balance = balance + 1",
		"UPDATE accounts SET floor = -1, lowest = -1",
		"DELETE FROM accounts",
		"TRUNCATE accounts",
		"ALTER TABLE accounts DROP CONSTRAINT accounts_floor",
		"ALTER TABLE postings DISABLE TRIGGER keep_balances",
		"DROP TRIGGER keep_balances ON postings",
		"CREATE OR REPLACE FUNCTION keep_balances() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
		"CREATE TRIGGER mine AFTER INSERT ON postings FOR EACH STATEMENT EXECUTE FUNCTION keep_balances()",
		"INSERT INTO postings_2026_04 (journal_id, no, business_date, site, from_account, to_account, amount, currency, at) VALUES (1, 1, '2026-04-01', 'cn', 'platform:bank', 'buyer:ann:cash', 1, 'CNY', now())",
		"SELECT borrow_balances('public', 'cn', '{}')",
		"SELECT keep_law('accounts')",
		"UPDATE schema_laws SET append = false",
		"INSERT INTO archive_acts (no, history, month, act, lines, stayed, digest, sha256, actor) VALUES (1, 'decisions', '2026-04-01', 'left', 0, 0, sha256(''), sha256(''), 'ann')",
		"SELECT act_on_month('decisions', '2026-04-01', 'left', 0, 0, sha256(''), 'ann')",
	} {
		refused(t, s, statement)
	}
}

func columnOf(t *testing.T, s *storage.Store, table string) string {
	t.Helper()
	var column string
	err := s.DB().NewRaw(`SELECT attname FROM pg_attribute WHERE attrelid = ?::regclass AND attnum > 0 AND attidentity = '' ORDER BY attnum LIMIT 1`, table).Scan(t.Context(), &column)
	if err != nil {
		t.Fatal(err)
	}
	return column
}

// refused fails the test unless the database denies the right.
func refused(t *testing.T, s *storage.Store, statement string) {
	t.Helper()
	const notAllowed = "42501"
	_, err := s.DB().ExecContext(t.Context(), statement)
	denied := new(pgconn.PgError)
	if !errors.As(err, &denied) || denied.Code != notAllowed {
		t.Errorf("%s: got %v, want permission denied", statement, err)
	}
}
