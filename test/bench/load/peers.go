package main

import (
	"context"
	"fmt"
)

// peerContenders are other programs that send events to subscribers.
func (b *bench) peerContenders() []*contender {
	return []*contender{
		b.streamContender("grpc-gateway's streams", ratio, b.reference("grpc-gateway-stream"), b.watchHTTP(jsonLines)),
		b.streamContender("Centrifuge, SSE", ratio, b.eventServer(b.peers, "centrifuge"), b.subscribeCentrifuge),
		b.streamContender("NATS", ratio, b.eventServer(b.peers, "nats"), b.subscribeNATS),
	}
}

// subscribeCentrifuge connects as an EventSource does; the server subscribes the connection.
func (b *bench) subscribeCentrifuge(ctx context.Context, addr string, c *counters) error {
	request := fmt.Sprintf("GET /connection/sse?cf_connect=%%7B%%7D HTTP/1.1\r\nHost: %s\r\nAccept: %s\r\n\r\n", addr, eventStream)
	return textStreams(ctx, dialTo(addr), b.subscribers, request, textMark, c)
}

// subscribeNATS speaks NATS' text protocol.
func (b *bench) subscribeNATS(ctx context.Context, addr string, c *counters) error {
	const request = "CONNECT {\"verbose\":false}\r\nSUB events 1\r\n"
	return textStreams(ctx, dialTo(addr), b.subscribers, request, "}\r", c)
}
