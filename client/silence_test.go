package client

import (
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// proxy forwards TCP connections to an address until it is stalled. Then the connections so
// far stay open, and nothing comes through.
type proxy struct {
	net.Listener

	address string
	conns   sync.WaitGroup
	// stalled are the connections, in the order in which they came, that no longer forward.
	accepted, stalled atomic.Int64
}

func newProxy(t *testing.T, address string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: listener, address: address}
	p.conns.Go(p.serve)
	t.Cleanup(func() {
		_ = listener.Close()
		p.conns.Wait()
	})
	return p
}

func (p *proxy) serve() {
	for {
		client, err := p.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.address)
		if err != nil {
			_ = client.Close()
			continue
		}
		number := p.accepted.Add(1)
		p.conns.Go(func() { p.copy(client, server, number) })
		p.conns.Go(func() { p.copy(server, client, number) })
	}
}

func (p *proxy) copy(to, from net.Conn, number int64) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if number <= p.stalled.Load() {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			_, _ = io.Copy(io.Discard, from)
			return
		}
	}
}

func TestWatchRecoversFromASilentTCPConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{watches: slices.Repeat([]watchCall{{messages: messages(snapshot("1", "a")), silent: true}}, 100)}
	server := grpc.NewServer()
	v2.RegisterParticipantServiceServer(server, g)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	p := newProxy(t, listener.Addr().String())
	c, err := New(p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		server.Stop()
		<-served
	})

	w := newWatcher(&v2.WatchParticipantsRequest{}, State{})
	w.silence = time.Second
	silent, recovered := false, false
	w.give = func(state State) bool {
		switch {
		case silent:
			recovered = state.Kind == KindSnapshot
			return !recovered
		case state.Kind == KindSnapshot:
			p.stalled.Store(p.accepted.Load())
		case state.Kind == KindDisconnected:
			silent = state.Err.Reason == ReasonSilent
		}
		return true
	}
	if err := w.run(t.Context(), c.link); err != nil || !recovered {
		t.Errorf("recovered: %t, %v", recovered, err)
	}
}
