package participant_test

import (
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
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

func TestW17_FilterMatchesAnyValueOfEveryField(t *testing.T) {
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

func TestFilter_EqualFiltersHaveEqualHashes(t *testing.T) {
	same := []participant.Filter{
		participant.NewFilter([]participant.Status{"held", "connected"}, nil, []string{"b", "a"}),
		participant.NewFilter([]participant.Status{"connected", "held", "held"}, []participant.Role{}, []string{"a", "b", "a"}),
	}
	if same[0].Hash() != same[1].Hash() {
		t.Error("equal filters have different hashes")
	}
	others := []participant.Filter{
		{},
		participant.NewFilter(nil, nil, []string{"ab", "c"}),
		participant.NewFilter(nil, nil, []string{"a", "bc"}),
		participant.NewFilter([]participant.Status{"x"}, nil, nil),
		participant.NewFilter(nil, []participant.Role{"x"}, nil),
		participant.NewFilter(nil, nil, []string{"x"}),
		{MaskNumbers: true},
		{IDs: []string{"x"}, MaskNumbers: true},
		{Statuses: []participant.Status{"x"}, MaskNumbers: true},
		{IDs: []string{"m"}},
	}
	seen := map[participant.FilterHash]int{}
	for i, filter := range others {
		if other, met := seen[filter.Hash()]; met {
			t.Errorf("filters %d and %d have one hash", other, i)
		}
		seen[filter.Hash()] = i
	}
}

func TestW08_ItemReplacesOnlyTheFieldsItContains(t *testing.T) {
	known := participant.Participant{
		ID: "a", ConferenceID: "c", PhoneNumber: "+1", Name: "Ada", Role: "listener", Status: "connected",
		Muted: true, Duration: 5, JoinedAt: time.Unix(1, 0), CreatedAt: time.Unix(2, 0),
	}
	empty := participant.Item{Participant: participant.Participant{ID: "a", ConferenceID: "c"}}
	if got := empty.ApplyTo(known); got != known {
		t.Errorf("an item without fields changed %+v to %+v", known, got)
	}
	full := participant.Item{Participant: participant.Participant{ID: "a", ConferenceID: "c"}, Fields: participant.AllFields}
	if got := full.ApplyTo(known); got != full.Participant {
		t.Errorf("an item with all fields gave %+v", got)
	}
}

func TestChanged_ReturnsTheFieldsThatMakeAnEvent(t *testing.T) {
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
		t.Error("a changed duration makes no event (W9)")
	}
	if participant.Changed(participant.Participant{ID: "a"}, base) != 0 {
		t.Error("a first created_at makes no event (W8)")
	}
}

func TestW07_CompleteListHasAsManyItemsAsTheTotal(t *testing.T) {
	two := 2
	tests := map[string]struct {
		list participant.List
		want bool
	}{
		"no total":             {participant.List{Read: 1}, true},
		"the total":            {participant.List{Read: 2, Total: &two}, true},
		"more than the total":  {participant.List{Read: 3, Total: &two}, true},
		"fewer than the total": {participant.List{Read: 1, Total: &two}, false},
	}
	for name, test := range tests {
		if got := test.list.Complete(); got != test.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestA13_AFilterMayMaskNumbers(t *testing.T) {
	ada := participant.Participant{ID: "12025551234", PhoneNumber: "+12025551234", Name: "Ada 202-555-1234", Status: "held"}
	if got := (participant.Filter{}).Show(ada); got != ada {
		t.Errorf("without a mask: got %+v", got)
	}
	want := ada
	want.PhoneNumber, want.Name = "+*******1234", "Ada ***-***-1234"
	if got := (participant.Filter{MaskNumbers: true}).Show(ada); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if (participant.Filter{}).Hash() != participant.NewFilter(nil, nil, nil).Hash() {
		t.Error("the hash of the filter without a mask has changed")
	}
}
