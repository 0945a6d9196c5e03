package storage

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// Annals are a table that is only added to.
type Annals struct {
	Name   string
	Leaves bool // old months of it may leave the database; of the others a copy is archived
}

// Left is a month of a history that has left the database for an archive.
type Left struct {
	History string      `json:"history"`
	Month   market.Date `json:"month"` // its first day
	Lines   int64       `json:"lines"`
	Stayed  int64       `json:"stayed"` // rows that something stands on
	Digest  []byte      `json:"-"`
	Actor   string      `json:"actor"`
	At      time.Time   `json:"at"`
}

// Histories are those that an archive keeps, by name: the ones with business dates.
func (s *Store) Histories(ctx context.Context) (list []Annals, err error) {
	err = s.query(ctx, `
		SELECT l.name::text, l.leaves FROM schema_laws l
		WHERE l.append AND EXISTS (SELECT FROM information_schema.columns c WHERE c.table_schema = 'public' AND c.table_name = l.name AND c.column_name = 'business_date')
		ORDER BY 1`, nil, func(rows pgx.Rows) error {
		var h Annals
		err := rows.Scan(&h.Name, &h.Leaves)
		list = append(list, h)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for histories: %w", err)
	}
	return list, nil
}

// MonthLines gives the lines of a month of a history as they are archived.
func (s *Store) MonthLines(ctx context.Context, history string, month market.Date, each func(line []byte) error) error {
	err := s.query(ctx, `SELECT month_lines($1, $2)`, []any{history, month}, func(rows pgx.Rows) error {
		return each(rows.RawValues()[0])
	})
	if err != nil {
		return fmt.Errorf("read %s of %s: %w", history, market.Month(month), err)
	}
	return nil
}

// ArchivedHeads are the heads of the chains of sealed journals, by site.
func (s *Store) ArchivedHeads(ctx context.Context) (heads map[string]string, err error) {
	heads = map[string]string{}
	err = s.query(ctx, `SELECT DISTINCT ON (site) site, encode(sha256, 'hex') FROM blocks ORDER BY site, no DESC`, nil, func(rows pgx.Rows) error {
		var site, head string
		err := rows.Scan(&site, &head)
		heads[site] = head
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the heads of the ledgers: %w", err)
	}
	return heads, nil
}

// ErrOwnerLets says that the login that works may not let go of history.
var ErrOwnerLets = errors.New("the database's owner alone lets go of history: name him in NIGHTSHIFT_OWNER_URL")

// LeaveMonth has the database let go of a month that is archived, as its owner:
// whoever works could ask for the digest of what no file holds. It refuses where it
// does not come to the digest of the archive itself. It answers how many rows stayed,
// since something stands on them.
func (s *Store) LeaveMonth(ctx context.Context, history string, month market.Date, digest []byte, actor string) (stayed int64, err error) {
	owner, err := s.letsGo(ctx)
	if err == nil {
		defer owner.Close(context.WithoutCancel(ctx))
		err = owner.QueryRow(ctx, `SELECT public.archive_month($1, $2::text::date, $3, $4)`, history, month.String(), digest, actor).Scan(&stayed)
	}
	if err != nil {
		return 0, fmt.Errorf("let go of %s of %s: %w", history, market.Month(month), err)
	}
	return stayed, nil
}

// LetsGo answers ErrOwnerLets where nobody is named who may let go of history.
func (s *Store) LetsGo(ctx context.Context) error {
	owner, err := s.letsGo(ctx)
	if err != nil {
		return err
	}
	return owner.Close(ctx)
}

// letsGo is a connection as who may let go of history.
func (s *Store) letsGo(ctx context.Context) (*pgx.Conn, error) {
	owner, err := pgx.ConnectConfig(ctx, s.owner.Copy())
	if err != nil {
		return nil, fmt.Errorf("connect as the database's owner: %w", err)
	}
	var may bool
	err = owner.QueryRow(ctx, `SELECT has_function_privilege('public.archive_month(text, date, bytea, text)', 'EXECUTE')`).Scan(&may)
	if err == nil && !may {
		err = ErrOwnerLets
	}
	if err != nil {
		return nil, errors.Join(err, owner.Close(ctx))
	}
	return owner, nil
}

// ReturnMonth brings a month back that has left. All of it comes, and is what had
// left, or nothing comes.
func (s *Store) ReturnMonth(ctx context.Context, history string, month market.Date, lines iter.Seq2[string, error], actor string) error {
	err := s.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		if _, err := tx.Exec(ctx, `CREATE TEMP TABLE returning_lines (line text) ON COMMIT DROP`); err != nil {
			return err
		}
		if _, err := tx.CopyFrom(ctx, "returning_lines", []string{"line"}, &lineSource{pull: lines}); err != nil {
			return err
		}
		into := pgx.Identifier{history}.Sanitize()
		if _, err := tx.Exec(ctx, `INSERT INTO `+into+` SELECT (jsonb_populate_record(NULL::`+into+`, line::jsonb)).* FROM returning_lines ON CONFLICT DO NOTHING`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `SELECT return_month($1, $2, $3)`, history, month, actor)
		return err
	})
	if err != nil {
		return fmt.Errorf("bring back %s of %s: %w", history, market.Month(month), err)
	}
	return nil
}

