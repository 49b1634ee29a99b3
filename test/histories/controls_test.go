package histories_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/simulator"
)

// controls are the control calls of clients.
type controls struct {
	mu sync.Mutex
	// running and begun count the calls of each participant.
	running, begun map[string]int
	// named contains each result that a call which succeeded has named.
	named map[named]bool
	// contradictions is how many of the next answers show another value than the control
	// gives; contradicted are the participants in such answers.
	contradictions int
	contradicted   map[string]bool
	// withoutParticipant is how many of the next answers contain no participant.
	withoutParticipant int
	// delay is how long the next request takes to reach the upstream.
	delay time.Duration
}

// named is one value of a field of one participant.
type named struct{ id, field, value string }

func newControls() *controls {
	return &controls{running: map[string]int{}, begun: map[string]int{}, named: map[named]bool{}, contradicted: map[string]bool{}}
}

// controlCalls are the calls of the controls.
var controlCalls = map[participant.Control]func(ctx context.Context, g *gateway, id string) error{
	participant.ControlMute: func(ctx context.Context, g *gateway, id string) error {
		_, err := g.MuteParticipant(ctx, &v2.MuteParticipantRequest{ConferenceId: conference, ParticipantId: id})
		return err
	},
	participant.ControlUnmute: func(ctx context.Context, g *gateway, id string) error {
		_, err := g.UnmuteParticipant(ctx, &v2.UnmuteParticipantRequest{ConferenceId: conference, ParticipantId: id})
		return err
	},
	participant.ControlHold: func(ctx context.Context, g *gateway, id string) error {
		_, err := g.HoldParticipant(ctx, &v2.HoldParticipantRequest{ConferenceId: conference, ParticipantId: id})
		return err
	},
	participant.ControlResume: func(ctx context.Context, g *gateway, id string) error {
		_, err := g.ResumeParticipant(ctx, &v2.ResumeParticipantRequest{ConferenceId: conference, ParticipantId: id})
		return err
	},
	participant.ControlDisconnect: func(ctx context.Context, g *gateway, id string) error {
		_, err := g.DisconnectParticipant(ctx, &v2.DisconnectParticipantRequest{ConferenceId: conference, ParticipantId: id})
		return err
	},
}

// anyControl contains each control as often as its weight.
var anyControl = []participant.Control{
	participant.ControlMute, participant.ControlUnmute, participant.ControlMute, participant.ControlUnmute,
	participant.ControlHold, participant.ControlResume, participant.ControlHold, participant.ControlResume,
	participant.ControlDisconnect,
}

// controlled returns the id for a control: mostly of somebody in the conference, often of the
// one who joined last, sometimes of one who may have left.
func (w *harness) controlled(s step) string {
	people := w.upstream.Participants(conference)
	switch {
	case s.A == 11 || len(people) == 0:
		return "p3"
	case s.A > 6:
		return people[len(people)-1].ID
	default:
		return people[s.A%len(people)].ID
	}
}

func (w *harness) control(s step) {
	w.controls.mu.Lock()
	switch s.C {
	case 1:
		w.controls.contradictions = 1
	case 6:
		w.controls.withoutParticipant = 1
	}
	w.controls.mu.Unlock()
	w.faultControl(s)
	w.startControl(w.controlled(s), anyControl[s.B%len(anyControl)], s.C == 0)
}

// faultControl makes the next control's answer lost or slow, or its request slow.
func (w *harness) faultControl(s step) {
	if s.C == 5 {
		w.controls.delayNext(1500 * time.Millisecond)
	}
	if fault, faulty := controlFaults[s.C]; faulty {
		fault.Operation, fault.Times = simulator.Control, 1
		w.upstream.Inject(fault)
	}
}

var controlFaults = map[int]simulator.Fault{
	2: {Kind: simulator.FaultLost},
	3: {Kind: simulator.FaultLate, Latency: 1500 * time.Millisecond},
	4: {Kind: simulator.FaultLate, Latency: 4 * time.Second},
}

// toggle sends two or three controls of one field within a second. They may overlap.
func (w *harness) toggle(s step) {
	id, pair := w.controlled(s), [2]participant.Control{participant.ControlMute, participant.ControlUnmute}
	if s.B%2 == 0 {
		pair = [2]participant.Control{participant.ControlHold, participant.ControlResume}
	}
	if s.B > 6 {
		pair[0], pair[1] = pair[1], pair[0]
	}
	w.faultControl(s)
	for i := range 2 + s.C%2 {
		w.startControl(id, pair[i%2], false)
		w.advance(time.Duration(100+100*(s.C%4)) * time.Millisecond)
	}
}

