//go:build !long

package jobs_test

// A line is cut at one in so many messages, besides one of each kind.
const cutEvery = 29

// Four months with a leap February and the summer time of New York.
var clockSize = clock{subscriptions: 120, from: "2023-12-20", nights: 115}
