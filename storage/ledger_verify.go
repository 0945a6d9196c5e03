package storage

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"nightshift/rules/market"
)

// ErrLedgerChanged marks books that are not what was booked.
var ErrLedgerChanged = errors.New("the books are not what was booked")

// LedgerCheck is what a verification of a site's books came to.
type LedgerCheck struct {
	Blocks   []Block
	Journals int64
	Unsealed []UnsealedSource // journals that are in no block yet
	Accounts int64            // whose balances were compared with their postings
	Wrong    []string         // what is not as it was booked, named; at most mostWrong
	More     int64            // how many more there are
}

// UnsealedSource is how many journals of a source are in no block yet.
type UnsealedSource struct {
	Source   string
	On       market.Date
	Journals int64
}

// mostWrong is how many findings are named. A disk that lost a month has
// millions, and the first hundred say as much.
const mostWrong = 100

func (c *LedgerCheck) found(format string, args ...any) {
	if len(c.Wrong) == mostWrong {
		c.More++
		return
	}
	c.Wrong = append(c.Wrong, fmt.Sprintf(format, args...))
}

// VerifyLedger recomputes all that must hold of a site's books, as they stand
// at one instant: each journal's digest from what it says, each block from its
// journals and the block before it, each balance from its postings, each floor;
// each journal has its key and each key its journal. Nothing is written.
// progress hears how many journals were read; it may be nil.
func (s *Store) VerifyLedger(ctx context.Context, site string, progress func(done int64)) (c LedgerCheck, err error) {
	err = s.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		c = LedgerCheck{}
		if _, err := tx.Exec(ctx, `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY`); err != nil {
			return err
		}
		if c.Blocks, err = tx.Blocks(ctx, site); err != nil {
			return err
		}
		var previous [sha256.Size]byte
		for i, b := range c.Blocks {
			if b.No != int64(i+1) || b.Previous != previous {
				c.found("block %d of %s does not follow the block before it: one was changed, or is missing", b.No, b.Source)
			}
			previous = b.SHA256
			if err := tx.verifyBlock(ctx, site, b, &c, progress); err != nil {
				return err
			}
		}
		if err := tx.verifyUnsealed(ctx, site, &c, progress); err != nil {
			return err
		}
		if err := tx.verifyKeys(ctx, site, &c); err != nil {
			return err
		}
		return tx.verifyBalances(ctx, site, &c)
	})
	if err != nil {
		return c, fmt.Errorf("verify the books of %s: %w", site, err)
	}
	return c, nil
}

// verifiedJournals are journals with their postings, as scanJournal reads them,
// and what was noted of each. The instants of a posting are its journal's.
const verifiedJournals = `
	SELECT j.key, j.memo, j.at, coalesce(j.reverses, ''), p.from_account, p.to_account, p.amount, p.currency,
	       j.digest, coalesce(p.no, 0), j.source, j.business_date,
	       p.no IS NULL OR (p.at = j.at AND p.recorded_at = j.recorded_at AND p.site = j.site)
	FROM journals j LEFT JOIN postings p ON p.journal_id = j.id AND p.business_date = j.business_date
	WHERE j.site = $1 AND `

func (tx *Tx) verifyBlock(ctx context.Context, site string, b Block, c *LedgerCheck, progress func(int64)) error {
	seal := market.NewSeal(b.Previous, site, b.On)
	err := tx.eachVerified(ctx, site, c, progress, verifiedJournals+`
		j.source = $2 AND j.business_date = $3 AND j.id BETWEEN $4 AND $5
		ORDER BY j.key, j.id, p.no`, []any{site, b.Source, b.On, b.FirstID, b.LastID},
		func(v *verified) { seal.Add(v.journal.Digest(site)) })
	if err != nil {
		return err
	}
	sum, journals := seal.Sum()
	if journals != b.Journals {
		c.found("block %d (%s of %s) has %d journals, and was sealed with %d", b.No, b.Source, b.On, journals, b.Journals)
	}
	if sum != b.SHA256 {
		c.found("block %d (%s of %s) has the SHA-256 %x…, and was sealed with %x…", b.No, b.Source, b.On, sum[:6], b.SHA256[:6])
	}
	return nil
}

// verifyUnsealed checks the journals that are in no block, and counts them.
func (tx *Tx) verifyUnsealed(ctx context.Context, site string, c *LedgerCheck, progress func(int64)) error {
	return tx.eachVerified(ctx, site, c, progress, verifiedJournals+`
		NOT EXISTS (SELECT FROM blocks b WHERE b.site = j.site AND b.source = j.source AND b.business_date = j.business_date AND j.id BETWEEN b.first_id AND b.last_id)
		ORDER BY j.business_date, j.source, j.key, j.id, p.no`, []any{site}, func(v *verified) {
		if n := len(c.Unsealed); n == 0 || c.Unsealed[n-1].Source != v.source || c.Unsealed[n-1].On != v.on {
			c.Unsealed = append(c.Unsealed, UnsealedSource{Source: v.source, On: v.on})
		}
		c.Unsealed[len(c.Unsealed)-1].Journals++
	})
}

// verified is a journal as it was read back, and what was noted of it.
type verified struct {
	journal market.Journal
	digest  []byte
	source  string
	on      market.Date
	whole   bool // its postings are numbered without a gap and carry its instants
}