// startControl calls a control. An impatient caller soon gives up.
func (w *harness) startControl(id string, control participant.Control, impatient bool) {
	result := controlResults[control]
	w.writes.running.Go(func() {
		timeout := 30 * time.Second
		if impatient {
			timeout = 500 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(caller("control-"+id), timeout)
		defer cancel()
		alone := w.controls.begin(id)
		before := w.gateway.state()
		err := controlCalls[control](ctx, w.gateway, id)
		if err == nil {
			w.controls.succeeded(named{id, result[0], result[1]})
			w.note()
			if alone() {
				w.fail("control", w.publishedControl(before, id, control))
			}
		}
		w.controls.end(id)
		w.countControl(id, err)
	})
}

// begin records the start of a call. alone reports whether no other call to control the
// participant has run since then, and no answer contradicted one.
func (c *controls) begin(id string) (alone func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running[id]++
	c.begun[id]++
	running, begun := c.running[id], c.begun[id]
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return running == 1 && begun == c.begun[id] && !c.contradicted[id]
	}
}

func (c *controls) end(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running[id]--
}

func (c *controls) succeeded(n named) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.named[n] = true
}

// publishedControl fails if watchers did not receive a control before its answer (A8), although
// nothing else was reported meanwhile.
func (w *harness) publishedControl(before *feed.State, id string, control participant.Control) error {
	after := w.gateway.state()
	if !known(before) || !known(after) || after.Position.Epoch != before.Position.Epoch || !after.ObservedAt.Equal(before.ObservedAt) {
		return nil
	}
	was, listed := before.People.Find(id)
	is, stays := after.People.Find(id)
	result := controlResults[control]
	if !listed || !stays || result[0] == fieldStatus && !was.Status.Active() {
		return nil
	}
	if got := valueOf(is, result[0]); got != result[1] {
		return fmt.Errorf("A8: %s of %s succeeded, but the roster has %q", control, id, got)
	}
	if valueOf(was, result[0]) != result[1] {
		w.seen.add(controlPublished)
	}
	return nil
}

// valueOf returns the value of a field that controls change.
func valueOf(p participant.Participant, field string) string {
	if field == fieldStatus {
		return string(p.Status)
	}
	return map[bool]string{true: "true", false: "false"}[p.Muted]
}

func (w *harness) countControl(id string, err error) {
	var apiErr *apierror.Error
	switch {
	case err == nil && w.lists.addedWithin(id, 2*time.Second):
		w.seen.add(controlAfterAdd)
	case errors.As(err, &apiErr) && apiErr.UpstreamStatus == http.StatusNotFound:
		w.seen.add(controlNotFound)
	case errors.As(err, &apiErr) && apiErr.UpstreamStatus == http.StatusConflict:
		w.seen.add(controlRefused)
	}
}

func (w *harness) muteAll(s step) {
	w.writes.running.Go(func() {
		ctx, cancel := context.WithTimeout(caller("mute-all"), time.Duration(1+s.A)*time.Second)
		defer cancel()
		if _, err := w.gateway.MuteAllParticipants(ctx, &v2.MuteAllParticipantsRequest{ConferenceId: conference}); err == nil {
			w.seen.add(mutedAll)
		}
	})
}

func (c *controls) delayNext(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delay = d
}

// wait delays a control's request. What happens to the participant meanwhile is observed before
// the upstream handles the request.
func (c *controls) wait(r *http.Request) {
	id, _ := controlOf(r)
	if id == "" {
		return
	}
	c.mu.Lock()
	delay := c.delay
	c.delay = 0
	c.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-r.Context().Done():
	}
}

// distort changes a control's answer if it is one of the next to be changed: it then shows
// another value, or contains no participant.
func (c *controls) distort(r *http.Request, body []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, control := controlOf(r)
	switch {
	case id == "" || c.contradictions == 0 && c.withoutParticipant == 0:
		return body
	case c.contradictions == 0:
		c.withoutParticipant--
		return nil
	}
	c.contradictions--
	c.contradicted[id] = true
	return []byte(contradictions[control].Replace(string(body)))
}

var contradictions = map[string]*strings.Replacer{
	"mute":       strings.NewReplacer(`"muted":true`, `"muted":false`),
	"unmute":     strings.NewReplacer(`"muted":false`, `"muted":true`),
	"hold":       strings.NewReplacer(`"held"`, `"connected"`),
	"resume":     strings.NewReplacer(`"connected"`, `"held"`),
	"disconnect": strings.NewReplacer(`"disconnected"`, `"connected"`),
}

// controlOf returns the participant and the name of a control's request; empty if it is none.
func controlOf(r *http.Request) (id, control string) {
	_, path, isOne := strings.Cut(r.URL.Path, "/participants/")
	if r.Method != http.MethodPost || !isOne {
		return "", ""
	}
	id, control, _ = strings.Cut(path, "/")
	return id, control
}
