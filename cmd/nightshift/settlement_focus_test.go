package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
)

func TestADatasetMayBePackedByGzip(t *testing.T) {
	const text = "BilledCost,BillingCurrency\n1,CNY\n"
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]io.Reader{"packed": &packed, "as it is": strings.NewReader(text), "empty": strings.NewReader("")} {
		in, err := unpacked(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := io.ReadAll(in)
		if err != nil || name != "empty" && string(got) != text {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
