package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// heartbeat is the interval that watchers ask for: the shortest (W13).
const heartbeat = "5s"

// watchRequest is what a watcher asks for.
type watchRequest struct {
	conference string
	connected  bool // Only participants who are connected.
	token      string
}

// transport opens a stream and returns a function that reads the next message. The stream
// ends with ctx.
type transport func(ctx context.Context, g *gateway, what watchRequest) (next func() (message, error), err error)

// transports are those that watchers use.
var transports = map[string]transport{"gRPC": watchGRPC, "SSE": watchSSE}

func watchGRPC(ctx context.Context, g *gateway, what watchRequest) (func() (message, error), error) {
	request := &v2.WatchParticipantsRequest{
		ConferenceId: what.conference, ResumeToken: what.token, HeartbeatInterval: &durationpb.Duration{Seconds: 5},
	}
	if what.connected {
		request.Statuses = []v2.ParticipantStatus{v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED}
	}
	stream, err := g.client.WatchParticipants(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	return func() (message, error) {
		msg, err := stream.Recv()
		if err != nil {
			return message{}, err //nolint:wrapcheck // A status, which a wrapping would hide.
		}
		return messageOf(msg), nil
	}, nil
}

func watchSSE(ctx context.Context, g *gateway, what watchRequest) (func() (message, error), error) {
	response, err := openSSE(ctx, g.http, g.httpAddr, what)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewReader(response.Body)
	if response.StatusCode != http.StatusOK {
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return nil, fmt.Errorf("watch: %w", err)
		}
		return nil, failureOf(string(body))
	}
	return func() (message, error) {
		m, err := nextBlock(lines)
		if err != nil {
			_ = response.Body.Close()
		}
		return m, err
	}, nil
}

// openSSE opens a stream; the caller closes the body.
func openSSE(ctx context.Context, client *http.Client, addr string, what watchRequest) (*http.Response, error) {
	query := url.Values{"heartbeat_interval": {heartbeat}}
	if what.connected {
		query.Set("statuses", "connected")
	}
	target := "http://" + addr + "/v2/conferences/" + what.conference + "/participants:watch?" + query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	request.Header.Set("Accept", "text/event-stream")
	if what.token != "" {
		request.Header.Set("Last-Event-ID", what.token)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	return response, nil
}

// nextBlock reads one event.
func nextBlock(lines *bufio.Reader) (message, error) {
	fields := map[string]string{}
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" && len(fields) == 0 {
			return message{}, errBare
		}
		if err != nil {
			return message{}, fmt.Errorf("read an event: %w", err)
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			return event(fields)
		}
		name, value, _ := strings.Cut(line, ": ")
		fields[name] = value
	}
}

// errBare is the end of a stream over HTTP without a failure event.
var errBare = errors.New("the stream ended without a failure event")

func event(fields map[string]string) (message, error) {
	if fields["event"] == "failure" {
		return message{}, failureOf(fields["data"])
	}
	var m message
	if err := json.Unmarshal([]byte(fields["data"]), &m); err != nil {
		return message{}, fmt.Errorf("decode an event: %w", err)
	}
	if m.Token != fields["id"] {
		return message{}, fmt.Errorf("id %q of an event with the token %q", fields["id"], m.Token)
	}
	return m, nil
}

// failure is an error body of REST.
type failure struct {
	Status  string `json:"status"`
	Message string `json:"message"`
	Details []struct {
		Reason   string            `json:"reason"`
		Metadata map[string]string `json:"metadata"`
	} `json:"details"`
}

func failureOf(body string) error {
	var msg struct {
		Error failure `json:"error"`
	}
	if err := json.Unmarshal([]byte(body), &msg); err != nil {
		return fmt.Errorf("decode an error: %w", err)
	}
	return &msg.Error
}

// Error returns status and message.
func (f *failure) Error() string { return f.Status + ": " + f.Message }

// reasonOf returns an error's documented reason; empty if it has none.
func reasonOf(err error) string { reason, _ := infoOf(err); return reason }

// infoOf returns the reason of an error, and its metadata.dialled.
func infoOf(err error) (reason, dialled string) {
	if msg, ok := errors.AsType[*failure](err); ok {
		for _, detail := range msg.Details {
			if detail.Reason != "" {
				return detail.Reason, detail.Metadata["dialled"]
			}
		}
		return "", ""
	}
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetReason(), info.GetMetadata()["dialled"]
		}
	}
	return "", ""
}
