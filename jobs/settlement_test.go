package jobs_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nightshift/jobs"
	"nightshift/jobs/intake"
	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// sellersMonth is a month of many sellers, as files: orders of one and of several
// sellers, refunds, adjustments, what waits and what is to be mended.
func sellersMonth(sellers int) map[string][]string {
	files := map[string][]string{
		"sellers": {"code,certified_at"}, "buyers": {"code", "ann"}, "products": {"code,seller,access_type,product_class"},
		"orders":      {"code,buyer,product,access_type,delivery_mode,charge_mode,placed_at,paid_at,provisioned_at,amount,currency"},
		"lines":       {"order,line,product,amount,currency"},
		"refunds":     {"code,order,request,amount,currency,requested_at,refunded_at"},
		"adjustments": {"code,seller,amount,currency,at"},
	}
	add := func(kind, format string, values ...any) {
		files[kind] = append(files[kind], fmt.Sprintf(format, values...))
	}
	for n := range sellers {
		certified := "2020-01-01T00:00:00"
		if n%17 == 0 {
			certified = ""
		}
		class := "service"
		if n%23 == 0 {
			class = ""
		}
		add("sellers", "s%d,%s", n, certified)
		add("products", "p%d,s%d,saas,%s", n, n, class)
		add("orders", "o%d-1,ann,p%d,saas,instant,PERIOD,2024-05-%02dT10:00:00,2024-05-%02dT10:00:00,2024-05-%02dT10:00:00,%d.%02d,CNY", n, n, n%28+1, n%28+1, n%28+1, 100+n*977, n%100)
		add("orders", "o%d-2,ann,,saas,instant,PERIOD,2024-05-10T10:00:00,2024-05-10T10:00:00,2024-05-10T10:00:00,%d.01,CNY", n, 1000+n)
		add("lines", "o%d-2,1,p%d,300.00,CNY", n, n)
		add("lines", "o%d-2,2,p%d,600.00,CNY", n, (n+1)%sellers)
		if n%3 == 0 {
			add("refunds", "r%d,o%d-2,granted,%d.99,CNY,2024-05-20T10:00:00,2024-05-20T10:00:00", n, n, n%500)
		}
		if n%5 == 0 {
			add("adjustments", "j%d,s%d,-%d.50,CNY,2024-05-21T10:00:00", n, n, n*100)
		}
	}
	return files
}

// takeInFiles imports files of lines, each kind after those it refers to.
func takeInFiles(t *testing.T, s *storage.Store, e *jobs.Engine, files map[string][]string, arrange func([]string) []string) {
	t.Helper()
	site, err := e.Book.Site("cn")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range intake.Kinds {
		lines := files[kind.Name]
		if len(lines) == 0 {
			continue
		}
		path := filepath.Join(t.TempDir(), kind.Name+".csv")
		text := strings.Join(append([]string{lines[0]}, arrange(slices.Clone(lines[1:]))...), "\n") + "\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := intake.Import(t.Context(), s, intake.Request{Kind: kind.Name, Site: "cn", Zone: site.Zone, Files: []string{path}}); err != nil || r.Rejected() > 0 {
			t.Fatalf("import %s: %v, %v", kind.Name, r.Rejects, err)
		}
	}
}

// TestASettlementIsTheSameHoweverItIsWorked: its result, statements and journals do
// not depend on the number of workers, on how it is cut into chunks, on the order
// of the files, or on whether it is a dry run.
func TestASettlementIsTheSameHoweverItIsWorked(t *testing.T) {
	files := sellersMonth(230)
	forwards := func(lines []string) []string { return lines }
	backwards := func(lines []string) []string { slices.Reverse(lines); return lines }
	request := jobs.Request{Job: "settlement", Site: "cn", On: market.NewDate(2024, 5, 31)}
	const statements = `
		SELECT coalesce(string_agg(s.code || ' ' || t.lines || ' ' || trim_scale(t.settled) || ' ' || trim_scale(t.payout) || ' ' || trim_scale(t.carried_out), E'\n' ORDER BY s.code), '')
		FROM statements t JOIN sellers s ON s.id = t.seller_id`
	var hash []byte
	var kept string
	for _, how := range []struct {
		name           string
		arrange        func([]string) []string
		workers, chunk int
	}{{"one worker", forwards, 1, 0}, {"two workers, small chunks", forwards, 2, 7}, {"eight workers, files backwards", backwards, 8, 30}} {
		s := storagetest.New(t)
		e := engine(t, s)
		e.Workers, e.ChunkSize = how.workers, how.chunk
		takeInFiles(t, s, e, files, how.arrange)
		dry := request
		dry.DryRun = true
		preview, err := e.Run(t.Context(), dry)
		if err != nil {
			t.Fatalf("%s, dry run: %v", how.name, err)
		}
		if n := count(t, s, `SELECT (SELECT count(*) FROM statements) + (SELECT count(*) FROM waiting_lines) + (SELECT count(*) FROM journals)`); n != 0 {
			t.Errorf("%s: the dry run kept %d rows", how.name, n)
		}
		real, err := e.Run(t.Context(), request)
		if err != nil {
			t.Fatalf("%s: %v", how.name, err)
		}
		after, err := e.Run(t.Context(), dry)
		if err != nil || !bytes.Equal(preview.Run.ResultHash, real.Run.ResultHash) || !bytes.Equal(after.Run.ResultHash, real.Run.ResultHash) {
			t.Errorf("%s: the dry run came to %x, the run to %x, a dry run after it to %x, %v", how.name, preview.Run.ResultHash, real.Run.ResultHash, after.Run.ResultHash, err)
		}
		if hash == nil {
			hash, kept = real.Run.ResultHash, text(t, s, statements)
		}
		if !bytes.Equal(hash, real.Run.ResultHash) || kept != text(t, s, statements) {
			t.Errorf("%s: the result is %x, want %x", how.name, real.Run.ResultHash, hash)
		}
		if len(real.Statements) == 0 || len(preview.Statements) != len(real.Statements) {
			t.Errorf("%s: %d statements previewed, %d made", how.name, len(preview.Statements), len(real.Statements))
		}
		if untied := count(t, s, `
			SELECT count(*) FROM statements t
			WHERE t.payout + t.carried_out <> (SELECT sum(l.settled) FROM statement_lines l WHERE l.seller_id = t.seller_id AND l.period = t.period)
			   OR t.payout <> (SELECT coalesce(sum(p.amount), 0) FROM event_keys k JOIN postings p ON p.journal_id = k.journal_id
			                   WHERE k.key = t.journal_key AND p.to_account LIKE 'seller:%:payable')`); untied != 0 {
			t.Errorf("%s: %d statements do not tie to their lines and journals", how.name, untied)
		}
		if left := text(t, s, `
			SELECT coalesce(sum(amount), 0)::text FROM (SELECT amount FROM postings WHERE to_account LIKE 'seller:%:accrued'
			UNION ALL SELECT -amount FROM postings WHERE from_account LIKE 'seller:%:accrued') m`); ratOf(left).Sign() != 0 {
			t.Errorf("%s: %s is left on accrued", how.name, left)
		}
	}
}
