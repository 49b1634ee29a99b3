package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// writers add and remove, through both doors.
type writers struct {
	world *world

	mu      sync.Mutex
	adds    []*add
	removed map[string]string // guarded by mu; conferences by the id of who was removed
}

// add is an add under a request id, by a phone number of its own, and what its calls were answered.
type add struct {
	conference, phone string
	answers           []answer
}

// answer is what one call came to.
type answer struct {
	code string
	// id is whom a success tells of; dialled is what an error says of the phone.
	id, dialled string
}

// callsWithin is how long writers wait for an answer: longer than it takes to find out
// what became of a lost one.
const callsWithin = 25 * time.Second

// write adds and removes until ctx ends.
func (w *writers) write(ctx context.Context, chance *rand.Rand) {
	for ctx.Err() == nil {
		w.world.quiet.RLock()
		w.act(context.WithoutCancel(ctx), chance)
		w.world.quiet.RUnlock()
		pause(ctx, time.Duration(50+chance.IntN(300))*time.Millisecond)
	}
}

// mostDialled is how many who were dialled a conference has before some are removed.
const mostDialled = 14

func (w *writers) act(ctx context.Context, chance *rand.Rand) {
	ctx, cancel := context.WithTimeout(ctx, callsWithin)
	defer cancel()
	conference := rooms[chance.IntN(len(rooms))]
	overREST := chance.IntN(2) == 0
	here := w.here(conference)
	switch chosen := chance.IntN(10); {
	case chosen == 0:
		w.list(ctx, conference)
	case len(here) > 2 && chosen < 5 || len(here) > mostDialled:
		w.remove(ctx, conference, here[chance.IntN(len(here))], overREST)
	default:
		w.add(ctx, conference, overREST, chance.IntN(3) == 0)
	}
}

// here are those in a conference who were dialled.
func (w *writers) here(conference string) (ids []string) {
	for _, p := range w.world.vendor.Truth(conference) {
		if strings.HasPrefix(p.PhoneNumber, dialledNumbers) && p.Status != "disconnected" {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

const dialledNumbers = "+1202555"

func callerName(phone string) string { return "Caller " + strings.TrimPrefix(phone, dialledNumbers) }

// add dials somebody, and may ask again under the same request id. Only the process
// that was asked first remembers it (A2), so that nobody else is.
func (w *writers) add(ctx context.Context, conference string, overREST, again bool) {
	g := w.world.gateway.Load()
	w.mu.Lock()
	a := &add{conference: conference, phone: fmt.Sprintf("%s%04d", dialledNumbers, len(w.adds))}
	w.adds = append(w.adds, a)
	w.mu.Unlock()
	first := w.ask(ctx, g, a, overREST)
	if !again || ctx.Err() != nil {
		return
	}
	second := w.ask(ctx, g, a, !overREST)
	if first.id != "" && second.id != first.id && !g.ending.Load() {
		w.world.tally.brokenf(misfits, "an add succeeded for %s, and under its request id again with %v", first.id, second)
	}
}

func (w *writers) ask(ctx context.Context, g *gateway, a *add, overREST bool) answer {
	call := addOverGRPC
	if overREST {
		call = addOverREST
	}
	got := call(ctx, g, a)
	w.world.tally.call("AddParticipant", doorName(overREST)+got.code)
	w.mu.Lock()
	a.answers = append(a.answers, got)
	w.mu.Unlock()
	return got
}

func addOverGRPC(ctx context.Context, g *gateway, a *add) answer {
	response, err := g.client.AddParticipant(ctx, &v2.AddParticipantRequest{
		ConferenceId: a.conference, PhoneNumber: a.phone, Name: callerName(a.phone),
		Role: v2.ParticipantRole_PARTICIPANT_ROLE_LISTENER, RequestId: "add " + a.phone,
	})
	reason, dialled := infoOf(err)
	return answer{code: join(status.Code(err).String(), reason), id: response.GetParticipant().GetId(), dialled: dialled}
}

func addOverREST(ctx context.Context, g *gateway, a *add) answer {
	body := fmt.Sprintf(`{"phone_number":%q,"name":%q,"role":"listener","request_id":"add %s"}`, a.phone, callerName(a.phone), a.phone)
	code, text, err := g.send(ctx, http.MethodPost, pathOf(a.conference), body)
	if err != nil {
		return answer{code: "no answer"}
	}
	if code != http.StatusOK {
		reason, dialled := infoOf(failureOf(text))
		return answer{code: join(strconv.Itoa(code), reason), dialled: dialled}
	}
	var told human
	if err := json.Unmarshal([]byte(text), &told); err != nil {
		return answer{code: "200 undecodable"}
	}
	return answer{code: "200", id: told.ID}
}

func (w *writers) remove(ctx context.Context, conference, id string, overREST bool) {
	g := w.world.gateway.Load()
	w.world.sightings.leave(id)
	call := removeOverGRPC
	if overREST {
		call = removeOverREST
	}
	code, removed := call(ctx, g, conference, id)
	w.world.tally.call("RemoveParticipant", doorName(overREST)+code)
	if removed {
		w.mu.Lock()
		w.removed[id] = conference
		w.mu.Unlock()
	}
}

func removeOverGRPC(ctx context.Context, g *gateway, conference, id string) (code string, removed bool) {
	_, err := g.client.RemoveParticipant(ctx, &v2.RemoveParticipantRequest{ConferenceId: conference, ParticipantId: id})
	return join(status.Code(err).String(), reasonOf(err)), status.Code(err) == codes.OK
}

func removeOverREST(ctx context.Context, g *gateway, conference, id string) (code string, removed bool) {
	got, text, err := g.send(ctx, http.MethodDelete, pathOf(conference)+"/"+id, "")
	if err != nil {
		return "no answer", false
	}
	if got == http.StatusNoContent {
		return "204", true
	}
	return join(strconv.Itoa(got), reasonOf(failureOf(text))), false
}

func (w *writers) list(ctx context.Context, conference string) {
	people, err := w.world.list(ctx, conference)
	if err == nil {
		w.world.sightings.add(people...)
	}
}

func pathOf(conference string) string { return "/v2/conferences/" + conference + "/participants" }

func doorName(overREST bool) string {
	if overREST {
		return "REST "
	}
	return "gRPC "
}

func join(code, reason string) string { return strings.TrimSpace(code + " " + reason) }
