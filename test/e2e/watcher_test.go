package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// event is one message of a stream, of any transport, as in JSON.
type event struct {
	Token    string `json:"resume_token"`
	Snapshot *struct {
		Participants  []participant
		Total, Active *int
		Reason        string
	}
	Changes *struct {
		Changes []change
	}
	Checkpoint *struct {
		Freshness string
		Count     *int `json:"participant_count"`
	}
	End *struct{ Reason string }
}

type participant struct {
	ID, Status, Role, Name, Muted, Joined string
}

type change struct {
	Kind        string
	Participant participant
	Previous    *string `json:"previous_status"`
	Source      string
}

// UnmarshalJSON decodes the fields that the tests compare.
func (p *participant) UnmarshalJSON(text []byte) error {
	var fields struct {
		ID, Status, Role, Name string
		Muted                  bool
		Joined                 *string `json:"joined_at"`
	}
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	*p = participant{ID: fields.ID, Status: fields.Status, Role: fields.Role, Name: fields.Name, Muted: fmt.Sprint(fields.Muted)}
	if fields.Joined != nil {
		p.Joined = *fields.Joined
	}
	return nil
}

func participantOf(p *v2.Participant) participant {
	h := participant{
		ID: p.GetId(), Status: enumName(p.GetStatus(), p.RawStatus), Role: enumName(p.GetRole(), p.RawRole),
		Name: p.GetName(), Muted: fmt.Sprint(p.GetMuted()),
	}
	if p.GetJoinedAt() != nil {
		h.Joined = p.GetJoinedAt().AsTime().Format(time.RFC3339Nano)
	}
	return h
}

// enumName returns an enum value's name in JSON: lower case, without the enum's prefix.
func enumName(value protoreflect.Enum, raw *string) string {
	if raw != nil {
		return *raw
	}
	values := value.Descriptor().Values()
	prefix := strings.TrimSuffix(string(values.Get(0).Name()), "UNSPECIFIED")
	return strings.ToLower(strings.TrimPrefix(string(values.ByNumber(value.Number()).Name()), prefix))
}

// eventOf converts a gRPC message to its JSON form.
func eventOf(m *v2.WatchParticipantsResponse) event {
	e := event{Token: m.GetResumeToken()}
	switch kind := m.GetEvent().(type) {
	case *v2.WatchParticipantsResponse_Snapshot:
		e.snapshotOf(kind.Snapshot)
	case *v2.WatchParticipantsResponse_Changes:
		e.changesOf(kind.Changes)
	case *v2.WatchParticipantsResponse_Checkpoint:
		e.checkpointOf(kind.Checkpoint)
	case *v2.WatchParticipantsResponse_End:
		e.End = &struct{ Reason string }{enumName(kind.End.GetReason(), nil)}
	}
	return e
}

func (e *event) snapshotOf(s *v2.ParticipantSnapshot) {
	e.Snapshot = &struct {
		Participants  []participant
		Total, Active *int
		Reason        string
	}{Reason: enumName(s.GetReason(), nil), Total: number(s.Total), Active: number(s.Active)}
	for _, p := range s.GetParticipants() {
		e.Snapshot.Participants = append(e.Snapshot.Participants, participantOf(p))
	}
}

func (e *event) changesOf(c *v2.ParticipantChanges) {
	e.Changes = &struct{ Changes []change }{}
	for _, one := range c.GetChanges() {
		converted := change{Kind: enumName(one.GetKind(), nil), Participant: participantOf(one.GetParticipant()), Source: enumName(one.GetSource(), nil)}
		if one.PreviousStatus != nil {
			previous := enumName(one.GetPreviousStatus(), one.PreviousRawStatus)
			converted.Previous = &previous
		}
		e.Changes.Changes = append(e.Changes.Changes, converted)
	}
}

func (e *event) checkpointOf(c *v2.Checkpoint) {
	e.Checkpoint = &struct {
		Freshness string
		Count     *int `json:"participant_count"`
	}{Freshness: enumName(c.GetFreshness(), nil), Count: number(c.ParticipantCount)}
}

func number(n *int32) *int {
	if n == nil {
		return nil
	}
	converted := int(*n)
	return &converted
}

// watcher is a client of one stream that applies its messages and checks their consistency.
type watcher struct {
	name string
	next func() (event, error)
	stop context.CancelFunc
	done chan struct{}

	mu     sync.Mutex
	state  map[string]participant
	events []event
	err    error
}

