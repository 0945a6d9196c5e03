package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
)

// documentPart is how much of a document is in memory at a time.
const documentPart = 1 << 20

// ErrNoDocument says that there is no document of that run and name.
var ErrNoDocument = errors.New("no such document")

// ErrDocumentChanged says that somebody changed a document from outside.
var ErrDocumentChanged = errors.New("its bytes are not those that were kept: find out who changed it")

// Document is a file that a run produced. Its bytes are kept in parts.
type Document struct {
	ID        int64
	RunID     int64
	Name      string
	MediaType string
	Size      int64  // bytes
	SHA256    []byte // of all its bytes
	CreatedAt time.Time
	Job       string // the run's, as are Site and On
	Site      string
	On        Day
}

// errUnchanged ends a transaction that would only have replaced a document by
// itself.
var errUnchanged = errors.New("unchanged")

// KeepDocument reads content to its end and keeps it under the run and the
// name, whole or not at all. It replaces an earlier one of that name; one with
// the same bytes stays as it is.
func (s *Store) KeepDocument(ctx context.Context, runID int64, name, mediaType string, content io.Reader) (Document, error) {
	d := Document{RunID: runID, Name: name, MediaType: mediaType}
	err := s.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		before, err := tx.removeDocument(ctx, runID, name)
		if err != nil {
			return err
		}
		if err := tx.writeDocument(ctx, &d, content); err != nil {
			return err
		}
		if before != nil && string(before) == string(d.SHA256) {
			return errUnchanged
		}
		return nil
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return Document{}, fmt.Errorf("keep document %s of run %d: %w", name, runID, err)
	}
	return s.Document(ctx, runID, name)
}

// removeDocument answers the hash of what was there. Two who keep a document
// of the same name come one after the other.
func (tx *Tx) removeDocument(ctx context.Context, runID int64, name string) ([]byte, error) {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended(format('document/%s/%s', $1::bigint, $2::text), 0))`, runID, name); err != nil {
		return nil, err
	}
	var id int64
	var sum []byte
	err := tx.NewRaw(`SELECT id, sha256 FROM documents WHERE run_id = ? AND name = ?`, runID, name).Scan(ctx, &id, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM document_parts WHERE document_id = $1`, id); err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `DELETE FROM documents WHERE id = $1`, id)
	return sum, err
}

// writeDocument fills in what is known only at the end: size and hash.
func (tx *Tx) writeDocument(ctx context.Context, d *Document, content io.Reader) error {
	err := tx.NewRaw(`
		INSERT INTO documents (run_id, name, media_type, size, sha256)
		VALUES (?, ?, ?, 0, ?) RETURNING id`, d.RunID, d.Name, d.MediaType, []byte{}).Scan(ctx, &d.ID)
	if err != nil {
		return err
	}
	parts := &partReader{content: content, document: d.ID, sum: sha256.New()}
	if _, err := tx.CopyFrom(ctx, "document_parts", []string{"document_id", "no", "bytes"}, parts); err != nil {
		return err
	}
	d.Size, d.SHA256 = parts.size, parts.sum.Sum(nil)
	_, err = tx.Exec(ctx, `UPDATE documents SET size = $2, sha256 = $3 WHERE id = $1`, d.ID, d.Size, d.SHA256)
	return err
}

// partReader cuts a stream into rows of document_parts.
type partReader struct {
	content  io.Reader
	document int64
	no       int32
	part     bytes.Buffer // grows to what a part needs: most documents are small
	size     int64
	sum      hash.Hash
	err      error
}

func (r *partReader) Next() bool {
	r.part.Reset()
	n, err := io.CopyN(&r.part, r.content, documentPart)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = fmt.Errorf("read its content: %w", err)
	}
	return n > 0 && r.err == nil
}

func (r *partReader) Values() ([]any, error) {
	r.no++
	r.size += int64(r.part.Len())
	r.sum.Write(r.part.Bytes())
	return []any{r.document, r.no, r.part.Bytes()}, nil
}

func (r *partReader) Err() error { return r.err }

const documentColumns = `
	SELECT d.id, d.run_id, d.name, d.media_type, d.size, d.sha256, d.created_at, r.job, r.site, r.business_date AS "on"
	FROM documents d JOIN runs r ON r.id = d.run_id `

// Document finds a document by its run and name, or answers ErrNoDocument.
func (s *Store) Document(ctx context.Context, runID int64, name string) (Document, error) {
	var d Document
	err := s.db.NewRaw(documentColumns+`WHERE d.run_id = ? AND d.name = ?`, runID, name).Scan(ctx, &d)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoDocument
	}
	if err != nil {
		return Document{}, fmt.Errorf("find document %s of run %d: %w", name, runID, err)
	}
	return d, nil
}

// Documents lists the documents of a run by name.
func (s *Store) Documents(ctx context.Context, runID int64) ([]Document, error) {
	var list []Document
	if err := s.db.NewRaw(documentColumns+`WHERE d.run_id = ? ORDER BY d.name`, runID).Scan(ctx, &list); err != nil {
		return nil, fmt.Errorf("list the documents of run %d: %w", runID, err)
	}
	return list, nil
}

// NewestDocuments lists at most limit documents of every run, newest first.
// before is the ID of the last one of the page before; zero for the first page.
func (s *Store) NewestDocuments(ctx context.Context, before int64, limit int) ([]Document, error) {
	var list []Document
	err := s.db.NewRaw(documentColumns+`WHERE ?0 = 0 OR d.id < ?0 ORDER BY d.id DESC LIMIT ?1`, before, limit).Scan(ctx, &list)
	if err != nil {
		return nil, fmt.Errorf("list the newest documents: %w", err)
	}
	return list, nil
}

// WriteDocument writes the bytes of a document to w, part by part, and answers
// an error if they are not those that were kept: then the last part is not
// written, so that nobody takes what came for the whole. It holds no
// transaction, so that a slow reader holds nobody up.
func (s *Store) WriteDocument(ctx context.Context, d Document, w io.Writer) error {
	sum := sha256.New()
	for written, no := int64(0), 1; written < d.Size; no++ {
		var part []byte
		err := s.queryRow(ctx, `SELECT bytes FROM document_parts WHERE document_id = $1 AND no = $2`, []any{d.ID, no}, &part)
		if errors.Is(err, pgx.ErrNoRows) {
			err = fmt.Errorf("%w: it was replaced meanwhile: get it again", ErrNoDocument)
		}
		sum.Write(part)
		if written += int64(len(part)); err == nil && written >= d.Size && string(sum.Sum(nil)) != string(d.SHA256) {
			err = ErrDocumentChanged
		}
		if err == nil {
			_, err = w.Write(part)
		}
		if err != nil {
			return fmt.Errorf("get document %s of run %d: %w", d.Name, d.RunID, err)
		}
	}
	return nil
}
