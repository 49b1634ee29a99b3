package watch_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/watch"
)

func TestW04_HistoryExpiresWithoutNewEntries(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		c := h.watch(watch.Request{})
		defer c.subscription.Close()
		c.expect("initial a(dialing)")
		before := c.token
		h.Set("a", connected)
		c.expect("a(dialing>connected)")
		h.advance(11 * time.Minute)
		late := h.watch(watch.Request{ResumeToken: before})
		defer late.subscription.Close()
		late.expect("expired a(connected)")
	})
}

func TestW04_ResumeReplaysExactlyTheMissedChanges(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", dialing)
		c := h.watch(watch.Request{})
		c.expect("initial a(dialing)")
		h.Set("b", dialing)
		c.expect("+b(dialing)")
		c.subscription.Close()

		h.Set("a", connected)
		h.advance(1100 * time.Millisecond)
		h.Set("b", connected)
		h.advance(1100 * time.Millisecond)
		h.Remove("a")
		h.advance(6 * time.Second)

		again := h.watch(watch.Request{ResumeToken: c.token})
		defer again.subscription.Close()
		again.held = c.held
		again.expect("a(dialing>connected)")
		again.expect("b(dialing>connected)")
		again.expect("-a(connected>connected)")
		again.expect("fresh") // The heartbeat: nothing else is missed.
	})
}

func TestW04_ResumeWithoutMissedChangesSendsAFreshCheckpoint(t *testing.T) {
	run(t, history, func(h *harness) {
		h.Set("a", connected)
		filter := only(connected)
		c := h.watch(watch.Request{Filter: filter})
		c.expect("initial a(connected)")
		c.subscription.Close()
		h.Set("b", dialing) // Not visible.
		h.advance(6 * time.Second)

		again := h.watch(watch.Request{Filter: filter, ResumeToken: c.token})
		defer again.subscription.Close()
		again.held = c.held
		start := time.Now()
		again.expect("fresh")
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
		if again.token == c.token {
			t.Error("the token should be past the change that the filter hides")
		}
	})
}

func TestW04_OtherTokensGiveOneSnapshot(t *testing.T) {
	run(t, 2, func(h *harness) {
		h.Set("a", dialing)
		c := h.watch(watch.Request{})
		defer c.subscription.Close()
		c.expect("initial a(dialing)")
		fallenOff := c.token
		flips := []participant.Status{connected, held, connected, held}
		for _, status := range flips {
			h.Set("a", status)
			if _, err := c.next(); err != nil {
				t.Fatal(err)
			}
		}
		other := h.watch(watch.Request{Conference: "other"})
		defer other.subscription.Close()
		other.expect("initial a(held)")

		tokens := map[string]struct {
			token  string
			filter participant.Filter
			want   string
		}{
			"fallen off":                  {token: fallenOff, want: "expired a(held)"},
			"other conference":            {token: other.token, want: "expired a(held)"},
			"other format version":        {token: "pgw2.anything", want: "expired a(held)"},
			"unknown epoch":               {token: corrupt(c.token, 0), want: "expired a(held)"},
			"ahead of the log":            {token: corrupt(c.token, 32), want: "expired a(held)"},
			"other filter":                {token: c.token, filter: only(held), want: "refiltered a(held)"},
			"fallen off and other filter": {token: fallenOff, filter: only(held), want: "expired a(held)"},
		}
		for name, test := range tokens {
			t.Run(name, func(t *testing.T) {
				again := h.watch(watch.Request{ResumeToken: test.token, Filter: test.filter})
				defer again.subscription.Close()
				again.expect(test.want)
			})
		}
	})
}

// corrupt changes one byte of a token's content: the epoch starts at 0, the sequence
// number at 32.
func corrupt(token string, at int) string {
	prefix, encoded, _ := strings.Cut(token, ".")
	body, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		panic(err)
	}
	body[at] ^= 0x40
	return prefix + "." + base64.RawURLEncoding.EncodeToString(body)
}

func TestW04_InvalidTokensAreRefused(t *testing.T) {
	run(t, history, func(h *harness) {
		c := h.watch(watch.Request{})
		c.expect("initial")
		c.subscription.Close()
		for _, text := range []string{"x", "pgw", "pgw1", "pgw.", "pgwx.AAAA", "pgw1.", "pgw1.!!!!", c.token[:20], c.token + "!", "PGW1.AAAA"} {
			_, err := h.watcher.Subscribe(t.Context(), watch.Request{Account: h.Upstream, Conference: "conf", ResumeToken: text})
			if apierror.ReasonOf(err) != apierror.InvalidResumeToken {
				t.Errorf("%q: got %v", text, err)
			}
		}
	})
}

func FuzzToken(f *testing.F) {
	f.Add("pgw1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABY29uZg")
	f.Add("pgw2.x")
	f.Add("nonsense")
	f.Fuzz(func(t *testing.T, text string) {
		run(t, history, func(h *harness) {
			subscription, err := h.watcher.Subscribe(t.Context(), watch.Request{Account: h.Upstream, Conference: "conf", ResumeToken: text, Heartbeat: time.Minute})
			if err != nil {
				if apierror.ReasonOf(err) != apierror.InvalidResumeToken {
					t.Errorf("%q: %v", text, err)
				}
				return
			}
			defer subscription.Close()
			message, err := subscription.Next(h.t.Context())
			if err != nil || message.Snapshot == nil {
				t.Errorf("%q: got %v, %v, want a snapshot", text, message, err)
			}
		})
	})
}
