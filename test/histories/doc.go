// Package histories runs random histories of an upstream against the whole engine in
// virtual time. It compares the messages that each client received with the gateway's log,
// and with what really happened at the upstream.
//
// It connects upstream, feed, watch, write and service without the gRPC and HTTP ports, and
// uses the simulator's transport. A history is drawn before its synctest bubble begins, so
// that rapid can shrink a failure to the shortest history that still fails. All code is in
// tests; this file lets the package build.
package histories
