package main

import (
	"context"
	"fmt"
	"net/url"
)

// peerContenders are other programs that send events to subscribers.
func (b *bench) peerContenders() []*contender {
	return []*contender{
		b.streamContender("grpc-gateway's streams", ratio, b.reference("grpc-gateway-stream", b.textBytes), b.watchHTTP(jsonLines)),
		b.streamContender("Centrifuge, SSE", ratio, b.eventServer(b.peers, "centrifuge", b.textBytes), b.subscribeCentrifuge),
		b.streamContender("NATS", ratio, b.eventServer(b.peers, "nats", b.textBytes), b.subscribeNATS),
	}
}

// subscribeCentrifuge connects as an EventSource does; the server subscribes the connection.
func (b *bench) subscribeCentrifuge(ctx context.Context, addr string, c *counters) error {
	query := url.Values{"cf_connect": {`{"id":1,"connect":{}}`}}
	request := fmt.Sprintf("GET /connection/sse?%s HTTP/1.1\r\nHost: %s\r\nAccept: %s\r\n\r\n", query.Encode(), addr, eventStream)
	return textStreams(ctx, dialTo(addr), b.subscribers, request, textMark, c)
}

// subscribeNATS speaks NATS' text protocol.
func (b *bench) subscribeNATS(ctx context.Context, addr string, c *counters) error {
	const request = "CONNECT {\"verbose\":false}\r\nSUB events 1\r\n"
	return textStreams(ctx, dialTo(addr), b.subscribers, request, "}\r", c)
}
