package service

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

// streams is a service that streams the first conferences of a hub, through one subscription or
// one group.
type streams struct {
	v2.UnimplementedParticipantServiceServer

	watcher  *watch.Watcher
	upstream *feedtest.Upstream
	count    int
}

func (s *streams) request(i int) watch.Request {
	return watch.Request{Account: s.upstream, Conference: fmt.Sprint("conf", i), Heartbeat: time.Minute}
}

func (s *streams) WatchParticipants(_ *v2.WatchParticipantsRequest, stream v2.ParticipantService_WatchParticipantsServer) error {
	subscription, err := s.watcher.Subscribe(stream.Context(), s.request(0))
	if err != nil {
		return err
	}
	return send(stream.Context(), subscription, stream)
}

func (s *streams) WatchConferences(_ *v2.WatchConferencesRequest, stream v2.ParticipantService_WatchConferencesServer) error {
	requests := make([]watch.GroupRequest, s.count)
	for i := range requests {
		requests[i] = watch.GroupRequest{Allowed: stream.Context(), Request: s.request(i)}
	}
	return sendWatch(stream.Context(), conferences{group: s.watcher.SubscribeAll(requests)}, stream)
}

// BenchmarkManyConferences sends the same number of changes through a stream of several conferences
// (A16) as through one of a single conference, which is measured before each.
func BenchmarkManyConferences(b *testing.B) {
	for _, count := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("conferences=%d/way=plain", count), func(b *testing.B) {
			benchmarkCost(b, 1, func(client v2.ParticipantServiceClient) (func() error, error) {
				return receiver(client.WatchParticipants(b.Context(), &v2.WatchParticipantsRequest{}))
			})
		})
		b.Run(fmt.Sprintf("conferences=%d/way=gateway", count), func(b *testing.B) {
			benchmarkCost(b, count, func(client v2.ParticipantServiceClient) (func() error, error) {
				return receiver(client.WatchConferences(b.Context(), &v2.WatchConferencesRequest{}))
			})
		})
	}
}

func benchmarkCost(b *testing.B, count int, open func(v2.ParticipantServiceClient) (receive func() error, err error)) {
	b.Helper()
	hub := feed.NewHub(feed.Options{
		PollInterval: time.Hour, MaxPollInterval: time.Hour, Linger: time.Second, History: 4096, Logger: slog.New(slog.DiscardHandler),
	})
	defer hub.Close()
	service := &streams{watcher: watch.NewWatcher(hub, watch.Limits{}), upstream: feedtest.New(), count: count}
	service.upstream.Set("a", participant.StatusConnected)
	listener, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := grpc.NewServer(grpc.ForceServerCodecV2(wire.Codec()))
	v2.RegisterParticipantServiceServer(server, service)
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	next, err := open(v2.NewParticipantServiceClient(conn))
	if err != nil {
		b.Fatal(err)
	}
	receive := func() {
		if err := next(); err != nil {
			b.Fatal(err)
		}
	}
	for range count { // The snapshots.
		receive()
	}
	for i := 0; b.Loop(); i++ {
		change(hub, service.request(i%count), service.upstream, i/count)
		receive()
	}
}

func receiver[Response any](stream grpc.ServerStreamingClient[Response], err error) (func() error, error) {
	return func() error {
		_, err := stream.Recv()
		return err
	}, err
}

// change mutes or unmutes the participant of a conference.
func change(hub *feed.Hub, request watch.Request, upstream *feedtest.Upstream, round int) {
	control := participant.ControlMute
	if round%2 == 1 {
		control = participant.ControlUnmute
	}
	record := hub.BeginControl(context.Background(), participant.Key{Credential: upstream.Fingerprint(), Conference: request.Conference})
	record.Done(participant.Controlled{Control: control, Item: participant.Item{Participant: participant.Participant{ID: "a"}}})
}
