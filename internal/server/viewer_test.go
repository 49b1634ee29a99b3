package server_test

import (
	"context"
	"encoding/base64"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/simulator"
)

const (
	viewedConference = "conf_viewed"
	failedConference = "conf_failed"
)

// viewedNumbers are the phone numbers of the participants that the callers see.
var viewedNumbers = []string{"+12025551234", "+442071838750", "+13035550199"}

// runForViewers runs a gateway whose upstream has participants with numbers in all their texts,
// and a conference that fails with a number in its error.
func runForViewers(t *testing.T) (r *running, sim *simulator.Simulator, keyOf map[string]string) {
	t.Helper()
	sim = simulator.New(simulator.Options{})
	upstream := httptest.NewServer(sim.Handler())
	t.Cleanup(upstream.Close)
	for i, name := range []string{"Ada +1 (202) 555-1234", "020 7183 8750"} {
		sim.AddParticipant(viewedConference, simulator.Participant{
			ID: "part_" + string(rune('a'+i)), PhoneNumber: viewedNumbers[i], Name: name, Status: "connected",
		})
	}
	sim.Inject(simulator.Fault{
		Kind: simulator.FaultStatus, Status: 403, Conference: failedConference,
		Message: "the number +12025551234, (202) 555-1234 or 12025551234, is not allowed",
	})
	file := filepath.Join(t.TempDir(), "keys")
	keyOf = map[string]string{}
	for _, role := range []string{"viewer", "reader", "writer"} {
		keyOf[role] = addKey(t, file, role, role)
	}
	r = runArgs(
		t, "--auth=keys", "--auth-keys-file="+file, token, "--upstream-url="+upstream.URL+"/v2",
		"--poll-interval=200ms", "--max-poll-interval=200ms", "--poll-rate=100")
	return r, sim, keyOf
}

// readEverything makes every call that reads while the conference changes. The writer's key adds
// a participant.
func readEverything(t *testing.T, r *running, sim *simulator.Simulator, client readingClient, writer string) {
	t.Helper()
	ctx := r.context()
	client.list(ctx, viewedConference, 0, "")
	next := client.list(ctx, viewedConference, 1, "")
	if next == "" {
		t.Fatal("no second page")
	}
	client.list(ctx, viewedConference, 1, next)
	client.get(ctx, viewedConference, "part_a")
	client.get(ctx, viewedConference, "part_none")
	client.list(ctx, failedConference, 0, "")
	client.get(ctx, failedConference, "part_a")
	client.watch(ctx, failedConference, "", "")()

	all, filtered := client.watch(ctx, viewedConference, "", ""), client.watch(ctx, viewedConference, "", "connected")
	first := expectKinds(t, all, "snapshot")
	resumeFiltered := expectKinds(t, filtered, "snapshot")
	_, err := r.dial(nil).AddParticipant(r.with("x-auth-token", writer), &v2.AddParticipantRequest{
		ConferenceId: viewedConference, PhoneNumber: viewedNumbers[2], Name: viewedNumbers[2],
	})
	if err != nil {
		t.Fatal(err)
	}
	expectKinds(t, all, "added")
	sim.SetStatus(viewedConference, "part_a", "held")
	sim.RemoveParticipant(viewedConference, "part_b")
	expectKinds(t, all, "updated", "removed")
	expectKinds(t, filtered, "left_filter", "removed")
	expectKinds(t, client.watch(ctx, viewedConference, first, ""), "added", "updated", "removed")
	expectKinds(t, client.watch(ctx, viewedConference, resumeFiltered, "connected"), "left_filter", "removed")
}

// expectKinds reads messages until every kind has come, and returns the last resume token.
func expectKinds(t *testing.T, next func() (seenMessage, bool), kinds ...string) (resumeToken string) {
	t.Helper()
	missing := slices.Clone(kinds)
	for len(missing) > 0 {
		message, received := next()
		if !received {
			t.Fatalf("the stream ended before %v", missing)
		}
		resumeToken = message.token
		missing = slices.DeleteFunc(missing, func(kind string) bool { return slices.Contains(message.kinds, kind) })
	}
	return resumeToken
}

