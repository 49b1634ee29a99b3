package e2e_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

// controls are the calls that control one participant, by the upstream's names.
var controls = map[string]func(ctx context.Context, g *gateway, conference, id string) (*v2.Participant, error){
	"mute": func(ctx context.Context, g *gateway, conference, id string) (*v2.Participant, error) {
		r, err := g.client.MuteParticipant(ctx, &v2.MuteParticipantRequest{ConferenceId: conference, ParticipantId: id})
		return r.GetParticipant(), err
	},
	"unmute": func(ctx context.Context, g *gateway, conference, id string) (*v2.Participant, error) {
		r, err := g.client.UnmuteParticipant(ctx, &v2.UnmuteParticipantRequest{ConferenceId: conference, ParticipantId: id})
		return r.GetParticipant(), err
	},
	"hold": func(ctx context.Context, g *gateway, conference, id string) (*v2.Participant, error) {
		r, err := g.client.HoldParticipant(ctx, &v2.HoldParticipantRequest{ConferenceId: conference, ParticipantId: id})
		return r.GetParticipant(), err
	},
	"resume": func(ctx context.Context, g *gateway, conference, id string) (*v2.Participant, error) {
		r, err := g.client.ResumeParticipant(ctx, &v2.ResumeParticipantRequest{ConferenceId: conference, ParticipantId: id})
		return r.GetParticipant(), err
	},
	"disconnect": func(ctx context.Context, g *gateway, conference, id string) (*v2.Participant, error) {
		r, err := g.client.DisconnectParticipant(ctx, &v2.DisconnectParticipantRequest{ConferenceId: conference, ParticipantId: id})
		return r.GetParticipant(), err
	},
}

func (g *gateway) control(word, id string) (*v2.Participant, error) {
	g.t.Helper()
	return controls[word](g.context(), g, conferenceID, id)
}

func (g *gateway) muteAll() error {
	_, err := g.client.MuteAllParticipants(g.context(), &v2.MuteAllParticipantsRequest{ConferenceId: conferenceID})
	return err
}

// controlled counts the controls that the upstream got.
func (g *gateway) controlled() (n int) {
	for _, r := range g.upstream.History() {
		if r.Operation == simulator.Control {
			n++
		}
	}
	return n
}

// Each form of the upstream's answers, and the state after each control.
func TestA08_ControlsOverGRPC(t *testing.T) {
	t.Parallel()
	const connected, held = v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED, v2.ParticipantStatus_PARTICIPANT_STATUS_HELD
	noBody := simulator.Fault{Kind: simulator.FaultStatus, Status: 204, Body: simulator.EmptyBody, Handled: true, Operation: simulator.Control}
	for name, test := range map[string]struct {
		options simulator.Options
		faults  []simulator.Fault
	}{
		"bare":                {},
		"wrapped":             {options: simulator.Options{Envelope: true}},
		"without participant": {faults: []simulator.Fault{noBody}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.options.LingerDisconnected, test.options.Faults = time.Hour, test.faults
			g := start(t, test.options)
			id := g.upstream.AddParticipant(conferenceID, simulator.Participant{Status: "connected", Name: "Ada"}).ID
			for _, step := range []struct {
				word   string
				muted  bool
				status v2.ParticipantStatus
				actual string
			}{
				{"mute", true, connected, "connected"},
				{"mute", true, connected, "connected"},
				{"unmute", false, connected, "connected"},
				{"hold", false, held, "held"},
				{"resume", false, connected, "connected"},
				{"disconnect", false, v2.ParticipantStatus_PARTICIPANT_STATUS_DISCONNECTED, "disconnected"},
			} {
				got, err := g.control(step.word, id)
				if err != nil {
					t.Fatalf("%s: %v", step.word, err)
				}
				if actual := g.upstream.Participants(conferenceID)[0]; actual.Status != step.actual || actual.Muted != step.muted {
					t.Errorf("%s: the upstream has %+v", step.word, actual)
				}
				switch {
				case test.faults != nil && got != nil:
					t.Errorf("%s: got %v", step.word, got)
				case test.faults == nil && (got.GetId() != id || got.GetConferenceId() != conferenceID || got.GetName() != "Ada" ||
					got.GetStatus() != step.status || got.GetMuted() != step.muted):
					t.Errorf("%s: got %v", step.word, got)
				}
			}
		})
	}
}

