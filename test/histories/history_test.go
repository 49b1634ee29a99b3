package histories_test

import (
	"net/http"
	"time"

	"pgregory.net/rapid"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

// history describes one upstream, one gateway, and the steps that change them.
type history struct {
	Upstream     simulator.Options
	HistoryLimit int
	Linger       time.Duration
	// Watching is how many clients watch from the start.
	Watching int
	// Failing is how many lists fail before the first that is read.
	Failing int
	// Surplus is by how many the upstream's total is too large, Null whether an empty list
	// is null, and UnexpectedFields whether fields have unexpected values (W7).
	Surplus                int
	Null, UnexpectedFields bool
	// Neighbours is the number of other watched conferences of the account. Most of their
	// lists fail (W10).
	Neighbours int
	Steps      []step
}

// step is one operation after a pause. The kind decides what A, B and C mean.
type step struct {
	Pause   time.Duration
	Kind    kind
	A, B, C int
}

type kind string

// The kinds of step.
const (
	join             kind = "join"              // A participant joins, but not through the gateway.
	setStatus        kind = "set status"        // A participant's call gets another status.
	leave            kind = "leave"             // A participant leaves.
	add              kind = "add"               // A client adds.
	retryAdd         kind = "retry add"         // A client repeats its last add under its request id.
	batchAdd         kind = "batch add"         // A client adds several with one call.
	resumeBatch      kind = "resume batch"      // A client goes on with its last batch.
	remove           kind = "remove"            // A client removes.
	control          kind = "control"           // A client mutes, unmutes, holds, resumes or disconnects somebody.
	toggle           kind = "toggle"            // A client sends two or three controls of one field within a second.
	muteAll          kind = "mute all"          // A client mutes everybody.
	open             kind = "open"              // A client opens a stream, or resumes one.
	closeStream      kind = "close stream"      // A client closes its stream.
	stall            kind = "stall"             // A client reads nothing for a while.
	injectFault      kind = "inject fault"      // The upstream fails.
	sendPlaceholder  kind = "send placeholder"  // The upstream's lists contain no array for some time.
	deleteConference kind = "delete conference" // The conference is deleted.
)

// kindWeights contains each kind as often as its weight.
var kindWeights = []kind{
	join, join, setStatus, setStatus, setStatus, setStatus, leave, leave,
	add, add, add, add, retryAdd, batchAdd, resumeBatch, resumeBatch, remove, remove, remove,
	control, control, control, control, toggle, toggle, muteAll,
	open, open, open, closeStream, stall, stall, injectFault, injectFault, injectFault, sendPlaceholder, deleteConference,
}

var historyGenerator = rapid.Custom(func(rt *rapid.T) history {
	return history{
		Upstream:         upstreams.Draw(rt, "upstream"),
		HistoryLimit:     rapid.SampledFrom([]int{2, 4, 4096}).Draw(rt, "history limit"),
		Linger:           time.Duration(rapid.SampledFrom([]int{2, 30}).Draw(rt, "linger")) * time.Second,
		Watching:         rapid.IntRange(0, clients).Draw(rt, "watching"),
		Failing:          rapid.SampledFrom([]int{0, 0, 0, 0, 4}).Draw(rt, "failing"),
		Surplus:          rapid.SampledFrom([]int{0, 0, 0, 0, 0, 1, 2}).Draw(rt, "surplus"),
		Null:             rapid.Bool().Draw(rt, "null"),
		UnexpectedFields: rapid.Bool().Draw(rt, "unexpected fields"),
		Neighbours:       rapid.SampledFrom([]int{0, 0, 0, 3}).Draw(rt, "neighbours"),
		Steps:            rapid.SliceOfN(anyStep, 4, 40).Draw(rt, "steps"),
	}
})

var upstreams = rapid.Custom(func(rt *rapid.T) simulator.Options {
	return simulator.Options{
		Seed:               rapid.Uint64Range(0, 1000).Draw(rt, "seed"),
		TimeScale:          3,
		Behaviour:          simulator.Steady,
		MaxParticipants:    rapid.SampledFrom([]int{100, 100, 5}).Draw(rt, "most"),
		Envelope:           rapid.Bool().Draw(rt, "envelope"),
		PageSize:           rapid.SampledFrom([]int{0, 2, 3}).Draw(rt, "page size"),
		NewestFirst:        rapid.Bool().Draw(rt, "newest first"),
		ListLag:            seconds.Draw(rt, "lag"),
		LingerDisconnected: seconds.Draw(rt, "linger"),
		RemoveTwice:        rapid.Bool().Draw(rt, "remove twice"),
		RequestTokens:      rapid.SampledFrom([]int{0, 0, 100}).Draw(rt, "tokens"),
		NoAdminAPI:         true,
	}
})

var seconds = rapid.Custom(func(rt *rapid.T) time.Duration {
	return time.Duration(rapid.SampledFrom([]int{0, 0, 2500, 4900}).Draw(rt, "ms")) * time.Millisecond
})

var anyStep = rapid.Custom(func(rt *rapid.T) step {
	small := rapid.IntRange(0, 11)
	return step{
		Pause: time.Duration(rapid.SampledFrom([]int{0, 0, 50, 300, 900, 1700, 4000, 7000}).Draw(rt, "pause")) * time.Millisecond,
		Kind:  rapid.SampledFrom(kindWeights).Draw(rt, "kind"),
		A:     small.Draw(rt, "a"), B: small.Draw(rt, "b"), C: small.Draw(rt, "c"),
	}
})

// statuses are the statuses of calls. The vendor does not document the last.
var statuses = []string{"pending", "dialing", "connected", "held", "disconnected", "rejected", "whispering"}

// filters are the filters of the clients.
var filters = []*v2.WatchParticipantsRequest{
	{},
	{Statuses: []v2.ParticipantStatus{v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED}},
	{Statuses: []v2.ParticipantStatus{
		v2.ParticipantStatus_PARTICIPANT_STATUS_DIALING, v2.ParticipantStatus_PARTICIPANT_STATUS_PENDING,
	}},
	{Roles: []v2.ParticipantRole{v2.ParticipantRole_PARTICIPANT_ROLE_PRESENTER}},
	{ParticipantIds: []string{"p0", "p1"}},
}

// faults are the faults of each operation. FaultShift is not among them: two in a row may
// hide the same participant twice, and then no reader of lists could know that they stayed.
var faults = map[simulator.Operation][]simulator.Fault{
	simulator.List: {
		{Kind: simulator.FaultStatus, Status: http.StatusServiceUnavailable, Body: simulator.HTMLBody},
		{Kind: simulator.FaultStatus, Status: http.StatusInternalServerError},
		{Kind: simulator.FaultStatus, Status: http.StatusNotFound},
		{Kind: simulator.FaultStatus, Status: http.StatusNotFound, Body: simulator.HTMLBody},
		{Kind: simulator.FaultStatus, Status: http.StatusForbidden},
		{Kind: simulator.FaultStatus, Status: http.StatusUnauthorized},
		{Kind: simulator.FaultStatus, Status: http.StatusTooManyRequests, RetryAfter: "2"},
		{Kind: simulator.FaultErrorEnvelope},
		{Kind: simulator.FaultCut},
		{Kind: simulator.FaultReset},
		{Kind: simulator.FaultGarbage},
		{Kind: simulator.FaultPartial},
		{Kind: simulator.FaultPartial},
		{Kind: simulator.FaultStatus, Status: http.StatusBadGateway, Body: simulator.HTMLBody, Skip: 1}, // A later page.
		{Kind: simulator.FaultCut, Skip: 1},
		{Kind: simulator.FaultLatency, Latency: 700 * time.Millisecond},
		{Kind: simulator.FaultLatency, Latency: 3 * time.Second},
		{Kind: simulator.FaultLatency, Latency: 6 * time.Second},
	},
	simulator.Add: {
		{Kind: simulator.FaultLost},
		{Kind: simulator.FaultLost},
		{Kind: simulator.FaultGarbage},
		{Kind: simulator.FaultCut},
		{Kind: simulator.FaultLate, Latency: 1500 * time.Millisecond},
		{Kind: simulator.FaultLate, Latency: 4 * time.Second},
		{Kind: simulator.FaultLate, Latency: 7 * time.Second},
		{Kind: simulator.FaultLatency, Latency: 2 * time.Second},
		{Kind: simulator.FaultStatus, Status: http.StatusBadGateway, Body: simulator.TextBody, Handled: true},
		{Kind: simulator.FaultStatus, Status: http.StatusTooManyRequests, RetryAfter: "1"},
		{Kind: simulator.FaultStatus, Status: http.StatusConflict},
	},
	simulator.Remove: {
		{Kind: simulator.FaultLost},
		{Kind: simulator.FaultLate, Latency: 1500 * time.Millisecond},
		{Kind: simulator.FaultStatus, Status: http.StatusServiceUnavailable, Handled: true},
		{Kind: simulator.FaultStatus, Status: http.StatusServiceUnavailable},
	},
	simulator.Control: {
		{Kind: simulator.FaultLost},
		{Kind: simulator.FaultLost},
		{Kind: simulator.FaultLate, Latency: 1500 * time.Millisecond},
		{Kind: simulator.FaultLate, Latency: 7 * time.Second},
		{Kind: simulator.FaultLatency, Latency: 700 * time.Millisecond},
		{Kind: simulator.FaultLatency, Latency: 3 * time.Second},
		{Kind: simulator.FaultStatus, Status: http.StatusServiceUnavailable, Handled: true},
		{Kind: simulator.FaultStatus, Status: http.StatusServiceUnavailable},
		{Kind: simulator.FaultStatus, Status: http.StatusConflict},
	},
}

// faultyOperations contains each operation as often as its weight.
var faultyOperations = []simulator.Operation{
	simulator.List, simulator.List, simulator.List, simulator.Add, simulator.Add, simulator.Remove, simulator.Control, simulator.Control,
}
