package jobs_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"nightshift/jobs"
	"nightshift/rules"
)

// pinnedStory is the story of orders that keep their versions, up to a night,
// that one left to do.
func pinnedStory(t *testing.T, upto string) *story {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/stories/an_order_keeps_its_version.txtar")
	if err != nil {
		t.Fatal(err)
	}
	s := newStory(t, archive)
	for i, n := range s.nights {
		if n.on.String() == upto {
			s.nights = s.nights[:i]
			break
		}
	}
	s.run()
	return s
}

// otherRules is a directory in which none of the versions of the story is left.
func otherRules(t *testing.T) *rules.Book {
	t.Helper()
	dir := without(t, rules.Defaults(), []string{"acceptance.v1.yaml", "acceptance.yaml"}).(fstest.MapFS)
	dir["acceptance.yaml"] = &fstest.MapFile{Data: []byte("ruleset: acceptance\nversion: 9\neffective: 2010-01-01\nhit: first\nrules: [{name: at once, when: happened(placed_for), then: accept, because: Everything is.}]\notherwise: wait\n")}
	book, err := rules.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func TestAnInterruptedRunKeepsEveryVersionItMayUse(t *testing.T) {
	const night = "2024-03-22"
	undisturbed := pinnedStory(t, night)
	mustRun(t, undisturbed.engine, request(t, night))

	s := pinnedStory(t, night)
	ctx, stop := context.WithCancel(t.Context())
	first := *s.engine
	first.ChunkSize = 1
	first.Progress = func(jobs.Progress) { stop() }
	if r, err := first.Run(ctx, request(t, night)); err == nil {
		t.Fatalf("the run was not interrupted: %+v", r.Run)
	}
	second := *s.engine
	second.Book = otherRules(t)
	r := mustRun(t, &second, request(t, night))
	if r.Already || history(t, s.store) != history(t, undisturbed.store) {
		t.Errorf("resumed under other rule files the run left something else:\n%s\ninstead of\n%s", history(t, s.store), history(t, undisturbed.store))
	}
	if len(r.Run.Policies) != 5 {
		t.Errorf("the run is pinned to %v: want two rulesets, and the three policies that were in force up to its date", r.Run.Policies)
	}
}

func TestTheWorkbookGivesTheReasonsOfTheVersionThatDecided(t *testing.T) {
	const night = "2024-03-22"
	s := pinnedStory(t, night)
	r := mustRun(t, s.engine, request(t, night))
	if _, err := s.engine.KeepWorkbook(t.Context(), r.Run); err != nil {
		t.Fatal(err)
	}
	s.engine.Book = otherRules(t)
	if _, difference, err := s.engine.VerifyWorkbook(t.Context(), r.Run); err != nil || difference != "" {
		t.Errorf("written again under other rule files the workbook is not the same: %s %v", difference, err)
	}
	var book bytes.Buffer
	if err := s.engine.Workbook(t.Context(), r.Run, &book); err != nil {
		t.Fatal(err)
	}
	text := unpacked(t, book.Bytes())
	if !strings.Contains(text, "Nobody answered within ten days.") || strings.Contains(text, "Nobody answered for a while.") {
		t.Error("orders that were placed under version 2 have the reasons of version 3")
	}
}

// unpacked is all that stands in a workbook.
func unpacked(t *testing.T, book []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(book), int64(len(book)))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&text, r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return text.String()
}
