package simulator_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// overSocket returns the client with a new connection for each request: net/http retries
// a GET itself when a reused connection breaks.
func (c *client) overSocket(s *simulator.Simulator) *client {
	c.t.Helper()
	server := httptest.NewServer(s.Handler())
	c.t.Cleanup(server.Close)
	other := *c
	other.base = server.URL
	other.http = &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: c.http.CheckRedirect,
	}
	return &other
}

// onBothTransports runs a test in memory and over a socket.
func onBothTransports(t *testing.T, o simulator.Options, test func(t *testing.T, s *simulator.Simulator, c *client)) {
	t.Helper()
	t.Run("in memory", func(t *testing.T) {
		s, c := start(t, o)
		test(t, s, c)
	})
	t.Run("over a socket", func(t *testing.T) {
		s, c := start(t, o)
		test(t, s, c.overSocket(s))
	})
}

func TestFaultsWithResponses(t *testing.T) {
	const status = simulator.FaultStatus
	tests := map[string]struct {
		fault  simulator.Fault
		status int
		body   string
		header http.Header
	}{
		"vendor": {
			simulator.Fault{Kind: status, Status: 503, RetryAfter: "7"},
			503,
			`{"data":{"message":"injected fault"},"error":"503","message":"service_unavailable","request_id":"req_00000001","status":"error"}`,
			http.Header{"Content-Type": {"application/json"}, "Retry-After": {"7"}},
		},
		"message": {
			simulator.Fault{Kind: status, Status: 402, Message: "no credit"},
			402,
			`{"data":{"message":"no credit"},"error":"402","message":"payment_required","request_id":"req_00000001","status":"error"}`, nil,
		},
		"object": {
			simulator.Fault{Kind: status, Status: 403, Body: simulator.ObjectBody},
			403,
			`{"error":{"code":"forbidden","message":"injected fault","param":"","type":"api_error"}}`, nil,
		},
		"failure": {
			simulator.Fault{Kind: status, Status: 500, Body: simulator.FailureBody},
			500,
			`{"success":false,"error":"internal_server_error","message":"injected fault","request_id":"req_00000001"}`, nil,
		},
		"html": {
			simulator.Fault{Kind: status, Status: 502, Body: simulator.HTMLBody},
			502,
			"<html><head><title>502</title></head><body><h1>injected fault</h1></body></html>\n",
			http.Header{"Content-Type": {"text/html"}},
		},
		"text":    {simulator.Fault{Kind: status, Status: 504, Body: simulator.TextBody}, 504, "injected fault", nil},
		"empty":   {simulator.Fault{Kind: status, Status: 404, Body: simulator.EmptyBody}, 404, "", nil},
		"unknown": {simulator.Fault{Kind: status, Status: 599, Body: simulator.ObjectBody}, 599, `{"error":{"code":"error_599","message":"injected fault","param":"","type":"api_error"}}`, nil},
		"envelope with a code": {
			simulator.Fault{Kind: simulator.FaultErrorEnvelope, Status: 404},
			200,
			`{"data":{"message":"injected fault"},"error":"404","message":"not_found","request_id":"req_00000001","status":"error"}`, nil,
		},
		"envelope without one": {
			simulator.Fault{Kind: simulator.FaultErrorEnvelope},
			200,
			`{"data":{"message":"injected fault"},"message":"internal_server_error","request_id":"req_00000001","status":"error"}`, nil,
		},
		"redirect": {
			simulator.Fault{Kind: simulator.FaultRedirect, Location: "http://elsewhere.invalid/v2"},
			307, "",
			http.Header{"Location": {"http://elsewhere.invalid/v2"}},
		},
		"other redirect": {simulator.Fault{Kind: simulator.FaultRedirect, Status: 302, Location: "/"}, 302, "", nil},
		"garbage":        {simulator.Fault{Kind: simulator.FaultGarbage}, 200, `{"participants": [{"id": "part_`, nil},
		"raw":            {simulator.Fault{Kind: simulator.FaultGarbage, Raw: `{"participants":{}}`}, 200, `{"participants":{}}`, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			onBothTransports(t, simulator.Options{}, func(t *testing.T, s *simulator.Simulator, c *client) {
				t.Helper()
				s.Inject(test.fault)
				got := c.want(test.status, http.MethodGet, participantsPath(conferenceID), "")
				if got.body != test.body {
					t.Errorf("got %s, want %s", got.body, test.body)
				}
				for name := range test.header {
					if got.header.Get(name) != test.header.Get(name) {
						t.Errorf("%s: got %q", name, got.header.Get(name))
					}
				}
			})
		})
	}
}

