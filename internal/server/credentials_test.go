package server_test

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

func TestTwoDifferingCredentialsAreRefused(t *testing.T) {
	r, _, writer, reader := runWithKeys(t)
	client := r.dial(nil)
	for name, pairs := range map[string][]string{
		"both headers":     {"authorization", "Bearer " + writer, "x-auth-token", reader},
		"two tokens":       {"x-auth-token", writer, "x-auth-token", reader},
		"two bearers":      {"authorization", "Bearer " + writer, "authorization", "Bearer " + reader},
		"one that is none": {"authorization", "Bearer " + writer, "x-auth-token", "none"},
	} {
		ctx := r.with(pairs...)
		_, err := client.ListParticipants(ctx, list)
		refused(t, err, codes.Unauthenticated, "CREDENTIALS_DIFFER")
		refused(t, open(ctx, client, &v2.WatchParticipantsRequest{ConferenceId: demoConference}), codes.Unauthenticated, "CREDENTIALS_DIFFER")
		for _, url := range []string{r.url(""), r.url(":watch")} {
			request, _ := http.NewRequestWithContext(r.context(), http.MethodGet, url, http.NoBody)
			for i := 0; i < len(pairs); i += 2 {
				request.Header.Add(pairs[i], pairs[i+1])
			}
			response, err := r.browser(nil).Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s: %s: %s", name, url, response.Status)
			}
		}
	}
	if _, err := client.ListParticipants(r.with("authorization", "Bearer "+writer, "x-auth-token", writer), list); err != nil {
		t.Errorf("one credential twice: %v", err)
	}
}

// A caller without valid credentials learns nothing about the request.
func TestCredentialsAreCheckedBeforeTheRequest(t *testing.T) {
	r, _, writer, _ := runWithKeys(t)
	client := r.dial(nil)
	large := &v2.AddParticipantRequest{ConferenceId: demoConference, Name: strings.Repeat("x", 300<<10)}
	_, err := client.AddParticipant(r.context(), large)
	refused(t, err, codes.Unauthenticated, "CREDENTIAL_MISSING")
	if info, ok := status.Convert(err).Details()[0].(*errdetails.ErrorInfo); !ok || info.GetMetadata()["dialled"] != "no" {
		t.Errorf("dialled: %v", status.Convert(err).Details())
	}
	_, err = client.AddParticipant(r.with("x-auth-token", writer), large)
	refused(t, err, codes.InvalidArgument, "BODY_TOO_LARGE")
}

// Callers cannot set the metadata that grpc-gateway adds.
func TestCallersCannotSendMetadataOfTheGateway(t *testing.T) {
	r, _, writer, _ := runWithKeys(t)
	client := r.dial(nil)
	for _, pairs := range [][]string{
		{"grpcgateway-authorization", "Bearer " + writer},
		{"grpcgateway-x-auth-token", writer},
		{"grpc-metadata-authorization", "Bearer " + writer},
		{"x-forwarded-for", "127.0.0.1"},
	} {
		_, err := client.ListParticipants(r.with(pairs...), list)
		refused(t, err, codes.Unauthenticated, "CREDENTIAL_MISSING")
		response, _, _ := r.fetch(r.browser(nil), http.MethodGet, r.url(""), "", pairs[0]+": "+pairs[1])
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %s", pairs[0], response.Status)
		}
	}
}
