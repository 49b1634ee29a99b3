package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

func initial() *watch.Message {
	return &watch.Message{Token: "t1", Snapshot: &watch.Snapshot{
		Participants: []participant.Participant{john()}, Total: 1, Active: 1, Reason: watch.Initial, ObservedAt: noon,
	}}
}

func TestMessageIsItsProtoMessage(t *testing.T) {
	source := initial()
	if m := NewMessage(source); !proto.Equal(m, response(source)) {
		t.Errorf("message = %v, want %v", m.Response(), response(source))
	}
}

func TestSSE(t *testing.T) {
	for _, tt := range []struct {
		name string
		from *watch.Message
		want string
	}{
		{"end", &watch.Message{Token: "t4", End: &watch.End{}}, "id: t4\nevent: end\ndata: {\"resume_token\":\"t4\",\"end\":{\"reason\":\"conference_gone\"}}\n\n"},
		{"no token, no id", &watch.Message{End: &watch.End{}}, "event: end\ndata: {\"resume_token\":\"\",\"end\":{\"reason\":\"conference_gone\"}}\n\n"},
		{
			"a client's own token breaks no block", &watch.Message{Token: "a\nevent: x", End: &watch.End{}},
			"event: end\ndata: {\"resume_token\":\"a\\nevent: x\",\"end\":{\"reason\":\"conference_gone\"}}\n\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := NewMessage(tt.from).SSE()
			if err != nil || string(got) != tt.want {
				t.Errorf("SSE() = %q, %v\nwant %q", got, err, tt.want)
			}
		})
	}
}

func TestEventNamesMatchTheOneof(t *testing.T) {
	for _, m := range []*watch.Message{
		initial(), {Changes: &watch.Changes{}}, {Checkpoint: &watch.Checkpoint{}}, {End: &watch.End{}},
	} {
		resp := response(m).ProtoReflect()
		field := resp.WhichOneof(resp.Descriptor().Oneofs().ByName("event"))
		if got := NewMessage(m).event(); got != string(field.Name()) {
			t.Errorf("event = %q, want %q", got, field.Name())
		}
	}
}

func TestW14_EncodedOnceForAllSubscribers(t *testing.T) {
	source := initial()
	forms := map[string]func(*Message) ([]byte, error){
		"proto": (*Message).Proto, "JSON": (*Message).JSON, "SSE": (*Message).SSE,
	}
	for name, form := range forms {
		first, err := form(NewMessage(source))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var subscribers sync.WaitGroup
		for range 50 {
			subscribers.Go(func() {
				m := NewMessage(source)
				if again, err := form(m); err != nil || &again[0] != &first[0] {
					t.Errorf("%s was encoded again (%v)", name, err)
				}
				if m.response != nil {
					t.Errorf("%s: the struct was built again", name)
				}
			})
		}
		subscribers.Wait()
	}
}

func TestCodec(t *testing.T) {
	source := initial()
	want, err := proto.Marshal(response(source))
	if err != nil {
		t.Fatal(err)
	}
	for name, message := range map[string]any{"shared": NewMessage(source), "plain": response(source)} {
		sent, err := Codec().Marshal(message)
		if err != nil || !bytes.Equal(sent.Materialize(), want) {
			t.Errorf("%s: Marshal() = %x, %v, want %x", name, sent, err, want)
		}
	}
	var back v2.WatchParticipantsResponse
	if err := Codec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(want)}, &back); err != nil || !proto.Equal(&back, response(source)) {
		t.Errorf("Unmarshal() = %v, %v", &back, err)
	}
}

// repeatingService streams one message twice.
type repeatingService struct {
	v2.UnimplementedParticipantServiceServer

	message *watch.Message
}

func (r repeatingService) WatchParticipants(_ *v2.WatchParticipantsRequest, stream grpc.ServerStreamingServer[v2.WatchParticipantsResponse]) error {
	for range 2 {
		if err := stream.SendMsg(NewMessage(r.message)); err != nil {
			return err
		}
	}
	return nil
}

func TestCodecOverGRPC(t *testing.T) {
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(grpc.ForceServerCodecV2(Codec()))
	v2.RegisterParticipantServiceServer(server, repeatingService{message: initial()})
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient("passthrough:///bufconn",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	for name, options := range map[string][]grpc.CallOption{"plain": nil, "gzip": {grpc.UseCompressor(gzip.Name)}} {
		stream, err := v2.NewParticipantServiceClient(conn).WatchParticipants(t.Context(), &v2.WatchParticipantsRequest{}, options...)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got, err := stream.Recv(); err != nil || !proto.Equal(got, response(initial())) {
				t.Errorf("%s: Recv() = %v, %v", name, got, err)
			}
		}
		if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: the stream ended with %v", name, err)
		}
	}
}

// TestW14_StreamsShareTheBuffersOfAMessage reuses a Message, as a stream does.
func TestW14_StreamsShareTheBuffersOfAMessage(t *testing.T) {
	large := initial()
	large.Token = strings.Repeat("t", PartSize)
	var one, other Message
	for _, source := range []*watch.Message{initial(), large, initial()} {
		first, errFirst := Codec().Marshal(one.Set(source))
		second, errSecond := Codec().Marshal(other.Set(source))
		want := mustProto(t, source)
		if errFirst != nil || errSecond != nil || !bytes.Equal(first.Materialize(), want) || !bytes.Equal(second.Materialize(), want) {
			t.Errorf("got %x and %x, want %x (%v, %v)", first, second, want, errFirst, errSecond)
		}
		if len(want) <= PartSize && &first[0] != &second[0] {
			t.Error("a small message has buffers of its own")
		}
	}
}
