package unary_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// translator is the smallest service that translates a List to the upstream's REST API.
type translator struct {
	v2.UnimplementedParticipantServiceServer

	upstream string
	client   *http.Client
}

func newTranslator(upstream string) translator {
	return translator{upstream: upstream, client: &http.Client{Transport: &http.Transport{}}}
}

// list is the upstream's list.
type list struct {
	Participants []struct {
		ID           string     `json:"id"`
		ConferenceID string     `json:"conference_id"`
		PhoneNumber  string     `json:"phone_number"`
		Name         string     `json:"name"`
		Role         string     `json:"role"`
		Status       string     `json:"status"`
		Muted        bool       `json:"muted"`
		Duration     int32      `json:"duration"`
		JoinedAt     *time.Time `json:"joined_at"`
		CreatedAt    *time.Time `json:"created_at"`
	} `json:"participants"`
	Total  int32 `json:"total"`
	Active int32 `json:"active"`
}

// read reads the list of a conference.
func (t translator) read(ctx context.Context, conference string) (*list, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet,
		"http://"+t.upstream+"/v2/conferences/"+conference+"/participants", http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("X-Auth-Token", "token")
	response, err := t.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	read := &list{}
	return read, json.NewDecoder(response.Body).Decode(read)
}

// ListParticipants translates the list.
func (t translator) ListParticipants(
	ctx context.Context, request *v2.ListParticipantsRequest,
) (*v2.ListParticipantsResponse, error) {
	read, err := t.read(ctx, request.GetConferenceId())
	if err != nil {
		return nil, err
	}
	response := &v2.ListParticipantsResponse{Total: read.Total, Active: read.Active}
	for _, p := range read.Participants {
		response.Participants = append(response.Participants, &v2.Participant{
			Id: p.ID, ConferenceId: p.ConferenceID, PhoneNumber: p.PhoneNumber, Name: p.Name,
			Role:   v2.ParticipantRole(v2.ParticipantRole_value["PARTICIPANT_ROLE_"+strings.ToUpper(p.Role)]),
			Status: v2.ParticipantStatus(v2.ParticipantStatus_value["PARTICIPANT_STATUS_"+strings.ToUpper(p.Status)]),
			Muted:  p.Muted, Duration: p.Duration, JoinedAt: stamp(p.JoinedAt), CreatedAt: stamp(p.CreatedAt),
		})
	}
	return response, nil
}

func stamp(t *time.Time) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return timestamppb.New(*t)
}

// startRESTTranslator serves the list as REST, decoded and encoded with encoding/json.
func startRESTTranslator(upstream string) (addresses, error) {
	mux, translating := http.NewServeMux(), newTranslator(upstream)
	mux.HandleFunc("GET /v2/conferences/{conference}/participants", func(w http.ResponseWriter, r *http.Request) {
		read, err := translating.read(r.Context(), r.PathValue("conference"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(read)
	})
	return serveHTTP(mux)
}
