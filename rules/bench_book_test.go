package rules

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// thousandFiles is a directory of a thousand rule files of twelve rules, each
// with a test of thirteen cases beside it.
func thousandFiles() fstest.MapFS {
	files := map[string]string{"site.yaml": trialSite}
	for i := 1; i <= 1000; i++ {
		text := strings.Replace(twelveRules, "version: 1", fmt.Sprintf("version: %d", i), 1)
		files[fmt.Sprintf("acceptance.v%d.yaml", i)] = strings.Replace(text, "2020-01-01", on("2020-01-01").AddDays(i).String(), 1)
		files[fmt.Sprintf("acceptance.v%d.test.yaml", i)] = fmt.Sprintf(twelveCases, i)
	}
	return directory(files)
}

// twelveCases hit each of the twelve rules, and otherwise.
const twelveCases = `ruleset: acceptance
version: %d
facts: {order_type: new, access_type: hardware, charge_mode: ONE_TIME, amount: 1299.00 CNY, phone_matches: true, paid_for: 20d, placed_for: 20d}
cases:
  - {name: c1, given: {cancelled: true}, expect: {outcome: unsupervised, rule: r1}}
  - {name: c2, given: {order_type: renewal}, expect: {outcome: unsupervised, rule: r2}}
  - {name: c3, given: {access_type: image}, expect: {outcome: unsupervised, rule: r3}}
  - {name: c4, given: {paid_for: never}, expect: {outcome: wait, rule: r4}}
  - {name: c5, given: {appeal_accepted_for: 1d}, expect: {outcome: accept, rule: r5}}
  - {name: c6, given: {appeal_open_for: 1d, amount: 1000000.00 CNY}, expect: {outcome: hold, rule: r6}}
  - {name: c7, given: {buyer_accepted_for: 1d}, expect: {outcome: accept, rule: r7}}
  - {name: c8, given: {sent_back_for: 1d}, expect: {outcome: wait, rule: r8}}
  - {name: c9, given: {amount: 500000.01 CNY, invoiced: true}, expect: {outcome: hold, rule: r9}}
  - {name: c10, given: {phone_matches: false}, expect: {outcome: wait, rule: r10}}
  - {name: c11, given: {signed_for: 10d}, expect: {outcome: accept, rule: r11, due: as_of}}
  - {name: c12, given: {placed_for: 180d}, expect: {outcome: hold, rule: r12}}
  - {name: c13, expect: {outcome: wait, rule: otherwise, next: as_of + 160d}}
`

// BenchmarkCheck1000 checks a thousand rule files, runs the tests beside them and
// lints.
func BenchmarkCheck1000(b *testing.B) {
	files := thousandFiles()
	for b.Loop() {
		book, err := Load(files)
		if err != nil {
			b.Fatal(err)
		}
		report := book.Test()
		if err := report.Err(); err != nil || report.Cases != 13_000 {
			b.Fatal(report.Cases, err)
		}
		if wrong, doubtful := book.Lint(); len(wrong)+len(doubtful) > 0 {
			b.Fatal(wrong, doubtful)
		}
	}
}
