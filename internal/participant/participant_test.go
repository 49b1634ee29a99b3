package participant_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/requestctx"
)

func TestA04_ValidID(t *testing.T) {
	valid := []string{
		"a", "part_xyz789", "A-Z.a~z@0_9", "...", strings.Repeat("x", 128), strings.Repeat("ä", 128), "call:1", "a b", "a%2Fb", "a?b", "a#b",
	}
	for _, id := range valid {
		if !participant.ValidID(id) {
			t.Errorf("%q should be valid", id)
		}
	}
	invalid := []string{"", ".", "..", "a/b", `a\b`, "a\n", "\x7f", "a\u0085", "\xff", strings.Repeat("x", 129), strings.Repeat("ä", 129)}
	for _, id := range invalid {
		if participant.ValidID(id) {
			t.Errorf("%q should not be valid", id)
		}
	}
}

func TestW17_FilterFieldsMeanAllAndValuesAny(t *testing.T) {
	ada := participant.Participant{ID: "a", Role: participant.RolePresenter, Status: participant.StatusHeld}
	tests := map[string]struct {
		filter participant.Filter
		want   bool
	}{
		"none":          {participant.Filter{}, true},
		"any status":    {participant.NewFilter([]participant.Status{"connected", "held"}, nil, nil), true},
		"other status":  {participant.NewFilter([]participant.Status{"connected"}, nil, nil), false},
		"all fields":    {participant.NewFilter([]participant.Status{"held"}, []participant.Role{"presenter"}, []string{"b", "a"}), true},
		"one field off": {participant.NewFilter([]participant.Status{"held"}, []participant.Role{"listener"}, []string{"a"}), false},
	}
	for name, test := range tests {
		if got := test.filter.Match(ada); got != test.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestFilter_HashIsOfTheMeaning(t *testing.T) {
	same := []participant.Filter{
		participant.NewFilter([]participant.Status{"held", "connected"}, nil, []string{"b", "a"}),
		participant.NewFilter([]participant.Status{"connected", "held", "held"}, []participant.Role{}, []string{"a", "b", "a"}),
	}
	if same[0].Hash() != same[1].Hash() {
		t.Error("filters that mean the same have other hashes")
	}
	others := []participant.Filter{
		{},
		participant.NewFilter(nil, nil, []string{"ab", "c"}),
		participant.NewFilter(nil, nil, []string{"a", "bc"}),
		participant.NewFilter([]participant.Status{"x"}, nil, nil),
		participant.NewFilter(nil, []participant.Role{"x"}, nil),
		participant.NewFilter(nil, nil, []string{"x"}),
	}
	seen := map[participant.FilterHash]int{}
	for i, filter := range others {
		if other, met := seen[filter.Hash()]; met {
			t.Errorf("filters %d and %d have one hash", other, i)
		}
		seen[filter.Hash()] = i
	}
}

func TestW08_ItemTellsOnlyWhatItTells(t *testing.T) {
	known := participant.Participant{
		ID: "a", ConferenceID: "c", PhoneNumber: "+1", Name: "Ada", Role: "listener", Status: "connected",
		Muted: true, Duration: 5, JoinedAt: time.Unix(1, 0), CreatedAt: time.Unix(2, 0),
	}
	nothing := participant.Item{Participant: participant.Participant{ID: "a", ConferenceID: "c"}}
	if got := nothing.Over(known); got != known {
		t.Errorf("an item that tells nothing changed %+v to %+v", known, got)
	}
	everything := participant.Item{Participant: participant.Participant{ID: "a", ConferenceID: "c"}, Told: participant.AllFields}
	if got := everything.Over(known); got != everything.Participant {
		t.Errorf("an item that tells all left %+v", got)
	}
}

func TestChanged_NamesTheFieldsThatAreNews(t *testing.T) {
	base := participant.Participant{ID: "a", CreatedAt: time.Unix(1, 0)}
	tests := map[participant.Fields]func(*participant.Participant){
		participant.FieldPhoneNumber: func(p *participant.Participant) { p.PhoneNumber = "+1" },
		participant.FieldName:        func(p *participant.Participant) { p.Name = "Ada" },
		participant.FieldRole:        func(p *participant.Participant) { p.Role = "listener" },
		participant.FieldStatus:      func(p *participant.Participant) { p.Status = "held" },
		participant.FieldMuted:       func(p *participant.Participant) { p.Muted = true },
		participant.FieldJoinedAt:    func(p *participant.Participant) { p.JoinedAt = time.Unix(2, 0) },
		participant.FieldCreatedAt:   func(p *participant.Participant) { p.CreatedAt = time.Unix(2, 0) },
	}
	for want, set := range tests {
		after := base
		set(&after)
		if got := participant.Changed(base, after); got != want {
			t.Errorf("got %b, want %b", got, want)
		}
	}
	ticking := base
	ticking.Duration++
	if participant.Changed(base, ticking) != 0 {
		t.Error("duration is no news (W9)")
	}
	if participant.Changed(participant.Participant{ID: "a"}, base) != 0 {
		t.Error("a first created_at is no news (W8)")
	}
}

func TestW07_CompleteIsNotSmallerThanTotal(t *testing.T) {
	two := 2
	tests := map[string]struct {
		list participant.List
		want bool
	}{
		"no total":       {participant.List{Read: 1}, true},
		"total read":     {participant.List{Read: 2, Total: &two}, true},
		"more than told": {participant.List{Read: 3, Total: &two}, true},
		"less than told": {participant.List{Read: 1, Total: &two}, false},
	}
	for name, test := range tests {
		if got := test.list.Complete(); got != test.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestReasonOf_FindsTheReasonInAChain(t *testing.T) {
	cause := errors.New("connection refused")
	err := fmt.Errorf("list: %w", &apierror.Error{Reason: apierror.UpstreamUnreachable, Message: "no answer", Cause: cause})
	if got := apierror.ReasonOf(err); got != apierror.UpstreamUnreachable {
		t.Errorf("got %s", got)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause should be in the chain")
	}
	if got := apierror.ReasonOf(cause); got != apierror.Internal {
		t.Errorf("an error without a reason: got %s", got)
	}
}

func TestContext_CarriesIDs(t *testing.T) {
	ctx, upstream := requestctx.WithUpstreamRequest(requestctx.WithTraceparent(
		requestctx.WithRequestID(t.Context(), "r1"), "00-a-b-01"))
	requestctx.SetUpstreamRequestID(ctx, "req_1")
	requestctx.SetUpstreamRequestID(ctx, "")
	requestctx.SetUpstreamRequestID(t.Context(), "nowhere")
	if requestctx.RequestID(ctx) != "r1" || requestctx.Traceparent(ctx) != "00-a-b-01" || upstream.ID() != "req_1" {
		t.Errorf("got %q, %q, %q", requestctx.RequestID(ctx), requestctx.Traceparent(ctx), upstream.ID())
	}
	if requestctx.RequestID(t.Context()) != "" || requestctx.Traceparent(t.Context()) != "" {
		t.Error("an empty context has ids")
	}
}
