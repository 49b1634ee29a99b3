package audian

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

var everyControl = []participant.Control{
	participant.ControlMute, participant.ControlUnmute, participant.ControlHold, participant.ControlResume,
	participant.ControlDisconnect,
}

// controlled is a call of each control and of mute-all, by the last segment of its path.
func controlled() map[string]func(c *Client, conference, id string) error {
	calls := map[string]func(c *Client, conference, id string) error{
		"mute-all": func(c *Client, conference, _ string) error {
			return c.MuteAll(context.Background(), conference, Pacing{})
		},
	}
	for _, control := range everyControl {
		calls[control.String()] = func(c *Client, conference, id string) error {
			_, err := c.Control(context.Background(), conference, id, control, Pacing{})
			return err
		}
	}
	return calls
}

func TestA08_ControlRequestsAreTheVendors(t *testing.T) {
	for name, call := range controlled() {
		path := "/v2/conferences/a%2Fb/participants/p%3F1/" + name
		if name == "mute-all" {
			path = "/v2/conferences/a%2Fb/mute-all"
		}
		u := always(http.StatusOK, person)
		if err := call(client(t, u), "a/b", "p?1"); err != nil {
			t.Fatal(err)
		}
		r := u.requests[0]
		if got := r.Method + " " + r.URL.String(); got != "POST https://upstream.test:8443"+path || r.body != "{}" {
			t.Errorf("%s: sent %s with %s", name, got, r.body)
		}
		if got := r.Header.Get("Content-Type"); got != "application/json" || r.Header.Get("X-Auth-Token") != "static-token-1" {
			t.Errorf("%s: headers %v", name, r.Header)
		}
	}
}

// TestA08_AnyResponseWithoutAnErrorIsSuccess also checks whether the response contains the
// participant.
func TestA08_AnyResponseWithoutAnErrorIsSuccess(t *testing.T) {
	const held = participant.FieldStatus
	for name, test := range map[string]struct {
		status int
		body   string
		fields participant.Fields
	}{
		"bare":                         {200, person, participant.AllFields},
		"created":                      {201, person, participant.AllFields},
		"wrapped":                      {200, `{"data":` + person + `,"status":"success","auth_token":"s"}`, participant.AllFields},
		"some fields":                  {200, `{"id":"part_1","status":"held"}`, held},
		"null fields":                  {200, `{"id":"part_1","status":"held","muted":null,"name":null}`, held},
		"a status named error":         {200, `{"id":"part_1","status":"error"}`, held},
		"a byte order mark":            {200, "\ufeff" + `{"id":"part_1","status":"held"}`, held},
		"fields of another type":       {200, `{"id":"part_1","status":"held","muted":"perhaps","duration":{}}`, held},
		"only the id":                  {200, `{"id":"part_1"}`, 0},
		"status of another type":       {200, `{"id":"part_1","status":7,"muted":true}`, 0},
		"another participant":          {200, strings.Replace(person, "part_1", "part_2", 1), 0},
		"another participant, wrapped": {200, `{"data":{"id":"part_2","status":"held"}}`, 0},
		"no id":                        {200, `{"status":"held","muted":true}`, 0},
		"empty id":                     {200, `{"id":"","status":"held"}`, 0},
		"null id":                      {200, `{"id":null,"status":"held"}`, 0},
		"id of another type":           {200, `{"id":7,"status":"held"}`, 0},
		"envelope":                     {200, `{"data":{},"status":"success","request_id":"req_1"}`, 0},
		"envelope without data":        {200, `{"status":"success"}`, 0},
		"envelope with text":           {200, `{"data":"ok","status":"success"}`, 0},
		"envelope with a list":         {200, `{"data":[` + person + `],"status":"success"}`, 0},
		"other JSON":                   {200, `{"muted":3}`, 0},
		"an array":                     {200, `[` + person + `]`, 0},
		"text":                         {200, `"ok"`, 0},
		"true":                         {200, `true`, 0},
		"null":                         {200, `null`, 0},
		"empty object":                 {200, `{}`, 0},
		"HTML":                         {200, `<html>`, 0},
		"cut JSON":                     {200, person[:60], 0},
		"200, empty":                   {200, ``, 0},
		"202, empty":                   {202, ``, 0},
		"204":                          {204, ``, 0},
		"205":                          {205, ``, 0},
	} {
		for _, control := range everyControl {
			item, err := client(t, always(test.status, test.body)).Control(t.Context(), "conf_1", "part_1", control, Pacing{})
			if err != nil || item.ID != "part_1" || item.ConferenceID != "conf_1" || item.Fields != test.fields {
				t.Errorf("%s: %s: got %+v, %v", name, control, item, err)
			}
			if test.fields == 0 && item.Participant != (participant.Participant{ID: "part_1", ConferenceID: "conf_1"}) {
				t.Errorf("%s: %s: got %+v", name, control, item)
			}
		}
		if err := client(t, always(test.status, test.body)).MuteAll(t.Context(), "conf_1", Pacing{}); err != nil {
			t.Errorf("%s: mute-all: %v", name, err)
		}
	}
}

