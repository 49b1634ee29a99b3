package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

// addAnswer is the response to an add, over any transport.
type addAnswer struct {
	participant participant
	replayed    bool
}

// addWays are functions that send an add over one transport each.
var addWays = map[string]func(g *gateway, request *v2.AddParticipantRequest) (addAnswer, error){
	"gRPC": func(g *gateway, request *v2.AddParticipantRequest) (addAnswer, error) {
		var header metadata.MD
		added, err := g.client.AddParticipant(g.context(), request, grpc.Header(&header))
		if err != nil {
			return addAnswer{}, err
		}
		return addAnswer{participantOf(added.GetParticipant()), len(header.Get("idempotency-replayed")) > 0}, nil
	},
	"REST": func(g *gateway, request *v2.AddParticipantRequest) (addAnswer, error) {
		body, err := json.Marshal(map[string]any{
			"phone_number": request.GetPhoneNumber(), "name": request.GetName(), "role": "listener", "muted": request.GetMuted(),
			"request_id": request.GetRequestId(), "validate_only": request.GetValidateOnly(), "wait_for_answer": request.GetWaitForAnswer(),
		})
		if err != nil {
			return addAnswer{}, err
		}
		got := g.call(http.MethodPost, path(""), string(body))
		if got.status != http.StatusOK {
			return addAnswer{}, fmt.Errorf("%d: %s", got.status, got.body)
		}
		answer := addAnswer{replayed: got.header.Get("Idempotency-Replayed") == "true"}
		return answer, json.Unmarshal([]byte(got.body), &answer.participant)
	},
}

// waiting is an add that waits for its answer.
type waiting struct {
	answer addAnswer
	err    error
}

// ring starts an add that waits, and returns when the upstream has called the participant.
func (g *gateway) ring(way string, request *v2.AddParticipantRequest) (id string, result <-chan waiting) {
	g.t.Helper()
	before, answered := len(g.upstream.Dials()), make(chan waiting, 1)
	request.WaitForAnswer = true
	go func() {
		answer, err := addWays[way](g, request)
		answered <- waiting{answer, err}
	}()
	g.eventually("the phone rings", func() bool { return len(g.upstream.Dials()) > before })
	return g.upstream.Dials()[before].Participant, answered
}

func TestA10_ValidateOnlySendsNothing(t *testing.T) {
	t.Parallel()
	for way, noStatus := range map[string]string{"gRPC": "unspecified", "REST": ""} {
		g, add := start(t, simulator.Options{Behaviour: simulator.Still}), addWays[way]
		request := addRequest(1)
		request.Muted, request.RequestId, request.ValidateOnly = true, "check-1", true
		for i := range 30 {
			request.WaitForAnswer = i%2 == 1
			got, err := add(g, request)
			want := addAnswer{participant: participant{Status: noStatus, Name: request.GetName(), Role: "listener", Muted: "true"}}
			if err != nil || got != want {
				t.Fatalf("%s: got %+v, %v, want %+v", way, got, err, want)
			}
		}
		if sent := g.upstream.History(); len(sent) != 0 {
			t.Errorf("%s: the upstream got %+v", way, sent)
		}
		other := addRequest(2)
		other.RequestId = request.GetRequestId()
		if got, err := add(g, other); err != nil || got.replayed || got.participant.ID == "" {
			t.Errorf("%s: the id of a check: got %+v, %v", way, got, err)
		}
		if got, err := add(g, request); err != nil || got.participant.ID != "" || got.replayed {
			t.Errorf("%s: a check with a used id: got %+v, %v", way, got, err)
		}
		if sent := g.upstream.Dials(); len(sent) != 1 {
			t.Errorf("%s: %d dials", way, len(sent))
		}
	}
}

