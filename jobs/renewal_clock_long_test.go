//go:build long

package jobs_test

// Three years of 5,000 subscriptions: go test -tags long -run Clock -timeout 3h ./jobs
var clockSize = clock{subscriptions: 5000, from: "2023-06-01", nights: 1096}
