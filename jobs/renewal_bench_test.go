package jobs_test

import (
	"testing"

	"nightshift/jobs"
	"nightshift/storage/storagetest"
)

// BenchmarkRenewal is a night in the middle of two months over which the terms
// of 100,000 subscriptions end, after the nights before it: what is in its window
// counts, not what is open.
func BenchmarkRenewal(b *testing.B) {
	s := storagetest.New(b)
	subscribers(b, s, 50_000)
	for _, table := range []string{"subscriptions", "buyers", "money", "due"} {
		storagetest.AsOwner(b, s, "ANALYZE "+table)
	}
	e := engine(b, s)
	e.Workers, e.ChunkSize = 2, 0
	on := date(b, "2024-01-31")
	mustRun(b, e, jobs.Request{Job: "renewal", Site: "cn", On: on})
	var candidates int64
	for b.Loop() {
		on++
		candidates += mustRun(b, e, jobs.Request{Job: "renewal", Site: "cn", On: on}).Run.Candidates
	}
	b.ReportMetric(float64(candidates)/float64(b.N), "buyers/night")
}
