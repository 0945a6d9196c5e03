package watching

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"nightshift/jobs"
)

// Webhook posts messages as JSON: the fields of jobs.Message, and text, which is
// what chat programs show.
type Webhook struct {
	address *url.URL // may hold a secret: only its host is told
}

// NewWebhook reads where messages are posted to.
func NewWebhook(address string) (*Webhook, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("read NIGHTSHIFT_WEBHOOK: write it like https://host/path")
	}
	return &Webhook{address: u}, nil
}

// Name is webhook, and its host.
func (h *Webhook) Name() string { return "webhook at " + h.address.Host }

// Send posts a message; any answer but 2xx is an error.
func (h *Webhook) Send(ctx context.Context, m jobs.Message) error {
	body, err := json.Marshal(struct {
		Text string `json:"text"`
		jobs.Message
	}{m.Text(), m})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.address.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("post to %s: it is no address", h.address.Host)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", m.Key)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		if failed := new(url.Error); errors.As(err, &failed) {
			err = failed.Err // without the address
		}
		return fmt.Errorf("post to %s: %w", h.address.Host, err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16))
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("post to %s: it answered %s", h.address.Host, answer.Status)
	}
	return nil
}
