//go:build race

package leaks_test

// raceFlag builds the program as the tests are built, from what is built already.
var raceFlag = []string{"-race"}
