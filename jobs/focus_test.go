package jobs_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"nightshift/jobs"
	"nightshift/jobs/intake"
	"nightshift/rules"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// TestARealCloudBillIsRounded deducts the lines of a real cloud bill under each
// rounding policy: what is charged and what is dropped are together the bill,
// to the last of its eleven decimals.
func TestARealCloudBillIsRounded(t *testing.T) {
	file := realData(t, "focus/focus_sample.csv.gz")
	for policy, charged := range map[string]string{
		"truncate each":     "19.71",
		"half up each":      "20.57",
		"half up the total": "20.52",
		"largest remainder": "20.52",
	} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			s := storagetest.New(t)
			e := engine(t, s)
			e.Book = roundingBy(t, policy)
			importFocus(t, s, e.Book, file)
			for _, on := range []string{"2024-09-30", "2024-10-01"} {
				if r, err := e.Run(t.Context(), jobs.Request{Job: "billing", Site: "focus", On: date(t, on)}); err != nil || r.Run.Parked > 0 {
					t.Fatalf("%s: %d parked, %v", on, r.Run.Parked, err)
				}
			}
			const owed = `SELECT trim_scale(coalesce((SELECT -sum(balance) FROM accounts WHERE name IN ('buyer:focus:arrears', 'buyer:focus:cash')), 0))::text`
			if got := text(t, s, owed); got != charged {
				t.Errorf("charged %s, want %s", got, charged)
			}
			const exact = `SELECT trim_scale(sum(price))::text FROM deductions`
			if got := text(t, s, exact); got != "20.52022672899" {
				t.Errorf("the lines add up to %s", got)
			}
			const dropped = `
				SELECT trim_scale(sum(CASE WHEN from_account = 'platform:dropped' THEN amount ELSE -amount END))
				FROM postings WHERE 'platform:dropped' IN (from_account, to_account)`
			closed := text(t, s, `SELECT trim_scale(`+charged+` + (`+dropped+`))::text`)
			if closed != "20.52022672899" {
				t.Errorf("charged and dropped come to %s", closed)
			}
			if n := count(t, s, `SELECT count(*) FROM deductions`); n != 1000 {
				t.Errorf("%d deductions", n)
			}
			if policy == "largest remainder" {
				const shared = `SELECT concat_ws(' ', trim_scale(sum(due)), trim_scale(sum(charged)), count(*) FILTER (WHERE charged <> round(charged, 2) OR abs(due - charged) >= 0.01)) FROM rounded_lines`
				if got := text(t, s, shared); got != "20.52022675 20.52 0" {
					t.Errorf("the lines, what they are charged, and those that are not in cents: %s", got)
				}
			}
		})
	}
}

// roundingBy are the default rules with another rounding policy for dollars.
func roundingBy(t *testing.T, policy string) *rules.Book {
	t.Helper()
	return rounding(t, "half up the total", policy)
}

// rounding are the default rules with another text in those of rounding.
func rounding(t *testing.T, was, is string) *rules.Book {
	t.Helper()
	dir := without(t, rules.Defaults(), []string{"rounding.yaml", "rounding.test.yaml"}).(fstest.MapFS)
	text, err := fs.ReadFile(rules.Defaults(), "rounding.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir["rounding.yaml"] = &fstest.MapFile{Data: []byte(strings.Replace(string(text), was, is, 1))}
	book, err := rules.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func importFocus(t *testing.T, s *storage.Store, book *rules.Book, file string) {
	t.Helper()
	site, err := book.Site("focus")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"buyers", "sellers", "charges"} {
		result, err := intake.Import(t.Context(), s, intake.Request{Kind: kind, Site: site.Name, Zone: site.Zone, Mapping: shippedMapping(t, "focus", kind), Files: []string{file}})
		if err != nil || result.Rejected() > 0 {
			t.Fatalf("import %s: %v, %v", kind, result, err)
		}
	}
}

func text(t testing.TB, s *storage.Store, query string) (out string) {
	t.Helper()
	if err := s.DB().QueryRowContext(t.Context(), query).Scan(&out); err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	return out
}