// TestA13_AViewerNeverReceivesAFullNumber searches everything that a viewer receives over every
// transport, and checks by a reader's calls that the search would find a number.
func TestA13_AViewerNeverReceivesAFullNumber(t *testing.T) {
	t.Parallel()
	for transport := range readingClients {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			found := map[string]string{}
			for _, role := range []string{"reader", "viewer"} {
				r, sim, keyOf := runForViewers(t)
				var received safeBuffer
				readEverything(t, r, sim, readingClients[transport](r, keyOf[role], &received), keyOf["writer"])
				found[role] = strings.Join(formsOfNumbers(received.String()), ", ")
				if masked := strings.Contains(received.String(), "+*******1234"); masked != (role == "viewer") {
					t.Errorf("a %s: masked numbers: %t", role, masked)
				}
			}
			if found["viewer"] != "" {
				t.Errorf("a viewer received %s", found["viewer"])
			}
			for _, number := range viewedNumbers {
				if !strings.Contains(found["reader"], number) {
					t.Errorf("a reader did not receive %s", number)
				}
			}
		})
	}
}

// formsOfNumbers returns the forms of the numbers that a text contains: with and without
// separators, plus and country code, and in base64.
func formsOfNumbers(text string) []string {
	forms := map[string]bool{}
	compact := strings.NewReplacer(" ", "", "(", "", ")", "", "-", "", ".", "").Replace(text)
	for _, number := range viewedNumbers {
		digits := strings.TrimPrefix(number, "+")
		for _, form := range []string{number, digits, "%2B" + digits, digits[len(digits)-9:]} {
			forms[form] = strings.Contains(compact, form)
		}
		for skipped := range 3 { // A text in base64 depends on the position modulo 3.
			whole := digits[skipped : skipped+(len(digits)-skipped)/3*3]
			form := base64.RawURLEncoding.EncodeToString([]byte(whole))
			forms["base64 of "+whole] = strings.Contains(text, form)
		}
	}
	maps.DeleteFunc(forms, func(_ string, found bool) bool { return !found })
	return slices.Sorted(maps.Keys(forms))
}

func TestA13_TheTokensOfAReaderAreForOtherFilters(t *testing.T) {
	t.Parallel()
	for transport := range readingClients {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			r, _, keyOf := runForViewers(t)
			var received safeBuffer
			reader := readingClients[transport](r, keyOf["reader"], new(safeBuffer))
			viewer := readingClients[transport](r, keyOf["viewer"], &received)
			stays := reader.watch(r.context(), viewedConference, "", "")
			resumeToken := expectKinds(t, stays, "snapshot")
			expectKinds(t, viewer.watch(r.context(), viewedConference, resumeToken, ""), "filter_changed")
			viewer.list(r.context(), viewedConference, 1, reader.list(r.context(), viewedConference, 1, ""))
			if !strings.Contains(received.String(), "was given for other filters") {
				t.Errorf("a reader's page token: %s", received.String())
			}
		})
	}
}

func TestA13_AStreamWithNumbersEndsWhenItsCallerBecomesAViewer(t *testing.T) {
	t.Parallel()
	r, file, _, reader := runWithKeys(t)
	end := r.streamEnds(reader)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(content), "wall reader ", "wall viewer ", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	r.endsInTime(end, outcome{codes.PermissionDenied, apierror.RoleNotGranted})
	for transport, got := range r.everyTransport("x-auth-token", reader, demoConference) {
		if got.code != codes.OK {
			t.Errorf("a call of the viewer by %s: %v", transport, got)
		}
	}
}

func TestA13_AViewerMayNotWrite(t *testing.T) {
	t.Parallel()
	r, _, keyOf := runForViewers(t)
	ctx := r.with("x-auth-token", keyOf["viewer"])
	client := r.dial(nil)
	for name, call := range map[string]func(context.Context) error{
		"add": func(ctx context.Context) error {
			_, err := client.AddParticipant(ctx, &v2.AddParticipantRequest{ConferenceId: viewedConference, PhoneNumber: viewedNumbers[2]})
			return err
		},
		"remove": func(ctx context.Context) error {
			_, err := client.RemoveParticipant(ctx, &v2.RemoveParticipantRequest{ConferenceId: viewedConference, ParticipantId: "part_a"})
			return err
		},
	} {
		if got := outcomeOf(call(ctx)); got != (outcome{codes.PermissionDenied, apierror.RoleNotGranted}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
