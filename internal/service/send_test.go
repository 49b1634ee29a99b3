package service

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

// watching is a service that streams one conference, and reports how each stream ended.
type watching struct {
	v2.UnimplementedParticipantServiceServer

	watcher  *watch.Watcher
	upstream *feedtest.Upstream
	ended    chan error
	// drain, where set, is received from to end the streams.
	drain chan error
}

func (w *watching) WatchParticipants(_ *v2.WatchParticipantsRequest, stream v2.ParticipantService_WatchParticipantsServer) error {
	subscription, err := w.watcher.Subscribe(context.Background(), watch.Request{Account: w.upstream, Conference: "conf", Heartbeat: 5 * time.Second})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(stream.Context())
	defer cancel(nil)
	go func() {
		select {
		case reason := <-w.drain:
			cancel(reason)
		case <-ctx.Done():
		}
	}()
	err = send(ctx, subscription, stream)
	w.ended <- err
	return grpcstatus.From(err).Err()
}

// pace is a client's reading: 16 KB in 15 s, or nothing more.
type pace struct {
	read    atomic.Int64
	stopped atomic.Bool
	goOn    chan struct{}
}

type pacedConn struct {
	net.Conn

	pace *pace
}

func (c pacedConn) Read(p []byte) (int, error) {
	const step = 16 << 10
	if c.pace.stopped.Load() {
		<-c.pace.goOn
	}
	n, err := c.Conn.Read(p[:min(len(p), step)])
	before := c.pace.read.Load()
	if c.pace.read.Add(int64(n))/step > before/step {
		time.Sleep(15 * time.Second)
	}
	return n, err
}

// pipe is a listener of one synchronous connection, whose time is the bubble's.
type pipe chan net.Conn

func (p pipe) Accept() (net.Conn, error) {
	if conn, open := <-p; open {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (p pipe) Close() error   { return nil }
func (p pipe) Addr() net.Addr { return &net.TCPAddr{} }

// TestW12_GRPCClientsAreJudgedByTheirProgress uses a client that reads a snapshot of
// 640 KB for ten minutes, while heartbeats wait behind it, and then reads nothing more.
func TestW12_GRPCClientsAreJudgedByTheirProgress(t *testing.T) {
	for name, options := range map[string][]grpc.CallOption{"plain": nil, "gzip": {grpc.UseCompressor(gzip.Name)}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { slowReader(t, options) })
		})
	}
}

// serveSlowly serves a snapshot of 640 KB over a connection whose client reads at a pace.
func serveSlowly(t *testing.T, reading *pace) (service *watching, client v2.ParticipantServiceClient, stop func()) {
	t.Helper()
	hub := feed.NewHub(feed.Options{
		PollInterval: time.Minute, MaxPollInterval: time.Minute, History: 100, Logger: slog.New(slog.DiscardHandler),
	})
	service = &watching{
		watcher: watch.NewWatcher(hub, watch.Limits{}), upstream: feedtest.New(),
		ended: make(chan error, 1), drain: make(chan error),
	}
	for n := range 640 {
		service.upstream.Set(strings.Repeat("x", 1000)+strconv.Itoa(n), participant.StatusConnected)
	}
	server, listener := grpc.NewServer(grpc.ForceServerCodecV2(wire.Codec())), make(pipe)
	v2.RegisterParticipantServiceServer(server, service)
	go func() { _ = server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///pipe",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithInitialWindowSize(1<<16), grpc.WithInitialConnWindowSize(1<<16),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			client, end := net.Pipe()
			listener <- end
			return pacedConn{client, reading}, nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	return service, v2.NewParticipantServiceClient(conn), func() {
		conn.Close()
		close(listener)
		server.Stop()
		hub.Close()
	}
}

func slowReader(t *testing.T, options []grpc.CallOption) {
	t.Helper()
	reading := &pace{goOn: make(chan struct{})}
	service, client, stop := serveSlowly(t, reading)
	defer stop()
	start := time.Now()
	stream, err := client.WatchParticipants(t.Context(), &v2.WatchParticipantsRequest{}, options...)
	if err != nil {
		t.Fatal(err)
	}
	first, err := stream.Recv()
	if err != nil || len(first.GetSnapshot().GetParticipants()) != 640 {
		t.Fatalf("got %d participants, %v", len(first.GetSnapshot().GetParticipants()), err)
	}
	if took := time.Since(start); took < 9*time.Minute {
		t.Errorf("took %v: no slow client", took)
	}
	if second, err := stream.Recv(); err != nil || second.GetCheckpoint() == nil {
		t.Fatalf("after the snapshot: %v, %v", second, err)
	}
	stopped := time.Now()
	reading.stopped.Store(true)
	if err := <-service.ended; !errors.Is(err, errBlocked) {
		t.Errorf("ended with %v", err)
	}
	if took := time.Since(stopped); took > time.Hour {
		t.Errorf("ended after %v", took)
	}
	if err := reading.onToTheEnd(stream); errors.Is(err, io.EOF) || status.Code(err) != codes.ResourceExhausted {
		t.Errorf("the client, which reads on, sees %v", err)
	}
}

// onToTheEnd lets the client read on, and returns the error that ends the stream.
func (p *pace) onToTheEnd(stream grpc.ServerStreamingClient[v2.WatchParticipantsResponse]) (err error) {
	p.stopped.Store(false)
	close(p.goOn)
	for err == nil {
		_, err = stream.Recv()
	}
	return err
}

func TestW16_ABlockedGRPCStreamIsCutAfterTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reading := &pace{goOn: make(chan struct{})}
		service, client, stop := serveSlowly(t, reading)
		defer stop()
		stream, err := client.WatchParticipants(t.Context(), &v2.WatchParticipantsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second) // The client reads 32 KB. Heartbeats wait behind the snapshot.
		ended := time.Now()
		service.drain <- &apierror.Error{Reason: apierror.Draining, Message: "draining"}
		if err := <-service.ended; apierror.ReasonOf(err) != apierror.Draining {
			t.Errorf("ended with %v", err)
		}
		if took := time.Since(ended); took != watch.LastSendTimeout {
			t.Errorf("cut after %v", took)
		}
		if err := reading.onToTheEnd(stream); status.Code(err) != codes.Unavailable {
			t.Errorf("the client, which reads on, sees %v", err)
		}
	})
}

// brokenSource panics in place of its first message.
type brokenSource struct{}

func (brokenSource) Next(context.Context) (*wire.Message, error) { panic("a mistake") }

func (brokenSource) Close() {}

func TestAPanicOfASourceEndsItsStreamAndIsCounted(t *testing.T) {
	before := panics.Recovered()
	if err := sendFrom(t.Context(), brokenSource{}, nil); err == nil || !strings.Contains(err.Error(), "a mistake") {
		t.Errorf("ended with %v", err)
	}
	if counted := panics.Recovered() - before; counted != 1 {
		t.Errorf("%d panics counted", counted)
	}
}