// lineSource copies lines.
type lineSource struct {
	pull iter.Seq2[string, error]
	next func() (string, error, bool)
	stop func()
	line string
	err  error
}

// Next goes to the next line.
func (l *lineSource) Next() bool {
	if l.next == nil {
		l.next, l.stop = iter.Pull2(l.pull)
	}
	var more bool
	l.line, l.err, more = l.next()
	if !more || l.err != nil {
		l.stop()
	}
	return more && l.err == nil
}

// Values are a row of one line.
func (l *lineSource) Values() ([]any, error) { return []any{l.line}, nil }

// Err is why no more lines came.
func (l *lineSource) Err() error { return l.err }

// newestActs are the last acts on each month.
const newestActs = `(SELECT DISTINCT ON (history, month) * FROM archive_acts ORDER BY history, month, no DESC) a WHERE a.act = 'left'`

// Away are the months that have left, oldest first.
func (s *Store) Away(ctx context.Context) (list []Left, err error) {
	err = s.query(ctx, `SELECT history, month, lines, stayed, digest, actor, at FROM `+newestActs+` ORDER BY month, history`, nil, func(rows pgx.Rows) error {
		var l Left
		err := rows.Scan(&l.History, &l.Month, &l.Lines, &l.Stayed, &l.Digest, &l.Actor, &l.At)
		list = append(list, l)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for months that have left: %w", err)
	}
	return list, nil
}

// MonthsAt are the months, oldest first, that end by a date and could leave.
func (s *Store) MonthsAt(ctx context.Context, by market.Date) (list []market.Date, err error) {
	err = s.query(ctx, `
		SELECT DISTINCT m.month FROM schema_laws l
		JOIN pg_inherits i ON i.inhparent = to_regclass('public.' || l.name) JOIN pg_class c ON c.oid = i.inhrelid,
		LATERAL (SELECT to_date(substring(c.relname FROM '[0-9]{4}_[0-9]{2}$'), 'YYYY_MM') AS month) m
		WHERE l.leaves AND (m.month + interval '1 month')::date <= $1
		  AND NOT EXISTS (SELECT FROM `+newestActs+` AND a.history = l.name AND a.month = m.month)
		ORDER BY 1`, []any{by}, func(rows pgx.Rows) error {
		var month market.Date
		err := rows.Scan(&month)
		list = append(list, month)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for months that could leave: %w", err)
	}
	return list, nil
}

// DecisionsAway are the months of an order's life whose decisions have left.
func (tx *Tx) DecisionsAway(ctx context.Context, order int64) (list []market.Date, err error) {
	err = tx.Query(ctx, `
		SELECT a.month FROM orders o, `+newestActs+` AND a.history = 'decisions' AND o.id = $1 AND a.month + interval '1 month' > o.placed_at
		  AND a.month <= coalesce((SELECT max(business_date) FROM completions c WHERE c.order_id = o.id), 'infinity') ORDER BY 1`, []any{order}, func(rows pgx.Rows) error {
		var month market.Date
		err := rows.Scan(&month)
		list = append(list, month)
		return err
	})
	return list, err
}

// HistoryAway is the newest month up to that of a business date that has left since:
// what ran then cannot be told again without it.
func (tx *Tx) HistoryAway(ctx context.Context, on market.Date) (month market.Date, away bool, err error) {
	away, err = tx.one(ctx, `SELECT a.month FROM `+newestActs+` AND a.month <= $1 AND a.at >= $1 ORDER BY 1 DESC LIMIT 1`, []any{on}, &month)
	return month, away, err
}

// MonthsAway are the months between two dates whose decisions have left, oldest
// first.
func (tx *Tx) MonthsAway(ctx context.Context, from, to market.Date) (list []market.Date, err error) {
	err = tx.Query(ctx, `SELECT a.month FROM `+newestActs+` AND a.history = 'decisions' AND a.month BETWEEN date_trunc('month', $1::date::timestamp) AND $2 ORDER BY 1`, []any{from, to}, func(rows pgx.Rows) error {
		var month market.Date
		err := rows.Scan(&month)
		list = append(list, month)
		return err
	})
	return list, err
}
