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

// proxy is the network between a client and a port of the gateway.
type proxy struct {
	listener net.Listener
	// target returns the address of the gateway's port; empty while the gateway does not run.
	target  func() string
	refuses atomic.Bool

	mu    sync.Mutex
	links map[*link]struct{}
	// closed counts the stalled connections that the client has closed.
	closed int
	done   sync.WaitGroup
}

// link is one connection through a proxy. A stalled one forwards nothing and stays open.
type link struct {
	near, far net.Conn
	stalled   atomic.Bool
}

// startProxy listens on a free port of loopback.
func startProxy(ctx context.Context, target func() string) (*proxy, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	p := &proxy{listener: listener, target: target, links: map[*link]struct{}{}}
	p.done.Go(func() { p.accept(ctx) })
	return p, nil
}

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
	target := p.target()
	if p.refuses.Load() || target == "" {
		reset(near)
		return
	}
	far, err := new(net.Dialer).DialContext(ctx, "tcp", target)
	if err != nil {
		reset(near)
		return
	}
	l := &link{near: near, far: far}
	p.mu.Lock()
	p.links[l] = struct{}{}
	p.mu.Unlock()
	if p.refuses.Load() { // Since the check above; this link was not there to be cut.
		l.reset()
	}
	var directions sync.WaitGroup
	directions.Go(func() {
		l.forward(far, near)
		_ = far.Close()
		if l.stalled.Load() {
			_ = near.Close()
		}
	})
	directions.Go(func() {
		l.forward(near, far)
		// The client of a stalled connection does not learn that the gateway closed it.
		if !l.stalled.Load() {
			_ = near.Close()
		}
	})
	directions.Wait()
	p.mu.Lock()
	delete(p.links, l)
	if l.stalled.Load() {
		p.closed++
	}
	p.mu.Unlock()
}

// forward copies until a side closes. What arrives while the link is stalled is lost.
func (l *link) forward(to io.Writer, from io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !l.stalled.Load() {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// cut resets every connection.
func (p *proxy) cut() { p.each((*link).reset) }

func (l *link) reset() { reset(l.near); reset(l.far) }

// stall stalls every connection; new ones pass.
func (p *proxy) stall() {
	p.mu.Lock()
	p.closed = 0
	p.mu.Unlock()
	p.each(func(l *link) { l.stalled.Store(true) })
}

func (p *proxy) each(do func(*link)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		do(l)
	}
}

// closedStalled returns how many stalled connections the client has closed.
func (p *proxy) closedStalled() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// close ends the proxy and its connections.
func (p *proxy) close() {
	_ = p.listener.Close()
	p.cut()
	p.done.Wait()
}

// reset closes a connection with a TCP reset.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// network is every proxy of a client.
type network []*proxy

// set makes the network do what a move says.
func (n network) set(ctx context.Context, what string) error {
	for _, p := range n {
		switch what {
		case "pass":
			p.refuses.Store(false)
		case "refuse":
			p.refuses.Store(true)
			p.cut()
		case "cut":
			p.cut()
		case "stall":
			p.stall()
		case "closed":
		default:
			return fmt.Errorf("unknown state of the network %q", what)
		}
	}
	if what == "closed" {
		return n.waitClosed(ctx)
	}
	return nil
}

// waitClosed waits until the client has closed a stalled connection. Others may be connections that it
// does not use.
func (n network) waitClosed(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, p := range n {
			if p.closedStalled() > 0 {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the client has not closed the silent connection: %w", context.Cause(ctx))
		}
	}
}
