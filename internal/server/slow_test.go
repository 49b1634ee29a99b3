package server

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener of synchronous connections in a synctest bubble.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, open := <-p; open {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

func TestSlowClientsAreClosed(t *testing.T) {
	for name, test := range map[string]struct {
		sends string
		want  time.Duration
	}{
		"sends nothing":          {"", headerTimeout},
		"half a request line":    {"GET /v2/conf", headerTimeout},
		"headers without an end": {"GET / HTTP/1.1\r\nHost: localhost\r\n", headerTimeout},
		"idle after an response": {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", idleTimeout},
		"half a preface":         {"PRI * HTTP/2.0\r\n", headerTimeout},
		"a preface alone":        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &Server{logger: slog.New(slog.DiscardHandler)}
				listener := make(pipes)
				transport := s.newHTTP(http.NotFoundHandler())
				s.http = transport
				s.secureHTTP()
				go transport.Serve(listener)
				defer func() {
					close(listener)
					transport.Close()
				}()
				client, serverEnd := net.Pipe()
				defer client.Close()
				listener <- serverEnd
				start := time.Now()
				go trickle(client, test.sends)
				if _, err := io.Copy(io.Discard, client); err != nil {
					t.Error(err)
				}
				if after := time.Since(start); after > test.want+time.Second || after < test.want-time.Second {
					t.Errorf("closed after %v, want %v", after, test.want)
				}
			})
		})
	}
}

// trickle sends a text line by line, and then nothing.
func trickle(conn net.Conn, text string) {
	for line := range strings.SplitAfterSeq(text, "\n") {
		if _, err := io.WriteString(conn, line); err != nil {
			return
		}
	}
}
