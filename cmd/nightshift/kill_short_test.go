//go:build !long

package main

// How often the real binary is killed, and over how many orders.
const (
	killings   = 50
	killOrders = 10_000
)
