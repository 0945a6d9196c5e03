package storage_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// keptText keeps a rule text for a release to name.
func keptText(t *testing.T, s *storage.Store, hash string) [][]byte {
	t.Helper()
	err := s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
		return tx.KeepRuleVersion(ctx, storage.RuleVersion{Hash: []byte(hash), Site: "cn", Ruleset: "acceptance", Version: 3, File: "acceptance.yaml", Text: hash})
	})
	if err != nil {
		t.Fatal(err)
	}
	return [][]byte{[]byte(hash)}
}

func propose(t *testing.T, s *storage.Store, texts [][]byte) (id int64, err error) {
	t.Helper()
	err = s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
		id, err = tx.Propose(ctx, storage.Release{Site: "cn", Ruleset: "acceptance", Version: 3, Texts: texts, Proposed: storage.ReleaseAct{Because: "so"}})
		return err
	})
	return id, err
}

func act(t *testing.T, s *storage.Store, id int64, what string) error {
	t.Helper()
	return s.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
		return tx.ActOnRelease(ctx, "cn", id, what, "so")
	})
}

func TestWhoProposedATextDoesNotApproveIt(t *testing.T) {
	address := storagetest.URL(t)
	ann, bob := storagetest.Open(t, storagetest.Login(t, address, "ann_writes")), storagetest.Open(t, storagetest.Login(t, address, "bob_reads"))
	text := keptText(t, ann, "one")
	id, err := propose(t, ann, text)
	if err != nil {
		t.Fatal(err)
	}
	if err := act(t, ann, id, storage.ReleaseApprove); !errors.Is(err, storage.ErrAuthor) {
		t.Errorf("the author's approval: %v", err)
	}
	for _, statement := range []string{
		`INSERT INTO release_acts (release_id, act, because, acted_by) VALUES (?0, 'approve', 'so', 'bob_reads')`,
		`INSERT INTO release_acts (release_id, act, because, acted_by, acted_at) OVERRIDING USER VALUE VALUES (?0, 'approve', 'so', 'bob_reads', now())`,
		`UPDATE releases SET proposed_by = 'bob_reads' WHERE id = ?0`,
		`UPDATE releases SET texts = ARRAY['\x00'::bytea] WHERE id = ?0`,
		`DELETE FROM releases WHERE id = ?0`,
		`ALTER TABLE release_acts DISABLE TRIGGER sign_release_act`,
		`DROP TRIGGER sign_release_act ON release_acts`,
		`SET SESSION AUTHORIZATION bob_reads`,
		`SET ROLE bob_reads`,
	} {
		if _, err := ann.DB().ExecContext(t.Context(), statement, id); err == nil {
			t.Errorf("as the author, %s is let through", statement)
		}
	}
	// Somebody else's proposal of the same text is no way around.
	again, err := propose(t, bob, text)
	if err != nil {
		t.Fatal(err)
	}
	if err := act(t, ann, again, storage.ReleaseApprove); !errors.Is(err, storage.ErrAuthor) {
		t.Errorf("the author's approval of another's proposal of the same text: %v", err)
	}
	other, err := propose(t, ann, keptText(t, ann, "two"))
	if err != nil {
		t.Fatal(err)
	}
	if err := act(t, bob, other, storage.ReleaseApprove); err != nil {
		t.Fatal(err)
	}
	var list []storage.Release
	if err := bob.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) (err error) {
		list, err = tx.Releases(ctx, "cn")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if r := list[0]; r.ID != other || r.Proposed.By != "ann_writes" || r.Approved.By != "bob_reads" || !r.InForce() || list[1].InForce() {
		t.Errorf("releases are %+v", list)
	}
}

func TestAReleaseIsSignedByItsLoginWhateverIsWritten(t *testing.T) {
	address := storagetest.URL(t)
	ann := storagetest.Open(t, storagetest.Login(t, address, "ann_writes"))
	text := keptText(t, ann, "one")
	var by string
	err := ann.DB().QueryRowContext(t.Context(), `
		INSERT INTO releases (site, ruleset, version, texts, because, proposed_by) VALUES ('cn', 'acceptance', 3, ARRAY[?::bytea], 'so', 'bob_reads') RETURNING proposed_by`, text[0]).Scan(&by)
	if err != nil || by != "ann_writes" {
		t.Errorf("signed by %q, %v", by, err)
	}
	if _, err := propose(t, ann, [][]byte{[]byte("never kept")}); err == nil || !strings.Contains(err.Error(), "its text is not kept") {
		t.Errorf("a release of a text that nobody kept: %v", err)
	}
}

func TestAWithdrawnReleaseIsNotApproved(t *testing.T) {
	address := storagetest.URL(t)
	ann, bob := storagetest.Open(t, storagetest.Login(t, address, "ann_writes")), storagetest.Open(t, storagetest.Login(t, address, "bob_reads"))
	id, err := propose(t, ann, keptText(t, ann, "one"))
	if err != nil {
		t.Fatal(err)
	}
	if err := act(t, ann, id, storage.ReleaseWithdraw); err != nil {
		t.Fatal(err)
	}
	if err := act(t, bob, id, storage.ReleaseApprove); !errors.Is(err, storage.ErrWithdrawn) {
		t.Errorf("approved after it was withdrawn: %v", err)
	}
	if err := act(t, bob, id, storage.ReleaseWithdraw); !errors.Is(err, storage.ErrReleased) {
		t.Errorf("withdrawn twice: %v", err)
	}
	if err := act(t, bob, 99, storage.ReleaseApprove); !errors.Is(err, storage.ErrNoRelease) {
		t.Errorf("a release that is not there: %v", err)
	}
}
