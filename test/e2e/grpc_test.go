package e2e_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding/gzip"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

const service = "audian.conference.v2.ParticipantService"

func TestGRPC_ReflectionListsTheService(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	ctx, cancel := context.WithCancel(g.context())
	defer cancel()
	stream, err := reflectionv1.NewServerReflectionClient(g.conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{},
	}); err != nil {
		t.Fatal(err)
	}
	resp, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, listed := range resp.GetListServicesResponse().GetService() {
		names = append(names, listed.GetName())
	}
	if !slices.Contains(names, service) {
		t.Errorf("listed: %v", names)
	}
}

func TestGRPC_Health(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{Tokens: []string{"static-token"}})
	health := healthv1.NewHealthClient(g.conn)
	status := func(name string) healthv1.HealthCheckResponse_ServingStatus {
		got, err := health.Check(g.context(), &healthv1.HealthCheckRequest{Service: name})
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		return got.GetStatus()
	}
	for _, name := range []string{"", service, "audian.upstream"} {
		if got := status(name); got != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("%q: got %s", name, got)
		}
	}

	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultStatus, Status: 401, Times: 1})
	wantStatus(t, g.list(), "Internal", "UPSTREAM_CREDENTIAL_REFUSED")
	g.eventually("audian.upstream NOT_SERVING", func() bool {
		return status("audian.upstream") == healthv1.HealthCheckResponse_NOT_SERVING
	})
	if got := status(""); got != healthv1.HealthCheckResponse_SERVING {
		t.Errorf("the gateway itself: got %s", got)
	}
	if err := g.list(); err != nil {
		t.Fatal(err)
	}
	g.eventually("audian.upstream SERVING", func() bool {
		return status("audian.upstream") == healthv1.HealthCheckResponse_SERVING
	})
}

func (g *gateway) list() error {
	_, err := g.client.ListParticipants(g.context(), &v2.ListParticipantsRequest{ConferenceId: conferenceID})
	return err
}

func TestGRPC_GzipBothWays(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	for range 50 {
		g.upstream.AddParticipant(conferenceID, simulator.Participant{Name: "The same name again and again"})
	}
	var header metadata.MD
	list, err := g.client.ListParticipants(g.context(), &v2.ListParticipantsRequest{ConferenceId: conferenceID},
		grpc.UseCompressor(gzip.Name), grpc.Header(&header))
	if err != nil || len(list.GetParticipants()) != 50 {
		t.Errorf("got %d, %v", len(list.GetParticipants()), err)
	}
	ctx, cancel := context.WithCancel(g.context())
	defer cancel()
	stream, err := g.client.WatchParticipants(ctx, &v2.WatchParticipantsRequest{ConferenceId: conferenceID}, grpc.UseCompressor(gzip.Name))
	if err != nil {
		t.Fatal(err)
	}
	first, err := stream.Recv()
	if err != nil || len(first.GetSnapshot().GetParticipants()) != 50 {
		t.Errorf("watch: got %v, %v", first, err)
	}
}

// TestGRPC_KeepaliveOfFiveSeconds sends pings at the minimum interval, without a call. With
// its default policy the server would close the connection at the fourth ping.
func TestGRPC_KeepaliveOfFiveSeconds(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", g.server.GRPCAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const settings, pings = 4, 4
	if _, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+frame(settings, "")); err != nil {
		t.Fatal(err)
	}
	ticker := time.NewTicker(5050 * time.Millisecond)
	defer ticker.Stop()
	for n := range pings {
		if n > 0 {
			<-ticker.C
		}
		if err := ping(conn); err != nil {
			t.Fatalf("ping %d: %v", n+1, err)
		}
	}
}

// frame encodes an HTTP/2 frame of stream 0.
func frame(kind byte, payload string) string {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))
	return string(append(head[1:], kind, 0, 0, 0, 0, 0)) + payload
}

// ping sends a ping and reads until its acknowledgement.
func ping(conn net.Conn) error {
	const (
		pingFrame, goAway = 6, 7
		ack               = 1
		headLength        = 9
	)
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, frame(pingFrame, "12345678")); err != nil {
		return err
	}
	for {
		head := make([]byte, headLength)
		if _, err := io.ReadFull(conn, head); err != nil {
			return err
		}
		length := int64(head[0])<<16 | int64(head[1])<<8 | int64(head[2])
		if _, err := io.CopyN(io.Discard, conn, length); err != nil {
			return err
		}
		switch {
		case head[3] == goAway:
			return errors.New("received GOAWAY")
		case head[3] == pingFrame && head[4]&ack != 0:
			return nil
		}
	}
}

// raw is a codec that sends bytes unchanged.
type raw struct{}

func (raw) Marshal(message any) ([]byte, error) { return *message.(*[]byte), nil }
func (raw) Unmarshal([]byte, any) error         { return nil }
func (raw) Name() string                        { return "proto" }

func TestGRPC_InvalidMessageIsInvalidArgument(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	for name, message := range map[string][]byte{
		"invalid UTF-8":    {0x0a, 0x01, 'c', 0x1a, 0x02, 0xff, 0xfe},
		"invalid protobuf": {0xff},
	} {
		var resp []byte
		err := g.conn.Invoke(g.context(), v2.ParticipantService_AddParticipant_FullMethodName, &message, &resp, grpc.ForceCodec(raw{}))
		if details := wantStatus(t, err, "InvalidArgument", "INVALID_REQUEST"); details["dialled"] != "no" {
			t.Errorf("%s: metadata: %v", name, details)
		}
	}
	if dials := g.upstream.Dials(); len(dials) != 0 {
		t.Errorf("dialled: %v", dials)
	}
}
