// Package rest serves the service's REST API: unary calls through grpc-gateway, and streams as
// server-sent events or NDJSON.
//
// Package decode reads the requests before grpc-gateway sees them: grpc-gateway passes on
// only the text of a decoding error, and the errors here name each invalid field. The
// streams have handlers here, since grpc-gateway's generated handlers do not stream.
package rest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	gateway "github.com/audian/participant-gateway/gen/gateway/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
)

// Options configure the REST API. Precheck may be nil.
type Options struct {
	// Service receives every request: the service behind its interceptors. It must refuse
	// a call whose context has requestctx.Violations.
	Service  v2.ParticipantServiceServer
	Errors   *httpio.ErrorWriter
	Precheck httpio.Precheck
	// Detached counts the streams that go on after their handlers have returned.
	Detached *sync.WaitGroup
}

// Prefix is the prefix of every path of the API, as in the vendor's.
const Prefix = "/v2/"

const (
	watchPath = "/v2/conferences/{conference_id}/participants:watch"
	manyPath  = "/v2/conferences:watch"
	batchPath = "/v2/conferences/{conference_id}/participants:batchAdd"
)

type api struct {
	Options

	mux    *runtime.ServeMux
	routes routes
}

// New returns the handler of the paths below Prefix.
func New(options Options) (http.Handler, error) {
	found, err := serviceRoutes()
	if err != nil {
		return nil, fmt.Errorf("read the routes: %w", err)
	}
	a := &api{Options: options, routes: found}
	a.mux = runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, marshaler{}),
		runtime.WithMiddlewares(a.decode),
		runtime.WithIncomingHeaderMatcher(httpio.MetadataKey),
		runtime.WithOutgoingHeaderMatcher(noHeader),
		runtime.WithOutgoingTrailerMatcher(noHeader),
		runtime.WithForwardResponseOption(completeHeader),
		runtime.WithForwardResponseRewriter(withListMemory),
		runtime.WithErrorHandler(a.writeError),
		runtime.WithRoutingErrorHandler(a.refuseRoute),
		// Each segment is decoded once, after the path was split at its slashes.
		runtime.WithUnescapingMode(runtime.UnescapingModeAllExceptReserved),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithWriteContentLength(),
	)
	if err := gateway.RegisterParticipantServiceHandlerServer(context.Background(), a.mux, decodedService{a.Service}); err != nil {
		return nil, fmt.Errorf("register the service: %w", err)
	}
	// grpc-gateway tries the handlers of a path in reverse order of registration: these
	// replace the generated ones, which do not stream.
	for _, one := range []struct {
		verb, path string
		handle     runtime.HandlerFunc
	}{
		{http.MethodGet, watchPath, a.watch},
		{http.MethodGet, manyPath, a.watchMany},
		{http.MethodPost, manyPath, a.watchMany},
		{http.MethodPost, batchPath, a.batchAdd},
	} {
		if err := a.mux.HandlePath(one.verb, one.path, one.handle); err != nil {
			return nil, fmt.Errorf("register %s: %w", one.path, err)
		}
	}
	return a, nil
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	httpio.SetResponseDefaults(w.Header())
	if strings.HasSuffix(r.URL.EscapedPath(), "/") {
		a.Errors.Refuse(w, r, httpio.RouteNotFound())
		return
	}
	from := &routed{head: r.Method == http.MethodHead, header: w.Header()}
	a.mux.ServeHTTP(w, forRouting(r, from))
	from.memory.release(w)
}

// routed is what belongs to a request that grpc-gateway routes.
type routed struct {
	// head is true for a request that was sent as a HEAD.
	head bool
	// request is the decoded request of a call: a pointer to a message.
	request any
	// header is the response's.
	header http.Header
	// memory is nil unless the response is a list.
	memory *listMemory
}

type routedKey struct{}

// routedFrom returns the value for a context of a request that forRouting returned.
func routedFrom(ctx context.Context) *routed {
	if from, found := ctx.Value(routedKey{}).(*routed); found {
		return from
	}
	return new(routed)
}

// forRouting returns the request as grpc-gateway routes it. The path is the one that was
// sent, since grpc-gateway decodes each segment; but a percent-encoded colon, which means
// the same, would hide the verb. A HEAD is routed as a GET: net/http omits the body.
func forRouting(r *http.Request, from *routed) *http.Request {
	changed := r.WithContext(context.WithValue(r.Context(), routedKey{}, from))
	changed.URL = new(url.URL)
	*changed.URL = *r.URL
	changed.URL.RawPath = withColons(r.URL.EscapedPath())
	if from.head {
		changed.Method = http.MethodGet
	}
	return changed
}

var encodedColon = strings.NewReplacer("%3A", ":", "%3a", ":")

// withColons returns a path with its percent-encoded colons decoded.
func withColons(path string) string {
	if !strings.Contains(path, "%") {
		return path // Replace allocates for every path.
	}
	return encodedColon.Replace(path)
}

// noHeader keeps grpc-gateway from writing the service's metadata as headers: it would
// add to headers that are already set.
func noHeader(string) (header string, passed bool) { return "", false }

// completeHeader sets the status of a successful response without a body.
func completeHeader(_ context.Context, w http.ResponseWriter, response proto.Message) error {
	if !hasBody(response.ProtoReflect()) {
		w.Header().Del("Content-Type")
		w.WriteHeader(http.StatusNoContent)
	}
	return nil
}

// hasBody reports whether a response has a body: one of a single participant only if it is set.
func hasBody(response protoreflect.Message) bool {
	fields := response.Descriptor().Fields()
	if participant := fields.ByName("participant"); participant != nil {
		return response.Has(participant)
	}
	return fields.Len() > 0
}

// writeError is grpc-gateway's error handler.
func (a *api) writeError(
	_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error,
) {
	a.Errors.Write(w, r, err)
}

// refuseRoute is grpc-gateway's handler of paths and methods that have no route.
func (a *api) refuseRoute(
	_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, status int,
) {
	if status == http.StatusMethodNotAllowed {
		a.Errors.RefuseMethod(w, r, a.routes.allowed(r.URL.EscapedPath()))
		return
	}
	a.Errors.Refuse(w, r, httpio.RouteNotFound())
}
