package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// fakeService answers the n-th call with the n-th stream, and records the calls.
type fakeService struct {
	v2.ParticipantServiceClient

	streams []fakeStream
	tokens  []string
	calls   []time.Time
}

// fakeStream sends its messages and then ends with err. With a nil err it stays open.
type fakeStream struct {
	messages []*v2.WatchParticipantsResponse
	err      error
}

func (s *fakeService) WatchParticipants(
	ctx context.Context, request *v2.WatchParticipantsRequest, _ ...grpc.CallOption,
) (grpc.ServerStreamingClient[v2.WatchParticipantsResponse], error) {
	response := s.streams[len(s.calls)]
	s.calls = append(s.calls, time.Now())
	s.tokens = append(s.tokens, request.GetResumeToken())
	return &stream{ctx: ctx, fakeStream: response}, nil
}

type stream struct {
	grpc.ClientStream
	fakeStream

	ctx context.Context
}

func (s *stream) Recv() (*v2.WatchParticipantsResponse, error) {
	if len(s.messages) > 0 {
		message := s.messages[0]
		s.messages = s.messages[1:]
		return message, nil
	}
	if s.err != nil {
		return nil, s.err
	}
	<-s.ctx.Done()
	return nil, status.FromContextError(s.ctx.Err()).Err()
}

func snapshot(token string, ids ...string) *v2.WatchParticipantsResponse {
	full := &v2.ParticipantSnapshot{}
	for _, id := range ids {
		full.Participants = append(full.Participants, &v2.Participant{Id: id, Name: id})
	}
	return &v2.WatchParticipantsResponse{
		ResumeToken: token, Event: &v2.WatchParticipantsResponse_Snapshot{Snapshot: full},
	}
}

func change(token string, kind v2.ChangeKind, id string) *v2.WatchParticipantsResponse {
	return &v2.WatchParticipantsResponse{
		ResumeToken: token,
		Event: &v2.WatchParticipantsResponse_Changes{Changes: &v2.ParticipantChanges{
			Changes: []*v2.ParticipantChange{{
				Kind:        kind,
				Participant: &v2.Participant{Id: id, Name: id, Status: v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED},
			}},
		}},
	}
}

func draining(wait time.Duration) error {
	st, err := status.New(codes.Unavailable, "draining").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
	if err != nil {
		return err
	}
	return st.Err()
}

func ids(f *follower) string { return strings.Join(slices.Sorted(maps.Keys(f.roster)), " ") }

func TestFollowerAppliesMessages(t *testing.T) {
	for _, test := range []struct {
		name     string
		messages []*v2.WatchParticipantsResponse
		want     string
	}{
		{"a snapshot", []*v2.WatchParticipantsResponse{snapshot("1", "a", "b")}, "a b"},
		{"added", []*v2.WatchParticipantsResponse{snapshot("1"), change("2", v2.ChangeKind_CHANGE_KIND_ADDED, "a")}, "a"},
		{"updated", []*v2.WatchParticipantsResponse{snapshot("1", "a"), change("2", v2.ChangeKind_CHANGE_KIND_UPDATED, "a")}, "a"},
		{"removed", []*v2.WatchParticipantsResponse{snapshot("1", "a", "b"), change("2", v2.ChangeKind_CHANGE_KIND_REMOVED, "a")}, "b"},
		{"left the filter", []*v2.WatchParticipantsResponse{snapshot("1", "a"), change("2", v2.ChangeKind_CHANGE_KIND_LEFT_FILTER, "a")}, ""},
		{"a later snapshot replaces", []*v2.WatchParticipantsResponse{snapshot("1", "a"), snapshot("2", "b")}, "b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFollower(&fakeService{streams: []fakeStream{{test.messages, io.EOF}}}, "conf")
			if err := f.follow(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := ids(f); got != test.want {
				t.Errorf("roster %q, want %q", got, test.want)
			}
		})
	}
}

func TestFollowerResumesWithItsLastToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeService{streams: []fakeStream{
			{[]*v2.WatchParticipantsResponse{snapshot("one", "a")}, draining(2 * time.Second)},
			{nil, status.Error(codes.Unavailable, "refused")},
			{[]*v2.WatchParticipantsResponse{change("two", v2.ChangeKind_CHANGE_KIND_ADDED, "b")}, nil},
			{nil, io.EOF},
		}}
		f := newFollower(fake, "conf")
		if err := f.follow(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Join(fake.tokens, ","), ",one,one,two"; got != want {
			t.Errorf("tokens %q, want %q", got, want)
		}
		if got := ids(f); got != "a b" {
			t.Errorf("roster %q", got)
		}
		if waited := fake.calls[1].Sub(fake.calls[0]); waited < 2*time.Second || waited > 2500*time.Millisecond {
			t.Errorf("waited %v after a RetryInfo of 2s", waited)
		}
		if waited := fake.calls[3].Sub(fake.calls[2]); waited < silenceTimeout {
			t.Errorf("the silent stream was closed after %v", waited)
		}
	})
}

func TestFollowerStopsAfterAPermanentError(t *testing.T) {
	for _, code := range []codes.Code{
		codes.InvalidArgument, codes.NotFound, codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented,
	} {
		f := newFollower(&fakeService{streams: []fakeStream{{nil, status.Error(code, "no")}}}, "conf")
		if err := f.follow(t.Context()); status.Code(err) != code {
			t.Errorf("%v: follow returned %v", code, err)
		}
	}
}

func TestFollowerEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		f := newFollower(&fakeService{streams: []fakeStream{{[]*v2.WatchParticipantsResponse{snapshot("1", "a")}, nil}}}, "conf")
		if err := f.follow(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("follow returned %v", err)
		}
	})
}

func TestDelayGrowsUpToALimit(t *testing.T) {
	for failures := range 70 {
		wait := delay(status.Error(codes.Unavailable, ""), failures)
		least := min(firstDelay<<min(failures, 10), longestDelay)
		if wait < least || wait > least+least/4+1 {
			t.Errorf("after %d failures: %v", failures, wait)
		}
	}
}

func TestShow(t *testing.T) {
	var out bytes.Buffer
	show(&out, snapshot("1", "a", "b"), 2)
	show(&out, change("2", v2.ChangeKind_CHANGE_KIND_ADDED, "Ada"), 3)
	show(&out, &v2.WatchParticipantsResponse{Event: &v2.WatchParticipantsResponse_Checkpoint{
		Checkpoint: &v2.Checkpoint{Freshness: v2.Freshness_FRESHNESS_STALE},
	}}, 3)
	show(&out, &v2.WatchParticipantsResponse{Event: &v2.WatchParticipantsResponse_End{End: &v2.WatchEnd{}}}, 3)
	want := `SNAPSHOT     2 participants
ADDED        Ada is CONNECTED
CHECKPOINT   STALE, 3 participants
END          the conference has ended
`
	if got := out.String(); got != want {
		t.Errorf("show printed\n%s", got)
	}
}
