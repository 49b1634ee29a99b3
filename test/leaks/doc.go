// Package leaks tests that the gateway leaks no secret and no phone number. It runs the
// program between a hostile client and a hostile upstream, and searches all of its output.
// The package contains only tests.
package leaks
