package rest

import (
	"net/http"
	"net/url"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/peer"

	"github.com/audian/participant-gateway/internal/httpapi/decode"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// decode is a grpc-gateway middleware that decodes the request of a routed call. The
// service itself refuses fields that cannot be decoded, together with those that break
// its rules.
func (a *api) decode(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, path map[string]string) {
		request := a.routes.emptyRequest(r)
		violations, err := decode.Request(w, r, path, request)
		if err != nil {
			a.Errors.Refuse(w, r, a.refusal(r, path, err))
			return
		}
		ctx := peer.NewContext(r.Context(), httpio.PeerOf(r))
		if len(violations) > 0 {
			ctx = requestctx.WithViolations(ctx, violations)
		}
		routedFrom(ctx).request = request
		r = r.WithContext(ctx)
		// A form that is set is not parsed: grpc-gateway finds nothing in the query.
		r.Form, r.PostForm = url.Values{}, url.Values{}
		next(w, r, path)
	}
}

// refusal returns why a request with a fault is refused; nil where it has none, and its
// caller may make it.
func (a *api) refusal(r *http.Request, path map[string]string, fault error) error {
	request := a.routes.emptyRequest(r)
	// The precheck refuses an id that cannot be decoded like any id that the caller may not use.
	_ = decode.Path(path, request)
	return a.Precheck.Refusal(r, request, fault)
}