// Whether the phone is dialled, and what the client receives.
func TestFaultsOfAnAdd(t *testing.T) {
	tests := map[string]struct {
		fault  simulator.Fault
		dials  int
		status int // 0: no response
	}{
		"cut":             {simulator.Fault{Kind: simulator.FaultCut}, 0, 0},
		"lost":            {simulator.Fault{Kind: simulator.FaultLost}, 1, 0},
		"reset":           {simulator.Fault{Kind: simulator.FaultReset}, 1, 0},
		"garbage":         {simulator.Fault{Kind: simulator.FaultGarbage}, 1, 200},
		"status":          {simulator.Fault{Kind: simulator.FaultStatus, Status: 500}, 0, 500},
		"handled, status": {simulator.Fault{Kind: simulator.FaultStatus, Status: 500, Handled: true}, 1, 500},
		"handled, 200":    {simulator.Fault{Kind: simulator.FaultErrorEnvelope, Handled: true}, 1, 200},
		"list only":       {simulator.Fault{Kind: simulator.FaultPartial}, 1, 200},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			onBothTransports(t, simulator.Options{}, func(t *testing.T, s *simulator.Simulator, c *client) {
				t.Helper()
				s.Inject(test.fault)
				resp, err := c.try(http.MethodPost, participantsPath(conferenceID), `{"phone_number":"+12025550123"}`)
				switch {
				case test.status == 0 && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF):
					t.Errorf("got %v, %v", resp, err)
				case test.status != 0 && (err != nil || resp.status != test.status):
					t.Errorf("got %v, %v", resp, err)
				}
				if dials := len(s.Dials()); dials != test.dials || len(s.Participants(conferenceID)) != test.dials {
					t.Errorf("dialled %d, participants %v", dials, s.Participants(conferenceID))
				}
			})
		})
	}
}

func TestFaultReset_CutsInTheMiddleOfTheBody(t *testing.T) {
	onBothTransports(t, simulator.Options{Behaviour: simulator.Still}, func(t *testing.T, s *simulator.Simulator, c *client) {
		t.Helper()
		id := s.AddParticipant(conferenceID, simulator.Participant{}).ID
		s.Inject(simulator.Fault{Kind: simulator.FaultReset})
		got, err := c.try(http.MethodGet, participantsPath(conferenceID), "")
		if !errors.Is(err, io.ErrUnexpectedEOF) || got.status != http.StatusOK || !strings.HasPrefix(got.body, `{"participants":[`) {
			t.Errorf("got %+v, %v", got, err)
		}
		if got, err := c.try(http.MethodDelete, participantsPath(conferenceID)+"/"+id, ""); err == nil {
			t.Errorf("a remove without a body: got %+v", got)
		}
	})
}

func TestFaultPartial(t *testing.T) {
	tests := map[string]struct{ by, items int }{"one": {0, 2}, "two": {2, 1}, "more than all": {9, 0}}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, c := startWith(t, 3, simulator.Options{})
			s.Inject(simulator.Fault{Kind: simulator.FaultPartial, By: test.by, Times: 1})
			if got := c.list(); got.Total != 3 || len(got.Participants) != test.items {
				t.Errorf("got %+v", got)
			}
			if got := c.list(); len(got.Participants) != 3 {
				t.Errorf("then %+v", got)
			}
		})
	}
}

func TestFaultShift(t *testing.T) {
	tests := map[string]struct {
		by    int
		flat  string
		total int
	}{
		"one left":   {0, "part_1,part_2,part_4,part_5", 4},
		"one joined": {-1, "part_1,part_2,part_2,part_3,part_4,part_5", 6},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, c := startWith(t, 5, simulator.Options{PageSize: 2})
			s.Inject(simulator.Fault{Kind: simulator.FaultShift, By: test.by, Times: 1})
			got, totals := c.pages(func() {})
			var flat []string
			for _, page := range got {
				flat = append(flat, page...)
			}
			if strings.Join(flat, ",") != test.flat || totals[1] != test.total {
				t.Errorf("got %v, totals %v", got, totals)
			}
		})
	}
}

