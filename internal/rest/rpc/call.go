package rpc

import (
	"context"
	"path"

	"connectrpc.com/connect"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/rest"
	"github.com/audian/participant-gateway/internal/wire"
)

// unary is the handler of one unary method.
func unary[Request, Answer any, Pointer interface {
	*Request
	proto.Message
}](
	d *door, method string, call func(context.Context, Pointer) (*Answer, error), more ...connect.HandlerOption,
) *connect.Handler {
	return connect.NewUnaryHandler(method, func(ctx context.Context, sent *connect.Request[packed]) (*connect.Response[Answer], error) {
		request := Pointer(new(Request))
		ctx, err := d.unpack(ctx, method, sent.Msg, request)
		if err != nil {
			return nil, err
		}
		var answered runtime.ServerTransportStream
		answer, err := call(grpc.NewContextWithServerTransportStream(ctx, &answered), request)
		rest.SetOutgoing(answerOf(ctx).Header(), answered.Header())
		if err != nil {
			rest.SetRetryAfter(answerOf(ctx).Header(), grpcstatus.From(err))
			return nil, failure(err)
		}
		return connect.NewResponse(answer), nil
	}, d.options(method, Pointer(new(Request)), more...)...)
}

// watch is the handler of the one method that streams.
func (d *door) watch(method string) *connect.Handler {
	return connect.NewServerStreamHandler(method, func(
		ctx context.Context, sent *connect.Request[packed], to *connect.ServerStream[wire.Message],
	) error {
		request := &v2.WatchParticipantsRequest{}
		ctx, err := d.unpack(ctx, method, sent.Msg, request)
		if err != nil {
			return err
		}
		s := &stream{ctx: ctx, to: to, answer: answerOf(ctx)}
		err = d.service.WatchParticipants(request, &grpc.GenericServerStream[
			v2.WatchParticipantsRequest, v2.WatchParticipantsResponse,
		]{ServerStream: s})
		s.stop()
		return failure(err)
	}, d.options(method, &v2.WatchParticipantsRequest{})...)
}

// name is a method's own name.
func name(method string) string { return path.Base(method) }
