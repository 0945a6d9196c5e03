package storage_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// aRun is a run that documents can belong to.
func aRun(t *testing.T, s *storage.Store) int64 {
	t.Helper()
	return one[int64](t, s, `
		INSERT INTO runs (job, site, business_date, as_of, build, schema, policies, due)
		VALUES ('acceptance', 'cn', '2026-04-01', '2026-04-01T02:00+08', 'test', 1, '{}', 0) RETURNING id`)
}

func get(t *testing.T, s *storage.Store, d storage.Document) []byte {
	t.Helper()
	var got bytes.Buffer
	if err := s.WriteDocument(t.Context(), d, &got); err != nil {
		t.Fatal(err)
	}
	return got.Bytes()
}

func TestADocumentComesBackAsItWent(t *testing.T) {
	s := storagetest.New(t)
	run := aRun(t, s)
	for name, content := range map[string]string{
		"empty.txt": "", "small.txt": "a line\n", "one part.bin": strings.Repeat("x", 1<<20), "parts.bin": strings.Repeat("0123456789abcdef", 200_000),
	} {
		kept, err := s.KeepDocument(t.Context(), run, name, "text/plain", iotest.HalfReader(strings.NewReader(content)))
		if err != nil {
			t.Fatal(err)
		}
		if kept.Size != int64(len(content)) || kept.Job != "acceptance" || kept.On.String() != "2026-04-01" {
			t.Errorf("%s: kept as %+v", name, kept)
		}
		if got := get(t, s, kept); string(got) != content {
			t.Errorf("%s: %d bytes came back, want %d", name, len(got), len(content))
		}
	}
	list, err := s.Documents(t.Context(), run)
	if err != nil || len(list) != 4 || list[0].Name != "empty.txt" {
		t.Errorf("list: %v %v", list, err)
	}
	newest, err := s.NewestDocuments(t.Context(), 0, 3)
	if err != nil || len(newest) != 3 {
		t.Fatalf("newest: %v %v", newest, err)
	}
	rest, err := s.NewestDocuments(t.Context(), newest[2].ID, 3)
	if err != nil || len(rest) != 1 {
		t.Errorf("the page after: %v %v", rest, err)
	}
}

func TestADocumentIsThereUntilItsTimeIsOver(t *testing.T) {
	s := storagetest.New(t)
	run := aRun(t, s)
	kept, err := s.KeepDocument(t.Context(), run, "night.xlsx", "text/plain", strings.NewReader(strings.Repeat("x", 3<<20)))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		site   string
		by     time.Time
		purged int64
	}{
		{"a microsecond too early", kept.Site, kept.CreatedAt.Add(-time.Microsecond), 0},
		{"another site's time", "br", kept.CreatedAt, 0},
		{"its time is over", kept.Site, kept.CreatedAt, 1},
		{"it is gone", kept.Site, kept.CreatedAt, 0},
	} {
		for _, dry := range []bool{true, false} {
			gone, err := s.Purge(t.Context(), storage.Purge{Site: tt.site, Documents: tt.by, Dry: dry})
			if err != nil || gone.Documents != tt.purged || gone.Bytes != tt.purged*kept.Size {
				t.Errorf("%s, dry %v: purged %+v, %v, want %d", tt.name, dry, gone, err, tt.purged)
			}
		}
	}
	if _, err := s.Document(t.Context(), run, "night.xlsx"); !errors.Is(err, storage.ErrNoDocument) {
		t.Errorf("after its time: %v", err)
	}
	if n := one[int](t, s, `SELECT count(*) FROM document_parts`); n != 0 {
		t.Errorf("%d parts of it are left", n)
	}
}

