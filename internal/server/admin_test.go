package server_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/simulator"
)

// overview is what the tests need of the JSON of /conferences.
type overview struct {
	Replica         string
	ConferenceCount int `json:"conference_count"`
	Conferences     []shownConference
	StreamCount     int `json:"stream_count"`
	Streams         []shownStream
}

type shownConference struct {
	ID           string `json:"conference_id"`
	Participants int
	Subscribers  int
	Filters      []shownFilter
	LastList     struct {
		Began  time.Time
		Took   float64 `json:"took_seconds"`
		Result string
	} `json:"last_list"`
	PollInterval float64 `json:"poll_interval_seconds"`
	Age          float64 `json:"age_seconds"`
	Stale        bool
	StaleReason  string `json:"stale_reason"`
	PolledHere   bool   `json:"polled_here"`
	PolledBy     string `json:"polled_by"`
	Bytes        int
}

type shownFilter struct{ Statuses []string }

type shownStream struct {
	ID, Caller, Transport, Address string
	RequestID                      string `json:"request_id"`
	Watches                        []struct {
		Conference string `json:"conference_id"`
		Filter     shownFilter
		Position   *int
		Behind     int
	}
}

// reading reports whether the stream has got its first snapshot.
func (s shownStream) reading() bool { return len(s.Watches) == 1 && s.Watches[0].Position != nil }

func (r *running) admin(path string) string { return "http://" + r.AdminAddr() + path }

// ask sends a request without a body, with headers, each "Name: value", and follows no redirect.
func (r *running) ask(method, target string, headers ...string) (code int, header http.Header, body string) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.context(), method, target, http.NoBody)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, one := range headers {
		name, value, _ := strings.Cut(one, ": ")
		request.Header.Set(name, value)
	}
	client := r.browser(nil)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(read)
}

// overview reads /conferences as JSON.
func (r *running) overview() (o overview) {
	r.t.Helper()
	code, header, body := r.ask(http.MethodGet, r.admin("/conferences"))
	if err := json.Unmarshal([]byte(body), &o); err != nil || code != http.StatusOK || header.Get("Content-Type") != "application/json" {
		r.t.Fatalf("%d %v: %v", code, header, err)
	}
	return o
}

// streams waits until so many streams read, and returns them by transport.
func (r *running) streams(count int) map[string]shownStream {
	r.t.Helper()
	shown := map[string]shownStream{}
	r.eventually("all streams are shown", func() bool {
		clear(shown)
		for _, stream := range r.overview().Streams {
			if stream.reading() {
				shown[stream.Transport] = stream
			}
		}
		return len(shown) == count
	})
	return shown
}

// watchOver opens a watch over HTTP, and returns its lines.
func (r *running) watchOver(accept, query string) *bufio.Scanner {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.context(), http.MethodGet, r.url(":watch"+query), http.NoBody)
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	response, err := r.browser(nil).Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { response.Body.Close() })
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	return lines
}

