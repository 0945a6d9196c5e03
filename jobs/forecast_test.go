package jobs_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nightshift/jobs"
	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// What a forecast says is what the nights then do, to the fen. It leaves nothing
// behind, and does not wait for somebody who changes facts.
func TestAForecastIsWhatTheNightsDo(t *testing.T) {
	s := storagetest.New(t)
	subscribers(t, s, 30)
	exec(t, s, `UPDATE subscriptions SET price = NULL, currency = NULL WHERE id % 17 = 0`)
	exec(t, s, `UPDATE buyers SET level = 'unheard of' WHERE id = 7`)
	e := engine(t, s)
	first := date(t, "2023-12-31")
	mustRun(t, e, jobs.Request{Job: "renewal", Site: "cn", On: first})
	const kept = `SELECT (SELECT count(*) FROM decisions) + (SELECT count(*) FROM runs) + (SELECT count(*) FROM terms) + (SELECT count(*) FROM postings) + (SELECT count(*) FROM outbox)`
	before := count(t, s, kept)

	const days = 60
	from, err := e.NextNight(t.Context(), "cn", first.At(market.TimeOfDay{}, shanghai(t)))
	if err != nil || from != first+1 {
		t.Fatalf("the next night is %s, %v", from, err)
	}
	var book bytes.Buffer
	var f jobs.Forecast
	err = s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
		if err := tx.ChangeFacts(ctx, "cn"); err != nil {
			return err
		}
		f, err = e.Forecast(ctx, jobs.ForecastRequest{Site: "cn", From: from, Days: days, Workbook: &book})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if now := count(t, s, kept); now != before {
		t.Errorf("the forecast left %d rows behind", now-before)
	}
	if n := count(t, s, `SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'scratch%'`); n != 0 {
		t.Errorf("%d scratch copies are left", n)
	}
	if book.Len() < 10_000 || len(f.Parked) != 0 {
		t.Errorf("a workbook of %d bytes, parked %v", book.Len(), f.Parked)
	}
	for on := from; on < from+days; on++ {
		mustRun(t, e, jobs.Request{Job: "renewal", Site: "cn", On: on})
	}
	var real []storage.ForecastDay
	if err := s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
		all, err := tx.ForecastDays(ctx, "cn")
		for _, d := range all {
			if d.On >= from {
				real = append(real, d)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(real) < days/2 {
		t.Errorf("something happened in %d nights alone", len(real))
	}
	same := cmp.Comparer(func(a, b market.Decimal) bool { return a.Cmp(b) == 0 })
	firstTime := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".FailedNew" }, cmp.Ignore()) // some failed before it
	if diff := cmp.Diff(real, f.Days, same, firstTime); diff != "" {
		t.Errorf("the nights, and what was foreseen (-nights +foreseen):\n%s", diff)
	}
}
