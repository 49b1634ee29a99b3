package client

import (
	"context"
	"iter"

	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// Client is a client of one gateway. It is safe for concurrent use.
type Client struct {
	link    *link
	service v2.ParticipantServiceClient
	// renewable is whether each call may have another credential.
	renewable bool
	// closed ends when the client is closed.
	closed context.Context //nolint:containedctx // Close ends all iterations.
	close  context.CancelFunc
}

// New returns a client of the gateway at target, for example `gateway.example:9090` or
// another name that grpc-go resolves. It does not connect before the first call. The caller
// closes the client.
//
// Without [WithTLS] the connection is plaintext. A credential is then refused unless the
// target is a loopback address or a Unix socket, or [WithInsecureCredential] is given.
//
// While a call is open, the connection sends a keepalive ping after 10 s without traffic, and
// is closed if the answer takes longer than 5 s. Calls are spread over all addresses of the
// target (round robin). Lists and removes that end UNAVAILABLE are tried again, as the
// gateway's published service config says.
//
// Error: INVALID_ARGUMENT if the target or the options are invalid.
func New(target string, options ...Option) (*Client, error) {
	var s settings
	for _, option := range options {
		option(&s)
	}
	dialOptions, err := s.dialOptions(target)
	if err != nil {
		return nil, err
	}
	link, err := newLink(target, dialOptions)
	if err != nil {
		return nil, err
	}
	c := &Client{link: link, service: v2.NewParticipantServiceClient(link), renewable: s.renewable}
	c.closed, c.close = context.WithCancel(context.Background())
	return c, nil
}

// Close closes the connections. Open calls end CANCELLED; iterations of Watch end without
// an error. It always returns nil.
func (c *Client) Close() error {
	c.close()
	c.link.close()
	return nil
}

// Service returns the generated stub, for every call that this package has no method for. It
// uses the connection and the credential of the client. Its errors are [*Error] values.
func (c *Client) Service() v2.ParticipantServiceClient { return c.service }

// ListPages returns the pages of a list. request is the first page's request, and is not
// changed; without its page_size there is one page. The iteration ends after the last page,
// or after an error.
func (c *Client) ListPages(
	ctx context.Context, request *v2.ListParticipantsRequest,
) iter.Seq2[*v2.ListParticipantsResponse, error] {
	return func(yield func(*v2.ListParticipantsResponse, error) bool) {
		next := proto.CloneOf(request)
		for {
			page, err := c.service.ListParticipants(ctx, next)
			if !yield(page, err) || err != nil || page.GetNextPageToken() == "" {
				return
			}
			next.PageToken = page.GetNextPageToken()
		}
	}
}

// untilClosed returns a context that ends with ctx, or when the client is closed.
func (c *Client) untilClosed(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(c.closed, cancel)
	return ctx, func() { stop(); cancel() }
}
