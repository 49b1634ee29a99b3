package watch_test

import (
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

var masked = participant.Filter{MaskNumbers: true}

func TestA13_EqualFiltersWithAMaskShareTheirMessages(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		viewers := []*client{h.watch(watch.Request{Filter: masked}), h.watch(watch.Request{Filter: masked})}
		reader := h.watch(watch.Request{})
		for _, hasParticipants := range []bool{true, false, true} {
			first, errFirst := viewers[0].next()
			second, errSecond := viewers[1].next()
			if errFirst != nil || first != second || first.MaskNumbers != hasParticipants {
				t.Fatalf("not the same masked message: %+v, %+v (%v, %v)", first, second, errFirst, errSecond)
			}
			if m, err := reader.next(); err != nil || m == first || m.MaskNumbers {
				t.Fatalf("a reader got %+v, %v", m, err)
			}
			if !hasParticipants {
				h.Set("a", connected)
			}
		}
		for _, c := range append(viewers, reader) {
			c.subscription.Close()
		}
	})
}

func TestA13_TheTokenOfAnotherRoleGivesASnapshot(t *testing.T) {
	for name, test := range map[string]struct{ before, after participant.Filter }{
		"a reader's token":          {participant.Filter{}, masked},
		"a viewer's token":          {masked, participant.Filter{}},
		"a reader's, with a filter": {only(dialing), participant.Filter{Statuses: only(dialing).Statuses, MaskNumbers: true}},
	} {
		run(t, history, func(h *harness) {
			h.Set("a", dialing)
			first := h.watch(watch.Request{Filter: test.before})
			first.expect("initial a(dialing)")
			first.subscription.Close()
			h.Set("b", dialing)
			other := h.watch(watch.Request{Filter: test.after, ResumeToken: first.token})
			m, err := other.next()
			if err != nil || m.Snapshot == nil || m.Snapshot.Reason != watch.FilterChanged || m.MaskNumbers != test.after.MaskNumbers {
				t.Fatalf("%s: got %+v, %v", name, m, err)
			}
			other.subscription.Close()
			again := h.watch(watch.Request{Filter: test.after, ResumeToken: other.token})
			defer again.subscription.Close()
			again.held = other.held
			h.Set("a", disconnected)
			for m = nil; m == nil || m.Changes == nil; { // The feed may have read b late.
				if m, err = again.next(); err != nil || m.Snapshot != nil {
					t.Fatalf("%s: a resume with the same mask: got %+v, %v", name, m, err)
				}
			}
			if m.MaskNumbers != test.after.MaskNumbers {
				t.Errorf("%s: a resume shows %+v", name, m)
			}
		})
	}
}

func TestA13_AFilterWithAMaskCounts(t *testing.T) {
	run(t, history, func(h *harness) {
		var clients []*client
		for n := range 63 {
			clients = append(clients, h.watch(watch.Request{Filter: pair(n)}))
		}
		both := pair(0)
		both.MaskNumbers = true
		clients = append(clients, h.watch(watch.Request{Filter: both}), h.watch(watch.Request{Filter: both}))
		other := pair(1)
		other.MaskNumbers = true
		h.refused(watch.Request{Conference: "conf", Filter: other}, apierror.TooManyFilters)
		for _, c := range clients {
			c.subscription.Close()
		}
	})
}

// The rendering cache counts masked messages as it counts others.
func TestA13_MaskedMessagesAreBounded(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		c := h.watch(watch.Request{Filter: masked, Heartbeat: time.Minute})
		defer c.subscription.Close()
		m, err := c.next()
		if err != nil {
			t.Fatal(err)
		}
		_, before, _ := h.watcher.Cached()
		const size = 1000
		if _, err := m.Encoding(watch.Proto, func(*watch.Message) ([]byte, error) { return make([]byte, size), nil }); err != nil {
			t.Fatal(err)
		}
		if _, counted, summed := h.watcher.Cached(); counted != before+size || summed != counted {
			t.Errorf("%d bytes counted, %d kept, %d before", counted, summed, before)
		}
	})
}
