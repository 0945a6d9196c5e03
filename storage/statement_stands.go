package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"nightshift/rules/market"
)

// Why something cannot be done about a statement.
var (
	ErrNoSeller     = errors.New("there is no such seller")
	ErrNoStatement  = errors.New("there is no such statement")
	ErrPeriodClosed = errors.New("the period is closed")
)

// StatementStand is a statement, newest version, and where it stands.
type StatementStand struct {
	SellerID int64
	Seller   string
	Site     string
	Period   market.Period
	Version  int
	RunID    int64
	Currency market.Currency
	Lines    int64

	Billable, Fee, Taxes, OperatingFee, Settled, Adjustments, CarriedIn, CarriedOut, Payout market.Decimal

	Because string // of the version
	AsOf    time.Time
	Move    StatementMove // the last one; of a draft there is none
	Moves   int           // how many there were
	Ordered string        // the payment file that ordered it last; empty while none did
	Try     int           // how often it was ordered
	Answer  string        // what the bank said of the last order: pays or fails; empty while it did not
}

// State is where the statement stands: a draft until it is moved.
func (s StatementStand) State() string {
	if s.Move.State == "" {
		return market.StatementDraft
	}
	return s.Move.State
}

// OnItsWay tells whether a payment of it is with the bank, which has not answered.
func (s StatementStand) OnItsWay() bool { return s.Try > 0 && s.Answer == "" }

// Failures is how often the bank refused or returned it.
func (s StatementStand) Failures() int {
	if s.Answer == "fails" {
		return s.Try
	}
	return max(0, s.Try-1)
}

// Money is an amount of the statement.
func (s StatementStand) Money(d market.Decimal) market.Money { return market.NewMoney(d, s.Currency) }

// StatementMove is one step on the way of a statement.
type StatementMove struct {
	State   string
	Until   market.Date // the last day of the step that begins; 0: it has none
	At      time.Time
	Actor   string
	Because string
}

// StatementQuery says which statements are listed: the newest version of each.
type StatementQuery struct {
	Site    string
	Period  int      // YYYYMM; 0: every one
	Sellers []string // by code; none: all
	States  []string // none: any
}

