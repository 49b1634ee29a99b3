package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// readingClient makes the calls that read, over one transport with one key. It records all that
// it receives.
type readingClient interface {
	list(ctx context.Context, conference string, size int32, pageToken string) (nextPageToken string)
	get(ctx context.Context, conference, participant string)
	// watch returns a function that waits for the next message.
	watch(ctx context.Context, conference, resumeToken, status string) (next func() (seenMessage, bool))
}

// seenMessage is what a test needs of a message of a stream.
type seenMessage struct {
	token string
	// kinds are "snapshot" and its reason, or the kinds of the changes.
	kinds []string
}

// readingClients makes a client for each transport.
var readingClients = map[string]func(r *running, key string, received *safeBuffer) readingClient{
	"gRPC": newGRPCReader,
	"REST and SSE": func(r *running, key string, received *safeBuffer) readingClient {
		return &restReader{r, key, recordingBrowser(r, received), "text/event-stream"}
	},
	"REST and NDJSON": func(r *running, key string, received *safeBuffer) readingClient {
		return &restReader{r, key, recordingBrowser(r, received), "application/x-ndjson"}
	},
	"Connect":      connectReaderOf("Connect"),
	"Connect JSON": connectReaderOf("Connect JSON"),
	"gRPC-Web":     connectReaderOf("gRPC-Web"),
}

func enumWord(name, prefix string) string { return strings.ToLower(strings.TrimPrefix(name, prefix)) }

func seenOf(m *v2.WatchParticipantsResponse) seenMessage {
	seen := seenMessage{token: m.GetResumeToken()}
	if snapshot := m.GetSnapshot(); snapshot != nil {
		seen.kinds = []string{"snapshot", enumWord(snapshot.GetReason().String(), "SNAPSHOT_REASON_")}
	}
	for _, change := range m.GetChanges().GetChanges() {
		seen.kinds = append(seen.kinds, enumWord(change.GetKind().String(), "CHANGE_KIND_"))
	}
	return seen
}

func watchRequest(conference, resumeToken, status string) *v2.WatchParticipantsRequest {
	request := &v2.WatchParticipantsRequest{ConferenceId: conference, ResumeToken: resumeToken}
	if status != "" {
		name := "PARTICIPANT_STATUS_" + strings.ToUpper(status)
		request.Statuses = []v2.ParticipantStatus{v2.ParticipantStatus(v2.ParticipantStatus_value[name])}
	}
	return request
}

// grpcReader reads over gRPC.
type grpcReader struct {
	client   v2.ParticipantServiceClient
	key      string
	received *safeBuffer
}

func newGRPCReader(r *running, key string, received *safeBuffer) readingClient {
	conn, err := grpc.NewClient(
		r.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStatsHandler(grpcRecorder{received}))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	return &grpcReader{v2.NewParticipantServiceClient(conn), key, received}
}

func (g *grpcReader) list(ctx context.Context, conference string, size int32, pageToken string) string {
	response, err := g.client.ListParticipants(g.with(ctx), &v2.ListParticipantsRequest{
		ConferenceId: conference, PageSize: size, PageToken: pageToken,
	})
	fmt.Fprintln(g.received, err)
	return response.GetNextPageToken()
}

func (g *grpcReader) get(ctx context.Context, conference, participant string) {
	_, err := g.client.GetParticipant(g.with(ctx), &v2.GetParticipantRequest{ConferenceId: conference, ParticipantId: participant})
	fmt.Fprintln(g.received, err)
}

func (g *grpcReader) watch(ctx context.Context, conference, resumeToken, status string) func() (seenMessage, bool) {
	stream, err := g.client.WatchParticipants(g.with(ctx), watchRequest(conference, resumeToken, status))
	return func() (seenMessage, bool) {
		if err != nil {
			return seenMessage{}, false
		}
		var m *v2.WatchParticipantsResponse
		m, err = stream.Recv()
		fmt.Fprintln(g.received, err)
		return seenOf(m), err == nil
	}
}

func (g *grpcReader) with(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "x-auth-token", g.key)
}

// grpcRecorder records headers, messages and trailers.
type grpcRecorder struct{ received *safeBuffer }

func (grpcRecorder) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (grpcRecorder) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (grpcRecorder) HandleConn(context.Context, stats.ConnStats)                       {}

func (g grpcRecorder) HandleRPC(_ context.Context, event stats.RPCStats) {
	switch event := event.(type) {
	case *stats.InHeader:
		fmt.Fprintln(g.received, map[string][]string(event.Header)) // The type itself hides values.
	case *stats.InTrailer:
		fmt.Fprintln(g.received, map[string][]string(event.Trailer))
	case *stats.InPayload:
		if message, ok := event.Payload.(proto.Message); ok {
			encoded, err := proto.Marshal(message)
			fmt.Fprintf(g.received, "%s %v\n", encoded, err)
		}
	}
}

// connectReader reads over Connect or gRPC-Web.
type connectReader struct {
	r       *running
	key     string
	browser *http.Client
	option  connect.ClientOption
}

func connectReaderOf(protocol string) func(*running, string, *safeBuffer) readingClient {
	return func(r *running, key string, received *safeBuffer) readingClient {
		return &connectReader{r, key, recordingBrowser(r, received), webProtocols[protocol]}
	}
}

