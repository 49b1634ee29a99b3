package server_test

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
)

// controlCalls are the calls of A8 for one participant of the demo, by method.
var controlCalls = map[string]func(ctx context.Context, client v2.ParticipantServiceClient, id string) error{
	"MuteParticipant": func(ctx context.Context, client v2.ParticipantServiceClient, id string) error {
		_, err := client.MuteParticipant(ctx, &v2.MuteParticipantRequest{ConferenceId: demoConference, ParticipantId: id})
		return err
	},
	"UnmuteParticipant": func(ctx context.Context, client v2.ParticipantServiceClient, id string) error {
		_, err := client.UnmuteParticipant(ctx, &v2.UnmuteParticipantRequest{ConferenceId: demoConference, ParticipantId: id})
		return err
	},
	"HoldParticipant": func(ctx context.Context, client v2.ParticipantServiceClient, id string) error {
		_, err := client.HoldParticipant(ctx, &v2.HoldParticipantRequest{ConferenceId: demoConference, ParticipantId: id})
		return err
	},
	"ResumeParticipant": func(ctx context.Context, client v2.ParticipantServiceClient, id string) error {
		_, err := client.ResumeParticipant(ctx, &v2.ResumeParticipantRequest{ConferenceId: demoConference, ParticipantId: id})
		return err
	},
	"DisconnectParticipant": func(ctx context.Context, client v2.ParticipantServiceClient, id string) error {
		_, err := client.DisconnectParticipant(ctx, &v2.DisconnectParticipantRequest{ConferenceId: demoConference, ParticipantId: id})
		return err
	},
	"MuteAllParticipants": func(ctx context.Context, client v2.ParticipantServiceClient, _ string) error {
		_, err := client.MuteAllParticipants(ctx, &v2.MuteAllParticipantsRequest{ConferenceId: demoConference})
		return err
	},
}

func TestA08_ControlsNeedTheRoleWriter(t *testing.T) {
	r, _, writer, reader := runWithKeys(t)
	client := r.dial(nil)
	notFound := outcome{codes.NotFound, apierror.ParticipantNotFound}
	for method, call := range controlCalls {
		asWriter := notFound
		if method == "MuteAllParticipants" {
			asWriter = outcome{code: codes.OK}
		}
		for credential, want := range map[string]outcome{
			writer: asWriter,
			reader: {codes.PermissionDenied, apierror.RoleNotGranted},
			"":     {codes.Unauthenticated, apierror.CredentialMissing},
		} {
			ctx := r.context()
			if credential != "" {
				ctx = r.with("x-auth-token", credential)
			}
			if got := outcomeOf(call(ctx, client, "part_none")); got != want {
				t.Errorf("%s: got %v, want %v", method, got, want)
			}
		}
	}
}

// TestA08_MetricsAndLogsOfControls counts one call of each method, and their requests.
func TestA08_MetricsAndLogsOfControls(t *testing.T) {
	r := run(t)
	client := r.dial(nil)
	for method, call := range controlCalls {
		code, status := codes.NotFound, "404"
		if method == "MuteAllParticipants" {
			code, status = codes.OK, "200"
		}
		_ = call(r.context(), client, "part_none")
		operation := map[bool]string{true: "mute_all", false: strings.ToLower(strings.TrimSuffix(method, "Participant"))}[code == codes.OK]
		for _, line := range []string{
			`gateway_call_duration_seconds_count{code="` + code.String() + `",method="` + method + `"} 1`,
			`gateway_upstream_request_duration_seconds_count{operation="` + operation + `",outcome="` + status + `"} 1`,
		} {
			if got := r.metric(line[:strings.IndexByte(line, '}')+1]); got != line {
				t.Errorf("got %q, want %q", got, line)
			}
		}
		if log := r.log.String(); !strings.Contains(log, "method="+method+" code="+code.String()) {
			t.Errorf("%s is not in the log:\n%s", method, log)
		}
	}
	if got := r.metric(`gateway_upstream_request_duration_seconds_count{operation="part_none`); got != "" {
		t.Errorf("an id is a label: %s", got)
	}
}
