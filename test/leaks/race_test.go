//go:build race

package leaks_test

// raceFlag builds the program with the race detector if the tests are, which reuses the
// build cache.
var raceFlag = []string{"-race"}
