package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// networkFault is what the network between gateway and upstream does to connections; the
// zero value is no fault.
type networkFault struct {
	// delay is added to every piece, in both directions.
	delay time.Duration
	// trickle is the number of bytes of an answer that pass every few milliseconds.
	trickle int
	// cut resets every connection in the middle of an answer.
	cut bool
}

// proxy forwards connections from the gateway to the upstream and applies network faults.
type proxy struct {
	listener     net.Listener
	target       func() string
	results      *results
	networkFault atomic.Pointer[networkFault]
	// underWay is the number of answers that are being forwarded.
	underWay atomic.Int32

	mu    sync.Mutex
	links map[*link]struct{}
	done  sync.WaitGroup
}

// link is one connection through the proxy.
type link struct{ near, far net.Conn }

// startProxy starts a proxy; target returns the address of the upstream at the time.
func startProxy(ctx context.Context, target func() string, t *results) (*proxy, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	p := &proxy{listener: listener, target: target, results: t, links: map[*link]struct{}{}}
	p.set(networkFault{})
	p.done.Go(func() { p.accept(ctx) })
	return p, nil
}

// set changes the network fault, also of open connections.
func (p *proxy) set(w networkFault) { p.networkFault.Store(&w) }

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) accept(ctx context.Context) {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.done.Go(func() { p.serve(ctx, near) })
	}
}

func (p *proxy) serve(ctx context.Context, near net.Conn) {
	far, err := new(net.Dialer).DialContext(ctx, "tcp", p.target())
	if err != nil {
		reset(near)
		return
	}
	l := &link{near: near, far: far}
	p.mu.Lock()
	p.links[l] = struct{}{}
	p.mu.Unlock()
	var directions sync.WaitGroup
	directions.Go(func() { p.forwardRequests(l) })
	directions.Go(func() { p.forwardAnswers(l) })
	directions.Wait()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// forwardRequests forwards what the gateway sends.
func (p *proxy) forwardRequests(l *link) {
	defer l.reset()
	p.forward(l.near, func(piece []byte) bool {
		_, err := l.far.Write(piece)
		return err == nil
	})
}

// forwardAnswers forwards what the upstream sends, with the network fault.
func (p *proxy) forwardAnswers(l *link) {
	defer l.reset()
	p.forward(l.far, func(piece []byte) bool {
		p.underWay.Add(1)
		defer p.underWay.Add(-1)
		now := p.networkFault.Load()
		switch {
		case now.cut:
			p.results.fault("proxy cut")
			_, _ = l.near.Write(piece[:len(piece)/2])
			return false
		case now.trickle > 0:
			p.results.fault("proxy trickled")
			return p.trickle(l.near, piece)
		default:
			_, err := l.near.Write(piece)
			return err == nil
		}
	})
}

// forward copies piece by piece until a side closes.
func (p *proxy) forward(from io.Reader, to func(piece []byte) bool) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if delay := p.networkFault.Load().delay; delay > 0 && n > 0 {
			p.results.fault("proxy delayed")
			<-time.After(delay)
		}
		if n > 0 && !to(buffer[:n]) || err != nil {
			return
		}
	}
}

func (p *proxy) trickle(to io.Writer, piece []byte) bool {
	for len(piece) > 0 {
		part := len(piece)
		if size := p.networkFault.Load().trickle; size > 0 {
			part = min(size, part)
			<-time.After(3 * time.Millisecond)
		}
		if _, err := to.Write(piece[:part]); err != nil {
			return false
		}
		piece = piece[part:]
	}
	return true
}

// cutAll resets every connection.
func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		p.results.fault("proxy cut")
		l.reset()
	}
}

// close ends the proxy and its connections.
func (p *proxy) close() {
	_ = p.listener.Close()
	p.cutAll()
	p.done.Wait()
}

func (l *link) reset() { reset(l.near); reset(l.far) }

// reset closes a connection with a TCP reset.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
