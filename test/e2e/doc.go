// Package e2e tests the whole gateway as its clients use it: configured by flags, over real
// sockets, with the simulator as its upstream. The package contains only tests.
package e2e