// follow applies the messages of a stream to the initial state until the stream ends.
func (g *gateway) follow(name string, stop context.CancelFunc, next func() (event, error)) *watcher {
	w := &watcher{name: name, next: next, stop: stop, done: make(chan struct{}), state: map[string]participant{}}
	maps.Copy(w.state, g.initialState)
	g.t.Cleanup(w.close)
	go func() {
		defer close(w.done)
		for w.step() {
		}
	}()
	return w
}

func (w *watcher) step() bool {
	e, err := w.next()
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		err = w.apply(e)
	}
	if err != nil {
		w.err = err
		return false
	}
	w.events = append(w.events, e)
	return true
}

func (w *watcher) apply(e event) error {
	if last := len(w.events) - 1; e.Changes != nil && last >= 0 && e.Token == w.events[last].Token {
		return errors.New("the token did not advance")
	}
	switch {
	case e.Token == "":
		return errors.New("no token")
	case e.Snapshot != nil:
		clear(w.state)
		for _, p := range e.Snapshot.Participants {
			w.state[p.ID] = p
		}
	case e.Changes != nil:
		for _, c := range e.Changes.Changes {
			if err := w.change(c); err != nil {
				return err
			}
		}
	case e.Checkpoint != nil && (e.Checkpoint.Count == nil || *e.Checkpoint.Count != len(w.state)):
		return fmt.Errorf("participant_count %v, state has %d", e.Checkpoint.Count, len(w.state))
	}
	return nil
}

func (w *watcher) change(c change) error {
	before, known := w.state[c.Participant.ID]
	switch {
	case known == (c.Kind == "added"):
		return fmt.Errorf("%s of %s, but in the state: %t", c.Kind, c.Participant.ID, known)
	case known && (c.Previous == nil || *c.Previous != before.Status):
		return fmt.Errorf("previous_status of %s is not %s", c.Participant.ID, before.Status)
	case c.Kind == "removed" || c.Kind == "left_filter":
		delete(w.state, c.Participant.ID)
	default:
		w.state[c.Participant.ID] = c.Participant
	}
	return nil
}

// currentState returns a copy of the watcher's state.
func (w *watcher) currentState() map[string]participant {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.state)
}

// received returns the events so far.
func (w *watcher) received() []event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]event(nil), w.events...)
}

func (w *watcher) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// close cancels the stream.
func (w *watcher) close() {
	w.stop()
	<-w.done
}

func (g *gateway) watchGRPC(request *v2.WatchParticipantsRequest) *watcher {
	g.t.Helper()
	ctx, stop := context.WithCancel(g.context())
	request.ConferenceId = conferenceID
	stream, err := g.client.WatchParticipants(ctx, request)
	if err != nil {
		g.t.Fatal(err)
	}
	return g.follow("gRPC", stop, func() (event, error) {
		m, err := stream.Recv()
		if err != nil {
			return event{}, err
		}
		return eventOf(m), nil
	})
}

// watchHTTP opens an SSE or NDJSON stream.
func (g *gateway) watchHTTP(accept, query string, headers ...string) *watcher {
	g.t.Helper()
	response := g.send("GET", path(":watch"+query), "", append(headers, "Accept: "+accept)...)
	if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || got != accept {
		g.t.Fatalf("watch: got %d %s", response.StatusCode, got)
	}
	lines := bufio.NewReader(response.Body)
	stop := func() { _ = response.Body.Close() }
	if accept == "text/event-stream" {
		return g.follow(accept, stop, func() (event, error) { return nextSSE(lines) })
	}
	return g.follow(accept, stop, func() (event, error) {
		line, err := lines.ReadString('\n')
		if err != nil {
			return event{}, err
		}
		return parse(line)
	})
}

// failureError is the last event of a failed stream.
type failureError struct{ retry, body string }

func (f *failureError) Error() string { return "failure: " + f.body }

func parse(text string) (event, error) {
	if strings.HasPrefix(text, `{"error"`) {
		return event{}, &failureError{body: text}
	}
	var e event
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return event{}, fmt.Errorf("%s: %w", text, err)
	}
	return e, nil
}

// nextSSE reads one SSE event.
func nextSSE(lines *bufio.Reader) (event, error) {
	fields := map[string]string{}
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return event{}, err
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			return eventOfFields(fields)
		}
		name, value, _ := strings.Cut(line, ": ")
		fields[name] = value
	}
}

func eventOfFields(fields map[string]string) (event, error) {
	if fields["event"] == "failure" {
		return event{}, &failureError{retry: fields["retry"], body: fields["data"]}
	}
	e, err := parse(fields["data"])
	if err == nil && e.Token != fields["id"] {
		err = fmt.Errorf("id %q, token %q", fields["id"], e.Token)
	}
	return e, err
}
