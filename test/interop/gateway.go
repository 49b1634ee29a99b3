package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// gateway is one gateway, as successive processes.
type gateway struct {
	binary string
	flags  []string
	log    io.Writer
	// process is the present one; nil between two.
	process atomic.Pointer[gatewayProcess]
}

type gatewayProcess struct {
	command            *exec.Cmd
	grpcAddr, httpAddr string
	exited             chan struct{}
}

// drainTimeout is how long calls may go on after SIGTERM.
const drainTimeout = 5 * time.Second

// start starts a process, and returns once it listens. stop ends it.
func (g *gateway) start(ctx context.Context) error {
	p := &gatewayProcess{exited: make(chan struct{})}
	p.command = exec.CommandContext(context.WithoutCancel(ctx), g.binary, append([]string{
		"--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0",
		"--drain-timeout", drainTimeout.String(), "--log-format", "json",
	}, g.flags...)...)
	p.command.Env, p.command.Stderr = []string{"AUDIAN_AUTH_TOKEN=" + upstreamToken}, g.log
	banner, err := p.command.StdoutPipe()
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	if err := p.command.Start(); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	if err := p.readBanner(banner); err != nil {
		_ = p.command.Process.Kill()
		_ = p.command.Wait()
		return err
	}
	go func() {
		_ = p.command.Wait()
		close(p.exited)
	}()
	g.process.Store(p)
	return nil
}

func (p *gatewayProcess) readBanner(banner io.Reader) error {
	lines := bufio.NewScanner(banner)
	for p.httpAddr == "" && lines.Scan() {
		transport, addr, _ := strings.Cut(lines.Text(), " ")
		addr = strings.TrimPrefix(strings.TrimSpace(addr), "http://")
		switch transport {
		case "gRPC":
			p.grpcAddr = addr
		case "HTTP":
			p.httpAddr = addr
		}
	}
	if p.httpAddr == "" {
		return errors.New("gateway: ended before it wrote its addresses")
	}
	return nil
}

// restart drains the process, and starts another one.
func (g *gateway) restart(ctx context.Context) error {
	if err := g.stop(); err != nil {
		return err
	}
	return g.start(ctx)
}

// stop drains the process, and returns an error unless it exits with code 0.
func (g *gateway) stop() error {
	p := g.process.Load()
	if p == nil {
		return nil
	}
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(drainTimeout + 5*time.Second):
		_ = p.command.Process.Kill()
		<-p.exited
	}
	g.process.Store(nil)
	if code := p.command.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("gateway: exit code %d", code)
	}
	return nil
}

// grpcAddr returns the address of gRPC; empty while no process runs.
func (g *gateway) grpcAddr() string {
	if p := g.process.Load(); p != nil {
		return p.grpcAddr
	}
	return ""
}

// httpAddr returns the address of HTTP; empty while no process runs.
func (g *gateway) httpAddr() string {
	if p := g.process.Load(); p != nil {
		return p.httpAddr
	}
	return ""
}
