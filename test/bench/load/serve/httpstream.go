package serve

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
)

const (
	eventStream = "text/event-stream"
	// streamHeader begins the response on a connection that net/http does not write to.
	streamHeader = "HTTP/1.1 200 OK\r\nContent-Type: " + eventStream + "\r\nConnection: close\r\n\r\n"
)

// serveHTTPStream sends server-sent events by net/http: one goroutine a connection, a Write
// and a Flush an event.
func serveHTTPStream(ctx context.Context, listener net.Listener, o Options) error {
	p := publish(ctx, o.Rate, sseEvent(o.Size))
	return serveHTTP(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		events, cancel := p.subscribe()
		defer cancel()
		w.Header().Set("Content-Type", eventStream)
		response := http.NewResponseController(w)
		for err := response.Flush(); err == nil; err = response.Flush() {
			select {
			case <-r.Context().Done():
				return
			case event := <-events:
				if _, err := w.Write(event); err != nil {
					return
				}
			}
		}
	}))
}

// serveHijackedStream takes connections from net/http and writes to them. The goroutine and
// the buffers of net/http end with the handler.
func serveHijackedStream(ctx context.Context, listener net.Listener, o Options) error {
	p := publish(ctx, o.Rate, sseEvent(o.Size))
	return serveHTTP(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			go p.write(conn)
		}
	}))
}

// serveTCPStream writes to connections after one request, which it does not read further than
// to its first empty line.
func serveTCPStream(ctx context.Context, listener net.Listener, o Options) error {
	p := publish(ctx, o.Rate, sseEvent(o.Size))
	for {
		conn, err := listener.Accept()
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		go p.answer(conn)
	}
}

func (p *publisher) answer(conn net.Conn) {
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		if lines.Text() == "" {
			go p.write(conn) // The goroutine that read, its stack and its buffer end.
			return
		}
	}
	_ = conn.Close()
}

// write writes events until the client closes the connection.
func (p *publisher) write(conn net.Conn) {
	events, cancel := p.subscribe()
	defer cancel()
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte(streamHeader)); err != nil {
		return
	}
	for event := range events {
		if _, err := conn.Write(event); err != nil {
			return
		}
	}
}
