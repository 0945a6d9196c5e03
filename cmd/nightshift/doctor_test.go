package main

import (
	"strings"
	"testing"
	"time"

	"nightshift/jobs"
)

func TestDiskAndBackupsAreJudged(t *testing.T) {
	now := time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name        string
		is          jobs.Finding
		grade, want string
	}{
		{"half the disk is free", roomFinding("/data", 50<<30, 100<<30), jobs.Good, "50.0 GB (50 %) are free for /data"},
		{"less than a tenth is", roomFinding("/data", 9<<30, 100<<30), jobs.BeAware, "make room, or move NIGHTSHIFT_DATA"},
		{"hardly any is", roomFinding("/data", 2<<30, 100<<30), jobs.Bad, "make room, or move NIGHTSHIFT_DATA"},
		{"a backup of last night", ageFinding(now.Add(-7*time.Hour), "night.dump", now), jobs.Good, "night.dump is 7h0m0s old"},
		{"one night's is missing", ageFinding(now.Add(-27*time.Hour), "night.dump", now), jobs.BeAware, "see why the last ones were not made"},
		{"a week's are", ageFinding(now.AddDate(0, 0, -8), "night.dump", now), jobs.Bad, "see why the last ones were not made"},
		{"there is none", ageFinding(time.Time{}, "", now), jobs.BeAware, "make one every day"},
	} {
		if tt.is.Grade != tt.grade || !strings.Contains(tt.is.Says+tt.is.Advice, tt.want) {
			t.Errorf("%s: %+v", tt.name, tt.is)
		}
	}
}
