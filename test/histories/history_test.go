package histories_test

import (
	"net/http"
	"time"

	"pgregory.net/rapid"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

// history is one upstream, one gateway, and what befalls them.
type history struct {
	Upstream simulator.Options
	Kept     int
	Linger   time.Duration
	// Watching is how many clients watch from the start.
	Watching int
	// Failing is how many lists fail before the first that is read.
	Failing int
	// Surplus is how many more than there are the upstream counts, Null whether an empty
	// list is null, and Odd whether fields are written oddly (W7).
	Surplus   int
	Null, Odd bool
	// Neighbours is how many conferences of the account are watched whose lists mostly fail
	// (W10).
	Neighbours int
	Steps      []step
}

// step is one thing that happens after a pause. What A, B and C mean is the kind's.
type step struct {
	Pause   time.Duration
	Kind    kind
	A, B, C int
}

type kind string

// The kinds of step.
const (
	join    kind = "join"    // Somebody is let in who did not come through the gateway.
	turn    kind = "turn"    // Somebody's call takes another status.
	vanish  kind = "vanish"  // Somebody is gone without a word.
	add     kind = "add"     // A client adds.
	again   kind = "again"   // A client repeats its last add under its request id.
	remove  kind = "remove"  // A client removes.
	open    kind = "open"    // A client opens a stream, or comes back to one.
	hangUp  kind = "hang up" // A client closes its stream.
	stall   kind = "stall"   // A client reads nothing for a while.
	strike  kind = "strike"  // The upstream fails.
	blank   kind = "blank"   // The upstream's lists hold no array for a while.
	destroy kind = "destroy" // The conference is deleted.
)

// often says how likely each kind is.
var often = []kind{
	join, join, turn, turn, turn, turn, vanish, vanish,
	add, add, add, add, again, remove, remove, remove,
	open, open, open, hangUp, stall, stall, strike, strike, strike, blank, destroy,
}

var anyHistory = rapid.Custom(func(rt *rapid.T) history {
	return history{
		Upstream:   upstreams.Draw(rt, "upstream"),
		Kept:       rapid.SampledFrom([]int{2, 4, 4096}).Draw(rt, "kept"),
		Linger:     time.Duration(rapid.SampledFrom([]int{2, 30}).Draw(rt, "linger")) * time.Second,
		Watching:   rapid.IntRange(0, clients).Draw(rt, "watching"),
		Failing:    rapid.SampledFrom([]int{0, 0, 0, 0, 4}).Draw(rt, "failing"),
		Surplus:    rapid.SampledFrom([]int{0, 0, 0, 0, 0, 1, 2}).Draw(rt, "surplus"),
		Null:       rapid.Bool().Draw(rt, "null"),
		Odd:        rapid.Bool().Draw(rt, "odd"),
		Neighbours: rapid.SampledFrom([]int{0, 0, 0, 3}).Draw(rt, "neighbours"),
		Steps:      rapid.SliceOfN(anyStep, 4, 40).Draw(rt, "steps"),
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
		Kind:  rapid.SampledFrom(often).Draw(rt, "kind"),
		A:     small.Draw(rt, "a"), B: small.Draw(rt, "b"), C: small.Draw(rt, "c"),
	}
})

// words are the statuses that calls take; the last is none that the vendor documents.
var words = []string{"pending", "dialing", "connected", "held", "disconnected", "rejected", "whispering"}

// filters are what clients ask to see.
var filters = []*v2.WatchParticipantsRequest{
	{},
	{Statuses: []v2.ParticipantStatus{v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED}},
	{Statuses: []v2.ParticipantStatus{
		v2.ParticipantStatus_PARTICIPANT_STATUS_DIALING, v2.ParticipantStatus_PARTICIPANT_STATUS_PENDING,
	}},
	{Roles: []v2.ParticipantRole{v2.ParticipantRole_PARTICIPANT_ROLE_PRESENTER}},
	{ParticipantIds: []string{"p0", "p1"}},
}

// faults are what the upstream does wrong, by what was asked of it. A shift is not among
// them: two in a row may hide the same person twice, which no reader of lists could tell
// from leaving.
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
}

// struck says how likely each operation is to be at fault.
var struck = []simulator.Operation{
	simulator.List, simulator.List, simulator.List, simulator.Add, simulator.Add, simulator.Remove,
}
