//go:build !long

package storage_test

// Most migrations are cut around their commits alone.
const everyMessage = false