func TestA08_ErrorsOfControls(t *testing.T) {
	const unavailable = apierror.UpstreamUnavailable
	for name, test := range map[string]struct {
		status            int
		body              string
		reason, ofMuteAll apierror.Reason
	}{
		"400":                {400, vendorError, apierror.UpstreamBadRequest, apierror.UpstreamBadRequest},
		"402":                {402, vendorError, apierror.PaymentRequired, apierror.PaymentRequired},
		"403":                {403, vendorError, apierror.UpstreamForbidden, apierror.UpstreamForbidden},
		"404":                {404, vendorError, apierror.ParticipantNotFound, apierror.ConferenceNotFound},
		"404 in a 200":       {200, `{"error":"404","status":"error"}`, apierror.ParticipantNotFound, apierror.ConferenceNotFound},
		"404 of a proxy":     {404, `<html>`, unavailable, unavailable},
		"404, empty":         {404, ``, unavailable, unavailable},
		"408":                {408, ``, apierror.UpstreamTimeout, apierror.UpstreamTimeout},
		"409":                {409, vendorError, apierror.UpstreamConflict, apierror.UpstreamConflict},
		"409 in a 202":       {202, `{"error":409,"status":"error"}`, apierror.UpstreamConflict, apierror.UpstreamConflict},
		"409 of a proxy":     {409, `<html>`, unavailable, unavailable},
		"429":                {429, ``, apierror.UpstreamRateLimited, apierror.UpstreamRateLimited},
		"503":                {503, ``, unavailable, unavailable},
		"error without code": {200, `{"message":"oops","status":"error"}`, unavailable, unavailable},
		"success is false":   {200, `{"success":false}`, unavailable, unavailable},
		"redirect":           {307, ``, unavailable, unavailable},
	} {
		for path, call := range controlled() {
			want := test.reason
			if path == "mute-all" {
				want = test.ofMuteAll
			}
			if e := apiError(t, call(client(t, always(test.status, test.body)), "c", "p")); e.Reason != want || e.NotSent {
				t.Errorf("%s: %s: got %s, want %s", name, path, e.Reason, want)
			}
		}
	}
}

// TestA08_ControlsRenewTheToken refuses the first token.
func TestA08_ControlsRenewTheToken(t *testing.T) {
	for path, call := range controlled() {
		u := &upstream{}
		u.answer = func(r *http.Request) (*http.Response, error) {
			switch {
			case r.Method == http.MethodPut:
				return reply(200, fmt.Sprintf(`{"auth_token":"token-%d"}`, u.count(http.MethodPut))), nil
			case u.count(http.MethodPost) == 1:
				return reply(401, vendorError), nil
			default:
				return reply(204, ``), nil
			}
		}
		err := call(client(t, u, as(APIKey("key"))), "c", "p")
		var sent []string
		for _, r := range u.requests {
			sent = append(sent, r.Method+" "+r.Header.Get("X-Auth-Token")+" "+r.body)
		}
		if err != nil || len(sent) != 4 || sent[1] != "POST token-1 {}" || sent[3] != "POST token-2 {}" {
			t.Errorf("%s: sent %q, %v", path, sent, err)
		}
	}
}

// TestA08_TheTransportSendsAControlOnce cuts a connection that was used before: net/http would
// repeat a GET.
func TestA08_TheTransportSendsAControlOnce(t *testing.T) {
	for path, call := range controlled() {
		var requests atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if requests.Add(1) > 1 {
				panic(http.ErrAbortHandler)
			}
			_, _ = w.Write([]byte(`{}`))
		}))
		transport := NewTransport()
		c := client(t, transport, at(t, server.URL))
		if err := call(c, "c", "p"); err != nil {
			t.Fatal(err)
		}
		err := call(c, "c", "p")
		if e := apiError(t, err); e.Reason != apierror.UpstreamUnavailable || e.NotSent || requests.Load() != 2 {
			t.Errorf("%s: %d requests, %v", path, requests.Load(), err)
		}
		transport.CloseIdleConnections()
		server.Close()
	}
}

// TestA08_OperationsOfControls checks the names under which metrics count the requests.
func TestA08_OperationsOfControls(t *testing.T) {
	for path, call := range controlled() {
		var results []Result
		c := client(t, always(200, `{}`), func(o *Options) { o.OnResult = func(_ context.Context, r Result) { results = append(results, r) } })
		if err := call(c, "c", "p"); err != nil {
			t.Fatal(err)
		}
		if want := Operation(strings.ReplaceAll(path, "-", "_")); len(results) != 1 || results[0].Operation != want {
			t.Errorf("%s: got %+v", path, results)
		}
	}
}

func TestA08_ControlsAreBoundedByTheirPacing(t *testing.T) {
	hanging := &upstream{answer: func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}}
	_, err := client(t, hanging).Control(t.Context(), "c", "p", participant.ControlMute, Pacing{Timeout: time.Millisecond})
	if e := apiError(t, err); e.Reason != apierror.UpstreamTimeout {
		t.Errorf("got %v", err)
	}
}