// Statements lists statements by period and seller.
func (tx *Tx) Statements(ctx context.Context, q StatementQuery) (list []StatementStand, err error) {
	err = tx.Query(ctx, `
		SELECT s.seller_id, c.code, s.site, s.period, s.version, coalesce(s.run_id, 0), s.currency, s.lines, s.billable, s.fee, s.taxes, s.operating_fee,
		       s.settled, s.adjustments, s.carried_in, s.carried_out, s.payout, coalesce(s.because, ''), coalesce(r.as_of, s.recorded_at),
		       coalesce(m.no, 0), coalesce(m.state, ''), m.until, m.at, coalesce(m.actor, ''), coalesce(m.because, ''), coalesce(l.payout, ''), coalesce(l.try, 0),
		       coalesce((SELECT b.verdict FROM bank_lines b WHERE b.site = l.site AND b.reference = l.reference AND b.verdict IN ('pays', 'fails') ORDER BY b.no DESC LIMIT 1), '')
		FROM statements s
		JOIN sellers c ON c.id = s.seller_id
		LEFT JOIN runs r ON r.id = s.run_id
		LEFT JOIN LATERAL (SELECT * FROM statement_moves m WHERE m.seller_id = s.seller_id AND m.period = s.period AND m.version = s.version ORDER BY m.no DESC LIMIT 1) m ON true
		LEFT JOIN LATERAL (SELECT * FROM payout_lines l WHERE l.seller_id = s.seller_id AND l.period = s.period AND l.version = s.version ORDER BY l.try DESC LIMIT 1) l ON true
		WHERE s.site = $1 AND ($2 = 0 OR s.period = $2) AND (coalesce(cardinality($3::text[]), 0) = 0 OR c.code = ANY($3))
		  AND (coalesce(cardinality($4::text[]), 0) = 0 OR coalesce(m.state, 'draft') = ANY($4))
		  AND NOT EXISTS (SELECT FROM statements n WHERE n.seller_id = s.seller_id AND n.period = s.period AND n.version > s.version)
		ORDER BY s.period, c.code`, []any{q.Site, q.Period, q.Sellers, q.States}, func(rows pgx.Rows) error {
		var s StatementStand
		var period int
		var until pgtype.Date
		var moved pgtype.Timestamptz
		err := rows.Scan(&s.SellerID, &s.Seller, &s.Site, &period, &s.Version, &s.RunID, &s.Currency, &s.Lines, &s.Billable, &s.Fee, &s.Taxes, &s.OperatingFee,
			&s.Settled, &s.Adjustments, &s.CarriedIn, &s.CarriedOut, &s.Payout, &s.Because, &s.AsOf,
			&s.Moves, &s.Move.State, &until, &moved, &s.Move.Actor, &s.Move.Because, &s.Ordered, &s.Try, &s.Answer)
		s.Period, s.Move.At = market.PeriodNumbered(period), moved.Time
		if until.Valid {
			s.Move.Until = market.DateOf(until.Time, time.UTC)
		}
		list = append(list, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the statements of %s: %w", q.Site, err)
	}
	return list, nil
}

// MovesOf is the way of a statement so far, in order.
func (tx *Tx) MovesOf(ctx context.Context, s StatementStand) (moves []StatementMove, err error) {
	err = tx.Query(ctx, `SELECT state, until, at, actor, coalesce(because, '') FROM statement_moves WHERE seller_id = $1 AND period = $2 AND version = $3 ORDER BY no`,
		[]any{s.SellerID, s.Period.Number(), s.Version}, func(rows pgx.Rows) error {
			var m StatementMove
			var until pgtype.Date
			err := rows.Scan(&m.State, &until, &m.At, &m.Actor, &m.Because)
			if until.Valid {
				m.Until = market.DateOf(until.Time, time.UTC)
			}
			moves = append(moves, m)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list the moves of the statement %s of %s: %w", s.Period, s.Seller, err)
	}
	return moves, nil
}

// MoveStatement appends a move. Another one that was appended since the
// statement was read is a violation of the key: nothing is moved twice.
func (tx *Tx) MoveStatement(ctx context.Context, s StatementStand, m StatementMove) error {
	var until any
	if m.Until != 0 {
		until = m.Until
	}
	_, err := tx.Exec(ctx, `INSERT INTO statement_moves (seller_id, period, version, no, site, state, until, at, actor, because) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		s.SellerID, s.Period.Number(), s.Version, s.Moves+1, s.Site, m.State, until, m.At, m.Actor, textOrNull(m.Because))
	if err != nil {
		return fmt.Errorf("move the statement %s of %s to %s: %w", s.Period, s.Seller, m.State, err)
	}
	return nil
}

// SellerByCode finds the id of a seller.
func (tx *Tx) SellerByCode(ctx context.Context, site, code string) (id int64, err error) {
	found, err := tx.one(ctx, `SELECT id FROM sellers WHERE site = $1 AND code = $2`, []any{site, code}, &id)
	if err == nil && !found {
		err = ErrNoSeller
	}
	if err != nil {
		return 0, fmt.Errorf("find the seller %s of %s: %w", code, site, err)
	}
	return id, nil
}

// Close is that a period was closed.
type Close struct {
	Period market.Period
	Totals []byte // JSON
	At     time.Time
	Actor  string
}

// ClosePeriod locks a period: nothing is settled into it any more.
func (tx *Tx) ClosePeriod(ctx context.Context, site string, c Close) error {
	_, err := tx.Exec(ctx, `INSERT INTO period_closes (site, period, totals, at, actor) VALUES ($1, $2, $3, $4, $5)`, site, c.Period.Number(), c.Totals, c.At, c.Actor)
	if err != nil {
		return fmt.Errorf("close %s of %s: %w", c.Period, site, err)
	}
	return nil
}

// Closed tells whether and by whom a period was closed.
func (tx *Tx) Closed(ctx context.Context, site string, p market.Period) (c Close, closed bool, err error) {
	c.Period = p
	closed, err = tx.one(ctx, `SELECT totals, at, actor FROM period_closes WHERE site = $1 AND period = $2`, []any{site, p.Number()}, &c.Totals, &c.At, &c.Actor)
	if err != nil {
		err = fmt.Errorf("ask whether %s of %s is closed: %w", p, site, err)
	}
	return c, closed, err
}

// closedPeriod is ErrPeriodClosed where the database refused for that.
func closedPeriod(err error) error {
	refused := new(pgconn.PgError)
	if errors.As(err, &refused) && refused.ConstraintName == "period_is_open" {
		return fmt.Errorf("%w: %s: what comes late belongs to the next period", ErrPeriodClosed, refused.Message)
	}
	return err
}
