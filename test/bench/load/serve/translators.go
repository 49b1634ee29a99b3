package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// participant is a participant in the upstream's JSON.
type participant struct {
	ID           string    `json:"id"`
	ConferenceID string    `json:"conference_id"`
	PhoneNumber  string    `json:"phone_number"`
	Name         string    `json:"name"`
	Role         string    `json:"role"`
	Status       string    `json:"status"`
	Muted        bool      `json:"muted"`
	Duration     int32     `json:"duration"`
	JoinedAt     time.Time `json:"joined_at"`
}

// participants is a list in the upstream's JSON.
type participants struct {
	Participants []participant `json:"participants"`
	Total        int           `json:"total"`
	Active       int           `json:"active"`
}

// upstreamClient reads lists.
type upstreamClient struct {
	base string
	http *http.Client
}

func newUpstreamClient(base string) *upstreamClient {
	return &upstreamClient{base: base, http: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 100}, Timeout: 10 * time.Second,
	}}
}

// open requests a list, whose body the caller closes.
func (u *upstreamClient) open(ctx context.Context, conference string) (*http.Response, error) {
	address := u.base + "/v2/conferences/" + url.PathEscape(conference) + "/participants"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("request a list: %w", err)
	}
	request.Header.Set("X-Auth-Token", "token")
	response, err := u.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("request a list: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, errors.New("request a list: " + response.Status)
	}
	return response, nil
}

func (u *upstreamClient) list(ctx context.Context, conference string) (list participants, err error) {
	response, err := u.open(ctx, conference)
	if err != nil {
		return list, err
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		return list, fmt.Errorf("decode a list: %w", err)
	}
	return list, nil
}

// translator is the shortest gRPC service in front of the REST API.
type translator struct {
	v2.UnimplementedParticipantServiceServer

	upstream *upstreamClient
}

func (t *translator) ListParticipants(ctx context.Context, r *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
	list, err := t.upstream.list(ctx, r.GetConferenceId())
	if err != nil {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	response := &v2.ListParticipantsResponse{Participants: make([]*v2.Participant, len(list.Participants))}
	for i, p := range list.Participants {
		response.Participants[i] = p.proto()
	}
	return response, nil
}

func (p participant) proto() *v2.Participant {
	return &v2.Participant{
		Id: p.ID, ConferenceId: p.ConferenceID, PhoneNumber: p.PhoneNumber, Name: p.Name,
		Role:   v2.ParticipantRole(v2.ParticipantRole_value["PARTICIPANT_ROLE_"+strings.ToUpper(p.Role)]),
		Status: v2.ParticipantStatus(v2.ParticipantStatus_value["PARTICIPANT_STATUS_"+strings.ToUpper(p.Status)]),
		Muted:  p.Muted, Duration: p.Duration, JoinedAt: timestamppb.New(p.JoinedAt),
	}
}

func newTranslator(o Options) *grpc.Server {
	server := grpc.NewServer()
	v2.RegisterParticipantServiceServer(server, &translator{upstream: newUpstreamClient(o.Upstream)})
	return server
}

// serveTranslator serves gRPC.
func serveTranslator(_ context.Context, listener net.Listener, o Options) error {
	return serveGRPC(listener, newTranslator(o))
}

// serveChain serves REST by grpc-gateway, which calls the translator by gRPC.
func serveChain(ctx context.Context, listener net.Listener, o Options) error {
	return serveThroughGRPC(ctx, listener, newTranslator(o))
}

// serveJSONTranslator serves REST: it decodes the upstream's list and encodes its own.
func serveJSONTranslator(_ context.Context, listener net.Listener, o Options) error {
	upstream := newUpstreamClient(o.Upstream)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/conferences/{id}/participants", func(w http.ResponseWriter, r *http.Request) {
		list, err := upstream.list(r.Context(), r.PathValue("id"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(list)
	})
	return serveHTTP(listener, mux)
}

// serveReverseProxy passes requests on.
func serveReverseProxy(_ context.Context, listener net.Listener, o Options) error {
	target, err := url.Parse(o.Upstream)
	if err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	return serveHTTP(listener, &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 100},
	})
}
