//go:build long

package storage_test

// Migrations are cut at every message: go test -tags long -run Cut -timeout 1h ./storage
const everyMessage = true