func TestA08_MuteAllOverGRPC(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	for _, status := range []string{"connected", "held", "dialing"} {
		g.upstream.AddParticipant(conferenceID, simulator.Participant{Status: status})
	}
	if err := g.muteAll(); err != nil {
		t.Fatal(err)
	}
	for _, p := range g.upstream.Participants(conferenceID) {
		if !p.Muted {
			t.Errorf("not muted: %+v", p)
		}
	}
}

func TestA08_RefusedControls(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{LingerDisconnected: time.Hour, KnownOnly: true, Conferences: []string{conferenceID}})
	left := g.upstream.AddParticipant(conferenceID, simulator.Participant{Status: "disconnected"}).ID
	for word, call := range controls {
		wantControlError(t, call, g, conferenceID, "part_none", "NotFound", "PARTICIPANT_NOT_FOUND")
		wantControlError(t, call, g, conferenceID, left, "FailedPrecondition", "UPSTREAM_CONFLICT")
		sent := g.controlled()
		wantControlError(t, call, g, "a/b", "..", "InvalidArgument", "INVALID_REQUEST")
		if got := g.controlled(); got != sent {
			t.Errorf("%s: an invalid request was sent", word)
		}
	}
	_, err := g.client.MuteAllParticipants(g.context(), &v2.MuteAllParticipantsRequest{ConferenceId: "conf_none"})
	wantStatus(t, err, "NotFound", "CONFERENCE_NOT_FOUND")
	_, err = g.client.MuteAllParticipants(g.context(), &v2.MuteAllParticipantsRequest{})
	wantStatus(t, err, "InvalidArgument", "INVALID_REQUEST")
}

// wantControlError also checks that the error says nothing about an add.
func wantControlError(
	t *testing.T, call func(context.Context, *gateway, string, string) (*v2.Participant, error),
	g *gateway, conference, id, code, reason string,
) {
	t.Helper()
	_, err := call(g.context(), g, conference, id)
	if info := wantStatus(t, err, code, reason); info["dialled"] != "" {
		t.Errorf("got %v", info)
	}
}

// A control whose first answer is lost is sent again. The second answer is the simulator's: it
// refuses to hold who is held, and to disconnect who has left.
func TestA08_ControlsWithALostAnswer(t *testing.T) {
	t.Parallel()
	for name, linger := range map[string]time.Duration{"the second answer is 409": time.Hour, "the second answer is 404": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t, simulator.Options{LingerDisconnected: linger})
			id := g.upstream.AddParticipant(conferenceID, simulator.Participant{Status: "connected"}).ID
			lose := func() {
				g.upstream.Inject(simulator.Fault{Kind: simulator.FaultLost, Operation: simulator.Control, Times: 1})
			}
			lose()
			if got, err := g.control("mute", id); err != nil || !got.GetMuted() {
				t.Errorf("mute: got %v, %v", got, err)
			}
			lose()
			_, err := g.control("hold", id)
			wantStatus(t, err, "FailedPrecondition", "UPSTREAM_CONFLICT")
			lose()
			if got, err := g.control("disconnect", id); err != nil || got != nil {
				t.Errorf("disconnect: got %v, %v", got, err)
			}
			if got := g.controlled(); got != 6 {
				t.Errorf("sent %d controls", got)
			}
			lose()
			if err := g.muteAll(); err != nil {
				t.Errorf("mute-all: %v", err)
			}
		})
	}
}

// A control that was sent is answered though the gateway drains.
func TestA08_ADrainWaitsForControls(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	id := g.upstream.AddParticipant(conferenceID, simulator.Participant{Status: "connected"}).ID
	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultLate, Latency: time.Second, Operation: simulator.Control})
	answered := make(chan error, 1)
	go func() {
		_, err := g.control("mute", id)
		answered <- err
	}()
	g.eventually("muted", func() bool { return g.upstream.Participants(conferenceID)[0].Muted })
	g.stop()
	if err := <-answered; err != nil {
		t.Errorf("the control ended with %v", err)
	}
}

// The caller's request id reaches the upstream with a control, as with every call.
func TestA08_ControlsCarryTheRequestID(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	id := g.upstream.AddParticipant(conferenceID, simulator.Participant{Status: "connected"}).ID
	ctx := metadata.AppendToOutgoingContext(g.context(), "x-request-id", "my-request")
	if _, err := controls["mute"](ctx, g, conferenceID, id); err != nil {
		t.Fatal(err)
	}
	history := g.upstream.History()
	if got := history[len(history)-1]; got.CallerID != "my-request" || got.Path != path("/"+id+"/mute") {
		t.Errorf("the upstream got %+v", got)
	}
}
