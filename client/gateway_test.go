package client

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// The server of the examples runs as long as the process.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }

// call is the scripted answer to one streaming call: the messages, and then the error, or OK.
type call[M any] struct {
	messages []*M
	// pause is the time between two messages.
	pause time.Duration
	err   error
	// silent keeps the stream open after the messages.
	silent bool
}

type (
	watchCall = call[v2.WatchParticipantsResponse]
	batchCall = call[v2.BatchAddParticipantsResponse]
)

func (c call[M]) serve(stream grpc.ServerStreamingServer[M]) error {
	for i, message := range c.messages {
		if i > 0 && !sleep(stream.Context(), c.pause) {
			return nil
		}
		if err := stream.Send(message); err != nil {
			return err
		}
	}
	if c.silent {
		<-stream.Context().Done()
	}
	return c.err
}

// gateway answers the n-th streaming call as scripted, and records the calls. After the last
// scripted call it answers NOT_FOUND.
type gateway struct {
	v2.UnimplementedParticipantServiceServer

	watches []watchCall
	batches []batchCall
	list    func(*v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error)

	mu             sync.Mutex
	watchRequests  []*v2.WatchParticipantsRequest
	batchRequests  []*v2.BatchAddParticipantsRequest
	times          []time.Time
	authorizations []string

	// dials counts the connections. stalled makes those up to this number lose what is sent,
	// and refused makes new ones fail.
	dials, stalled atomic.Int64
	refused        atomic.Bool
	listener       *bufconn.Listener
}

func (g *gateway) record(ctx context.Context) {
	incoming, _ := metadata.FromIncomingContext(ctx)
	g.authorizations = append(g.authorizations, append(incoming.Get("authorization"), "")[0])
	g.times = append(g.times, time.Now())
}

func scripted[M any](calls []call[M], n int) call[M] {
	if n > len(calls) {
		return call[M]{err: status.Error(codes.NotFound, "no further call is scripted")}
	}
	return calls[n-1]
}

func (g *gateway) WatchParticipants(
	request *v2.WatchParticipantsRequest, stream grpc.ServerStreamingServer[v2.WatchParticipantsResponse],
) error {
	g.mu.Lock()
	g.record(stream.Context())
	g.watchRequests = append(g.watchRequests, request)
	answer := scripted(g.watches, len(g.watchRequests))
	g.mu.Unlock()
	return answer.serve(stream)
}

func (g *gateway) BatchAddParticipants(
	request *v2.BatchAddParticipantsRequest, stream grpc.ServerStreamingServer[v2.BatchAddParticipantsResponse],
) error {
	g.mu.Lock()
	g.record(stream.Context())
	g.batchRequests = append(g.batchRequests, request)
	answer := scripted(g.batches, len(g.batchRequests))
	g.mu.Unlock()
	return answer.serve(stream)
}

func (g *gateway) ListParticipants(ctx context.Context, request *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.record(ctx)
	return g.list(request)
}

// tokens are the resume tokens of the watches.
func (g *gateway) tokens() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var tokens []string
	for _, request := range g.watchRequests {
		tokens = append(tokens, request.GetResumeToken())
	}
	return tokens
}

// wait returns the time between the n-th call and the next one.
func (g *gateway) wait(n int) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.times[n].Sub(g.times[n-1])
}

// serve starts the gateway in memory, and returns a client of it. Both end with the test.
func (g *gateway) serve(t *testing.T, options ...Option) *Client {
	t.Helper()
	g.listener = bufconn.Listen(1 << 20)
	server := grpc.NewServer(grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second})) // As the gateway has it.
	v2.RegisterParticipantServiceServer(server, g)
	served := make(chan error, 1)
	go func() { served <- server.Serve(g.listener) }()
	c, err := New("passthrough:///127.0.0.1:9090", append(options, WithDialOptions(grpc.WithContextDialer(g.dial)))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return c
}