func TestA10_TheResponseContainsTheArguments(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	got := g.call(http.MethodPost, path(""), `{"phone_number":"+12025551234","name":"Ada","role":"operator","validate_only":true}`)
	want := `{"id":"","conference_id":"` + conferenceID + `","phone_number":"+12025551234","name":"Ada","role":"operator",` +
		`"status":"","muted":false,"duration":0,"joined_at":null,"created_at":null}`
	if strings.TrimSpace(got.body) != want {
		t.Errorf("got %s, want %s", got.body, want)
	}
	request := &v2.AddParticipantRequest{ConferenceId: conferenceID, PhoneNumber: "+12025551234", SendPinViaSms: true, ValidateOnly: true}
	added, err := g.client.AddParticipant(g.context(), request)
	only := &v2.Participant{ConferenceId: conferenceID, PhoneNumber: "+12025551234"}
	if err != nil || !proto.Equal(added.GetParticipant(), only) {
		t.Errorf("got %v, %v, want %v", added, err, only)
	}
}

func TestA10_ValidateOnlyReportsWhatAnAddWould(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	request := addRequest(1)
	request.ConferenceId, request.PhoneNumber, request.ValidateOnly = "..", "+4402079460000", true
	_, err := g.client.AddParticipant(g.context(), request)
	if got := wantStatus(t, err, "InvalidArgument", "INVALID_REQUEST"); got["dialled"] != "no" {
		t.Errorf("dialled: got %q", got["dialled"])
	}
	got := g.call(http.MethodPost, path(""), `{"phone_number":"+4402079460000","name":"\u0007","validate_only":true}`, "Idempotency-Key: a")
	if reason, fields := failure(t, got); reason != "INVALID_REQUEST" || len(fields) != 2 || dialled(t, got) != "no" {
		t.Errorf("got %s", got.body)
	}
	conflict := g.call(http.MethodPost, path(""), `{"phone_number":"+12025551234","request_id":"b","validate_only":true}`, "Idempotency-Key: a")
	if reason, fields := failure(t, conflict); reason != "INVALID_REQUEST" || len(fields) != 1 || fields[0] != "request_id" {
		t.Errorf("got %s", conflict.body)
	}
	if sent := g.upstream.History(); len(sent) != 0 {
		t.Errorf("the upstream got %+v", sent)
	}
}

func TestA11_TheResponseHasTheOutcomeOfThePhoneCall(t *testing.T) {
	t.Parallel()
	becomes := func(status string) func(g *gateway, id string) {
		return func(g *gateway, id string) { g.upstream.SetStatus(conferenceID, id, status) }
	}
	tests := map[string]struct {
		linger time.Duration
		happen func(g *gateway, id string)
		want   string
	}{
		"answered":                        {time.Minute, becomes("connected"), "connected"},
		"rejected":                        {time.Minute, becomes("rejected"), "rejected"},
		"a status that is not documented": {time.Minute, becomes("voicemail"), "voicemail"},
		"removed upstream":                {time.Minute, func(g *gateway, id string) { g.upstream.RemoveParticipant(conferenceID, id) }, "dialing"},
		// With a linger, a list that is read before the response to the remove shows disconnected.
		"removed while ringing": {0, func(g *gateway, id string) {
			if got := g.call(http.MethodDelete, path("/"+id), ""); got.status != http.StatusNoContent {
				g.t.Errorf("remove: %s", got.body)
			}
		}, "dialing"},
	}
	for name, test := range tests {
		for way := range addWays {
			t.Run(name+" over "+way, func(t *testing.T) {
				t.Parallel()
				g := start(t, simulator.Options{Behaviour: simulator.Still, LingerDisconnected: test.linger})
				id, answered := g.ring(way, addRequest(1))
				g.upstream.SetStatus(conferenceID, id, "dialing")
				g.seesDialing(id)
				select {
				case got := <-answered:
					t.Fatalf("answered while it rings: %+v", got)
				default:
				}
				test.happen(g, id)
				got := <-answered
				if got.err != nil || got.answer.participant.ID != id || got.answer.participant.Status != test.want || got.answer.replayed {
					t.Errorf("got %+v, want %s", got, test.want)
				}
			})
		}
	}
}

// seesDialing waits until a list that shows the participant as dialing was read.
func (g *gateway) seesDialing(id string) {
	g.t.Helper()
	w := g.watchGRPC(&v2.WatchParticipantsRequest{ConferenceId: conferenceID})
	defer w.close()
	g.eventually("the participant is dialing", func() bool { return w.currentState()[id].Status == "dialing" })
}

