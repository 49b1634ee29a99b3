package server

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/participant"
)

const (
	// maxRequest is the most a request may hold, as over HTTP.
	maxRequest = 64 << 10
	// maxReceived is what the gRPC transport reads at most. What it refuses has no
	// reason (its answer is made before the gate is reached), so that there is room for
	// the gate to refuse first.
	maxReceived = 4 * maxRequest
	// maxStreams is how many streams a connection may have open: a thousand watched, and
	// some for calls beside them. Over gRPC further ones wait for their turn.
	maxStreams = 1024
)

// limitsOf are the limits of one caller.
func limitsOf(cfg config.Limits) access.Limits {
	return access.Limits{Calls: cfg.CallsPerSecond, Streams: cfg.StreamsPerCaller}
}

// bound holds a call to the limits that can be told before it is made.
func (g *gate) bound(caller access.Caller, request proto.Message) error {
	if err := g.limiter.Call(caller); err != nil {
		return err
	}
	if proto.Size(request) > maxRequest {
		return &participant.Error{
			Reason:  participant.BodyTooLarge,
			Message: fmt.Sprintf("the request must be at most %d bytes", maxRequest),
		}
	}
	return nil
}

// refusals are the reasons for which a call is turned away: for who calls, or for what
// it takes. They alone are labels of gateway_refused_total.
var refusals = map[participant.Reason]bool{
	participant.CredentialMissing:    true,
	participant.CredentialInvalid:    true,
	participant.CredentialExpired:    true,
	participant.CredentialsDiffer:    true,
	participant.IssuerUnavailable:    true,
	participant.RoleNotGranted:       true,
	participant.ConferenceNotGranted: true,
	participant.OriginRefused:        true,
	participant.HostRefused:          true,

	participant.BodyTooLarge:       true,
	participant.BodyTooSlow:        true,
	participant.CallerRateLimited:  true,
	participant.TooManyStreams:     true,
	participant.TooManySubscribers: true,
	participant.TooManyConferences: true,
	participant.TooManyFilters:     true,
}
