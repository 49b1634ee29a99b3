package main

import (
	"bytes"
	"net"
	"testing"

	"google.golang.org/grpc"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

type gateway struct {
	v2.UnimplementedParticipantServiceServer
}

func (gateway) WatchParticipants(_ *v2.WatchParticipantsRequest, stream grpc.ServerStreamingServer[v2.WatchParticipantsResponse]) error {
	for _, message := range []*v2.WatchParticipantsResponse{
		{Event: &v2.WatchParticipantsResponse_Snapshot{Snapshot: &v2.ParticipantSnapshot{}}},
		{Event: &v2.WatchParticipantsResponse_Changes{Changes: &v2.ParticipantChanges{Changes: []*v2.ParticipantChange{{
			Kind:        v2.ChangeKind_CHANGE_KIND_ADDED,
			Participant: &v2.Participant{Id: "a", Name: "Ada", Status: v2.ParticipantStatus_PARTICIPANT_STATUS_DIALING},
		}}}}},
		{Event: &v2.WatchParticipantsResponse_End{End: &v2.WatchEnd{}}},
	} {
		if err := stream.Send(message); err != nil {
			return err
		}
	}
	return nil
}

func TestWatch(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	v2.RegisterParticipantServiceServer(server, gateway{})
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()

	var out bytes.Buffer
	if err := watch(t.Context(), listener.Addr().String(), "", "conf", &out); err != nil {
		t.Fatal(err)
	}
	want := "snapshot     0 participants, fresh: true\nchanges      1 participants, fresh: true\n" +
		"  ADDED      Ada is DIALING\nend          1 participants, fresh: true\n"
	if got := out.String(); got != want {
		t.Errorf("watch printed\n%s", got)
	}
}