// eachVerified puts journals together from their rows, says which of them do
// not say what they said when they were booked, and hands on each.
func (tx *Tx) eachVerified(ctx context.Context, site string, c *LedgerCheck, progress func(int64), query string, args []any, each func(*verified)) error {
	const often = 10_000
	var now *verified
	settle := func() {
		if now == nil {
			return
		}
		if c.Journals++; progress != nil && c.Journals%often == 0 {
			progress(c.Journals)
		}
		if sum := now.journal.Digest(site); !now.whole || string(sum[:]) != string(now.digest) {
			c.found("journal %s of %s does not say what it said when it was booked", now.journal.Key, now.on)
		}
		each(now)
	}
	err := tx.Query(ctx, query, args, func(rows pgx.Rows) error {
		v, no, agrees := verified{}, 0, false
		j, p, err := scanJournal(rows, &v.digest, &no, &v.source, &v.on, &agrees)
		if err != nil {
			return err
		}
		if no <= 1 || now == nil || now.journal.Key != j.Key { // the first or only row of a journal
			settle()
			v.journal, v.whole = j, true
			now = &v
		}
		if p != nil {
			now.journal.Postings = append(now.journal.Postings, *p)
			now.whole = now.whole && agrees && no == len(now.journal.Postings)
		}
		return nil
	})
	if err == nil {
		settle()
	}
	return err
}

// verifyKeys looks for journals and postings that have lost what belongs to them.
func (tx *Tx) verifyKeys(ctx context.Context, site string, c *LedgerCheck) error {
	for _, check := range []struct{ says, query string }{
		{"journal %s of %s has lost its key", `
			SELECT j.key, j.business_date FROM journals j
			WHERE j.site = $1 AND NOT EXISTS (SELECT FROM event_keys e WHERE e.key = j.key AND e.journal_id = j.id AND e.business_date = j.business_date)`},
		// A key does not say its site: those of all sites are looked at.
		{"the key %s of %s has lost its journal", `
			SELECT e.key, e.business_date FROM event_keys e
			WHERE e.journal_id IS NOT NULL AND $1::text IS NOT NULL
			  AND NOT EXISTS (SELECT FROM journals j WHERE j.id = e.journal_id AND j.business_date = e.business_date)`},
		{"journal %s of %s takes back what was never booked", `
			SELECT j.key, j.business_date FROM journals j
			WHERE j.site = $1 AND j.reverses IS NOT NULL AND NOT EXISTS (SELECT FROM event_keys e WHERE e.key = j.reverses AND e.journal_id IS NOT NULL)`},
		{"a posting of journal number %s of %s has lost its journal", `
			SELECT p.journal_id::text, p.business_date FROM postings p
			WHERE p.site = $1 AND NOT EXISTS (SELECT FROM journals j WHERE j.id = p.journal_id AND j.business_date = p.business_date)`},
	} {
		err := tx.Query(ctx, check.query+` ORDER BY 1`, []any{site}, func(rows pgx.Rows) error {
			var key string
			var on market.Date
			if err := rows.Scan(&key, &on); err != nil {
				return err
			}
			c.found(check.says, key, on)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// verifyBalances compares the balances that accounts carry with their postings,
// and both with the floors.
func (tx *Tx) verifyBalances(ctx context.Context, site string, c *LedgerCheck) error {
	return tx.Query(ctx, `
		WITH posted AS (
			SELECT name, currency, sum(amount) AS balance
			FROM (SELECT to_account AS name, currency, amount FROM postings WHERE site = $1 AND to_account >= 'buyer:' AND to_account < 'buyer;'
			      UNION ALL
			      SELECT from_account, currency, -amount FROM postings WHERE site = $1 AND from_account >= 'buyer:' AND from_account < 'buyer;') AS moves
			GROUP BY name, currency),
		carried AS (SELECT name, currency, balance, lowest FROM accounts WHERE site = $1)
		SELECT name, currency, coalesce(c.balance, 0), coalesce(p.balance, 0), c.balance IS NULL, coalesce(c.balance < c.lowest, false)
		FROM posted p FULL JOIN carried c USING (name, currency)
		ORDER BY name, currency`, []any{site}, func(rows pgx.Rows) error {
		var name string
		var carried, posted market.Money
		var missing, below bool
		if err := rows.Scan(&name, &carried.Currency, &carried.Amount, &posted.Amount, &missing, &below); err != nil {
			return err
		}
		posted.Currency = carried.Currency
		c.Accounts++
		switch {
		case missing:
			c.found("account %s has lost its balance: its postings say %s", name, posted)
		case carried.Amount.Cmp(posted.Amount) != 0:
			c.found("account %s has a balance of %s, and its postings say %s", name, carried, posted)
		}
		if below {
			c.found("account %s is below its floor: %s", name, carried)
		}
		return nil
	})
}

// SealedJournals is how many journals of a site are in blocks.
func (s *Store) SealedJournals(ctx context.Context, site string) (n int64, err error) {
	if err = s.queryRow(ctx, `SELECT coalesce(sum(journals), 0)::bigint FROM blocks WHERE site = $1`, []any{site}, &n); err != nil {
		return 0, fmt.Errorf("count the journals of %s: %w", site, err)
	}
	return n, nil
}