// TestA11_AReplayWaitsForTheSameParticipant repeats an add that did not wait: whether a call
// waits is no argument of A2.
func TestA11_AReplayWaitsForTheSameParticipant(t *testing.T) {
	t.Parallel()
	for way, add := range addWays {
		g := start(t, simulator.Options{Behaviour: simulator.Still})
		request := addRequest(1)
		request.RequestId = "once"
		first, err := add(g, request)
		if err != nil || first.replayed || first.participant.Status != "pending" {
			t.Fatalf("%s: got %+v, %v", way, first, err)
		}
		g.upstream.SetStatus(conferenceID, first.participant.ID, "connected")
		request.WaitForAnswer = true
		again, err := add(g, request)
		if err != nil || !again.replayed || again.participant.ID != first.participant.ID || again.participant.Status != "connected" {
			t.Errorf("%s: the replay waits: got %+v, %v", way, again, err)
		}
		request.WaitForAnswer = false
		if last, err := add(g, request); err != nil || !last.replayed || last.participant != first.participant {
			t.Errorf("%s: the upstream's answer is remembered: got %+v, %v, want %+v", way, last, err, first)
		}
	}
}

// TestA11_AnAddThatWasFoundWaitsToo loses the upstream's response.
func TestA11_AnAddThatWasFoundWaitsToo(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{Behaviour: simulator.Still, Faults: []simulator.Fault{
		{Kind: simulator.FaultLost, Operation: simulator.Add, Times: 1},
	}})
	id, answered := g.ring("REST", addRequest(1))
	g.eventually("the add is found", func() bool { return g.metricsContain(`gateway_feeds{freshness="fresh"} 1`) })
	g.upstream.SetStatus(conferenceID, id, "connected")
	if got := <-answered; got.err != nil || got.answer.participant.ID != id || got.answer.participant.Status != "connected" {
		t.Errorf("got %+v", got)
	}
}

// TestA11_TheResponseComesJustBeforeTheDeadline calls a participant who does not answer. At the
// deadline the status would be 504.
func TestA11_TheResponseComesJustBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{Behaviour: simulator.Still})
	began := time.Now()
	got := g.call(http.MethodPost, path(""), `{"phone_number":"+12025551234","wait_for_answer":true}`, "Grpc-Timeout: 4S")
	if took := time.Since(began); got.status != http.StatusOK || took < 3*time.Second {
		t.Errorf("%d after %s: %s", got.status, took, got.body)
	}
}

// TestA11_ADrainAnswersAddsThatWait begins a drain that has half a minute: an add that only
// waits neither delays it nor ends with an unknown outcome.
func TestA11_ADrainAnswersAddsThatWait(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{Behaviour: simulator.Still}, "--drain-timeout=30s")
	results := map[string]<-chan waiting{}
	n := 0
	for way := range addWays {
		n++
		_, results[way] = g.ring(way, addRequest(n))
	}
	g.eventually("an add waits", func() bool { return g.metricsContain(`gateway_feeds{freshness="fresh"} 1`) })
	began := time.Now()
	g.stop()
	for way, result := range results {
		if got := <-result; got.err != nil || got.answer.participant.Status != "pending" {
			t.Errorf("%s: got %+v", way, got)
		}
	}
	<-g.done
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the drain took %s", took)
	}
}

// TestA11_ListsThatLagEndNoWait hides a participant who has answered from all lists for 3 s. Later
// such lists would prove that the participant is absent.
func TestA11_ListsThatLagEndNoWait(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{Behaviour: simulator.Still, ListLag: 3 * time.Second})
	request := addRequest(1)
	request.RequestId = "once"
	id, answered := g.ring("gRPC", request)
	again := make(chan waiting, 1)
	go func() {
		answer, err := addWays["REST"](g, request)
		again <- waiting{answer, err}
	}()
	g.upstream.SetStatus(conferenceID, id, "connected")
	for name, got := range map[string]waiting{"the add": <-answered, "its replay": <-again} {
		if got.err != nil || got.answer.participant.ID != id || got.answer.participant.Status != "connected" {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
