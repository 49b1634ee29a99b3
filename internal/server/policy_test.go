package server_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access/keys"
	"github.com/audian/participant-gateway/internal/access/oidc/oidctest"
)

const (
	homeNumber    = "+12025551234"
	foreignNumber = "+442079460000"
	// dialledAbroad is a national form of a foreign number in the region US.
	dialledAbroad = "011442079460001"
)

var (
	notAllowed = addOutcome{code: codes.PermissionDenied, reason: "NUMBER_NOT_ALLOWED", dialled: "no"}
	overLimit  = addOutcome{code: codes.ResourceExhausted, reason: "DAILY_LIMIT", dialled: "no"}
)

// withinOneDay waits for the next UTC day if this one ends soon: a test counts adds of one day.
func withinOneDay(t *testing.T) {
	t.Helper()
	now := time.Now().UTC()
	if rest := now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now); rest < time.Minute {
		<-time.After(rest)
	}
}

// phones is an upstream that accepts every add.
type phones struct {
	mu   sync.Mutex
	rang []string
}

func (p *phones) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		var add struct {
			PhoneNumber string `json:"phone_number"`
		}
		_ = json.NewDecoder(r.Body).Decode(&add)
		p.mu.Lock()
		p.rang = append(p.rang, add.PhoneNumber)
		p.mu.Unlock()
	}
	accepting(w, r)
}

// count returns how many phones rang, and how many of them abroad.
func (p *phones) count() (rang, abroad int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, number := range p.rang {
		if !strings.HasPrefix(number, "+1") {
			abroad++
		}
	}
	return len(p.rang), abroad
}

// addKeyWith adds a writer's key with a calling policy; a limit of 0 is none.
func addKeyWith(t *testing.T, file, name string, limit int, prefixes ...string) string {
	t.Helper()
	entry, err := keys.NewEntry(name, "writer", nil)
	if err != nil {
		t.Fatal(err)
	}
	var perDay *int
	if limit > 0 {
		perDay = &limit
	}
	if entry, err = entry.WithCalling(prefixes, perDay); err != nil {
		t.Fatal(err)
	}
	key, err := keys.Add(file, entry)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// steal makes a thief's adds with a key, all at once and over every transport: at home and abroad,
// in several forms, and with request ids that are repeated.
func steal(r *running, key string) (outcomes []addOutcome) {
	var mu sync.Mutex
	var adding sync.WaitGroup
	for way, add := range addBy() {
		for _, call := range []addCall{
			{number: homeNumber},
			{number: foreignNumber},
			{number: dialledAbroad},
			{number: homeNumber, requestID: "id of " + way},
			{number: homeNumber, requestID: "id of " + way},
		} {
			call.conference, call.headers = "conf_1", []string{"x-auth-token", key}
			adding.Go(func() {
				got := add(r, call)
				mu.Lock()
				defer mu.Unlock()
				outcomes = append(outcomes, got)
			})
		}
	}
	adding.Wait()
	return outcomes
}

// TestA14_AStolenKeysWorstDay counts the phones that ring for a thief, without limits and with each
// limit, of its key and of everybody. docs/security.md cites it.
func TestA14_AStolenKeysWorstDay(t *testing.T) {
	t.Parallel()
	transports := len(addBy())
	for name, test := range map[string]struct {
		limit    int
		prefixes []string
		flags    []string
		// rings is how many phones ring; abroad is the most of them that ring abroad.
		rings, abroad int
		refusals      []addOutcome
	}{
		"no limit":                 {rings: 4 * transports, abroad: 2 * transports},
		"adds per day, key":        {limit: 5, rings: 5, abroad: 5, refusals: []addOutcome{overLimit}},
		"adds per day, everybody":  {flags: []string{"--adds-per-day=5"}, rings: 5, abroad: 5, refusals: []addOutcome{overLimit}},
		"adds per day, both":       {limit: 5, flags: []string{"--adds-per-day=9"}, rings: 5, abroad: 5, refusals: []addOutcome{overLimit}},
		"prefix, key":              {prefixes: []string{"+1"}, rings: 2 * transports, refusals: []addOutcome{notAllowed}},
		"prefix, everybody":        {flags: []string{"--allow-prefix=+1"}, rings: 2 * transports, refusals: []addOutcome{notAllowed}},
		"prefixes that share none": {prefixes: []string{"+1"}, flags: []string{"--allow-prefix=+44"}, refusals: []addOutcome{notAllowed}},
		"both":                     {limit: 5, prefixes: []string{"+1"}, rings: 5, refusals: []addOutcome{notAllowed, overLimit}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withinOneDay(t)
			file, upstream := filepath.Join(t.TempDir(), "keys"), &phones{}
			stolen := addKeyWith(t, file, "desk", test.limit, test.prefixes...)
			flags := []string{"--auth=keys", "--auth-keys-file=" + file, token, "--default-region=US", upstreamOf(t, upstream.serve)}
			r := runArgs(t, append(flags, test.flags...)...)
			for _, got := range steal(r, stolen) {
				got.replayed = false // Calls with one request id at the same time have one outcome.
				if got.code != codes.OK && !slices.Contains(test.refusals, got) {
					t.Errorf("got %+v", got)
				}
			}
			if rang, abroad := upstream.count(); rang != test.rings || abroad > test.abroad {
				t.Errorf("%d phones rang, %d abroad, want %d, and %d at most", rang, abroad, test.rings, test.abroad)
			}
		})
	}
}

