package admin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

const own, other, mapped = "127.0.0.1:5000", "192.0.2.7:5000", "[::ffff:127.0.0.1]:5000"

// port is an admin port with one overview.
func port(o Overview, state Readiness) (*http.ServeMux, *Level) {
	mux, level := http.NewServeMux(), NewLevel(slog.New(slog.DiscardHandler), &slog.LevelVar{})
	Register(mux, Options{
		Overview:  func(context.Context, string) Overview { return o },
		EndStream: func(_ context.Context, id string) bool { return id == "s-1" },
		Readiness: func() Readiness { return state }, Level: level,
	})
	return mux, level
}

func ask(t *testing.T, to http.Handler, remote, method, target, accept string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody)
	request.RemoteAddr = remote
	request.Header.Set("Accept", accept)
	recorder := httptest.NewRecorder()
	to.ServeHTTP(recorder, request)
	return recorder
}

func TestOtherMachinesGetOnlyTheReadiness(t *testing.T) {
	mux, _ := port(Overview{}, Readiness{})
	for _, test := range []struct {
		remote, method, target string
		want                   int
	}{
		{own, "GET", "/conferences", 200},
		{mapped, "GET", "/conferences", 200},
		{"[::1]:5000", "GET", "/conferences", 200},
		{other, "GET", "/conferences", 403},
		{other, "GET", "/loglevel", 403},
		{other, "PUT", "/loglevel?level=debug", 403},
		{other, "POST", "/streams/s-1/end", 403},
		{own, "POST", "/streams/s-1/end", 204},
		{own, "POST", "/streams/s-2/end", 404},
		{"", "POST", "/streams/s-1/end", 403},
		{other, "GET", "/readyz", 200},
	} {
		if got := ask(t, mux, test.remote, test.method, test.target, "*/*"); got.Code != test.want {
			t.Errorf("%s %s from %q: %d, want %d", test.method, test.target, test.remote, got.Code, test.want)
		}
	}
}

func TestReadyz(t *testing.T) {
	reasons := []Reason{{Code: Draining, Message: "the gateway is shutting down"}}
	warnings := []Reason{{Code: KeysFileUnusable, Message: "it is not JSON"}}
	for _, test := range []struct {
		name         string
		state        Readiness
		target       string
		accept, want string
		status       int
	}{
		{"ready", Readiness{}, "/readyz", "*/*", "ready\n", 200},
		{"a warning", Readiness{Warnings: warnings}, "/readyz", "", "ready\nwarning: keys_file_unusable: it is not JSON\n", 200},
		{"not ready", Readiness{Reasons: reasons}, "/readyz", "", "not ready: draining: the gateway is shutting down\n", 503},
		{"JSON", Readiness{}, "/readyz?format=json", "", `{"ready":true,"reasons":[],"warnings":[]}`, 200},
		{
			"JSON by Accept",
			Readiness{Reasons: reasons},
			"/readyz", "application/json",
			`{"ready":false,"reasons":[{"code":"draining","message":"the gateway is shutting down"}],"warnings":[]}`, 503,
		},
	} {
		mux, _ := port(Overview{}, test.state)
		if got := ask(t, mux, other, http.MethodGet, test.target, test.accept); got.Code != test.status || got.Body.String() != test.want {
			t.Errorf("%s: %d %q", test.name, got.Code, got.Body)
		}
	}
}

// full has values in every field that callers choose.
func full() Overview {
	const name = `<script>alert("x")</script>`
	position, age := uint64(7), Seconds(61)
	return Overview{
		Time: time.Now(), Replica: "REPLICA",
		Conferences: []Conference{{
			ID: name, Participants: 3, Active: 2, Subscribers: 1, SingleFilters: 4,
			Filters:  []Filter{{IDs: []string{name}, MaskNumbers: true, Statuses: []participant.Status{"held"}, Subscribers: 1}},
			LastList: List{Began: time.Now(), Took: 0.25, Result: "UPSTREAM_TIMEOUT"},
			Age:      &age, Stale: true, StaleReason: "UPSTREAM_TIMEOUT", PolledBy: "OTHER", Bytes: 3 << 20,
		}},
		Streams: []Stream{{
			ID: "s-1", Caller: name, Address: name, RequestID: name, Transport: "sse",
			Watches: []Watch{{Conference: name, Position: &position, Behind: 5}, {Conference: "conf_new"}},
		}},
	}
}