func TestTheSameDocumentAgainChangesNothingAndAnotherReplacesIt(t *testing.T) {
	s := storagetest.New(t)
	run := aRun(t, s)
	keep := func(content string) storage.Document {
		d, err := s.KeepDocument(t.Context(), run, "night.xlsx", "text/plain", strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	first, again := keep("one"), keep("one")
	if first.ID != again.ID || !first.CreatedAt.Equal(again.CreatedAt) {
		t.Errorf("the same document became another: %+v, %+v", first, again)
	}
	second := keep("two")
	if got := get(t, s, second); string(got) != "two" {
		t.Errorf("got %q", got)
	}
	if err := s.WriteDocument(t.Context(), first, io.Discard); !errors.Is(err, storage.ErrNoDocument) {
		t.Errorf("the replaced one: %v", err)
	}
	if n := one[int](t, s, `SELECT count(*) FROM document_parts`); n != 1 {
		t.Errorf("%d parts are left", n)
	}
}

func TestADocumentWhoseSourceBreaksIsNotKept(t *testing.T) {
	s := storagetest.New(t)
	run := aRun(t, s)
	broken := errors.New("disk on fire")
	content := io.MultiReader(strings.NewReader(strings.Repeat("x", 3<<20)), iotest.ErrReader(broken))
	if _, err := s.KeepDocument(t.Context(), run, "half.bin", "text/plain", content); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Document(t.Context(), run, "half.bin"); !errors.Is(err, storage.ErrNoDocument) {
		t.Errorf("half a document was kept: %v", err)
	}
}

func TestADamagedDocumentIsNoticed(t *testing.T) {
	s := storagetest.New(t)
	d, err := s.KeepDocument(t.Context(), aRun(t, s), "a.txt", "text/plain", strings.NewReader("true"))
	if err != nil {
		t.Fatal(err)
	}
	d.SHA256[0]++
	if err := s.WriteDocument(t.Context(), d, io.Discard); err == nil || !strings.Contains(err.Error(), "not those that were kept") {
		t.Errorf("got %v", err)
	}
}

func TestARuleVersionIsKeptOnce(t *testing.T) {
	s := storagetest.New(t)
	v := storage.RuleVersion{
		Hash: bytes.Repeat([]byte{7}, 32), Site: "cn", Ruleset: "acceptance", Version: 2,
		Effective: storage.Day{Date: market.NewDate(2020, 1, 1)}, File: "acceptance.yaml", Text: "ruleset: acceptance\n",
	}
	for range 2 {
		inTx(t, s, func(ctx context.Context, tx *storage.Tx) error { return tx.KeepRuleVersion(ctx, v) })
	}
	list, err := s.RuleVersions(t.Context(), "cn")
	if err != nil || len(list) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	got, err := s.RuleVersion(t.Context(), v.Hash)
	if err != nil || got.Text != v.Text || got.Effective != v.Effective || got.FirstUsed.IsZero() {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := s.RuleVersion(t.Context(), []byte("other")); err == nil {
		t.Error("a version that was never used was found")
	}
}

func TestNoticesAreListedByDateAndKey(t *testing.T) {
	s := storagetest.New(t)
	april := market.Period{From: market.NewDate(2026, 4, 1), To: market.NewDate(2026, 5, 1)}
	for _, on := range []market.Date{april.From, april.To} {
		if err := s.EnsureMonth(t.Context(), on); err != nil {
			t.Fatal(err)
		}
	}
	inTx(t, s, func(ctx context.Context, tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO notices (key, business_date, site, kind, subject, recipients, at)
			VALUES ('b', '2026-04-30', 'cn', 'overdue', 1, '{seller,platform}', '2026-04-30T02:00+08'),
			       ('a', '2026-04-30', 'cn', 'accepted', 2, '{buyer}', now()),
			       ('c', '2026-05-01', 'cn', 'accepted', 3, '{buyer}', now()), ('d', '2026-04-30', 'br', 'accepted', 4, '{buyer}', now())`)
		return err
	})
	var got []string
	err := s.Notices(t.Context(), "cn", april, func(n storage.KeptNotice) error {
		got = append(got, n.Key+" "+n.On.String()+" "+strings.Join(n.Recipients, "+"))
		return nil
	})
	want := "a 2026-04-30 buyer, b 2026-04-30 seller+platform"
	if err != nil || strings.Join(got, ", ") != want {
		t.Errorf("%v %v, want %s", got, err, want)
	}
}
