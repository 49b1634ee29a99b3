// Package httpapi serves the HTTP port: REST with server-sent events and NDJSON, Connect
// and gRPC-Web, the dashboard and the documents.
//
// This package routes requests and guards all of them alike: sizes, deadlines, host names
// and origins. The packages below it serve one transport each. Every call goes to the
// same intercepted service as a gRPC call does, without a connection between them.
package httpapi

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi/connectrpc"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/httpapi/rest"
	"github.com/audian/participant-gateway/internal/httpapi/web"
)

// Options configure the HTTP port. Service and Logger are required.
type Options struct {
	// Service receives every request: the service behind its interceptors. It must refuse
	// a call whose context has requestctx.Violations.
	Service v2.ParticipantServiceServer
	Logger  *slog.Logger

	// AllowedOrigins are the origins of foreign pages that may call, each in the form that
	// browsers send, such as https://app.example.com.
	AllowedOrigins []string
	// CheckHosts refuses foreign Host headers. It is needed where callers do not
	// authenticate: a page could make its host name resolve to this address and call.
	CheckHosts bool
	// AllowedHosts are host names that are not foreign, in addition to localhost and addresses.
	AllowedHosts []string

	// Precheck returns why a caller may not make a request that cannot be read.
	Precheck httpio.Precheck
	// OnRefused is called for each request that is refused before it reaches the service.
	OnRefused func(apierror.Reason)
	// Audit is called for each such request that names a call: with the call's metadata, and
	// with what could be read of its request, which may be nil.
	Audit func(ctx context.Context, method string, request proto.Message, err error)
	// Detached, where set, counts the streams that go on after their handlers have returned: http.Server does
	// not know their connections.
	Detached *sync.WaitGroup
}

// New returns the handler of the HTTP port. An invalid origin is an error.
func New(options Options) (http.Handler, error) {
	errors := &httpio.ErrorWriter{Logger: options.Logger, OnRefused: options.OnRefused}
	api, err := rest.New(rest.Options{
		Service: options.Service, Errors: errors, Precheck: options.Precheck,
		Detached: cmp.Or(options.Detached, &sync.WaitGroup{}),
	})
	if err != nil {
		return nil, fmt.Errorf("route REST: %w", err)
	}
	rpc := connectrpc.New(connectrpc.Options{
		Service: options.Service, Errors: errors, Precheck: options.Precheck,
	})
	if options.Audit != nil {
		if errors.Audit, err = auditFor(options.Audit); err != nil {
			return nil, fmt.Errorf("read the calls of REST: %w", err)
		}
	}
	guard := guard{errors}
	guarded, err := guard.refuseCrossOriginWrites(route(api, rpc, errors), options.AllowedOrigins)
	if err != nil {
		return nil, fmt.Errorf("guard the HTTP port: %w", err)
	}
	guarded = withCORS(guarded, options.AllowedOrigins)
	if options.CheckHosts {
		guarded = CheckHosts(guarded, options.AllowedHosts, errors.Refuse)
	}
	return httpio.WithDeadlines(withRequestID(guard.recoverPanics(guard.limitHeaderSize(guarded)))), nil
}

// route sends each request to its transport. REST paths are not cleaned as http.ServeMux
// cleans them: an id of `..` is refused as an id, not redirected.
func route(api, rpc http.Handler, errors *httpio.ErrorWriter) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		errors.Refuse(w, r, httpio.RouteNotFound())
	})
	mux.Handle(connectrpc.Pattern, rpc)
	for pattern, page := range web.Pages() {
		mux.Handle(pattern, page)
		mux.HandleFunc(strings.TrimPrefix(pattern, http.MethodGet+" "), func(w http.ResponseWriter, r *http.Request) {
			errors.RefuseMethod(w, r, "GET, HEAD")
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, rest.Prefix) {
			api.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
