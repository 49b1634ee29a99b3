package watch_test

import (
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

func TestW17_FilterOnSeveralFields(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", connected)
		filter := participant.NewFilter([]participant.Status{connected}, []participant.Role{""}, []string{"a", "b"})
		c := h.watch(watch.Request{Filter: filter})
		defer c.subscription.Close()
		c.expect("initial a(connected)")
		h.SetRole("a", participant.RolePresenter)
		c.expect("~a(connected>connected)")
		h.SetRole("a", "")
		c.expect("+a(connected>connected)")
		h.Set("c", connected) // Not among the ids.
		h.Set("a", held)
		c.expect("~a(connected>held)")
	})
}

func TestW14_EqualFiltersShareTheirMessages(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		first := h.watch(watch.Request{Filter: participant.NewFilter([]participant.Status{dialing, connected}, nil, nil)})
		defer first.subscription.Close()
		second := h.watch(watch.Request{Filter: participant.NewFilter([]participant.Status{connected, dialing, dialing}, nil, nil)})
		defer second.subscription.Close()
		for range 3 {
			a, errA := first.next()
			b, errB := second.next()
			if errA != nil || errB != nil || a != b {
				t.Fatalf("not the same message: %p, %p (%v, %v)", a, b, errA, errB)
			}
			h.Set("a", connected)
		}
	})
}

// TestW14_ManyResumesEncodeEachBatchOnce lets 300 clients resume 484 batches one after
// the other, so that each reads the oldest batch after the client before has read the newest.
func TestW14_ManyResumesEncodeEachBatchOnce(t *testing.T) {
	run(t, history, func(h *harness) {
		const batches, clients = 484, 300
		h.Set("a", dialing)
		keeper := h.watch(watch.Request{Heartbeat: time.Minute})
		defer keeper.subscription.Close()
		keeper.expect("initial a(dialing)")
		start := keeper.token
		keeper.flip(h, batches)
		type form struct {
			token  string
			format watch.Format
		}
		encoded := map[form]int{}
		for range clients {
			c := h.watch(watch.Request{ResumeToken: start, Heartbeat: time.Minute})
			for range batches {
				m, err := c.subscription.Next(t.Context())
				if err != nil || m.Changes == nil {
					t.Fatalf("got %v, %v, want changes", m, err)
				}
				for _, format := range []watch.Format{watch.Proto, watch.SSE} {
					if _, err := m.Encoding(format, func(m *watch.Message) ([]byte, error) {
						encoded[form{m.Token, format}]++
						return make([]byte, 1000), nil
					}); err != nil {
						t.Fatal(err)
					}
				}
			}
			c.subscription.Close()
		}
		if len(encoded) != 2*batches {
			t.Errorf("%d encodings, want %d", len(encoded), 2*batches)
		}
		for _, times := range encoded {
			if times != 1 {
				t.Fatalf("a batch was encoded %d times", times)
			}
		}
	})
}

func TestW14_ClientsThatResumeTogetherShareMessages(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		first := h.watch(watch.Request{})
		first.expect("initial a(dialing)")
		first.subscription.Close()
		keeper := h.watch(watch.Request{})
		defer keeper.subscription.Close()
		for i := range 100 { // More than live clients need.
			h.Set("a", []participant.Status{"ringing", dialing}[i%2])
			h.advance(1500 * time.Millisecond)
		}
		again, too := h.watch(watch.Request{ResumeToken: first.token}), h.watch(watch.Request{ResumeToken: first.token})
		defer again.subscription.Close()
		defer too.subscription.Close()
		again.held, too.held = map[string]participant.Participant{"a": {}}, map[string]participant.Participant{"a": {}}
		for range 90 {
			a, errA := again.next()
			b, errB := too.next()
			if errA != nil || errB != nil || a != b {
				t.Fatalf("not the same message: %p, %p (%v, %v)", a, b, errA, errB)
			}
		}
	})
}

func TestW17_ChangesAcrossTheFilter(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		h.Set("b", connected)
		c := h.watch(watch.Request{Filter: only(connected, held)})
		defer c.subscription.Close()
		c.expect("initial b(connected)")
		h.Set("a", connected)
		c.expect("+a(dialing>connected)")
		h.Set("a", held)
		c.expect("a(connected>held)")
		h.Set("a", disconnected)
		c.expect("~a(held>disconnected)")
		h.Remove("a") // Not held by this client.
		h.Remove("b")
		c.expect("-b(connected>connected)")
	})
}

func TestW17_FilteredIDsNeedNotExistYet(t *testing.T) {
	run(t, history, func(h *harness) {
		c := h.watch(watch.Request{Filter: participant.NewFilter(nil, nil, []string{"later"})})
		defer c.subscription.Close()
		c.expect("initial")
		h.Set("other", dialing)
		h.Set("later", dialing)
		c.expect("+later(dialing)")
	})
}
