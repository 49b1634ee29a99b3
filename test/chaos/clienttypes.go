package main

import "github.com/audian/participant-gateway/test/watchclient"

// What clients receive, and the roster that they hold.
type (
	message    = watchclient.Message
	snapshot   = watchclient.Snapshot
	changes    = watchclient.Changes
	change     = watchclient.Change
	checkpoint = watchclient.Checkpoint
	member     = watchclient.Member
	roster     = watchclient.Roster
)

// target is the gateway as watchclient reaches it.
func (g *gateway) target() watchclient.Gateway {
	return watchclient.Gateway{GRPC: g.client, HTTP: g.http, HTTPAddr: g.httpAddr}
}
