package connectrpc

import (
	"context"
	"path"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/wire"
)

// serveUnary serves one unary method. A method without side effects may be called by GET too.
func serveUnary[Request, Response any, Pointer interface {
	*Request
	proto.Message
}](
	h *handler, method string, invoke func(context.Context, Pointer) (*Response, error),
) {
	allowed := form{types: unaryTypes, byGet: isRead(method)}
	var options []connect.HandlerOption
	if allowed.byGet {
		options = append(options, connect.WithIdempotency(connect.IdempotencyNoSideEffects))
	}
	h.limits[method] = wire.RequestLimit(Pointer(new(Request)))
	h.mux.Handle(method, h.checkForm(unary(h, method, invoke, options...), allowed))
}

// isRead reports whether the proto declares a method to be without side effects.
func isRead(method string) bool {
	service := v2.File_audian_conference_v2_participant_service_proto.Services().Get(0)
	options, _ := service.Methods().ByName(protoreflect.Name(path.Base(method))).Options().(*descriptorpb.MethodOptions)
	return options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS
}

// unary returns the handler of one unary method.
func unary[Request, Response any, Pointer interface {
	*Request
	proto.Message
}](
	h *handler, method string, invoke func(context.Context, Pointer) (*Response, error), more ...connect.HandlerOption,
) *connect.Handler {
	return connect.NewUnaryHandler(method, func(
		ctx context.Context, encoded *connect.Request[encodedRequest],
	) (*connect.Response[Response], error) {
		request := Pointer(new(Request))
		ctx, err := h.decode(ctx, method, encoded.Msg, request)
		if err != nil {
			return nil, err
		}
		header := callOf(ctx).w.Header()
		response, err := invoke(grpc.NewContextWithServerTransportStream(ctx, httpio.UnaryStream(header)), request)
		if err != nil {
			httpio.SetRetryAfter(header, grpcstatus.From(err))
			return nil, connectError(err)
		}
		return connect.NewResponse(response), nil
	}, h.options(method, Pointer(new(Request)), more...)...)
}

// serveStream serves one method that streams a watch.
func serveStream[Request, Response any, Pointer interface {
	*Request
	proto.Message
}](
	h *handler, method string, invoke func(Pointer, grpc.ServerStreamingServer[Response]) error,
) {
	stream := connect.NewServerStreamHandler(method, func(
		ctx context.Context, encoded *connect.Request[encodedRequest], to *connect.ServerStream[wire.Message],
	) error {
		request := Pointer(new(Request))
		ctx, err := h.decode(ctx, method, encoded.Msg, request)
		if err != nil {
			return err
		}
		w := callOf(ctx).w
		ctx = requestctx.WithTransport(ctx, transportOf(encoded.Peer()))
		s := httpio.NewServerStream(ctx, w, func(m *wire.Message) (write func() error, err error) {
			return func() error { return to.Send(m) }, nil
		})
		err = invoke(request, &grpc.GenericServerStream[Request, Response]{ServerStream: s})
		s.Stop()
		w.ShortenTimeout()
		return connectError(err)
	}, h.options(method, Pointer(new(Request)))...)
	h.limits[method] = wire.RequestLimit(Pointer(new(Request)))
	h.mux.Handle(method, h.checkForm(stream, form{types: streamTypes}))
}

func transportOf(client connect.Peer) requestctx.Transport {
	if client.Protocol == connect.ProtocolGRPCWeb {
		return requestctx.GRPCWeb
	}
	return requestctx.Connect
}