// watchEnveloped opens a watch by Connect or gRPC-Web.
func (r *running) watchEnveloped(contentType string) {
	r.t.Helper()
	message, err := proto.Marshal(&v2.WatchParticipantsRequest{ConferenceId: demoConference})
	if err != nil {
		r.t.Fatal(err)
	}
	body := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
	target := "http://" + r.HTTPAddr() + v2.ParticipantService_WatchParticipants_FullMethodName
	request, err := http.NewRequestWithContext(r.context(), http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	response, err := r.browser(nil).Do(request)
	if err != nil || response.StatusCode != http.StatusOK {
		r.t.Fatalf("%v, %v", response, err)
	}
	r.t.Cleanup(func() { response.Body.Close() })
}

// simulate returns the base URL of a simulated upstream.
func simulate(t *testing.T, options simulator.Options) string {
	t.Helper()
	options.Logger = slog.New(slog.DiscardHandler)
	upstream := httptest.NewServer(simulator.New(options).Handler())
	t.Cleanup(upstream.Close)
	return upstream.URL + "/v2"
}

func TestAdmin_ConferencesShowsFeedsAndStreams(t *testing.T) {
	r := run(t)
	r.watchSnapshot()
	r.watchOver("text/event-stream", "?statuses=connected")
	r.watchOver("application/x-ndjson", "")
	r.watchEnveloped("application/connect+proto")
	r.watchEnveloped("application/grpc-web+proto")
	streams := r.streams(5)
	for transport, filter := range map[string]string{"grpc": "", "sse": "connected", "ndjson": "", "connect": "", "grpc-web": ""} {
		s := streams[transport]
		if s.Caller != "anonymous" || !strings.HasPrefix(s.Address, "127.0.0.1:") || s.RequestID == "" ||
			strings.Join(s.Watches[0].Filter.Statuses, " ") != filter || s.Watches[0].Conference != demoConference {
			t.Errorf("the stream over %s is %+v", transport, s)
		}
	}
	o := r.overview()
	c := o.Conferences[0]
	if o.ConferenceCount != 1 || o.StreamCount != 5 || c.ID != demoConference || c.Subscribers != 5 || len(c.Filters) != 2 || !c.PolledHere || c.Stale {
		t.Errorf("the conference is %+v", c)
	}
	if c.LastList.Result != "ok" || c.LastList.Took <= 0 || time.Since(c.LastList.Began) > time.Minute || c.PollInterval < 1 || c.Age > 10 {
		t.Errorf("its lists are %+v", c)
	}
	if c.Bytes < 1000 || c.Participants == 0 {
		t.Errorf("it has %d participants in %d bytes", c.Participants, c.Bytes)
	}
}

func TestAdmin_APageForABrowser(t *testing.T) {
	r := run(t)
	r.watchSnapshot()
	code, header, body := r.ask(http.MethodGet, r.admin("/conferences"), "Accept: text/html,*/*;q=0.8")
	if code != http.StatusOK || header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(body, demoConference) ||
		!strings.HasSuffix(body, "</html>\n") {
		t.Errorf("%d %v\n%s", code, header, body)
	}
	if _, header, _ = r.ask(http.MethodGet, r.admin("/conferences?format=json"), "Accept: text/html"); header.Get("Content-Type") != "application/json" {
		t.Errorf("with format=json: %v", header)
	}
}

func TestAdmin_AnEndedStreamTellsItsClientToResume(t *testing.T) {
	r := run(t)
	overGRPC := r.watchSnapshot()
	overHTTP := map[string]*bufio.Scanner{
		"sse": r.watchOver("text/event-stream", ""), "ndjson": r.watchOver("application/x-ndjson", ""),
	}
	for transport, stream := range r.streams(3) {
		if code, _, body := r.ask(http.MethodPost, r.admin("/streams/"+stream.ID+"/end")); code != http.StatusNoContent {
			t.Fatalf("%s: %d %s", transport, code, body)
		}
	}
	var err error
	for err == nil {
		_, err = overGRPC.Recv()
	}
	if got := outcomeOf(err); got != (outcome{codes.Unavailable, apierror.StreamEnded}) {
		t.Errorf("gRPC: %v", err)
	}
	if !slices.ContainsFunc(status.Convert(err).Details(), func(detail any) bool { _, is := detail.(*errdetails.RetryInfo); return is }) {
		t.Errorf("gRPC: no RetryInfo in %v", err)
	}
	for transport, lines := range overHTTP {
		var last string
		for lines.Scan() {
			if lines.Text() != "" {
				last = lines.Text()
			}
		}
		if !strings.Contains(last, `"STREAM_ENDED"`) || !strings.Contains(last, "RetryInfo") {
			t.Errorf("%s ended with %q", transport, last)
		}
	}
	r.eventually("no stream is left", func() bool { return r.overview().StreamCount == 0 })
	if code, _, _ := r.ask(http.MethodPost, r.admin("/streams/other-1/end")); code != http.StatusNotFound {
		t.Errorf("a stream of another process: %d", code)
	}
}

func TestAdmin_PagesOfOtherSitesChangeNothing(t *testing.T) {
	r := run(t)
	r.watchSnapshot()
	stream := r.streams(1)["grpc"]
	for _, foreign := range []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: https://evil.example", "Origin: null"} {
		for _, target := range []string{"/streams/" + stream.ID + "/end", "/loglevel?level=debug"} {
			if code, _, body := r.ask(http.MethodPost, r.admin(target), foreign); code != http.StatusForbidden || !strings.Contains(body, "ORIGIN_REFUSED") {
				t.Errorf("%s with %s: %d %s", target, foreign, code, body)
			}
		}
	}
	if got := r.streams(1)["grpc"]; got.ID != stream.ID {
		t.Errorf("the stream is %+v", got)
	}
	if _, _, body := r.ask(http.MethodGet, r.admin("/loglevel")); !strings.Contains(body, `"level":"info"`) {
		t.Errorf("the level is %s", body)
	}
	own := "Origin: http://" + r.AdminAddr()
	code, header, _ := r.ask(http.MethodPost, r.admin("/streams/"+stream.ID+"/end"), own, "Sec-Fetch-Site: same-origin", "Accept: text/html")
	if code != http.StatusSeeOther || header.Get("Location") != "/conferences" {
		t.Errorf("the page's own form: %d %v", code, header)
	}
}

