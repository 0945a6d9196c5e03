package rules

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nightshift/rules/market"
)

func defaultAcceptance(t testing.TB) *Policy {
	t.Helper()
	book, err := Load(Defaults())
	if err != nil {
		t.Fatal(err)
	}
	site, err := book.Site(DefaultSite)
	if err != nil {
		t.Fatal(err)
	}
	p, err := site.Policy("acceptance", market.NewDate(2026, 4, 1))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Facts are read alike by the quick way and by encoding/json, as we write them
// and as Postgres does after us.
func TestFactsAreReadAsJSONReadsThem(t *testing.T) {
	p := defaultAcceptance(t)
	rapid.Check(t, func(draw *rapid.T) {
		f := anyAcceptanceFacts(draw)
		text := p.AppendFacts(nil, f)
		var spaced bytes.Buffer
		if err := json.Indent(&spaced, text, " ", "  "); err != nil {
			draw.Fatal(err)
		}
		for _, text := range [][]byte{text, spaced.Bytes(), bytes.ReplaceAll(text, []byte(`":`), []byte(`": `))} {
			slow := new(AcceptanceFacts)
			if err := json.Unmarshal(text, slow); err != nil {
				draw.Fatal(err)
			}
			quick := new(AcceptanceFacts)
			if !p.readFacts(text, quick) {
				if bytes.IndexByte(text, '\\') < 0 {
					draw.Fatalf("left to encoding/json: %s", text)
				}
				continue
			}
			if !reflect.DeepEqual(quick, slow) {
				draw.Fatalf("%s\nread %+v\nwant %+v", text, quick, slow)
			}
		}
	})
}

func anyAcceptanceFacts(draw *rapid.T) *AcceptanceFacts {
	instant := func(name string) time.Time {
		return time.Unix(rapid.Int64Range(1_500_000_000, 1_900_000_000).Draw(draw, name), int64(rapid.IntRange(0, 999_999).Draw(draw, name+" µs"))*1000).UTC()
	}
	f := &AcceptanceFacts{Seller: rapid.String().Draw(draw, "seller"), AccessType: "hardware", Cancelled: rapid.Bool().Draw(draw, "cancelled")}
	if rapid.Bool().Draw(draw, "costs") {
		f.Amount = market.NewMoney(market.DecimalOf(rapid.Int64Range(0, 1e15).Draw(draw, "amount")), "CNY")
	}
	for i, w := range []*market.Stopwatch{&f.PlacedFor, &f.SignedFor, &f.AppealWorkingFor} {
		if i > 0 && rapid.Bool().Draw(draw, "not started") {
			continue
		}
		*w = market.StartedAt(instant("since"))
		if rapid.Bool().Draw(draw, "stopped") {
			from := w.Anchor().Add(time.Hour)
			*w = w.Without([]market.Span{{From: from, To: from.Add(time.Hour)}, {From: from.Add(3 * time.Hour)}})
		}
	}
	return f
}

func TestFactsOfAnotherFormAreRefusedAsEver(t *testing.T) {
	p := defaultAcceptance(t)
	for _, text := range []string{``, `{`, `[]`, `{"unheard_of": true}`, `{"cancelled": maybe}`, `{"cancelled": true`, `{"amount": "12 of these"}`, `{"signed_for": {"since": "yesterday"}}`, `{"signed_for": {}}`} {
		if facts, err := p.ParseFacts([]byte(text)); err == nil {
			t.Errorf("%s is read as %+v", text, facts)
		}
	}
	if facts, err := p.ParseFacts([]byte(`{"seller": "a\"b", "signed_for": null}`)); err != nil || facts.(*AcceptanceFacts).Seller != `a"b` {
		t.Errorf("%+v, %v", facts, err)
	}
}

func BenchmarkParseFacts(b *testing.B) {
	p := defaultAcceptance(b)
	w := market.StartedAt(time.Unix(1_700_000_000, 0))
	text := p.AppendFacts(nil, &AcceptanceFacts{AccessType: "hardware", PlacedFor: w, PaidFor: w, SupervisedFor: w, ShippedFor: w, SignedFor: w, Amount: market.NewMoney(market.DecimalOf(99), "CNY")})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.ParseFacts(text); err != nil {
			b.Fatal(err)
		}
	}
}
