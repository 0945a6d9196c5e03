package rules

import (
	"strings"
	"testing"

	"nightshift/rules/market"
)

// twelveRules are ordered rules over typed facts, two of them about money.
const twelveRules = `ruleset: acceptance
version: 1
effective: 2020-01-01
hit: first
let:
  window: 10d
  at_once: ["image", "container", "api", "agent", "ai_asset"]
rules:
  - {name: r1, when: cancelled, then: unsupervised, because: A.}
  - {name: r2, when: order_type == "renewal", then: unsupervised, because: A.}
  - {name: r3, when: access_type in at_once, then: unsupervised, because: A.}
  - {name: r4, when: not happened(paid_for), then: wait, because: A.}
  - {name: r5, when: happened(appeal_accepted_for), then: accept, because: A.}
  - {name: r6, when: happened(appeal_open_for) and amount >= 1000000.00, then: hold, because: A.}
  - {name: r7, when: happened(buyer_accepted_for), then: accept, because: A.}
  - {name: r8, when: happened(sent_back_for), then: wait, because: A.}
  - {name: r9, when: amount > 500000.00 and invoiced, then: hold, because: A.}
  - {name: r10, when: access_type == "hardware" and not phone_matches, then: wait, because: A.}
  - {name: r11, when: access_type == "hardware" and signed_for >= window and amount > 0, then: accept, because: A.}
  - {name: r12, when: placed_for >= days(180), then: hold, because: A.}
otherwise: wait
`

func benchmarkFacts() *AcceptanceFacts {
	return &AcceptanceFacts{
		OrderType: "new", AccessType: "hardware", DeliveryMode: "offline", ChargeMode: "ONE_TIME",
		Amount: money("1299.00 CNY"), PhoneMatches: true,
		PlacedFor: market.StartedAt(noon.Add(-20 * day)), PaidFor: market.StartedAt(noon.Add(-20 * day)), SignedFor: market.StartedAt(noon.Add(-11 * day)),
	}
}

// BenchmarkDecide12Rules decides a delivery that the eleventh of twelve rules
// accepts, both rules about money asked before it.
func BenchmarkDecide12Rules(b *testing.B) {
	p, err := compileText(twelveRules)
	if err != nil {
		b.Fatal(err)
	}
	facts := benchmarkFacts()
	if a, err := p.Decide(facts, noon); a.Rule != "r11" || err != nil {
		b.Fatal(a, err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if a, _ := p.Decide(facts, noon); a.RuleIndex != 10 {
			b.Fatal(a)
		}
	}
}

// BenchmarkDecide12RulesOverridden decides the same delivery where some sellers,
// not its own, and some products have another window.
func BenchmarkDecide12RulesOverridden(b *testing.B) {
	overrides := "overrides:\n  - {seller: [s1, s2, s3], because: A., let: {window: 14d}}\n  - {product: [p1, p2], because: A., let: {window: 30d}}\nrules:"
	p, err := compileText(strings.Replace(twelveRules, "rules:", overrides, 1))
	if err != nil {
		b.Fatal(err)
	}
	facts := benchmarkFacts()
	facts.Seller, facts.Product = "s9", "p9"
	b.ReportAllocs()
	for b.Loop() {
		if a, _ := p.Decide(facts, noon); a.RuleIndex != 10 {
			b.Fatal(a)
		}
	}
}

// BenchmarkSince solves the due instant of that decision.
func BenchmarkSince(b *testing.B) {
	p, err := compileText(twelveRules)
	if err != nil {
		b.Fatal(err)
	}
	facts := benchmarkFacts()
	a, _ := p.Decide(facts, noon)
	b.ReportAllocs()
	for b.Loop() {
		p.Since(facts, noon, a)
	}
}

// BenchmarkAppendFacts writes the facts that a decision keeps.
func BenchmarkAppendFacts(b *testing.B) {
	p, err := compileText(twelveRules)
	if err != nil {
		b.Fatal(err)
	}
	facts := benchmarkFacts()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = p.AppendFacts(buf[:0], facts)
	}
}

// BenchmarkDefaultNight is what a night asks of the default rules about one
// delivery that is due: the answer, its due instant, its facts.
func BenchmarkDefaultNight(b *testing.B) {
	book, err := Load(Defaults())
	if err != nil {
		b.Fatal(err)
	}
	site, _ := book.Site("")
	p, err := site.Policy("acceptance", on("2024-06-01"))
	if err != nil {
		b.Fatal(err)
	}
	facts := benchmarkFacts()
	facts.DeliveredFor, facts.ShippedFor = facts.PlacedFor, facts.PlacedFor
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		a, _ := p.Decide(facts, noon)
		p.Since(facts, noon, a)
		p.Next(facts, noon, a)
		buf = p.AppendFacts(buf[:0], facts)
	}
}