// What is refused has its RetryInfo, metric and line in the audit log. Other callers go on.
func TestA14_ARefusalOverEveryTransport(t *testing.T) {
	t.Parallel()
	withinOneDay(t)
	folder := t.TempDir()
	file, audit := filepath.Join(folder, "keys"), filepath.Join(folder, "audit")
	desk, other := addKeyWith(t, file, "desk", 1, "+1"), addKeyWith(t, file, "sales", 0)
	upstream := &phones{}
	r := runArgs(t, "--auth=keys", "--auth-keys-file="+file, "--audit-log="+audit, token, upstreamOf(t, upstream.serve))
	call := addCall{conference: "conf_1", number: homeNumber, headers: []string{"x-auth-token", desk, "x-request-id", "req"}}
	if got := addByGRPC(r, call); got != (addOutcome{}) {
		t.Fatalf("the first add: %+v", got)
	}
	abroad := call
	abroad.number = foreignNumber
	for way, add := range addBy() {
		for _, test := range []struct {
			call addCall
			want addOutcome
			line auditLine
		}{
			{abroad, notAllowed, auditLine{PhoneNumber: "0000", Outcome: "PERMISSION_DENIED", Reason: "NUMBER_NOT_ALLOWED"}},
			{call, overLimit, auditLine{PhoneNumber: "1234", Outcome: "RESOURCE_EXHAUSTED", Reason: "DAILY_LIMIT"}},
		} {
			line := r.lineOf(audit, func() {
				if got := add(r, test.call); got != test.want {
					t.Errorf("over %s: got %+v, want %+v", way, got, test.want)
				}
			})
			test.line.Caller, test.line.Call, test.line.ConferenceID, test.line.Dialled = "desk", "AddParticipant", "conf_1", "no"
			line.PhoneNumber = line.PhoneNumber[len(line.PhoneNumber)-4:]
			if line != test.line {
				t.Errorf("over %s: the line %+v, want %+v", way, line, test.line)
			}
		}
	}
	_, err := r.dial(nil).AddParticipant(r.with("x-auth-token", desk), &v2.AddParticipantRequest{ConferenceId: "conf_1", PhoneNumber: homeNumber})
	rest := time.Until(time.Now().UTC().Truncate(24 * time.Hour).Add(24 * time.Hour))
	if info := refused(t, err, codes.ResourceExhausted, "DAILY_LIMIT"); (info.GetRetryDelay().AsDuration() - rest).Abs() > waitLimit {
		t.Errorf("RetryInfo %v, want %v", info.GetRetryDelay().AsDuration(), rest)
	}
	call.headers = []string{"x-auth-token", other}
	if got := addByREST(r, call); got != (addOutcome{}) {
		t.Errorf("another caller: %+v", got)
	}
	for _, reason := range []string{"NUMBER_NOT_ALLOWED", "DAILY_LIMIT"} {
		if metric := r.metric(`gateway_refused_total{reason="` + reason + `"}`); metric == "" || strings.HasSuffix(metric, " 0") {
			t.Errorf("the metric %q", metric)
		}
	}
	if rang, _ := upstream.count(); rang != 2 {
		t.Errorf("%d phones rang", rang)
	}
}

