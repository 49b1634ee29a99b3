package client

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// Option is an option of [New].
type Option func(*settings)

type settings struct {
	transport credentials.TransportCredentials
	// credential is nil if calls have none.
	credential func(context.Context) (string, error)
	// renewable is whether credential may return another value later.
	renewable          bool
	insecureCredential bool
	extra              []grpc.DialOption
}

// WithTLS encrypts the connection, and checks the gateway's certificate as config says. A
// nil config trusts the system's certificate authorities.
func WithTLS(config *tls.Config) Option {
	return func(s *settings) { s.transport = credentials.NewTLS(config) }
}

// WithKey sends the API key or bearer token with every call. An empty key sends nothing.
func WithKey(key string) Option {
	return func(s *settings) {
		s.credential, s.renewable = nil, false
		if key != "" {
			s.credential = func(context.Context) (string, error) { return key, nil }
		}
	}
}

// WithCredential sends with every call the API key or bearer token that credential returns.
// It is called for every call, from several goroutines at once; it should return a cached
// value where it can. A watch or a batch whose token expires goes on with the next token that
// credential returns.
//
// An error of credential that has a gRPC status ends the call with this status; any other
// error is UNAVAILABLE, reason CREDENTIAL_UNAVAILABLE, so that a watch tries again.
func WithCredential(credential func(context.Context) (string, error)) Option {
	return func(s *settings) { s.credential, s.renewable = credential, true }
}

// WithInsecureCredential allows a credential on a plaintext connection to a host that is not
// loopback. Everybody on the way can read it.
func WithInsecureCredential() Option {
	return func(s *settings) { s.insecureCredential = true }
}

// WithDialOptions adds options of grpc-go, for example interceptors. They are applied last,
// so that they replace the defaults of this package. Transport credentials belong in [WithTLS]:
// New does not see them here, and refuses a credential as if the connection were plaintext.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(s *settings) { s.extra = append(s.extra, options...) }
}

// serviceConfig is the gateway's published service config, with load balancing.
const serviceConfig = `{
  "loadBalancingConfig": [{"round_robin": {}}],
  "methodConfig": [{
    "name": [
      {"service": "audian.conference.v2.ParticipantService", "method": "ListParticipants"},
      {"service": "audian.conference.v2.ParticipantService", "method": "RemoveParticipant"}
    ],
    "retryPolicy": {
      "maxAttempts": 4,
      "initialBackoff": "0.2s",
      "maxBackoff": "3s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }],
  "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1}
}`

// connectParams make a lost connection come back soon after the network does: grpc-go's
// default waits up to two minutes.
var connectParams = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 250 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
	MinConnectTimeout: 10 * time.Second,
}

// maxMessage is the size of the largest message: a snapshot of a very large conference.
const maxMessage = 64 << 20

func (s *settings) dialOptions(target string) ([]grpc.DialOption, error) {
	transport := s.transport
	if transport == nil {
		transport = insecure.NewCredentials()
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 5 * time.Second}),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithConnectParams(connectParams),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
	}
	if s.credential != nil {
		if s.transport == nil && !s.insecureCredential && !isLocal(target) {
			return nil, &Error{
				Code:    codes.InvalidArgument,
				Message: "a credential needs WithTLS, because the target is not loopback; WithInsecureCredential allows plaintext",
			}
		}
		options = append(options, grpc.WithPerRPCCredentials(bearer{s.credential}))
	}
	return append(options, s.extra...), nil
}

// isLocal reports whether a connection to target surely stays on this host.
func isLocal(target string) bool {
	if strings.HasPrefix(target, "unix:") || strings.HasPrefix(target, "unix-abstract:") {
		return true
	}
	endpoint := strings.TrimPrefix(strings.TrimPrefix(target, "dns:///"), "passthrough:///")
	host, _, err := net.SplitHostPort(endpoint)
	if err != nil {
		host = endpoint
	}
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && address.Unmap().IsLoopback()
}
