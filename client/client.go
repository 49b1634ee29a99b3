package client

import (
	"context"
	"crypto/tls"
	"iter"

	"google.golang.org/grpc"

	conferencev2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// Client is a client of one gateway. It is safe for concurrent use.
type Client struct{}

// New returns a client of the gateway at target, for example `gateway.example:9090` or
// another name that grpc-go resolves. It does not connect before the first call. The caller
// closes the client.
//
// Without [WithTLS] the connection is plaintext. A credential is then refused unless the
// target is a loopback address or a Unix socket, or [WithInsecureCredential] is given.
//
// The connection sends a keepalive ping after 10 s without traffic while a call is open, and is closed if the
// answer takes longer than 5 s. Calls are spread over all addresses of the target (round robin). Lists and removes
// that end UNAVAILABLE are tried again, as the gateway's published service config says.
//
// Error: INVALID_ARGUMENT if the target or the options are invalid.
func New(target string, options ...Option) (*Client, error) { return nil, nil }

// Close closes the connections. Open calls end CANCELLED; iterations of Watch end without
// an error.
func (c *Client) Close() error { return nil }

// Service returns the generated stub, for every call that this package has no method for. It uses the
// connection and the credential of the client. Its errors are [*Error] values.
func (c *Client) Service() conferencev2.ParticipantServiceClient { return nil }

// ListPages returns the pages of a list. request is the first page's request, and is not
// changed; without its page_size there is one page. The iteration ends after the last page,
// or after an error.
func (c *Client) ListPages(
	ctx context.Context, request *conferencev2.ListParticipantsRequest,
) iter.Seq2[*conferencev2.ListParticipantsResponse, error] {
	return nil
}

// Option is an option of [New].
type Option func(*settings)

type settings struct{}

// WithTLS encrypts the connection, and checks the gateway's certificate as config says. A
// nil config trusts the system's certificate authorities.
func WithTLS(config *tls.Config) Option { return nil }

// WithKey sends the API key or bearer token with every call.
func WithKey(key string) Option { return nil }

// WithCredential sends with every call the API key or bearer token that credential returns.
// It is called for every call, from several goroutines at once; it should return a cached
// value where it can, and an error only if there is none. A watch or a batch whose token expires goes on with
// the next token that credential returns.
//
// An error of credential that has a gRPC status ends the call with this status; any other error is
// UNAVAILABLE, reason CREDENTIAL_UNAVAILABLE, so that a watch tries again.
func WithCredential(credential func(context.Context) (string, error)) Option { return nil }

// WithInsecureCredential allows a credential on a plaintext connection to a host that is not
// loopback. Everybody on the way can read it.
func WithInsecureCredential() Option { return nil }

// WithDialOptions adds options of grpc-go, for example interceptors. They are applied last,
// so that they replace the defaults of this package.
func WithDialOptions(options ...grpc.DialOption) Option { return nil }
