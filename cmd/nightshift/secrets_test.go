package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nightshift/storage/storagetest"
)

// hushed are the secrets of a machine: each a word of its own that nothing may say.
var hushed = map[string]string{
	"NIGHTSHIFT_TOKEN":            "hush-token",
	"NIGHTSHIFT_USER":             "ops",
	"NIGHTSHIFT_PASSWORD":         "hush-password",
	"NIGHTSHIFT_SMTP":             "smtp://ops:hush-smtp@127.0.0.1:1",
	"NIGHTSHIFT_MAIL_FROM":        "night@example.org",
	"NIGHTSHIFT_MAIL_TO":          "ops@example.org",
	"NIGHTSHIFT_WEBHOOK":          "http://127.0.0.1:1/hush-hook",
	"NIGHTSHIFT_OWNER_URL":        "postgres://owner:hush-owner@127.0.0.1:1/none",
	"OTEL_EXPORTER_OTLP_HEADERS":  "api-key=hush-header",
	"OTEL_EXPORTER_OTLP_ENDPOINT": "", // of the test
}

// TestNothingSaysASecret tries commands where all is well, where the database is
// not there, and where its address cannot be read, with every secret set, and looks
// through all that is said: by commands, by logs, to a collector, and on pages.
func TestNothingSaysASecret(t *testing.T) {
	var mu sync.Mutex
	var sent bytes.Buffer
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = io.Copy(&sent, r.Body)
	}))
	defer collector.Close()
	for name, value := range hushed {
		t.Setenv(name, value)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL+"/hush-path")
	said := &strings.Builder{}
	type invocation struct {
		database string
		args     []string
	}
	well := storagetest.URL(t)
	withPassword := well + "?password=hush-database"
	if strings.Contains(well, "?") {
		withPassword = well + "&password=hush-database"
	}
	orders := filepath.Join(t.TempDir(), "orders.csv")
	if err := os.WriteFile(orders, []byte("code,buyer\nA-1,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, i := range []invocation{
		{withPassword, []string{"doctor"}},
		{withPassword, []string{"doctor", "--json"}},
		{withPassword, []string{"run", "acceptance", "--date", "2024-03-15", "--json"}},
		{withPassword, []string{"import", "orders", orders}},
		{withPassword, []string{"migrate", "up"}},
		{withPassword, []string{"help", "settings"}},
		{"postgres://ann:hush-database@127.0.0.1:1/none", []string{"doctor"}},
		{"postgres://ann:hush-database@127.0.0.1:1/none", []string{"night", "--date", "2024-03-15", "--json"}},
		{"postgres://ann:hush-database@127.0.0.1:1/none", []string{"serve", "--listen", "127.0.0.1:0"}},
		{"postgres://ann:hush-database@127.0.0.1:1/none", []string{"worker"}},
		{"postgres://ann:hush-database@[none", []string{"runs", "list"}},
		{"host=127.0.0.1 port=x password=hush-database", []string{"runs", "list", "--json"}},
		{"postgres://ann:hush-%zz@127.0.0.1:1/none", []string{"doctor", "--json"}},
	} {
		t.Setenv("DATABASE_URL", i.database)
		run(t.Context(), i.args, os.Getenv, said, said)
	}
	said.WriteString(served(t, withPassword))
	mu.Lock()
	defer mu.Unlock()
	if sent.Len() == 0 {
		t.Error("the collector was sent nothing")
	}
	for where, text := range map[string]string{"what is said": said.String(), "what the collector is sent": sent.String()} {
		for at := range strings.Lines(text) {
			if strings.Contains(at, "hush-") {
				t.Errorf("%s tells a secret: %q", where, at)
			}
		}
	}
}

// served is what serve logs, and what it answers to those who signed in and those
// who did not.
func served(t *testing.T, database string) string {
	t.Helper()
	t.Setenv("DATABASE_URL", database)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	reader, writer := io.Pipe()
	ended := make(chan int)
	go func() {
		code := run(ctx, []string{"serve", "--listen", "127.0.0.1:0"}, os.Getenv, writer, writer)
		writer.Close()
		ended <- code
	}()
	var log strings.Builder
	address := ""
	buffer := make([]byte, 1<<16)
	for address == "" {
		n, err := reader.Read(buffer)
		if err != nil {
			t.Fatalf("serve ended: %v\n%s", err, &log)
		}
		log.Write(buffer[:n])
		if _, after, found := strings.Cut(log.String(), "address="); found {
			address, _, _ = strings.Cut(after, " ")
		}
	}
	rest := make(chan string)
	go func() {
		all, _ := io.ReadAll(reader)
		rest <- string(all)
	}()
	for _, page := range []string{"/", "/metrics", "/readyz", "/runs/1", "/nothing"} {
		for _, token := range []string{"", os.Getenv("NIGHTSHIFT_TOKEN")} {
			_, body := get(t, address+page, token)
			log.WriteString(body)
		}
	}
	stop()
	log.WriteString(<-rest)
	<-ended
	return log.String()
}
