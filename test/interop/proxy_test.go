package main

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// startEcho starts a server that sends back what it gets.
func startEcho(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	return listener.Addr().String()
}

func startTestNetwork(t *testing.T) network {
	t.Helper()
	target := startEcho(t)
	p, err := startProxy(t.Context(), func() string { return target })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return network{p}
}

func (n network) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", n[0].addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// echoes sends a byte and waits for it to come back.
func echoes(c net.Conn, within time.Duration) error {
	if _, err := c.Write([]byte("x")); err != nil {
		return err
	}
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

func TestNetwork(t *testing.T) {
	n := startTestNetwork(t)
	set := func(what string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := n.set(ctx, what); err != nil {
			t.Fatal(err)
		}
	}
	first := n.dial(t)
	if err := echoes(first, 10*time.Second); err != nil {
		t.Fatalf("pass: %v", err)
	}
	set("cut")
	if err := echoes(first, 10*time.Second); err == nil || isTimeout(err) {
		t.Errorf("cut: %v", err)
	}
	second := n.dial(t)
	if err := echoes(second, 10*time.Second); err != nil {
		t.Fatalf("a new connection after cut: %v", err)
	}
	set("stall")
	if err := echoes(second, 50*time.Millisecond); !isTimeout(err) {
		t.Errorf("stall: %v", err)
	}
	if err := echoes(n.dial(t), 10*time.Second); err != nil {
		t.Errorf("a new connection after stall: %v", err)
	}
	_ = second.Close()
	set("closed")
	set("refuse")
	// The reset comes while the connection is made, or after it.
	if c, err := new(net.Dialer).DialContext(t.Context(), "tcp", n[0].addr()); err == nil {
		if err := echoes(c, 10*time.Second); err == nil || isTimeout(err) {
			t.Errorf("refuse: %v", err)
		}
		_ = c.Close()
	}
	set("pass")
	if err := echoes(n.dial(t), 10*time.Second); err != nil {
		t.Errorf("pass again: %v", err)
	}
}

func TestNetworkWaitsForTheClient(t *testing.T) {
	n := startTestNetwork(t)
	if err := echoes(n.dial(t), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := n.set(ctx, "stall"); err != nil {
		t.Fatal(err)
	}
	if err := n.set(ctx, "closed"); err == nil {
		t.Error("closed, although the client has closed nothing")
	}
	if err := n.set(ctx, "rain"); err == nil {
		t.Error("set an unknown state")
	}
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}
