// Package rpc serves the calls of the proto to web pages, and to whoever has no more than
// an HTTP client: Connect and gRPC-Web, unary and streaming, over any version of HTTP.
//
// Every call goes to the same intercepted service as a gRPC or REST call does. The
// protocols themselves are connect-go's; what is here reads requests so that errors name
// the fields at fault, sends a watch by the bytes that all its watchers share, and ends a
// stream whose client does not read.
package rpc

import (
	"context"
	"log/slog"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/rest"
)

// Pattern is where the handler belongs, as http.ServeMux has it.
const Pattern = "/audian.conference.v2.ParticipantService/"

// Options are what the handler is made of, as those of package rest.
type Options struct {
	// Service is called with every request: the service behind its interceptors. It
	// refuses a call whose context has requestctx.Violations.
	Service v2.ParticipantServiceServer
	Logger  *slog.Logger

	// Screen, where set, tells why a caller may not make a request that cannot be read.
	Screen func(ctx context.Context, presented access.Credentials, request proto.Message) error
	// Refused, where set, is told of each request that is refused before it reaches the
	// service.
	Refused func(apierror.Reason)
}

// door answers the calls that come by this package.
type door struct {
	service v2.ParticipantServiceServer
	logger  *slog.Logger
	screen  func(context.Context, access.Credentials, proto.Message) error
	refused func(apierror.Reason)
	mux     *http.ServeMux
	errors  *connect.ErrorWriter
}

// New returns the handler. It is to stand behind the guards of rest.New, as a page.
func New(options Options) http.Handler {
	d := &door{
		service: options.Service, logger: options.Logger, screen: options.Screen, refused: options.Refused,
		mux: http.NewServeMux(), errors: connect.NewErrorWriter(),
	}
	if d.screen == nil {
		d.screen = func(context.Context, access.Credentials, proto.Message) error { return nil }
	}
	if d.refused == nil {
		d.refused = func(apierror.Reason) {}
	}
	reads := connect.WithIdempotency(connect.IdempotencyNoSideEffects)
	add, remove := v2.ParticipantService_AddParticipant_FullMethodName, v2.ParticipantService_RemoveParticipant_FullMethodName
	list, watch := v2.ParticipantService_ListParticipants_FullMethodName, v2.ParticipantService_WatchParticipants_FullMethodName
	d.mux.Handle(add, d.checked(unary(d, add, d.service.AddParticipant), form{types: unaryTypes, request: &v2.AddParticipantRequest{}}))
	d.mux.Handle(remove, d.checked(unary(d, remove, d.service.RemoveParticipant), form{types: unaryTypes}))
	d.mux.Handle(list, d.checked(unary(d, list, d.service.ListParticipants, reads), form{types: unaryTypes, byGet: true}))
	d.mux.Handle(watch, d.checked(d.watch(watch), form{types: streamTypes}))
	d.mux.HandleFunc(Pattern, d.unknownMethod)
	return d
}

// minCompressed is the size below which an answer is not worth compressing.
const minCompressed = 1 << 10

// options are those of every method.
func (d *door) options(method string, request proto.Message, more ...connect.HandlerOption) []connect.HandlerOption {
	return append(more,
		connect.WithCodec(binary{}),
		connect.WithCodec(text{name: "json"}),
		connect.WithCodec(text{name: "json; charset=utf-8"}),
		// A compressed body may be larger than it came, but not without end.
		connect.WithReadMaxBytes(rest.MaxBody),
		connect.WithCompressMinBytes(minCompressed),
		connect.WithRequestGate(d.unreadBody(method, request)),
	)
}

// ServeHTTP reads all of the request first: none of the calls streams requests, and a
// body that is read has no deadline any more.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	// Answers are about people, and true for a moment.
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Accel-Buffering", "no")

	ctx := metadata.NewIncomingContext(r.Context(), rest.Incoming(r.Header))
	ctx = peer.NewContext(ctx, rest.PeerOf(r))
	answer := rest.NewTimedWriter(w)
	ctx = withAnswer(ctx, answer)
	r, inText := readWhole(w, r.WithContext(ctx))
	if !inText {
		d.mux.ServeHTTP(answer, r)
		return
	}
	encoded := &base64Writer{ResponseWriter: answer}
	d.mux.ServeHTTP(encoded, r)
	encoded.finish()
}

// unknownMethod answers as the gRPC door does.
func (d *door) unknownMethod(w http.ResponseWriter, r *http.Request) {
	err := failure(&apierror.Error{Reason: apierror.MethodNotAllowed, Message: "unknown method"})
	_ = d.errors.Write(w, r, err) // A client that is gone misses nothing.
}
