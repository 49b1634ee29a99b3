// Package replicahistories runs random histories of several replicas on one Redis and one
// simulated upstream: replicas are killed, paused, cut off, drained and replaced, Redis is
// restarted, flushed and replaced by an older copy, while clients write and watch through every
// replica.
//
// Each replica is the engine as package server composes it, without ports, in one process: so
// hundreds of histories run in minutes. Redis is real, therefore time is too; intervals are short.
// All code is in tests; this file lets the package build.
package replicahistories