func (g *gateway) dial(ctx context.Context, _ string) (net.Conn, error) {
	if g.refused.Load() {
		return nil, errors.New("connection refused")
	}
	conn, err := g.listener.DialContext(ctx)
	return &networkConn{Conn: conn, number: g.dials.Add(1), stalled: &g.stalled}, err
}

// networkConn is a connection whose network can stop: bytes are lost in both directions,
// without an error.
type networkConn struct {
	net.Conn

	number  int64
	stalled *atomic.Int64
}

func (c *networkConn) lost() bool { return c.number <= c.stalled.Load() }

func (c *networkConn) Read(into []byte) (int, error) {
	for {
		n, err := c.Conn.Read(into)
		if err != nil || !c.lost() {
			return n, err
		}
	}
}

func (c *networkConn) Write(b []byte) (int, error) {
	if c.lost() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func snapshot(token string, ids ...string) *v2.WatchParticipantsResponse {
	full := &v2.ParticipantSnapshot{Reason: v2.SnapshotReason_SNAPSHOT_REASON_INITIAL, Total: new(int32(len(ids)))}
	for _, id := range ids {
		full.Participants = append(full.Participants, &v2.Participant{Id: id})
	}
	return &v2.WatchParticipantsResponse{ResumeToken: token, Event: &v2.WatchParticipantsResponse_Snapshot{Snapshot: full}}
}

func change(token string, kind v2.ChangeKind, id string) *v2.WatchParticipantsResponse {
	return &v2.WatchParticipantsResponse{
		ResumeToken: token,
		Event: &v2.WatchParticipantsResponse_Changes{Changes: &v2.ParticipantChanges{
			Changes: []*v2.ParticipantChange{{Kind: kind, Participant: &v2.Participant{Id: id, Name: "changed"}}},
		}},
	}
}

func added(token, id string) *v2.WatchParticipantsResponse {
	return change(token, v2.ChangeKind_CHANGE_KIND_ADDED, id)
}

func checkpoint(token string, c *v2.Checkpoint) *v2.WatchParticipantsResponse {
	return &v2.WatchParticipantsResponse{ResumeToken: token, Event: &v2.WatchParticipantsResponse_Checkpoint{Checkpoint: c}}
}

func fresh(token string) *v2.WatchParticipantsResponse {
	return checkpoint(token, &v2.Checkpoint{Freshness: v2.Freshness_FRESHNESS_FRESH})
}

func stale(token, reason string) *v2.WatchParticipantsResponse {
	return checkpoint(token, &v2.Checkpoint{Freshness: v2.Freshness_FRESHNESS_STALE, StaleReason: reason})
}

func end(token string) *v2.WatchParticipantsResponse {
	return &v2.WatchParticipantsResponse{ResumeToken: token, Event: &v2.WatchParticipantsResponse_End{
		End: &v2.WatchEnd{Reason: v2.WatchEndReason_WATCH_END_REASON_CONFERENCE_GONE},
	}}
}

func messages[M any](m ...*M) []*M { return m }

// failure returns an error of the gateway.
func failure(code codes.Code, reason string, details ...protoadapt.MessageV1) error {
	info := &errdetails.ErrorInfo{Reason: reason, Domain: "participant-gateway"}
	return detailed(code, append([]protoadapt.MessageV1{info}, details...)...)
}

// refusal returns an error of an add or a batch.
func refusal(code codes.Code, reason, dialled string, details ...protoadapt.MessageV1) error {
	info := &errdetails.ErrorInfo{Reason: reason, Domain: "participant-gateway", Metadata: map[string]string{"dialled": dialled}}
	return detailed(code, append([]protoadapt.MessageV1{info}, details...)...)
}

func detailed(code codes.Code, details ...protoadapt.MessageV1) error {
	st, err := status.New(code, "scripted").WithDetails(details...)
	if err != nil {
		return err
	}
	return st.Err()
}

func retryInfo(delay time.Duration) protoadapt.MessageV1 {
	return &errdetails.RetryInfo{RetryDelay: durationpb.New(delay)}
}

// equal reports a difference between two lists.
func equal[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