func TestAdmin_ShowsWhyAConferenceIsStale(t *testing.T) {
	r := runArgs(t, "--upstream-url="+simulate(t, simulator.Options{Tokens: []string{"right"}}), "--upstream-token=wrong", "--auth=none")
	r.watchOver("text/event-stream", "")
	r.eventually("the list failed", func() bool {
		o := r.overview()
		return len(o.Conferences) == 1 && o.Conferences[0].Stale && o.Conferences[0].LastList.Result == "UPSTREAM_CREDENTIAL_REFUSED" &&
			o.Conferences[0].StaleReason == "UPSTREAM_CREDENTIAL_REFUSED"
	})
}

func TestAdmin_NamesTheReplicaThatPolls(t *testing.T) {
	redis := redistest.Start(t, redistest.Options{})
	upstream := "--upstream-url=" + simulate(t, simulator.Options{})
	first := runArgs(t, "--redis-url="+redis.URL(), "--auth=none", upstream, token)
	second := runArgs(t, "--redis-url="+redis.URL(), "--auth=none", upstream, token)
	first.watchSnapshot()
	first.eventually("the first replica polls", func() bool {
		o := first.overview()
		return o.Conferences[0].PolledHere && o.Conferences[0].PolledBy == o.Replica && o.Replica != ""
	})
	second.watchSnapshot()
	if c := second.overview().Conferences[0]; c.PolledHere || c.PolledBy != first.overview().Replica || c.LastList.Result != "ok" {
		t.Errorf("the second replica shows %+v, want polled by %s", c, first.overview().Replica)
	}
}

func TestReadyz_WarnsOfFilesThatCannotBeUsed(t *testing.T) {
	r, _, dir := runWithTLS(t)
	r.tls = nil // The admin port has none.
	dir.Write(dir.Cert, []byte("no certificate"))
	r.eventually("the TLS files", func() bool {
		code, text := r.ready()
		return code == http.StatusOK && strings.HasPrefix(text, "ready\nwarning: tls_files_unusable: ")
	})

	file := filepath.Join(t.TempDir(), "keys")
	addKey(t, file, "anna", "viewer")
	r = run(t, "--auth=keys", "--auth-keys-file="+file)
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.eventually("the keys file", func() bool {
		_, _, body := r.ask(http.MethodGet, r.admin("/readyz?format=json"))
		return strings.Contains(body, `"ready":true`) && strings.Contains(body, `"warnings":[{"code":"keys_file_unusable"`)
	})
}

func TestReadyz_SaysThatItDrains(t *testing.T) {
	r := run(t, "--drain-delay=2s")
	r.eventually("ready", func() bool { code, _ := r.ready(); return code == http.StatusOK })
	go r.stop()
	r.eventually("draining", func() bool {
		code, text := r.ready()
		return code == http.StatusServiceUnavailable && text == "not ready: draining: the gateway is shutting down\n"
	})
	r.stop()
}