func connectTo[Request, Response any](c *connectReader, method string, request *Request) (
	*connect.Client[Request, Response], *connect.Request[Request],
) {
	wrapped := connect.NewRequest(request)
	wrapped.Header().Set("X-Auth-Token", c.key)
	plain := connect.WithAcceptCompression("gzip", nil, nil)
	return connect.NewClient[Request, Response](c.browser, "http://"+c.r.HTTPAddr()+method, c.option, plain), wrapped
}

func (c *connectReader) list(ctx context.Context, conference string, size int32, pageToken string) string {
	client, request := connectTo[v2.ListParticipantsRequest, v2.ListParticipantsResponse](
		c, v2.ParticipantService_ListParticipants_FullMethodName,
		&v2.ListParticipantsRequest{ConferenceId: conference, PageSize: size, PageToken: pageToken})
	response, err := client.CallUnary(ctx, request)
	if err != nil {
		return ""
	}
	return response.Msg.GetNextPageToken()
}

func (c *connectReader) get(ctx context.Context, conference, participant string) {
	client, request := connectTo[v2.GetParticipantRequest, v2.GetParticipantResponse](
		c, v2.ParticipantService_GetParticipant_FullMethodName,
		&v2.GetParticipantRequest{ConferenceId: conference, ParticipantId: participant})
	_, _ = client.CallUnary(ctx, request) // The browser records the response.
}

func (c *connectReader) watch(ctx context.Context, conference, resumeToken, status string) func() (seenMessage, bool) {
	client, request := connectTo[v2.WatchParticipantsRequest, v2.WatchParticipantsResponse](
		c, v2.ParticipantService_WatchParticipants_FullMethodName, watchRequest(conference, resumeToken, status))
	stream, err := client.CallServerStream(ctx, request)
	return func() (seenMessage, bool) {
		if err != nil || !stream.Receive() {
			return seenMessage{}, false
		}
		return seenOf(stream.Msg()), true
	}
}

// restReader reads over REST, and streams in one format.
type restReader struct {
	r       *running
	key     string
	browser *http.Client
	accept  string
}

func (c *restReader) open(ctx context.Context, conference, path string, query url.Values) io.ReadCloser {
	c.r.t.Helper()
	target := "http://" + c.r.HTTPAddr() + "/v2/conferences/" + conference + "/participants" + path + "?" + query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		c.r.t.Fatal(err)
	}
	request.Header.Set("X-Auth-Token", c.key)
	if path == ":watch" {
		request.Header.Set("Accept", c.accept)
	}
	response, err := c.browser.Do(request)
	if err != nil {
		c.r.t.Fatal(err)
	}
	c.r.t.Cleanup(func() { response.Body.Close() })
	return response.Body
}

func (c *restReader) list(ctx context.Context, conference string, size int32, pageToken string) string {
	query := url.Values{"page_size": {strconv.Itoa(int(size))}, "page_token": {pageToken}}
	var list struct {
		NextPageToken string `json:"next_page_token"`
	}
	if err := json.NewDecoder(c.open(ctx, conference, "", query)).Decode(&list); err != nil {
		c.r.t.Error(err)
	}
	return list.NextPageToken
}

func (c *restReader) get(ctx context.Context, conference, participant string) {
	if _, err := io.ReadAll(c.open(ctx, conference, "/"+participant, nil)); err != nil {
		c.r.t.Error(err)
	}
}

func (c *restReader) watch(ctx context.Context, conference, resumeToken, status string) func() (seenMessage, bool) {
	query := url.Values{}
	if resumeToken != "" {
		query.Set("resume_token", resumeToken)
	}
	if status != "" {
		query.Set("statuses", status)
	}
	lines := bufio.NewScanner(c.open(ctx, conference, ":watch", query))
	return func() (seenMessage, bool) {
		for lines.Scan() {
			line := strings.TrimPrefix(lines.Text(), "data: ")
			if strings.HasPrefix(line, `{"resume_token"`) {
				return c.seen(line), true
			}
		}
		return seenMessage{}, false
	}
}

func (c *restReader) seen(line string) seenMessage {
	var m struct {
		ResumeToken string `json:"resume_token"`
		Snapshot    *struct {
			Reason string `json:"reason"`
		} `json:"snapshot"`
		Changes struct {
			Changes []struct {
				Kind string `json:"kind"`
			} `json:"changes"`
		} `json:"changes"`
	}
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		c.r.t.Error(err)
	}
	seen := seenMessage{token: m.ResumeToken}
	if m.Snapshot != nil {
		seen.kinds = []string{"snapshot", m.Snapshot.Reason}
	}
	for _, change := range m.Changes.Changes {
		seen.kinds = append(seen.kinds, change.Kind)
	}
	return seen
}

// recordingBrowser returns an HTTP client that records headers, bodies and trailers.
func recordingBrowser(r *running, received *safeBuffer) *http.Client {
	browser := r.browser(nil)
	browser.Transport = recordingTransport{browser.Transport, received}
	return browser
}

type recordingTransport struct {
	next     http.RoundTripper
	received *safeBuffer
}

func (t recordingTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(t.received, response.Status, response.Header)
	response.Body = &recordedBody{response.Body, response, t.received}
	return response, nil
}

type recordedBody struct {
	io.ReadCloser

	response *http.Response
	received *safeBuffer
}

func (b *recordedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	_, _ = b.received.Write(p[:n]) // A buffer's Write does not fail.
	if err != nil {
		fmt.Fprintln(b.received, b.response.Trailer)
	}
	return n, err
}
