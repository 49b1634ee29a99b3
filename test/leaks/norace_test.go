//go:build !race

package leaks_test

var raceFlag []string
