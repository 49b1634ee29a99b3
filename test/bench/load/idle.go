package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/audian/participant-gateway/test/bench/load/serve"
)

const (
	// clientsOfAnAddress is how many clients share an address: far fewer than there are ports,
	// since the ports of closed connections stay in use for a minute.
	clientsOfAnAddress = 5_000
	// otherFiles are the descriptors that a process needs besides those of its streams.
	otherFiles = 200
)

// idle prints the memory of a gateway with many subscribers of a conference where nothing
// changes.
func idle(ctx context.Context, args []string) error {
	var s settings
	flags := flag.NewFlagSet("idle", flag.ContinueOnError)
	flags.StringVar(&s.gateway, "gateway", defaultGateway, "the gateway's program")
	flags.IntVar(&s.subscribers, "subscribers", 100_000, "idle SSE subscribers")
	overHTTP2 := flags.Bool("http2", false, "open the subscribers as streams of few HTTP/2 connections, which need few files")
	flags.Float64Var(&s.seconds, "seconds", 30, "seconds between the last connection and the reading of the memory")
	flags.DurationVar(&s.limit, "limit", 10*time.Minute, "the command ends after this time, whatever happens")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("idle: %w", err)
	}
	open := idleHTTP2Streams
	if !*overHTTP2 {
		open = idleStreams
		allowed, err := streamsAllowed()
		if err != nil {
			return err
		}
		if s.subscribers > allowed {
			fmt.Fprintf(os.Stderr, "idle: the limit of open files allows a process %d subscribers\n", allowed)
			s.subscribers = allowed
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	b, err := newBench(ctx, s)
	if err != nil {
		return err
	}
	defer b.stop()
	return b.measureIdle(ctx, open)
}

// streamsAllowed returns how many connections the limit of open files allows a process.
func streamsAllowed() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("read the limit of open files: %w", err)
	}
	return int(limit.Max) - otherFiles, nil
}

// idleOpener opens subscribers that are idle once they have a message, and returns how to close
// them.
type idleOpener func(ctx context.Context, addr string, streams int) (closeAll func(), err error)

func (b *bench) measureIdle(ctx context.Context, open idleOpener) error {
	g, err := startGateway(ctx, b.gateway, b.upstream, 1)
	if err != nil {
		return err
	}
	defer g.stop()
	if err := pause(ctx, time.Second); err != nil {
		return err
	}
	before, err := g.memory()
	if err != nil {
		return err
	}
	closeAll, err := open(ctx, g.httpAddr, b.subscribers)
	if err != nil {
		return err
	}
	defer closeAll()
	if err := pause(ctx, b.duration()); err != nil {
		return err
	}
	after, err := g.memory()
	if err != nil {
		return err
	}
	each := (after - before) / float64(b.subscribers)
	_, err = fmt.Fprintf(os.Stdout, "%d idle SSE subscribers: %s, of these %s without subscribers; %s for each; by this 100,000 take %s\n",
		b.subscribers, formatMemory(after), formatMemory(before), formatMemory(each), formatMemory(before+100_000*each))
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// idleStreams opens streams, each on a connection of its own, and reads the first message of
// each. What comes later stays in the socket.
func idleStreams(ctx context.Context, addr string, streams int) (closeAll func(), err error) {
	conns := make([]net.Conn, streams)
	closeAll = func() {
		for _, conn := range conns {
			if conn != nil {
				_ = conn.Close()
			}
		}
	}
	request := []byte(watchRequest(addr, serve.Conference(10, 0), eventStream, ""))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrentConnects)
	for i := range streams {
		group.Go(func() (err error) {
			if conns[i], err = dialFrom(ctx, addr, i); err != nil {
				return err
			}
			return openIdle(conns[i], request)
		})
	}
	if err := group.Wait(); err != nil {
		closeAll()
		return nil, fmt.Errorf("open streams: %w", err)
	}
	return closeAll, nil
}

// openIdle opens a stream and reads its first message.
func openIdle(conn net.Conn, request []byte) error {
	if err := conn.SetDeadline(time.Now().Add(connectTimeout)); err != nil {
		return fmt.Errorf("set a deadline: %w", err)
	}
	if _, err := conn.Write(request); err != nil {
		return fmt.Errorf("send a request: %w", err)
	}
	return readMessage(conn)
}

// dialFrom connects from an address of loopback that the client shares with few others.
func dialFrom(ctx context.Context, addr string, client int) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+client/clientsOfAnAddress))}, Timeout: connectTimeout}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return conn, nil
}

// readMessage reads until a message has ended.
func readMessage(r io.Reader) error {
	buffer := make([]byte, 16<<10)
	for read := 0; read < len(buffer); {
		n, err := r.Read(buffer[read:])
		if err != nil {
			return fmt.Errorf("read a message: %w", errors.Join(err, io.ErrUnexpectedEOF))
		}
		read += n
		if bytes.Contains(buffer[:read], []byte(textMark)) {
			return nil
		}
	}
	return errors.New("the first message is larger than expected")
}
