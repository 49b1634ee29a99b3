package bench_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access/keys"
	"github.com/audian/participant-gateway/internal/certs"
	"github.com/audian/participant-gateway/internal/certs/certstest"
	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/server"
	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

// BenchmarkCall measures a unary call over loopback, which the gateway answers from the
// idempotency cache (A2): without security, with keys, with limits and with TLS.
func BenchmarkCall(b *testing.B) {
	const noLimit, highLimit = "--max-calls-per-second=0", "--max-calls-per-second=1000000000"
	dir, roots := certificates(b)
	key := newKey(b, dir)
	for _, way := range []struct {
		name  string
		flags []string
		creds credentials.TransportCredentials
		key   string
	}{
		{"plain", nil, insecure.NewCredentials(), ""},
		{"keys", []string{"--auth=keys", "--auth-keys-file=" + keysFile(dir), noLimit}, insecure.NewCredentials(), key},
		{"limits", []string{"--auth=keys", "--auth-keys-file=" + keysFile(dir), highLimit}, insecure.NewCredentials(), key},
		{"tls", []string{"--tls-cert-file=" + dir.Cert, "--tls-key-file=" + dir.Key}, credentials.NewTLS(roots), ""},
	} {
		b.Run("way="+way.name, func(b *testing.B) {
			client := v2.NewParticipantServiceClient(dial(b, gateway(b, way.flags), way.creds))
			ctx := metadata.AppendToOutgoingContext(b.Context(), "x-auth-token", way.key)
			request := &v2.AddParticipantRequest{
				ConferenceId: simulator.DemoConference, PhoneNumber: "+12025550123", Name: "Ada", RequestId: "once",
			}
			if _, err := client.AddParticipant(ctx, request); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := client.AddParticipant(ctx, request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMessage measures one message of a stream. Credentials and limits are checked when
// a stream is opened, so only TLS affects the cost of a message.
func BenchmarkMessage(b *testing.B) {
	dir, roots := certificates(b)
	identity, err := certs.Open(certs.Files{Cert: dir.Cert, Key: dir.Key}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("way=plain", func(b *testing.B) { receive(b, insecure.NewCredentials(), insecure.NewCredentials()) })
	b.Run("way=tls", func(b *testing.B) {
		receive(b, credentials.NewTLS(identity.Config("h2")), credentials.NewTLS(roots))
	})
}

func receive(b *testing.B, serverCreds, clientCreds credentials.TransportCredentials) {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	grpcServer := grpc.NewServer(grpc.Creds(serverCreds), grpc.ForceServerCodecV2(wire.Codec()))
	v2.RegisterParticipantServiceServer(grpcServer, flood{})
	go grpcServer.Serve(listener)
	defer grpcServer.Stop()
	client := v2.NewParticipantServiceClient(dial(b, listener.Addr().String(), clientCreds))
	stream, err := client.WatchParticipants(b.Context(), &v2.WatchParticipantsRequest{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := stream.Recv(); err != nil {
			b.Fatal(err)
		}
	}
}

// flood sends the same change as fast as the client reads.
type flood struct {
	v2.UnimplementedParticipantServiceServer
}

func (flood) WatchParticipants(_ *v2.WatchParticipantsRequest, stream grpc.ServerStreamingServer[v2.WatchParticipantsResponse]) error {
	message := wire.NewMessage(&watch.Message{Token: "token", Changes: &watch.Changes{
		Changes: []watch.Change{{Kind: watch.Added, Participant: participant.Participant{
			ID: "part_000001", ConferenceID: "conf_bench", PhoneNumber: "+12025550123", Name: "Ada", Status: participant.StatusConnected,
		}}},
		NotBefore: time.Unix(1770203730, 0), NotAfter: time.Unix(1770203731, 0),
	}})
	for {
		if err := stream.SendMsg(message); err != nil {
			return err
		}
	}
}

// certificates returns a server certificate and the TLS configuration of its clients.
func certificates(b *testing.B) (dir certstest.Dir, roots *tls.Config) {
	b.Helper()
	authority, dir := certstest.NewAuthority(b), certstest.NewDir(b)
	dir.Put(authority.Server("gateway"))
	return dir, &tls.Config{RootCAs: authority.Pool(), ServerName: "localhost"}
}

func keysFile(dir certstest.Dir) string { return filepath.Join(filepath.Dir(dir.Cert), "keys") }

// newKey adds a writer's key to the keys file.
func newKey(b *testing.B, dir certstest.Dir) string {
	b.Helper()
	entry, err := keys.NewEntry("bench", "writer", nil)
	if err != nil {
		b.Fatal(err)
	}
	key, err := keys.Add(keysFile(dir), entry)
	if err != nil {
		b.Fatal(err)
	}
	return key
}

// gateway runs a gateway with the simulator, and returns its gRPC address.
func gateway(b *testing.B, flags []string) (address string) {
	b.Helper()
	flags = append(flags, "--demo", "--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0")
	cfg, err := config.Parse(flags, nil, io.Discard)
	if err != nil {
		b.Fatal(err)
	}
	running, err := server.New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- running.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	return running.GRPCAddr()
}

func dial(b *testing.B, address string, creds credentials.TransportCredentials) *grpc.ClientConn {
	b.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(creds))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return conn
}
