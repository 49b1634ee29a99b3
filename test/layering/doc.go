// Package layering holds the code to the shape that ARCHITECTURE.md draws, by
// ordinary tests: which package may import which, what only one place may do, and
// a reason for every dependency.
package layering