func TestThePageShowsAllAndRunsNothing(t *testing.T) {
	mux, _ := port(full(), Readiness{})
	got := ask(t, mux, own, http.MethodGet, "/conferences", "text/html")
	body := got.Body.String()
	for _, want := range []string{
		"3 (2)", "status held; id ", "masked numbers (1)", "4 on one participant", "UPSTREAM_TIMEOUT, 250ms", "1m1s old", "replica OTHER",
		"3.0 MiB", ": 7, 5, everybody", "conf_new</bdi>: no snapshot yet", `action="/streams/s-1/end"`, "<option selected>info</option>",
		"Replica REPLICA", "</html>",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body, "<script") || strings.Contains(body, "ZgotmplZ") {
		t.Errorf("the page has text as HTML:\n%s", body)
	}
	if found := regexp.MustCompile(`(src|href|action)="(https?:)?//`).FindString(body); found != "" {
		t.Errorf("the page loads %s", found)
	}
	_, rest, _ := strings.Cut(body, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	policy := got.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Errorf("the policy is %s", policy)
	}
	if cache := got.Header().Get("Cache-Control"); cache != "no-store" {
		t.Errorf("Cache-Control: %q", cache)
	}
}

func TestAnAnswerIsBounded(t *testing.T) {
	var o Overview
	for i := range maxRows + 1 {
		o.Conferences = append(o.Conferences, Conference{ID: fmt.Sprintf("conf_%04d", maxRows-i)})
		o.Streams = append(o.Streams, Stream{ID: fmt.Sprint(i), Watches: []Watch{{Behind: uint64(i)}, {}}})
	}
	o.limit()
	if len(o.Conferences) != maxRows || o.ConferenceCount != maxRows+1 || o.Conferences[0].ID != "conf_0000" {
		t.Errorf("%d of %d conferences, from %s", len(o.Conferences), o.ConferenceCount, o.Conferences[0].ID)
	}
	if len(o.Streams) != maxRows/2 || o.StreamCount != maxRows+1 || o.Streams[0].behind() != maxRows {
		t.Errorf("%d of %d streams, from one %d behind", len(o.Streams), o.StreamCount, o.Streams[0].behind())
	}
}

func TestTheLogLevelReturnsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mux, level := port(Overview{}, Readiness{})
		set := func(query string, status int) {
			t.Helper()
			if got := ask(t, mux, own, http.MethodPut, "/loglevel?"+query, ""); got.Code != status {
				t.Fatalf("%s: %d %s", query, got.Code, got.Body)
			}
		}
		is := func(want string) {
			t.Helper()
			synctest.Wait()
			if state := level.State(); state.Level != want || state.Configured != "info" || state.Until.IsZero() != (want == "info") {
				t.Fatalf("the level is %+v, want %s", state, want)
			}
		}
		set("level=debug", 200)
		time.Sleep(defaultLasting - time.Second)
		is("debug")
		time.Sleep(2 * time.Second)
		is("info")

		set("level=error&for=1m", 200)
		time.Sleep(30 * time.Second)
		set("level=debug&for=1h", 200)
		time.Sleep(time.Minute)
		is("debug") // The first change no longer counts.
		set("level=info", 200)
		is("info")
		set("level=warn&for=1m", 200)
		time.Sleep(59 * time.Minute)
		is("info")

		for _, query := range []string{"", "level=loud", "level=debug&for=1", "level=debug&for=0s", "level=debug&for=25h"} {
			set(query, 400)
		}
		is("info")
	})
}

func TestFormatOfConferences(t *testing.T) {
	mux, _ := port(Overview{}, Readiness{})
	for _, test := range []struct{ target, accept, want string }{
		{"/conferences", "*/*", "application/json"},
		{"/conferences", "text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"},
		{"/conferences?format=html", "*/*", "text/html; charset=utf-8"},
		{"/conferences?format=json", "text/html", "application/json"},
	} {
		if got := ask(t, mux, own, http.MethodGet, test.target, test.accept); got.Code != 200 || got.Header().Get("Content-Type") != test.want {
			t.Errorf("%s with %s: %d %s", test.target, test.accept, got.Code, got.Header().Get("Content-Type"))
		}
	}
	if got := ask(t, mux, own, http.MethodGet, "/conferences?format=xml", ""); got.Code != http.StatusBadRequest {
		t.Errorf("another format: %d", got.Code)
	}
}
