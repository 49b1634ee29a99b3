package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/test/watchclient"
)

// writers add and remove participants through both transports.
type writers struct {
	harness *harness

	mu      sync.Mutex
	adds    []*add
	removed map[string]string // guarded by mu; conferences by the id of the removed participant
}

// add is an Add with its own request id and phone number, and the answers to its calls.
type add struct {
	conference, phone string
	answers           []answer
	// anonymous means that it has no request id, excused that its request id may be forgotten.
	anonymous, excused bool
}

// answer is the result of one call.
type answer struct {
	code string
	// id is the participant of a success; dialled is the error's metadata.dialled.
	id, dialled string
}

// callsWithin is the deadline of a call: longer than the reconciliation of a lost Add.
const callsWithin = 25 * time.Second

// write adds and removes until ctx ends.
func (w *writers) write(ctx context.Context, rng *rand.Rand) {
	for ctx.Err() == nil {
		w.harness.mutations.RLock()
		w.step(context.WithoutCancel(ctx), rng)
		w.harness.mutations.RUnlock()
		pause(ctx, time.Duration(50+rng.IntN(300))*time.Millisecond)
	}
}

// mostDialled is the number of dialled participants in a conference above which writers
// only remove.
const mostDialled = 14

func (w *writers) step(ctx context.Context, rng *rand.Rand) {
	ctx, cancel := context.WithTimeout(ctx, callsWithin)
	defer cancel()
	conference := w.harness.conferences[rng.IntN(len(w.harness.conferences))]
	overREST := rng.IntN(2) == 0
	present := w.present(conference)
	switch choice := rng.IntN(10); {
	case choice == 0:
		w.list(ctx, conference)
	case choice == 9 && w.harness.cluster != nil && len(present) > 0:
		w.control(ctx, conference, present[rng.IntN(len(present))], rng)
	case len(present) > 2 && choice < 5 || len(present) > mostDialled:
		w.remove(ctx, conference, present[rng.IntN(len(present))], overREST)
	case choice == 8 && rng.IntN(2) == 0:
		w.addBatch(ctx, conference, rng)
	case w.harness.cluster != nil:
		w.addAtReplicas(ctx, conference, addCalls(rng.IntN(int(anyCalls))), rng)
	default:
		w.add(ctx, conference, overREST, rng.IntN(3) == 0)
	}
}

