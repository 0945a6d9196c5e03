package storage

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// How soon a peer that vanished without a word is noticed, by either side. A
// killed worker's claims are freed within this time, wherever it ran.
const (
	peerIdle    = 5 * time.Second // silence before the first question
	peerRetry   = 5 * time.Second // between questions
	peerRetries = 2
	peerSilence = peerIdle + peerRetry*peerRetries // and data that nobody confirms
	dialTimeout = 10 * time.Second

	comeBack      = 20 * time.Second // a server recovers or starts within
	comeBackRetry = 50 * time.Millisecond
)

// sessionConfig is how every connection behaves, whoever makes it.
func sessionConfig(url string) (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	params := cfg.RuntimeParams
	if params["application_name"] == "" {
		params["application_name"] = "nightshift"
	}
	params["timezone"] = "UTC"
	params["client_connection_check_interval"] = milliseconds(time.Second)
	params["tcp_keepalives_idle"] = seconds(peerIdle)
	params["tcp_keepalives_interval"] = seconds(peerRetry)
	params["tcp_keepalives_count"] = fmt.Sprint(peerRetries)
	params["tcp_user_timeout"] = milliseconds(peerSilence)
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = dialTimeout
	}
	dialer := &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: peerIdle, Interval: peerRetry, Count: peerRetries},
		Control:         limitUnconfirmed,
	}
	cfg.DialFunc = dialer.DialContext
	return cfg, nil
}

func seconds(d time.Duration) string      { return fmt.Sprint(int64(d / time.Second)) }
func milliseconds(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }

// appConfig is a session that has given up what its login may do beyond the
// application's role.
func appConfig(url string) (*pgx.ConnConfig, error) {
	cfg, err := sessionConfig(url)
	if err != nil {
		return nil, err
	}
	cfg.RuntimeParams["role"] = AppRole
	return cfg, nil
}

// connector makes the connections of a store's pool.
type connector struct {
	cfg   *pgx.ConnConfig
	store *Store
}

// Connect makes a connection that is ready to work on this binary's schema. It
// waits for a server that is coming back.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	soon, cancel := context.WithTimeout(ctx, comeBack)
	defer cancel()
	for {
		made, err := c.connect(ctx)
		if err == nil || !c.comingBack(err) {
			return made, err
		}
		select {
		case <-soon.Done():
			return nil, err
		case <-time.After(comeBackRetry):
		}
	}
}

// comingBack tells whether the server is about to be there: it says so itself
// while it starts or recovers, and the embedded one is started by Ensure.
func (c *connector) comingBack(err error) bool {
	const notYet = "57P03"
	if refused := new(pgconn.PgError); errors.As(err, &refused) {
		return refused.Code == notYet
	}
	dial := new(net.OpError)
	return c.store.cluster != nil && errors.As(err, &dial)
}

func (c *connector) connect(ctx context.Context) (driver.Conn, error) {
	cfg := c.cfg
	if embedded := c.store.cluster; embedded != nil {
		if err := embedded.Ensure(ctx); err != nil {
			return nil, err
		}
		cfg = c.cfg.Copy()
		cfg.Host = embedded.Host() // a server that was restarted may listen elsewhere
	}
	made, err := stdlib.GetConnector(*cfg, stdlib.OptionAfterConnect(prepareSession)).Connect(ctx)
	if err != nil {
		return nil, explainConnect(err)
	}
	return &conn{Conn: made.(*stdlib.Conn)}, nil
}

// Driver belongs to the interface; nobody opens by name.
func (c *connector) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

func prepareSession(ctx context.Context, c *pgx.Conn) error {
	registerTypes(c.TypeMap())
	if err := checkSchema(ctx, c); err != nil {
		return errors.Join(err, c.Close(ctx))
	}
	return nil
}

// explainConnect says what to do about a server on which no database was ever
// migrated, or none for this login: it does not know the application's role, or does
// not give it.
func explainConnect(err error) error {
	const invalidParameter, insufficientPrivilege = "22023", "42501"
	refused := new(pgconn.PgError)
	if !errors.As(err, &refused) || !strings.Contains(refused.Message, AppRole) {
		return err
	}
	switch refused.Code {
	case invalidParameter:
		return ErrSchemaMissing
	case insufficientPrivilege:
		return fmt.Errorf("%w, which lets this login work", ErrSchemaMissing)
	}
	return err
}

// conn answers database/sql. bun writes arguments into the text of a query, so
// that hardly any text comes twice: preparing each would cost a round trip and
// fill the cache of the statements that pgx is asked for with arguments.
type conn struct{ *stdlib.Conn }

// QueryContext sends a text without arguments in one round trip, unprepared.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if len(args) == 0 {
		args = []driver.NamedValue{{Ordinal: 1, Value: pgx.QueryExecModeExec}}
	}
	return c.Conn.QueryContext(ctx, query, args)
}