func TestA14_RESTSaysWhenTheNextDayBegins(t *testing.T) {
	t.Parallel()
	withinOneDay(t)
	r := run(t, "--adds-per-day=1")
	if got := addByREST(r, addCall{conference: demoConference, number: homeNumber}); got != (addOutcome{}) {
		t.Fatalf("the first add: %+v", got)
	}
	response, err := r.browser(nil).Post(r.url(""), "application/json", strings.NewReader(`{"phone_number":"`+homeNumber+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if response.StatusCode != http.StatusTooManyRequests || err != nil || seconds < 1 || seconds > 24*60*60 {
		t.Errorf("status %d, Retry-After %d, %v", response.StatusCode, seconds, err)
	}
}

func TestA14_ValidateOnlyAppliesThePolicyAndDoesNotCount(t *testing.T) {
	t.Parallel()
	withinOneDay(t)
	upstream := &phones{}
	r := runArgs(t, "--adds-per-day=2", "--allow-prefix=+1", token, upstreamOf(t, upstream.serve))
	client := r.dial(nil)
	validate := func(number string) error {
		_, err := client.AddParticipant(r.context(), &v2.AddParticipantRequest{ConferenceId: "conf_1", PhoneNumber: number, ValidateOnly: true})
		return err
	}
	for range 5 {
		if err := validate(homeNumber); err != nil {
			t.Error(err)
		}
		refused(t, validate(foreignNumber), codes.PermissionDenied, "NUMBER_NOT_ALLOWED")
	}
	for range 2 {
		if got := addByGRPC(r, addCall{conference: "conf_1", number: homeNumber}); got != (addOutcome{}) {
			t.Errorf("got %+v", got)
		}
	}
	refused(t, validate(homeNumber), codes.ResourceExhausted, "DAILY_LIMIT")
	if rang, _ := upstream.count(); rang != 2 {
		t.Errorf("%d phones rang", rang)
	}
}

// TestA14_EachCallerHasItsOwnCount also lets the upstream refuse, which counts for nobody.
func TestA14_EachCallerHasItsOwnCount(t *testing.T) {
	t.Parallel()
	withinOneDay(t)
	issuer := oidctest.New()
	t.Cleanup(issuer.Close)
	subject := func(name string) string { return issuer.Token(oidctest.Claims{"sub": name, "role": "writer"}) }
	for name, test := range map[string]struct {
		flags       []string
		credentials []string
		distinct    bool
	}{
		"passthrough": {[]string{"--auth=passthrough"}, []string{"token-of-ada-secret", "token-of-bob-secret"}, true},
		"oidc":        {[]string{"--auth=oidc", "--oidc-issuer=" + issuer.URL(), "--oidc-audience=" + oidctest.Audience, token}, []string{subject("ada"), subject("bob")}, true},
		"none":        {[]string{token}, []string{"ignored-1", "ignored-2"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upstream := &phones{}
			answer := func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "conf_full") {
					refusing("409", http.StatusConflict)(w, r)
					return
				}
				upstream.serve(w, r)
			}
			r := runArgs(t, append(test.flags, "--adds-per-day=1", upstreamOf(t, answer))...)
			for i, credential := range test.credentials {
				call := addCall{conference: "conf_full", number: homeNumber, headers: []string{"x-auth-token", credential}}
				if got := addByGRPC(r, call); i == 0 && got.reason != "UPSTREAM_CONFLICT" {
					t.Errorf("refused upstream: %+v", got)
				}
				call.conference = "conf_1"
				want := addOutcome{}
				if i > 0 && !test.distinct {
					want = overLimit
				}
				if got := addByGRPC(r, call); got != want {
					t.Errorf("caller %d: got %+v, want %+v", i, got, want)
				}
				if got := addByREST(r, call); got != overLimit {
					t.Errorf("caller %d again: got %+v", i, got)
				}
				if strings.Contains(r.log.String(), credential) {
					t.Error("the log contains a credential")
				}
			}
		})
	}
}

func TestA14_ADisabledKeyIsLoggedAndRefusedAlone(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "keys")
	desk, sales := addKey(t, file, "desk", "writer"), addKey(t, file, "sales", "writer")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(content), "\nsales ", " colour=blue\nsales ", 1)
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, "--auth=keys", "--auth-keys-file="+file)
	for key, want := range map[string]addOutcome{
		desk: {code: codes.Unauthenticated, reason: "CREDENTIAL_INVALID", dialled: "no"}, sales: {},
	} {
		if got := addByREST(r, addCall{conference: demoConference, number: homeNumber, headers: []string{"x-auth-token", key}}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if log := r.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "caller=desk") {
		t.Errorf("the log is\n%s", log)
	}
}
