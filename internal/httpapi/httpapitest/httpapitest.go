// Package httpapitest contains what the tests of the HTTP transports share.
package httpapitest

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// Response is a response with its body.
type Response struct {
	Status int
	Header http.Header
	Body   string
}

// Call sends a request to a server. Headers have the form "Name: value".
func Call(t *testing.T, url, method, target, body string, headers ...string) Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		if name == "Host" {
			request.Host = value
		}
		request.Header.Add(name, value)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Response{Status: resp.StatusCode, Header: resp.Header, Body: string(content)}
}

// PipeListener is a listener of in-memory connections, for tests with synctest. It is
// closed by closing the channel.
type PipeListener chan net.Conn

// Accept returns the server's end of a connection.
func (p PipeListener) Accept() (net.Conn, error) {
	if conn, open := <-p; open {
		return conn, nil
	}
	return nil, net.ErrClosed
}

// Dial connects a client to the listener. It has the signature of a transport's DialContext.
func (p PipeListener) Dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p <- server
	return client, nil
}

// Close does nothing: http.Server calls it too.
func (p PipeListener) Close() error { return nil }

// Addr returns an empty address.
func (p PipeListener) Addr() net.Addr { return &net.TCPAddr{} }
