package watchclient

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

// Request is what a watcher asks for.
type Request struct {
	Conference string
	Connected  bool // Only participants who are connected.
	Token      string
}

// Gateway is a process of the gateway as its clients reach it.
type Gateway struct {
	GRPC     v2.ParticipantServiceClient
	HTTP     *http.Client
	HTTPAddr string
}

// Transport opens a stream and returns a function that reads the next message. The stream
// ends with ctx.
type Transport func(ctx context.Context, g Gateway, what Request) (next func() (Message, error), err error)

// Transports are those that watchers use.
var Transports = map[string]Transport{"gRPC": watchGRPC, "SSE": watchSSE}

func watchGRPC(ctx context.Context, g Gateway, what Request) (func() (Message, error), error) {
	request := &v2.WatchParticipantsRequest{
		ConferenceId: what.Conference, ResumeToken: what.Token, HeartbeatInterval: &durationpb.Duration{Seconds: 5},
	}
	if what.Connected {
		request.Statuses = []v2.ParticipantStatus{v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED}
	}
	stream, err := g.GRPC.WatchParticipants(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	return func() (Message, error) {
		msg, err := stream.Recv()
		if err != nil {
			return Message{}, err //nolint:wrapcheck // A status, which a wrapping would hide.
		}
		return MessageOf(msg), nil
	}, nil
}

func watchSSE(ctx context.Context, g Gateway, what Request) (func() (Message, error), error) {
	response, err := OpenSSE(ctx, g.HTTP, g.HTTPAddr, what)
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
		return nil, FailureOf(string(body))
	}
	return func() (Message, error) {
		m, err := NextEvent(lines)
		if err != nil {
			_ = response.Body.Close()
		}
		return m, err
	}, nil
}

// OpenSSE opens a stream; the caller closes the body.
func OpenSSE(ctx context.Context, client *http.Client, addr string, what Request) (*http.Response, error) {
	query := url.Values{"heartbeat_interval": {heartbeat}}
	if what.Connected {
		query.Set("statuses", "connected")
	}
	target := "http://" + addr + "/v2/conferences/" + what.Conference + "/participants:watch?" + query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	request.Header.Set("Accept", "text/event-stream")
	if what.Token != "" {
		request.Header.Set("Last-Event-ID", what.Token)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	return response, nil
}

// NextEvent reads one event.
func NextEvent(lines *bufio.Reader) (Message, error) {
	fields := map[string]string{}
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" && len(fields) == 0 {
			return Message{}, ErrBare
		}
		if err != nil {
			return Message{}, fmt.Errorf("read an event: %w", err)
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			return event(fields)
		}
		name, value, _ := strings.Cut(line, ": ")
		fields[name] = value
	}
}

// ErrBare is the end of a stream over HTTP without a failure event.
var ErrBare = errors.New("the stream ended without a CallError event")

func event(fields map[string]string) (Message, error) {
	if fields["event"] == "failure" {
		return Message{}, FailureOf(fields["data"])
	}
	var m Message
	if err := json.Unmarshal([]byte(fields["data"]), &m); err != nil {
		return Message{}, fmt.Errorf("decode an event: %w", err)
	}
	if m.Token != fields["id"] {
		return Message{}, fmt.Errorf("id %q of an event with the token %q", fields["id"], m.Token)
	}
	return m, nil
}

// CallError is an error body of REST.
type CallError struct {
	Status  string `json:"status"`
	Message string `json:"message"`
	Details []struct {
		Reason   string            `json:"reason"`
		Metadata map[string]string `json:"metadata"`
	} `json:"details"`
}

// FailureOf decodes an error body.
func FailureOf(body string) error {
	var msg struct {
		Error CallError `json:"error"`
	}
	if err := json.Unmarshal([]byte(body), &msg); err != nil {
		return fmt.Errorf("decode an error: %w", err)
	}
	return &msg.Error
}

// Error returns status and message.
func (f *CallError) Error() string { return f.Status + ": " + f.Message }

// ReasonOf returns an error's documented reason; empty if it has none.
func ReasonOf(err error) string { reason, _ := InfoOf(err); return reason }

// InfoOf returns the reason of an error, and its metadata.dialled.
func InfoOf(err error) (reason, dialled string) {
	if msg, ok := errors.AsType[*CallError](err); ok {
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
