// Package rest is the HTTP side of the service: REST as the upstream's callers know
// it, and the watch as server-sent events or NDJSON.
//
// Every call goes to the same intercepted service as a gRPC call does, without a
// connection in between. Unary calls are routed and answered by grpc-gateway; their
// requests are read here, since grpc-gateway passes on only the text of what it
// refuses, and errors name the fields at fault. The watch has a handler of its own.
package rest

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
)

// Options are what the HTTP side is made of.
type Options struct {
	// Service is called with every request: the service behind its interceptors. It
	// refuses a call whose context has requestctx.Violations.
	Service v2.ParticipantServiceServer
	Logger  *slog.Logger

	// AllowedOrigins are the origins of foreign pages that may call, each as a
	// browser tells it, such as https://app.example.com.
	AllowedOrigins []string
	// CheckHosts refuses foreign Host headers. It is for where nobody authenticates:
	// there a page whose name is made to resolve to this address could call.
	CheckHosts bool
	// AllowedHosts are names that are not foreign, beside localhost and addresses.
	AllowedHosts []string

	// Pages are what else the port serves, behind the same guards, by the patterns of
	// http.ServeMux: documents, the dashboard, other protocols. The root pattern "/"
	// is taken.
	Pages map[string]http.Handler

	// Screen, where set, tells why a caller may not make a request that cannot be read;
	// of the request it is given what its path says.
	Screen func(ctx context.Context, presented access.Credentials, request proto.Message) error
	// Refused, where set, is told of each request that is refused before it reaches the
	// service.
	Refused func(apierror.Reason)

	// Jitter makes a delay longer, so that clients do not come back together; nil is
	// up to half as long again.
	Jitter func(time.Duration) time.Duration
}

// apiPrefix is the path that the vendor's API and this one have in common.
const apiPrefix = "/v2/"

// New returns the handler of the HTTP port. An origin that is none is an error.
func New(options Options) (http.Handler, error) {
	if options.Jitter == nil {
		options.Jitter = jitter
	}
	if options.Screen == nil {
		options.Screen = func(context.Context, access.Credentials, proto.Message) error { return nil }
	}
	if options.Refused == nil {
		options.Refused = func(apierror.Reason) {}
	}
	api, err := newAPI(options)
	if err != nil {
		return nil, fmt.Errorf("route REST: %w", err)
	}
	guarded, err := api.refuseForeignWrites(api.dispatch(options.Pages), options.AllowedOrigins)
	if err != nil {
		return nil, fmt.Errorf("guard REST: %w", err)
	}
	guarded = allowOrigins(guarded, options.AllowedOrigins)
	if options.CheckHosts {
		guarded = api.refuseForeignHosts(guarded, options.AllowedHosts)
	}
	return Bound(identified(api.recovered(api.refuseLargeHeaders(guarded)))), nil
}

// dispatch parts the API from the pages. The API's paths are not cleaned as
// http.ServeMux cleans them: an id of `..` is refused as an id, not redirected.
func (a *api) dispatch(pages map[string]http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.refuse(w, r, routeNotFound())
	})
	for pattern, page := range pages {
		mux.Handle(pattern, page)
		if method, path, named := strings.Cut(pattern, " "); named && method == http.MethodGet {
			mux.HandleFunc(path, a.onlyGet)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, apiPrefix) {
			a.ServeHTTP(w, withRawPath(r))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// onlyGet answers those who want something else of a page than to see it.
func (a *api) onlyGet(w http.ResponseWriter, r *http.Request) {
	const allowed = "GET, HEAD"
	w.Header().Set("Allow", allowed)
	a.refuse(w, r, &apierror.Error{Reason: apierror.MethodNotAllowed, Message: "this path takes " + allowed})
}

func jitter(delay time.Duration) time.Duration {
	return delay + rand.N(delay/2+1)
}
