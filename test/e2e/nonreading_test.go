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

// minWindow is the smallest window that gRPC accepts: less than one large snapshot.
const minWindow = 65535

// TestW16_StreamOfANonReadingClientIsCut drains the gateway while the flow-control window of
// a client that does not read is full.
func TestW16_StreamOfANonReadingClientIsCut(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{MaxParticipants: 1000}, "--drain-timeout", drainTimeout.String())
	for n := range 1000 {
		g.upstream.AddParticipant(conferenceID, simulator.Participant{ID: fmt.Sprint("p", n), Status: "connected", Name: strings.Repeat("n", 100)})
	}
	client := v2.NewParticipantServiceClient(g.dial(grpc.WithInitialWindowSize(minWindow), grpc.WithInitialConnWindowSize(minWindow)))
	stream, err := client.WatchParticipants(g.context(), &v2.WatchParticipantsRequest{ConferenceId: conferenceID})
	if err != nil {
		t.Fatal(err)
	}
	other := g.watchGRPC(&v2.WatchParticipantsRequest{})
	for n := range 3 {
		g.eventually("a change is received", func() bool { return len(other.received()) > n })
		g.upstream.SetStatus(conferenceID, "p0", []string{"held", "connected", "held"}[n])
	}
	began := time.Now()
	g.stop()
	<-g.done
	if took := time.Since(began); took >= drainTimeout {
		t.Errorf("the drain took %s: a stream that should be cut after 2 s delayed it until the hard stop", took)
	}
	for err == nil {
		_, err = stream.Recv()
	}
	if code := status.Code(err); code != codes.Unavailable {
		t.Errorf("ended %v", err)
	}
}
