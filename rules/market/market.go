// Package market holds the words of a cloud marketplace's back office: money,
// dates, orders, deliveries, decisions, runs.
//
// Owns: what each word means and what follows from the meaning alone.
// Does not own: where a word is kept (storage), what is decided about it
// (rules), or what is done (jobs).
// Always: pure. Nothing here reads a clock, a file, an environment or a
// database; every value is immutable once made; money is exact.
package market
