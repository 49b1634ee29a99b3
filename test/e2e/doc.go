// Package e2e uses the gateway as its clients do: the whole of it, configured by flags,
// over real sockets, with the simulator as its upstream. It is all tests: this file is
// what a build sees.
package e2e
