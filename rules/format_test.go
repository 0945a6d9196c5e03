package rules

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDefaultsAreFormatted: what ships is written as fmt writes it.
func TestDefaultsAreFormatted(t *testing.T) {
	err := fs.WalkDir(Defaults(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".yaml") && !strings.HasSuffix(name, ".csv") {
			return err
		}
		text, err := fs.ReadFile(Defaults(), name)
		if err != nil {
			return err
		}
		got, err := Format(name, text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(string(text), string(got)); diff != "" {
			t.Errorf("%s: run `go run ./cmd/nightshift rules fmt rules/defaults` (-ships +formatted):\n%s", name, diff)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// formatted formats a text twice: the second time changes nothing.
func formatted(t testing.TB, name, text string) string {
	t.Helper()
	once, err := Format(name, []byte(text))
	if err != nil {
		t.Fatalf("%v\nof\n%s", err, text)
	}
	twice, err := Format(name, once)
	if err != nil {
		t.Fatalf("formatted twice: %v\nof\n%s", err, once)
	}
	if diff := cmp.Diff(string(once), string(twice)); diff != "" {
		t.Fatalf("formatting twice says something else (-once +twice):\n%s", diff)
	}
	return string(once)
}

// TestFormatFiles compares untidy files with their golden text; go test ./rules
// -run FormatFiles -update rewrites them.
func TestFormatFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/format/*.untidy")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(file, ".untidy")
			got := formatted(t, golden, string(text))
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("formatted differently (-golden +now):\n%s", diff)
			}
		})
	}
}
