// Package httpapitest contains what the tests of the HTTP transports share.
package httpapitest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// Response is a response with its body.
type Response struct {
	Status int
	Header http.Header
	Body   string
}

// Call sends a request to a server. Headers have the form "Name: value".
func Call(ctx context.Context, url, method, target, body string, headers ...string) (Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, url+target, strings.NewReader(body))
	if err != nil {
		return Response{}, fmt.Errorf("make the request: %w", err)
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
		return Response{}, fmt.Errorf("send the request: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return Response{}, fmt.Errorf("read the response: %w", err)
	}
	return Response{Status: resp.StatusCode, Header: resp.Header, Body: string(content)}, nil
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
