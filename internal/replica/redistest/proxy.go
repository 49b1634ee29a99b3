package redistest

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy is a network between a server and its clients that fails on demand. Its methods may be
// called by several goroutines.
type Proxy struct {
	listener net.Listener
	fault    atomic.Pointer[fault]
	done     sync.WaitGroup

	mu     sync.Mutex
	target string                // guarded by mu
	links  map[net.Conn]struct{} // guarded by mu
}

// fault is what the network does; the zero value is no fault.
type fault struct {
	cut   bool
	delay time.Duration
	// stalled is closed when a stall ends; nil: no stall.
	stalled chan struct{}
	// from and to are the texts of Replace.
	from, to []byte
}

// NewProxy returns a proxy to an address, which ends with the test.
func NewProxy(t TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // Listening on loopback does not wait.
	if err != nil {
		t.Fatalf("proxy: %v", err)
	}
	p := &Proxy{listener: listener, target: target, links: map[net.Conn]struct{}{}}
	p.fault.Store(&fault{})
	p.done.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr returns the address of the proxy.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut resets all connections, and new ones too until Restore.
func (p *Proxy) Cut() {
	p.set(&fault{cut: true})
	p.closeLinks()
}

// Stall keeps connections open, also new ones, and forwards nothing until Restore.
func (p *Proxy) Stall() { p.set(&fault{stalled: make(chan struct{})}) }

// Delay adds a delay in each direction until Restore.
func (p *Proxy) Delay(delay time.Duration) { p.set(&fault{delay: delay}) }

// Replace replaces a text in what the server sends until Restore. Both have the same length.
func (p *Proxy) Replace(from, to string) { p.set(&fault{from: []byte(from), to: []byte(to)}) }

// Restore ends the fault. What stalled arrives.
func (p *Proxy) Restore() { p.set(&fault{}) }

// Retarget leads new connections to another address, and resets the others: a failover.
func (p *Proxy) Retarget(target string) {
	p.mu.Lock()
	p.target = target
	p.mu.Unlock()
	p.closeLinks()
}

func (p *Proxy) set(next *fault) {
	if last := p.fault.Swap(next); last.stalled != nil {
		close(last.stalled)
	}
}

func (p *Proxy) close() {
	_ = p.listener.Close()
	p.Cut()
	p.done.Wait()
}

func (p *Proxy) closeLinks() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.links {
		reset(conn)
	}
}

func (p *Proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.done.Go(func() { p.serve(near) })
	}
}

func (p *Proxy) serve(near net.Conn) {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	far, err := (&net.Dialer{Timeout: time.Second}).Dial("tcp", target)
	if err != nil {
		reset(near)
		return
	}
	if !p.add(near, far) {
		return
	}
	var directions sync.WaitGroup
	directions.Go(func() { p.forward(near, far, false) })
	directions.Go(func() { p.forward(far, near, true) })
	directions.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, near)
	delete(p.links, far)
}

// add keeps a new link, unless the network is cut.
func (p *Proxy) add(near, far net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault.Load().cut {
		reset(near)
		reset(far)
		return false
	}
	p.links[near], p.links[far] = struct{}{}, struct{}{}
	return true
}

// forward copies piece by piece until a side closes.
func (p *Proxy) forward(from, to net.Conn, answers bool) {
	defer reset(from)
	defer reset(to)
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		f := p.wait()
		piece := buffer[:n]
		if answers && len(f.from) > 0 {
			piece = bytes.ReplaceAll(piece, f.from, f.to)
		}
		if f.cut {
			return
		}
		if _, failed := to.Write(piece); err != nil || failed != nil {
			return
		}
	}
}

// wait waits as the fault has it, and returns the fault at the end.
func (p *Proxy) wait() *fault {
	for {
		f := p.fault.Load()
		if f.delay > 0 {
			<-time.After(f.delay)
		}
		if f.stalled == nil {
			return f
		}
		<-f.stalled
	}
}

// reset closes a connection with a TCP reset.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
