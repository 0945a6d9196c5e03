package reports

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

// sampleBacktest has a change of every kind.
func sampleBacktest(t *testing.T) BacktestReport {
	t.Helper()
	signed := at8("2026-03-11 10:00:00")
	was := Stood{"accept", "silence after the signature", signed.Add(10 * 24 * time.Hour)}
	row := func(order, seller, amount, kind string, before, after Stood, unknown bool) ChangedDecision {
		return ChangedDecision{Subject: Subject{Order: order, Buyer: "ann", Seller: seller, AccessType: "hardware", Amount: yuan(amount)}, Ruleset: "acceptance",
			Kind: kind, Before: before, After: after, Final: before.Outcome == "accept" && after.Outcome == "accept", Unknown: unknown,
			Because: "The buyer did not answer within seven days."}
	}
	rows := []ChangedDecision{
		row("A-1", "acme", "99.00", ChangeEarlier, was, Stood{"accept", "silence after the signature", signed.Add(7*24*time.Hour + time.Minute)}, false),
		row("A-2", "acme", "1000.50", ChangeOutcome, was, Stood{"wait", "=not answered", signed}, true),
		row("A-3", "byte", "20.00", ChangeLater, was, Stood{"accept", "silence after the signature", signed.Add(12 * 24 * time.Hour)}, true),
		row("A-4", "byte", "7.00", ChangeUndecidable, was, Stood{}, false),
		row("A-5", "byte", "1.00", ChangeValues, Stood{"wait", "not shipped", signed}, Stood{"wait", "not shipped", signed}, false),
	}
	counts := NewBacktestCounts()
	same := row("A-6", "acme", "5.00", ChangeNone, was, was, false)
	for _, c := range append([]ChangedDecision{same}, rows...) {
		if err := counts.Add(c); err != nil {
			t.Fatal(err)
		}
	}
	counts.Orders, counts.Rows = 6, 8
	return BacktestReport{Site: "cn", Zone: shanghai, Currency: "CNY", From: 20_513, To: 20_543, AsOf: at8("2026-03-31 02:00:00"), Rows: 8,
		Policies: []PolicyUsed{{Ruleset: "acceptance", Version: 3, Effective: 20_600, Hash: bytes.Repeat([]byte{0xab}, 32)}},
		Changed:  list(rows...), Counts: &counts}
}

func TestBacktestGolden(t *testing.T) {
	var out bytes.Buffer
	if err := Backtest(&out, sampleBacktest(t)); err != nil {
		t.Fatal(err)
	}
	golden(t, "backtest.golden", printed(t, out.Bytes()))
}

func TestABacktestThatReadLessThanThereIsDoesNotTie(t *testing.T) {
	r := sampleBacktest(t)
	r.Rows++
	var out bytes.Buffer
	if err := Backtest(&out, r); !errors.Is(err, ErrDoesNotTie) || out.Len() == 0 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
}

func TestABacktestOfNothing(t *testing.T) {
	counts := NewBacktestCounts()
	var out bytes.Buffer
	if err := Backtest(&out, BacktestReport{Site: "cn", Zone: shanghai, Currency: "CNY", AsOf: at8("2026-03-31 02:00:00"), Counts: &counts}); err != nil {
		t.Fatal(err)
	}
}
