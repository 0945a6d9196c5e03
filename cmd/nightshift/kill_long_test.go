//go:build long

package main

// How often the real binary is killed, and over how many orders, where time
// does not matter: go test -tags long -run Killed -timeout 1h ./cmd/nightshift
const (
	killings   = 2000
	killOrders = 200_000
)
