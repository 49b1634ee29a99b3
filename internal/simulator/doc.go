// Package simulator plays the vendor: Audian's conference REST API, with people who
// take their time to answer the phone, and with faults on request.
//
// It has its own wire types and knows nothing of the gateway, so that client and fake
// cannot share a bug. Nothing runs in it between requests: where a call stands is
// computed when somebody asks, from the clock and a script drawn from the seed. So it
// serves in a testing/synctest bubble (through Transport) as well as on a socket, and
// the same seed tells the same story.
//
// Beside the vendor's paths the handler has a backstage, /_simulator/, where faults
// are made and the truth is told; package users have the same as methods.
package simulator
