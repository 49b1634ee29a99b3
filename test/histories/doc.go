// Package histories plays random histories of an upstream against the whole engine in
// virtual time, and holds what every client was sent against the gateway's log and
// against what the upstream's people truly did.
//
// It composes account, feed, watch, write and service just below the doors, on the
// simulator's transport. A history is drawn before its bubble begins, so that a failure
// shrinks to the shortest story that still shows it. It is all tests: this file is what
// a build sees.
package histories
