//go:build !long

package main

// How often the real binary is killed, and over how many orders.
const (
	killings   = 25
	killOrders = 5_000
)
