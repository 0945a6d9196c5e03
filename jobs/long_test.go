//go:build long

package jobs_test

// Where time does not matter: go test -tags long -run 'Clock|CutAtAny' -timeout 3h ./jobs
const cutEvery = 1 // a line is cut at each message

// Three years of 5,000 subscriptions.
var clockSize = clock{subscriptions: 5000, from: "2023-06-01", nights: 1096}
