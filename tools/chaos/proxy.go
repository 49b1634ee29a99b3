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

// networkFault is how the network is between the gateway and the upstream; the zero value is
// fair.
type networkFault struct {
	// delay holds every piece back, in both directions.
	delay time.Duration
	// trickle lets so many bytes of an answer through every few milliseconds.
	trickle int
	// cut breaks every answer off in its middle.
	cut bool
}

// proxy is the network between the gateway and the upstream.
type proxy struct {
	listener     net.Listener
	target       func() string
	results      *results
	networkFault atomic.Pointer[networkFault]
	// underWay is how many answers are being passed on.
	underWay atomic.Int32

	mu    sync.Mutex
	links map[*link]struct{}
	done  sync.WaitGroup
}

// link is one connection through the proxy.
type link struct{ near, far net.Conn }

// startProxy passes connections on to whatever target names at the time.
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

// set changes the networkFault, of connections that are open too.
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
	var ways sync.WaitGroup
	ways.Go(func() { p.ask(l) })
	ways.Go(func() { p.answer(l) })
	ways.Wait()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// ask passes on what the gateway sends.
func (p *proxy) ask(l *link) {
	defer l.reset()
	p.pass(l.near, func(piece []byte) bool {
		_, err := l.far.Write(piece)
		return err == nil
	})
}

// answer passes on what the upstream sends, as the networkFault lets it.
func (p *proxy) answer(l *link) {
	defer l.reset()
	p.pass(l.far, func(piece []byte) bool {
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

// pass hands on piece by piece until a side is gone.
func (p *proxy) pass(from io.Reader, to func(piece []byte) bool) {
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
		drop := len(piece)
		if size := p.networkFault.Load().trickle; size > 0 {
			drop = min(size, drop)
			<-time.After(3 * time.Millisecond)
		}
		if _, err := to.Write(piece[:drop]); err != nil {
			return false
		}
		piece = piece[drop:]
	}
	return true
}

// cutAll breaks every connection.
func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		p.results.fault("proxy cut")
		l.reset()
	}
}

// close ends the proxy and all that goes through it.
func (p *proxy) close() {
	_ = p.listener.Close()
	p.cutAll()
	p.done.Wait()
}

func (l *link) reset() { reset(l.near); reset(l.far) }

// reset closes a connection as a broken one ends: without a goodbye.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
