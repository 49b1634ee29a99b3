package requestctx

import "context"

// WithStream returns a context with the number that identifies a stream in this process.
func WithStream(ctx context.Context, id uint64) context.Context {
	return context.WithValue(ctx, streamKey, id)
}

// Stream returns the number of the stream, or 0.
func Stream(ctx context.Context) uint64 {
	id, _ := ctx.Value(streamKey).(uint64)
	return id
}

// Transport is how a client receives a stream.
type Transport string

// The transports.
const (
	GRPC    Transport = "grpc"
	SSE     Transport = "sse"
	NDJSON  Transport = "ndjson"
	Connect Transport = "connect"
	GRPCWeb Transport = "grpc-web"
)

// WithTransport returns a context with the transport of an HTTP request.
func WithTransport(ctx context.Context, transport Transport) context.Context {
	return context.WithValue(ctx, transportKey, transport)
}

// TransportOf returns the transport of a call: GRPC unless WithTransport has set another.
func TransportOf(ctx context.Context) Transport {
	if transport, set := ctx.Value(transportKey).(Transport); set {
		return transport
	}
	return GRPC
}