func TestFaultLatencyAndLate(t *testing.T) {
	tests := map[string]struct {
		kind  simulator.FaultKind
		dials int
	}{
		"before": {simulator.FaultLatency, 0},
		"after":  {simulator.FaultLate, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, c := start(t, simulator.Options{})
				s.Inject(simulator.Fault{Kind: test.kind, Latency: 3 * time.Second, Operation: simulator.Add})
				c.http.Timeout = time.Second
				began := time.Now()
				_, err := c.try(http.MethodPost, participantsPath(conferenceID), `{"phone_number":"+12025550123"}`)
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
					t.Errorf("with a time-out: %v after %v", err, time.Since(began))
				}
				if dials := len(s.Dials()); dials != test.dials {
					t.Errorf("%d dials", dials)
				}
				c.http.Timeout = 0
				began = time.Now()
				c.add(phoneNumber)
				if took := time.Since(began); took != 3*time.Second {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestFaultLatency_CombinesWithOtherFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{})
		s.Inject(simulator.Fault{Kind: simulator.FaultLatency, Latency: time.Second})
		s.Inject(simulator.Fault{Kind: simulator.FaultLatency, Latency: 2 * time.Second})
		s.Inject(simulator.Fault{Kind: simulator.FaultStatus, Status: 500, Times: 1})
		s.Inject(simulator.Fault{Kind: simulator.FaultStatus, Status: 501, Times: 1})
		began := time.Now()
		for _, status := range []int{500, 501, 200} {
			c.want(status, http.MethodGet, participantsPath(conferenceID), "")
		}
		if took := time.Since(began); took != 6*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestFaultUnusualJSON_AffectsListsAndAdds(t *testing.T) {
	onBothTransports(t, simulator.Options{Behaviour: simulator.Still}, func(t *testing.T, s *simulator.Simulator, c *client) {
		t.Helper()
		joined := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		s.AddParticipant(conferenceID, simulator.Participant{Name: "Bob \uFFFD", Status: "connected", Muted: true, JoinedAt: joined})
		s.AddParticipant(conferenceID, simulator.Participant{Name: "Ada"})
		s.Inject(simulator.Fault{Kind: simulator.FaultUnusualJSON, Times: 2})
		got := c.want(200, http.MethodGet, participantsPath(conferenceID), "")
		for _, unusual := range []string{
			"\ufeff{", `"name":"Bob \ud83d"`, `"note":"\udc00","note":{"x":1,"x":2},"id":7,"id":"part_`, `"muted":"maybe","muted":1`,
			`"muted":"false"`, `.5"`, `"joined_at":"2026-01-02t03:04:05z"`, `"total":"2"`, `"active":"1"`,
		} {
			if !strings.Contains(got.body, unusual) {
				t.Errorf("%s is not in %s", unusual, got.body)
			}
		}
		if got := c.want(200, http.MethodPost, participantsPath(conferenceID), `{"phone_number":"+12025550123"}`); !strings.Contains(got.body, `"id":7,"id":"`) {
			t.Errorf("an add: %s", got.body)
		}
		if got := c.list(); got.Total != 3 {
			t.Errorf("then %+v", got)
		}
	})
}

func TestFaultTotal(t *testing.T) {
	for by, total := range map[int]int{0: 4, 2: 5, -1: 2} {
		s, c := startWith(t, 3, simulator.Options{})
		s.Inject(simulator.Fault{Kind: simulator.FaultTotal, By: by, Times: 1})
		if got := c.list(); got.Total != total || len(got.Participants) != 3 {
			t.Errorf("by %d: got %+v", by, got)
		}
	}
}

func TestFaultNull(t *testing.T) {
	s, c := start(t, simulator.Options{})
	s.Inject(simulator.Fault{Kind: simulator.FaultNull})
	if got := c.want(200, http.MethodGet, participantsPath(conferenceID), ""); got.body != `{"participants":null,"total":0,"active":0}` {
		t.Errorf("got %s", got.body)
	}
	c.add(phoneNumber)
	if got := c.list(); len(got.Participants) != 1 {
		t.Errorf("then %+v", got)
	}
}

func TestFault_LaterPages(t *testing.T) {
	s, c := startWith(t, 3, simulator.Options{PageSize: 2})
	s.Inject(simulator.Fault{Kind: simulator.FaultStatus, Status: 503, LaterPages: true})
	for range 2 {
		first := c.page("")
		if len(first.Participants) != 2 {
			t.Errorf("got %+v", first)
		}
		c.want(503, http.MethodGet, participantsPath(conferenceID)+"?start_key="+first.NextStartKey, "")
	}
	c.add(phoneNumber)
}

func TestFaultDetached_AddsAfterTheCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start(t, simulator.Options{})
		s.Inject(simulator.Fault{Kind: simulator.FaultDetached, Operation: simulator.Add, Times: 1, Latency: 2 * time.Second})
		if _, err := c.try(http.MethodPost, participantsPath(conferenceID), `{"phone_number":"`+phoneNumber+`"}`); err == nil {
			t.Error("the add got a response")
		}
		time.Sleep(time.Second)
		if n := len(s.Dials()); n != 0 {
			t.Errorf("%d phones were dialled before the latency was over", n)
		}
		time.Sleep(2 * time.Second)
		if n := len(s.Dials()); n != 1 {
			t.Errorf("%d phones were dialled, want 1", n)
		}
	})
}
