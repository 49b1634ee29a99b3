package simulator_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

func TestAddsPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{})
		const body = `{"phone_number":"+12025550123"}`
		for range 5 {
			c.add(phoneNumber)
		}
		time.Sleep(500 * time.Millisecond)
		for range 5 {
			c.add(phoneNumber)
		}
		resp := c.want(http.StatusTooManyRequests, http.MethodPost, participantsPath(conferenceID), body)
		if resp.header.Get("Retry-After") != "1" || !strings.Contains(resp.body, `"message":"too_many_requests"`) {
			t.Errorf("got %v %s", resp.header, resp.body)
		}
		c.list()
		c.with("X-Auth-Token", "another account").add(phoneNumber)
		time.Sleep(500 * time.Millisecond)
		for range 5 {
			c.add(phoneNumber)
		}
		c.want(http.StatusTooManyRequests, http.MethodPost, participantsPath(conferenceID), body)
		if dials := len(s.Dials()); dials != 16 {
			t.Errorf("%d dials", dials)
		}
	})
}

func TestAddsPerSecond_NoLimit(t *testing.T) {
	_, c := start(t, simulator.Options{AddsPerSecond: -1})
	for range 50 {
		c.add(phoneNumber)
	}
}

func TestAddsPerSecond_TokensOfAKeyShareTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := start(t, simulator.Options{APIKeys: []string{"key"}, AddsPerSecond: 1})
		c.with("X-Auth-Token", exchange(c)).add(phoneNumber)
		c.with("X-Auth-Token", exchange(c)).want(http.StatusTooManyRequests, http.MethodPost, participantsPath(conferenceID), `{"phone_number":"+12025550123"}`)
	})
}

func TestRequestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := start(t, simulator.Options{RequestTokens: 3, Envelope: true})
		remaining := func(status int) int {
			t.Helper()
			resp := c.want(status, http.MethodGet, participantsPath(conferenceID), "")
			return decode[struct {
				Tokens struct {
					Remaining int `json:"remaining"`
				} `json:"tokens"`
			}](t, resp.body).Tokens.Remaining
		}
		steps := []struct {
			wait      time.Duration
			status    int
			remaining int
		}{
			{0, http.StatusOK, 2},
			{0, http.StatusOK, 1},
			{0, http.StatusOK, 0},
			{0, http.StatusTooManyRequests, 0},
			{100 * time.Millisecond, http.StatusOK, 0},
			{time.Hour, http.StatusOK, 2},
		}
		for i, step := range steps {
			time.Sleep(step.wait)
			if got := remaining(step.status); got != step.remaining {
				t.Errorf("step %d: %d remain, want %d", i, got, step.remaining)
			}
		}
	})
}

func TestRequestTokens_TokenExchangeTakesOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := start(t, simulator.Options{APIKeys: []string{"key"}, RequestTokens: 1})
		token := exchange(c)
		c.with("X-Auth-Token", token).want(http.StatusTooManyRequests, http.MethodGet, participantsPath(conferenceID), "")
		c.want(http.StatusTooManyRequests, http.MethodPut, "/v2/api_auth", `{"data":{"api_key":"key"}}`)
	})
}
