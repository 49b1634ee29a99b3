package httpapi

import (
	"context"
	"net/http"
	"strings"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	"github.com/audian/participant-gateway/internal/httpapi/connectrpc"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/httpapi/rest"
)

// auditFor returns a function that passes refused requests on, with the calls that they name.
func auditFor(
	audit func(ctx context.Context, method string, request proto.Message, err error),
) (func(*http.Request, error), error) {
	called, err := rest.CallFinder()
	if err != nil {
		return nil, err
	}
	return func(r *http.Request, err error) {
		method, request := called(r)
		if strings.HasPrefix(r.URL.Path, connectrpc.Pattern) {
			method = strings.TrimSuffix(r.URL.Path, "/")
		}
		ctx := metadata.NewIncomingContext(r.Context(), httpio.Incoming(r.Header))
		audit(peer.NewContext(ctx, httpio.PeerOf(r)), method, request, err)
	}, nil
}
