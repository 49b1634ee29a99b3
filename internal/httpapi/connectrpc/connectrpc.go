// Package connectrpc serves the methods of the proto over HTTP as Connect and gRPC-Web,
// unary and streaming, over any version of HTTP: for web pages and plain HTTP clients.
//
// connect-go implements the protocols. This package decodes requests so that errors name
// the invalid fields, sends the bytes that all subscribers of a watch share, and ends a
// stream whose client does not read.
package connectrpc

import (
	"cmp"
	"context"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/wire"
)

// Pattern is the handler's pattern for http.ServeMux.
const Pattern = "/audian.conference.v2.ParticipantService/"

// Options configure the handler. Precheck may be nil.
type Options struct {
	// Service receives every request: the service behind its interceptors. It must refuse
	// a call whose context has requestctx.Violations.
	Service  v2.ParticipantServiceServer
	Errors   *httpio.ErrorWriter
	Precheck httpio.Precheck
}

type handler struct {
	Options

	mux      *http.ServeMux
	protocol *connect.ErrorWriter
	// limits are the most bytes of a request, by method.
	limits map[string]int
}

// New returns the handler. The guards of package httpapi must stand before it.
func New(options Options) http.Handler {
	h := &handler{Options: options, mux: http.NewServeMux(), protocol: connect.NewErrorWriter(), limits: map[string]int{}}
	serveUnary(h, v2.ParticipantService_AddParticipant_FullMethodName, h.Service.AddParticipant)
	serveUnary(h, v2.ParticipantService_RemoveParticipant_FullMethodName, h.Service.RemoveParticipant)
	serveUnary(h, v2.ParticipantService_ListParticipants_FullMethodName, h.Service.ListParticipants)
	serveUnary(h, v2.ParticipantService_GetParticipant_FullMethodName, h.Service.GetParticipant)
	serveUnary(h, v2.ParticipantService_MuteParticipant_FullMethodName, h.Service.MuteParticipant)
	serveUnary(h, v2.ParticipantService_UnmuteParticipant_FullMethodName, h.Service.UnmuteParticipant)
	serveUnary(h, v2.ParticipantService_HoldParticipant_FullMethodName, h.Service.HoldParticipant)
	serveUnary(h, v2.ParticipantService_ResumeParticipant_FullMethodName, h.Service.ResumeParticipant)
	serveUnary(h, v2.ParticipantService_DisconnectParticipant_FullMethodName, h.Service.DisconnectParticipant)
	serveUnary(h, v2.ParticipantService_MuteAllParticipants_FullMethodName, h.Service.MuteAllParticipants)
	serveUnary(h, v2.ParticipantService_RefreshParticipants_FullMethodName, h.Service.RefreshParticipants)
	serveStream(h, v2.ParticipantService_WatchParticipants_FullMethodName, h.Service.WatchParticipants)
	serveStream(h, v2.ParticipantService_WatchConferences_FullMethodName, h.Service.WatchConferences)
	serveStream(h, v2.ParticipantService_BatchAddParticipants_FullMethodName, h.Service.BatchAddParticipants)
	h.mux.HandleFunc(Pattern, h.unknownMethod)
	return h
}

// minCompressed is the size from which responses are compressed.
const minCompressed = 1 << 10

// options returns the options of a method.
func (h *handler) options(method string, request proto.Message, more ...connect.HandlerOption) []connect.HandlerOption {
	return append(more,
		connect.WithCodec(protoCodec{}),
		connect.WithCodec(jsonCodec{name: "json"}),
		connect.WithCodec(jsonCodec{name: "json; charset=utf-8"}),
		connect.WithReadMaxBytes(wire.RequestLimit(request)),
		connect.WithCompressMinBytes(minCompressed),
		connect.WithRequestGate(h.refuseFault(method, request)),
	)
}

// call is one HTTP request in the context of its call.
type call struct {
	request *http.Request
	w       *httpio.TimedWriter
	limit   int
	// fault is why the request cannot be read; nil if it can.
	fault error
}

type callKey struct{}

// callOf returns the call of a context.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// ServeHTTP reads all of the request first: no method streams requests, and a body that
// was read has no deadline any more.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	httpio.SetResponseDefaults(w.Header())
	w.Header().Set("X-Accel-Buffering", "no")

	ctx := metadata.NewIncomingContext(r.Context(), httpio.Incoming(r.Header))
	ctx = peer.NewContext(ctx, httpio.PeerOf(r))
	c := &call{request: r, w: httpio.TimedWriterOf(w), limit: cmp.Or(h.limits[r.URL.Path], wire.MaxRequest)}
	r, isText := c.read(r.WithContext(context.WithValue(ctx, callKey{}, c)))
	if !isText {
		h.mux.ServeHTTP(c.w, r)
		return
	}
	encoded := &base64Writer{ResponseWriter: c.w}
	h.mux.ServeHTTP(encoded, r)
	encoded.finish()
}

// unknownMethod answers as the gRPC server does.
func (h *handler) unknownMethod(w http.ResponseWriter, r *http.Request) {
	err := connectError(&apierror.Error{Reason: apierror.MethodNotAllowed, Message: "unknown method"})
	_ = h.protocol.Write(w, r, err) // The client may have disconnected.
}
