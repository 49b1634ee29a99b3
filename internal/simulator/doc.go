// Package simulator is a fake of Audian's conference REST API, with simulated
// participants and injectable faults.
//
// It has its own wire types and imports nothing of the gateway, so that client and fake
// cannot share a bug. No goroutine runs between requests: the state of a call is computed
// on demand from the clock and a timeline that is generated from the seed. So the
// simulator works in a testing/synctest bubble (through Transport) and on a socket, and
// the same seed gives the same behaviour.
//
// Beside the API's paths the handler serves an admin API, /_simulator/, which injects
// faults and shows the actual state. The methods of Simulator offer the same.
package simulator
