package httpio

import (
	"context"
	"net/http"

	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// Precheck returns why a caller may not make a request that cannot be read; nil where it
// may. It gets what could be read of the request.
type Precheck func(ctx context.Context, credentials access.Credentials, request proto.Message) error

// Refusal returns why a request is refused: because of its caller where the precheck
// refuses the caller, otherwise because of fault. A caller that may not call learns
// nothing about requests.
func (check Precheck) Refusal(r *http.Request, request proto.Message, fault error) error {
	if check == nil {
		return fault
	}
	ctx := requestctx.WithRequestID(r.Context(), r.Header.Get(RequestIDHeader))
	refusal := check(peer.NewContext(ctx, PeerOf(r)), access.Credentials{
		Authorization: r.Header.Values("Authorization"),
		AuthToken:     r.Header.Values("X-Auth-Token"),
	}, request)
	if refusal != nil {
		return refusal
	}
	return fault
}
