package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/client"
	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// command has the fields of all commands.
type command struct {
	ID   string `json:"id"`
	Call string `json:"call"`

	Target      string   `json:"target"`
	Credential  string   `json:"credential"`
	Credentials []string `json:"credentials"`

	Conference     string   `json:"conference"`
	Participant    string   `json:"participant"`
	PhoneNumber    string   `json:"phone_number"`
	Name           string   `json:"name"`
	Role           string   `json:"role"`
	Muted          bool     `json:"muted"`
	RequestID      string   `json:"request_id"`
	ValidateOnly   bool     `json:"validate_only"`
	WaitForAnswer  bool     `json:"wait_for_answer"`
	Statuses       []string `json:"statuses"`
	Roles          []string `json:"roles"`
	ParticipantIDs []string `json:"participant_ids"`
	PageSize       int32    `json:"page_size"`

	HeartbeatSeconds float64 `json:"heartbeat_s"`
	Continue         string  `json:"continue"`
	Watch            string  `json:"watch"`
	Entries          []entry `json:"entries"`
	Resume           bool    `json:"resume"`
}

type entry struct {
	PhoneNumber string `json:"phone_number"`
	Name        string `json:"name"`
	Role        string `json:"role"`
}

// session is the state between commands.
type session struct {
	// connections are the clients that connect made. Commands use the last one.
	connections []*connection
	// background are the watches and batches, by the ids of their commands.
	background map[string]*task
	out        *output
}

// connection is a client with its credentials.
type connection struct {
	*client.Client

	credentials *credentials
}

// task is a watch or a batch. It keeps its connection when there is a later one.
type task struct {
	*connection

	cancel context.CancelFunc
	ended  chan struct{}

	mu sync.Mutex
	// last is the last state of a watch.
	last client.State
}

func newSession(out io.Writer) *session {
	return &session{background: map[string]*task{}, out: &output{writer: out}}
}

// end cancels what is open.
func (s *session) end() {
	for _, t := range s.background {
		t.stop()
	}
	for _, c := range s.connections {
		_ = c.Close() // It never fails.
	}
}

func (t *task) stop() {
	t.cancel()
	<-t.ended
}

func (s *session) serve(ctx context.Context, line []byte) error {
	var c command
	if err := json.Unmarshal(line, &c); err != nil {
		return fmt.Errorf("decode a command: %w", err)
	}
	switch {
	case c.Call == "connect":
		s.connect(c)
	case len(s.connections) == 0:
		s.out.fail(c.ID, errNotConnected)
	case c.Call == "watch":
		s.start(ctx, c, s.watch)
	case c.Call == "batch":
		s.start(ctx, c, s.batch)
	case c.Call == "stop":
		if t := s.background[c.Watch]; t != nil {
			t.stop()
		}
		s.out.ok(c.ID)
	default:
		s.unary(ctx, c)
	}
	return nil
}

var errNotConnected = &client.Error{Code: codes.FailedPrecondition, Message: "the first command is connect"}

func (s *session) connect(c command) {
	connected := &connection{credentials: &credentials{left: c.Credentials}}
	option := client.WithKey(c.Credential)
	if len(c.Credentials) > 0 {
		option = client.WithCredential(connected.credentials.current)
	}
	var err error
	if connected.Client, err = client.New(c.Target, option); err != nil {
		s.out.fail(c.ID, err)
		return
	}
	s.connections = append(s.connections, connected)
	s.out.ok(c.ID)
}

func (s *session) connection() *connection { return s.connections[len(s.connections)-1] }

// start runs a watch or a batch in the background.
func (s *session) start(ctx context.Context, c command, work func(context.Context, command, *task) error) {
	ctx, cancel := context.WithCancel(ctx)
	t := &task{connection: s.connection(), cancel: cancel, ended: make(chan struct{})}
	s.background[c.ID] = t
	go func() {
		defer close(t.ended)
		defer cancel()
		err := work(ctx, c, t)
		if err != nil && ctx.Err() == nil {
			s.out.fail(c.ID, err)
			return
		}
		s.out.print(c.ID, object{"done": true})
	}()
}

// watch prints the states of a watch.
func (s *session) watch(ctx context.Context, c command, t *task) error {
	options := []client.WatchOption{
		client.Statuses(statuses(c.Statuses)...), client.Roles(roles(c.Roles)...), client.ParticipantIDs(c.ParticipantIDs...),
	}
	if c.HeartbeatSeconds > 0 {
		options = append(options, client.Heartbeat(time.Duration(c.HeartbeatSeconds*float64(time.Second))))
	}
	if earlier := s.background[c.Continue]; earlier != nil {
		options = append(options, client.ResumeFrom(earlier.lastState()))
	}
	for state, err := range t.Watch(ctx, c.Conference, options...) {
		if err != nil {
			return t.credentials.noticed(err)
		}
		if state.Err != nil {
			_ = t.credentials.noticed(state.Err)
		}
		t.mu.Lock()
		t.last = state
		t.mu.Unlock()
		s.out.print(c.ID, stateObject(state))
	}
	return nil
}

func (t *task) lastState() client.State {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

// batch prints the events of a batch.
func (s *session) batch(ctx context.Context, c command, t *task) error {
	entries := make([]*v2.BatchEntry, len(c.Entries))
	for i, e := range c.Entries {
		entries[i] = &v2.BatchEntry{PhoneNumber: e.PhoneNumber, Name: e.Name, Role: role(e.Role)}
	}
	options := []client.BatchOption{client.RequestID(c.RequestID)}
	if c.Resume {
		options = append(options, client.ResumeBatch())
	}
	for event, err := range t.BatchAdd(ctx, c.Conference, entries, options...) {
		if err != nil {
			return t.credentials.noticed(err)
		}
		if event.Disconnected != nil {
			_ = t.credentials.noticed(event.Disconnected)
		}
		if o := eventObject(event); o != nil {
			s.out.print(c.ID, o)
		}
	}
	return nil
}

// credentials are given one after the other: the next after a call was refused.
type credentials struct {
	mu   sync.Mutex
	left []string
}

func (c *credentials) current(context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left[0], nil
}

// noticed goes on to the next credential if err is UNAUTHENTICATED. It returns err.
func (c *credentials) noticed(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if status.Code(err) == codes.Unauthenticated && len(c.left) > 1 {
		c.left = c.left[1:]
	}
	return err
}