// present returns the ids of the dialled participants in a conference.
func (w *writers) present(conference string) (ids []string) {
	for _, p := range w.harness.upstream.Participants(conference) {
		if strings.HasPrefix(p.PhoneNumber, dialledNumbers) && p.Status != "disconnected" {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

const dialledNumbers = "+1202555"

func callerName(phone string) string { return "Caller " + strings.TrimPrefix(phone, dialledNumbers) }

// add adds a participant, and may call again under the same request id, at the same
// process: another one does not remember it (A2).
func (w *writers) add(ctx context.Context, conference string, overREST, again bool) {
	g, a := w.harness.gateway.Load(), w.newAdd(conference)
	first := w.call(ctx, g, a, overREST)
	if !again || ctx.Err() != nil {
		return
	}
	second := w.call(ctx, g, a, !overREST)
	if first.id != "" && second.id != first.id && !g.ending.Load() {
		w.harness.results.violatef(inconsistentMessages, "an add succeeded for %s, and with its request id %v", first.id, second)
	}
}

func (w *writers) call(ctx context.Context, g *gateway, a *add, overREST bool) answer {
	send := addOverGRPC
	if overREST {
		send = addOverREST
	}
	got := send(ctx, g, a)
	w.harness.results.call("AddParticipant", transportName(overREST)+got.code)
	if isNotFound(got.code) {
		w.harness.results.violatef(falseNotFound, "an add to %s: %s", a.conference, got.code)
	}
	w.mu.Lock()
	a.answers = append(a.answers, got)
	w.mu.Unlock()
	return got
}

// requestID is empty where the add has none.
func (a *add) requestID() string {
	if a.anonymous {
		return ""
	}
	return "add " + a.phone
}

func addOverGRPC(ctx context.Context, g *gateway, a *add) answer {
	response, err := g.client.AddParticipant(ctx, &v2.AddParticipantRequest{
		ConferenceId: a.conference, PhoneNumber: a.phone, Name: callerName(a.phone),
		Role: v2.ParticipantRole_PARTICIPANT_ROLE_LISTENER, RequestId: a.requestID(),
	})
	reason, dialled := watchclient.InfoOf(err)
	return answer{code: join(status.Code(err).String(), reason), id: response.GetParticipant().GetId(), dialled: dialled}
}

func addOverREST(ctx context.Context, g *gateway, a *add) answer {
	body := fmt.Sprintf(`{"phone_number":%q,"name":%q,"role":"listener","request_id":%q}`, a.phone, callerName(a.phone), a.requestID())
	code, text, err := g.send(ctx, http.MethodPost, pathOf(a.conference), body)
	if err != nil {
		return answer{code: "no answer"}
	}
	if code != http.StatusOK {
		reason, dialled := watchclient.InfoOf(watchclient.FailureOf(text))
		return answer{code: join(strconv.Itoa(code), reason), dialled: dialled}
	}
	var msg member
	if err := json.Unmarshal([]byte(text), &msg); err != nil {
		return answer{code: "200 undecodable"}
	}
	return answer{code: "200", id: msg.ID}
}

func (w *writers) remove(ctx context.Context, conference, id string, overREST bool) {
	g := w.harness.pick()
	w.harness.observations.leave(id)
	call := removeOverGRPC
	if overREST {
		call = removeOverREST
	}
	code, removed := call(ctx, g, conference, id)
	w.harness.results.call("RemoveParticipant", transportName(overREST)+code)
	if (removed || isNotFound(code)) && slices.Contains(w.present(conference), id) {
		w.harness.results.violatef(falseRemoved, "the removal of %s, which is present: %s", id, code)
	}
	if removed {
		w.mu.Lock()
		w.removed[id] = conference
		w.mu.Unlock()
	}
}

func removeOverGRPC(ctx context.Context, g *gateway, conference, id string) (code string, removed bool) {
	_, err := g.client.RemoveParticipant(ctx, &v2.RemoveParticipantRequest{ConferenceId: conference, ParticipantId: id})
	return join(status.Code(err).String(), watchclient.ReasonOf(err)), status.Code(err) == codes.OK
}

func removeOverREST(ctx context.Context, g *gateway, conference, id string) (code string, removed bool) {
	got, text, err := g.send(ctx, http.MethodDelete, pathOf(conference)+"/"+id, "")
	if err != nil {
		return "no answer", false
	}
	if got == http.StatusNoContent {
		return "204", true
	}
	return join(strconv.Itoa(got), watchclient.ReasonOf(watchclient.FailureOf(text))), false
}

func (w *writers) list(ctx context.Context, conference string) {
	participants, err := w.harness.list(ctx, conference)
	if err == nil {
		w.harness.observations.add(participants...)
	}
}

// requireAll records a violation for each add that was not answered as it had to be.
func (w *writers) requireAll(required func(answer) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.adds {
		for _, got := range a.answers {
			if !strings.HasPrefix(got.code, noResult) && !required(got) {
				w.harness.results.violatef(wrongAnswers, "%s on %s: %+v", callerName(a.phone), a.conference, got)
			}
		}
	}
}

func succeeded(a answer) bool { return a.id != "" }

func notDialled(a answer) bool { return a.dialled == dialledNo }

// isNotFound reports whether a call ended NOT_FOUND, at either transport.
func isNotFound(code string) bool {
	return strings.HasPrefix(code, "NotFound") || strings.HasPrefix(code, "404")
}

func pathOf(conference string) string { return "/v2/conferences/" + conference + "/participants" }

func transportName(overREST bool) string {
	if overREST {
		return "REST "
	}
	return "gRPC "
}

func join(code, reason string) string { return strings.TrimSpace(code + " " + reason) }
