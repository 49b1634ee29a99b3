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

// event is one message of a stream in the words of its JSON, whatever the door.
type event struct {
	Token    string `json:"resume_token"`
	Snapshot *struct {
		Participants  []human
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

type human struct {
	ID, Status, Role, Name, Muted, Joined string
}

type change struct {
	Kind        string
	Participant human
	Previous    *string `json:"previous_status"`
	Source      string
}

// UnmarshalJSON reads what is compared of a participant.
func (h *human) UnmarshalJSON(text []byte) error {
	var told struct {
		ID, Status, Role, Name string
		Muted                  bool
		Joined                 *string `json:"joined_at"`
	}
	if err := json.Unmarshal(text, &told); err != nil {
		return err
	}
	*h = human{ID: told.ID, Status: told.Status, Role: told.Role, Name: told.Name, Muted: fmt.Sprint(told.Muted)}
	if told.Joined != nil {
		h.Joined = *told.Joined
	}
	return nil
}

func humanOf(p *v2.Participant) human {
	h := human{
		ID: p.GetId(), Status: word(p.GetStatus(), p.RawStatus), Role: word(p.GetRole(), p.RawRole),
		Name: p.GetName(), Muted: fmt.Sprint(p.GetMuted()),
	}
	if p.GetJoinedAt() != nil {
		h.Joined = p.GetJoinedAt().AsTime().Format(time.RFC3339Nano)
	}
	return h
}

// word is an enum value's word in JSON: its name without what all names of the enum
// begin with.
func word(value protoreflect.Enum, raw *string) string {
	if raw != nil {
		return *raw
	}
	values := value.Descriptor().Values()
	prefix := strings.TrimSuffix(string(values.Get(0).Name()), "UNSPECIFIED")
	return strings.ToLower(strings.TrimPrefix(string(values.ByNumber(value.Number()).Name()), prefix))
}

// fromProto puts a message into the words of its JSON.
func fromProto(m *v2.WatchParticipantsResponse) event {
	e := event{Token: m.GetResumeToken()}
	switch told := m.GetEvent().(type) {
	case *v2.WatchParticipantsResponse_Snapshot:
		e.snapshotOf(told.Snapshot)
	case *v2.WatchParticipantsResponse_Changes:
		e.changesOf(told.Changes)
	case *v2.WatchParticipantsResponse_Checkpoint:
		e.checkpointOf(told.Checkpoint)
	case *v2.WatchParticipantsResponse_End:
		e.End = &struct{ Reason string }{word(told.End.GetReason(), nil)}
	}
	return e
}

func (e *event) snapshotOf(s *v2.ParticipantSnapshot) {
	e.Snapshot = &struct {
		Participants  []human
		Total, Active *int
		Reason        string
	}{Reason: word(s.GetReason(), nil), Total: number(s.Total), Active: number(s.Active)}
	for _, p := range s.GetParticipants() {
		e.Snapshot.Participants = append(e.Snapshot.Participants, humanOf(p))
	}
}

func (e *event) changesOf(c *v2.ParticipantChanges) {
	e.Changes = &struct{ Changes []change }{}
	for _, one := range c.GetChanges() {
		told := change{Kind: word(one.GetKind(), nil), Participant: humanOf(one.GetParticipant()), Source: word(one.GetSource(), nil)}
		if one.PreviousStatus != nil {
			previous := word(one.GetPreviousStatus(), one.PreviousRawStatus)
			told.Previous = &previous
		}
		e.Changes.Changes = append(e.Changes.Changes, told)
	}
}

func (e *event) checkpointOf(c *v2.Checkpoint) {
	e.Checkpoint = &struct {
		Freshness string
		Count     *int `json:"participant_count"`
	}{Freshness: word(c.GetFreshness(), nil), Count: number(c.ParticipantCount)}
}

func number(n *int32) *int {
	if n == nil {
		return nil
	}
	told := int(*n)
	return &told
}

// watcher is a client of one stream that applies what it is sent, strictly.
type watcher struct {
	name string
	next func() (event, error)
	stop context.CancelFunc
	done chan struct{}

	mu     sync.Mutex
	held   map[string]human
	events []event
	err    error
}

// follow applies a stream until it ends, to what its client holds already.
func (g *gateway) follow(name string, stop context.CancelFunc, next func() (event, error)) *watcher {
	w := &watcher{name: name, next: next, stop: stop, done: make(chan struct{}), held: map[string]human{}}
	maps.Copy(w.held, g.holding)
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
		clear(w.held)
		for _, p := range e.Snapshot.Participants {
			w.held[p.ID] = p
		}
	case e.Changes != nil:
		for _, c := range e.Changes.Changes {
			if err := w.change(c); err != nil {
				return err
			}
		}
	case e.Checkpoint != nil && (e.Checkpoint.Count == nil || *e.Checkpoint.Count != len(w.held)):
		return fmt.Errorf("participant_count %v, held %d", e.Checkpoint.Count, len(w.held))
	}
	return nil
}

func (w *watcher) change(c change) error {
	before, holds := w.held[c.Participant.ID]
	switch {
	case holds == (c.Kind == "added"):
		return fmt.Errorf("%s of %s, but held: %t", c.Kind, c.Participant.ID, holds)
	case holds && (c.Previous == nil || *c.Previous != before.Status):
		return fmt.Errorf("previous_status of %s is not %s", c.Participant.ID, before.Status)
	case c.Kind == "removed" || c.Kind == "left_filter":
		delete(w.held, c.Participant.ID)
	default:
		w.held[c.Participant.ID] = c.Participant
	}
	return nil
}

// copy is what the watcher holds now.
func (w *watcher) copy() map[string]human {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.held)
}

// told are the events so far.
func (w *watcher) told() []event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]event(nil), w.events...)
}

func (w *watcher) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// close hangs up.
func (w *watcher) close() {
	w.stop()
	<-w.done
}

func (g *gateway) watchGRPC(request *v2.WatchParticipantsRequest) *watcher {
	g.t.Helper()
	ctx, stop := context.WithCancel(g.context())
	request.ConferenceId = room
	stream, err := g.client.WatchParticipants(ctx, request)
	if err != nil {
		g.t.Fatal(err)
	}
	return g.follow("gRPC", stop, func() (event, error) {
		m, err := stream.Recv()
		if err != nil {
			return event{}, err
		}
		return fromProto(m), nil
	})
}

// watchHTTP watches as SSE or NDJSON.
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

// failureError is the last event of a stream that failed.
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

// nextSSE reads one block.
func nextSSE(lines *bufio.Reader) (event, error) {
	fields := map[string]string{}
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return event{}, err
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			return block(fields)
		}
		name, value, _ := strings.Cut(line, ": ")
		fields[name] = value
	}
}

func block(fields map[string]string) (event, error) {
	if fields["event"] == "failure" {
		return event{}, &failureError{retry: fields["retry"], body: fields["data"]}
	}
	e, err := parse(fields["data"])
	if err == nil && e.Token != fields["id"] {
		err = fmt.Errorf("id %q, token %q", fields["id"], e.Token)
	}
	return e, err
}
