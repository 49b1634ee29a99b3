package server

import (
	"context"

	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// upstreamHealth is the health service that is not serving while the upstream refuses the
// gateway's own credential (A5).
const upstreamHealth = "audian.upstream"

// newHealth returns a health server whose services are all serving.
func newHealth() *health.Server {
	server := health.NewServer()
	server.SetServingStatus(v2.ParticipantService_ServiceDesc.ServiceName, healthv1.HealthCheckResponse_SERVING)
	server.SetServingStatus(upstreamHealth, healthv1.HealthCheckResponse_SERVING)
	return server
}

// credentialHealth is the state of the gateway's own credential.
type credentialHealth interface {
	// CredentialAccepted reports whether the upstream accepts the credential.
	CredentialAccepted() bool
	// CredentialChanged returns a channel that is closed when CredentialAccepted changes.
	CredentialChanged() <-chan struct{}
}

// updateUpstreamHealth updates the upstream's health until ctx ends, and calls report at each change.
func updateUpstreamHealth(ctx context.Context, server *health.Server, account credentialHealth, report func(accepted bool)) {
	for before := true; ; {
		changed, accepted := account.CredentialChanged(), account.CredentialAccepted()
		status := healthv1.HealthCheckResponse_SERVING
		if !accepted {
			status = healthv1.HealthCheckResponse_NOT_SERVING
		}
		server.SetServingStatus(upstreamHealth, status)
		if accepted != before {
			report(accepted)
		}
		before = accepted
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
