package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

// narrow is the smallest window that gRPC takes: less than one snapshot of a crowd.
const narrow = 65535

// TestW16_StreamBlockedOnItsClientIsCut has a client that reads nothing, whose window is
// full, while the gateway drains.
func TestW16_StreamBlockedOnItsClientIsCut(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{MaxParticipants: 1000}, "--drain-timeout", drainTimeout.String())
	for n := range 1000 {
		g.upstream.AddParticipant(room, simulator.Participant{ID: fmt.Sprint("p", n), Status: "connected", Name: strings.Repeat("n", 100)})
	}
	client := v2.NewParticipantServiceClient(g.dial(grpc.WithInitialWindowSize(narrow), grpc.WithInitialConnWindowSize(narrow)))
	stream, err := client.WatchParticipants(g.context(), &v2.WatchParticipantsRequest{ConferenceId: room})
	if err != nil {
		t.Fatal(err)
	}
	other := g.watchGRPC(&v2.WatchParticipantsRequest{})
	for n := range 3 {
		g.eventually("a change is told", func() bool { return len(other.told()) > n })
		g.upstream.SetStatus(room, "p0", []string{"held", "connected", "held"}[n])
	}
	began := time.Now()
	g.stop()
	<-g.ran
	if took := time.Since(began); took >= drainTimeout {
		t.Errorf("the drain took %s: a stream that is to be cut after 2 s held it up to the hard stop", took)
	}
	for err == nil {
		_, err = stream.Recv()
	}
	if code := status.Code(err); code != codes.Unavailable {
		t.Errorf("ended %v", err)
	}
}
