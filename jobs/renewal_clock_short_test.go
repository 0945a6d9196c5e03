//go:build !long

package jobs_test

// Four months with a leap February and the summer time of New York.
var clockSize = clock{subscriptions: 120, from: "2023-12-20", nights: 115}
