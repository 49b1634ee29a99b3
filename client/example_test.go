package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/audian/participant-gateway/client"
	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

func ExampleClient_Watch() {
	gateway, err := client.New(address, client.WithKey("pgk_example"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gateway.Close()

	for state, err := range gateway.Watch(context.Background(), "conf_demo") {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %d participants, fresh: %t\n", state.Kind, len(state.Roster), state.Fresh)
		for _, change := range state.Changes {
			fmt.Println(change.GetKind(), change.GetParticipant().GetName())
		}
	}
	// Output:
	// snapshot: 1 participants, fresh: true
	// changes: 2 participants, fresh: true
	// CHANGE_KIND_ADDED Grace
	// end: 2 participants, fresh: true
}

func ExampleClient_Watch_resume() {
	gateway, err := client.New(address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gateway.Close()

	var last client.State
	for state := range gateway.Watch(context.Background(), "conf_demo") {
		last = state // A program that restarts stores last.Token and last.Roster.
		break
	}
	for state := range gateway.Watch(context.Background(), "conf_demo", client.ResumeFrom(last)) {
		fmt.Println(state.Kind, len(state.Roster))
	}
	// Output:
	// changes 2
	// end 2
}

func ExampleClient_BatchAdd() {
	gateway, err := client.New(address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gateway.Close()

	people := []*v2.BatchEntry{{PhoneNumber: "+12025550110"}, {PhoneNumber: "+12025550111"}}
	for event, err := range gateway.BatchAdd(context.Background(), "conf_demo", people) {
		switch {
		case err != nil:
			fmt.Println("the batch has ended:", err)
		case event.Result != nil && event.Result.Err != nil:
			fmt.Println(people[event.Result.Index].GetPhoneNumber(), event.Result.Err.Reason, "dialled:", event.Result.Err.Dialled)
		case event.Result != nil:
			fmt.Println(people[event.Result.Index].GetPhoneNumber(), event.Result.Participant.GetId())
		case event.Summary != nil:
			fmt.Println("added", event.Summary.GetAdded(), "failed", event.Summary.GetFailed())
		}
	}
	// Output:
	// +12025550110 part_1
	// +12025550111 CONFERENCE_FULL dialled: no
	// added 1 failed 1
}

func ExampleError() {
	gateway, err := client.New(address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gateway.Close()

	_, err = gateway.Service().AddParticipant(context.Background(), &v2.AddParticipantRequest{ConferenceId: "conf_demo"})
	if refused, ok := errors.AsType[*client.Error](err); ok {
		fmt.Println(refused.Code, refused.Reason, "dialled:", refused.Dialled)
		for _, violation := range refused.FieldViolations {
			fmt.Println(violation.Field, violation.Description)
		}
	}
	// Output:
	// InvalidArgument INVALID_REQUEST dialled: no
	// phone_number must be 1 to 20 characters
}

// address is that of a gateway that always gives the same answers.
var address = serve()

func serve() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := grpc.NewServer()
	v2.RegisterParticipantServiceServer(server, answers{})
	go func() { _ = server.Serve(listener) }()
	return listener.Addr().String()
}

type answers struct {
	v2.UnimplementedParticipantServiceServer
}

func (answers) WatchParticipants(
	request *v2.WatchParticipantsRequest, stream grpc.ServerStreamingServer[v2.WatchParticipantsResponse],
) error {
	snapshot := &v2.WatchParticipantsResponse{ResumeToken: "1", Event: &v2.WatchParticipantsResponse_Snapshot{
		Snapshot: &v2.ParticipantSnapshot{Participants: []*v2.Participant{{Id: "part_1", Name: "Ada"}}},
	}}
	changes := &v2.WatchParticipantsResponse{ResumeToken: "2", Event: &v2.WatchParticipantsResponse_Changes{
		Changes: &v2.ParticipantChanges{Changes: []*v2.ParticipantChange{{
			Kind: v2.ChangeKind_CHANGE_KIND_ADDED, Participant: &v2.Participant{Id: "part_2", Name: "Grace"},
		}}},
	}}
	end := &v2.WatchParticipantsResponse{ResumeToken: "3", Event: &v2.WatchParticipantsResponse_End{End: &v2.WatchEnd{}}}
	messages := []*v2.WatchParticipantsResponse{snapshot, changes, end}
	if request.GetResumeToken() != "" {
		messages = messages[1:]
	}
	for _, message := range messages {
		if err := stream.Send(message); err != nil {
			return err
		}
	}
	return nil
}

func (answers) BatchAddParticipants(
	_ *v2.BatchAddParticipantsRequest, stream grpc.ServerStreamingServer[v2.BatchAddParticipantsResponse],
) error {
	full := refused(codes.FailedPrecondition, &errdetails.ErrorInfo{
		Reason: "CONFERENCE_FULL", Domain: "participant-gateway", Metadata: map[string]string{"dialled": "no"},
	})
	for _, message := range []*v2.BatchAddParticipantsResponse{
		{Event: &v2.BatchAddParticipantsResponse_Accepted{Accepted: &v2.BatchAccepted{Count: 2}}},
		{Event: &v2.BatchAddParticipantsResponse_Result{Result: &v2.BatchResult{
			Outcome: &v2.BatchResult_Participant{Participant: &v2.Participant{Id: "part_1"}},
		}}},
		{Event: &v2.BatchAddParticipantsResponse_Result{Result: &v2.BatchResult{
			Index: 1, Outcome: &v2.BatchResult_Error{Error: full.Proto()},
		}}},
		{Event: &v2.BatchAddParticipantsResponse_Summary{Summary: &v2.BatchSummary{Added: 1, Failed: 1}}},
	} {
		if err := stream.Send(message); err != nil {
			return err
		}
	}
	return nil
}

func (answers) AddParticipant(context.Context, *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
	return nil, refused(codes.InvalidArgument, &errdetails.ErrorInfo{
		Reason: "INVALID_REQUEST", Domain: "participant-gateway", Metadata: map[string]string{"dialled": "no"},
	}, violation).Err()
}

var violation = &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
	{Field: "phone_number", Description: "must be 1 to 20 characters"},
}}

func refused(code codes.Code, details ...protoadapt.MessageV1) *status.Status {
	st, err := status.New(code, "scripted").WithDetails(details...)
	if err != nil {
		panic(err)
	}
	return st
}
