package server_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"

	"connectrpc.com/connect"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// h2cClient returns a client for HTTP/2 without TLS, which Connect's client for Node can use.
func (r *running) h2cClient() *http.Client {
	transport := &http.Transport{Protocols: &http.Protocols{}}
	transport.Protocols.SetUnencryptedHTTP2(true)
	r.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: waitLimit}
}

// fetch sends a request and returns the response, its body, and whether the connection was new.
func (r *running) fetch(client *http.Client, method, url, body string, headers ...string) (response *http.Response, text string, isNew bool) {
	r.t.Helper()
	ctx := httptrace.WithClientTrace(r.context(), &httptrace.ClientTrace{GotConn: func(conn httptrace.GotConnInfo) { isNew = !conn.Reused }})
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
		if name == "Host" {
			request.Host = value
		}
	}
	response, err = client.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response, string(read), isNew
}

func TestHTTP2WithoutTLSIsServed(t *testing.T) {
	r := run(t)
	client := r.h2cClient()
	for _, tt := range []struct {
		name, method, url, body string
		headers                 []string
		status                  int
		holds                   string
	}{
		{"REST", "GET", r.url(""), "", nil, 200, `"participants"`},
		{"Connect", "POST", "http://" + r.HTTPAddr() + v2.ParticipantService_ListParticipants_FullMethodName, `{"conferenceId":"conf_demo"}`, []string{"Content-Type: application/json"}, 200, `"participants"`},
		{"a foreign host", "GET", r.url(""), "", []string{"Host: evil.example"}, 403, `"HOST_REFUSED"`},
		{"a large body", "POST", r.url(""), strings.Repeat(" ", 65<<10), []string{"Content-Type: application/json"}, 400, `"BODY_TOO_LARGE"`},
		{"large headers", "GET", r.url(""), "", []string{"X-Large: " + strings.Repeat("x", 100<<10)}, 431, `"HEADERS_TOO_LARGE"`},
		{"the page", "GET", "http://" + r.HTTPAddr() + "/", "", nil, 200, "<html"},
	} {
		response, text, _ := r.fetch(client, tt.method, tt.url, tt.body, tt.headers...)
		if response.StatusCode != tt.status || response.ProtoMajor != 2 || !strings.Contains(text, tt.holds) {
			t.Errorf("%s: %s %s %.200s", tt.name, response.Proto, response.Status, text)
		}
	}
	if response, _, _ := r.fetch(&http.Client{Transport: &http.Transport{}}, "GET", r.url(""), ""); response.ProtoMajor != 1 {
		t.Errorf("an HTTP/1.1 request: %s", response.Proto)
	}
}

func TestHTTP2WithoutTLSStreamsByEveryProtocol(t *testing.T) {
	r := run(t)
	client := r.h2cClient()
	response := r.get(client, r.url(":watch"))
	if line, err := bufio.NewReader(response.Body).ReadString('\n'); err != nil || !strings.Contains(line, `"snapshot"`) {
		t.Errorf("NDJSON: %q, %v", line, err)
	}
	for name, options := range map[string][]connect.ClientOption{"Connect": nil, "gRPC-Web": {connect.WithGRPCWeb()}, "gRPC": {connect.WithGRPC()}} {
		caller := connect.NewClient[v2.WatchParticipantsRequest, v2.WatchParticipantsResponse](
			client, "http://"+r.HTTPAddr()+v2.ParticipantService_WatchParticipants_FullMethodName, options...)
		ctx, leave := context.WithCancel(r.context())
		stream, err := caller.CallServerStream(ctx, connect.NewRequest(&v2.WatchParticipantsRequest{ConferenceId: demoConference}))
		if err != nil || !stream.Receive() || stream.Msg().GetSnapshot() == nil {
			t.Errorf("%s: %v", name, err)
		}
		leave()
	}
}

func TestW18_HTTP2WithoutTLSIsClosedByAge(t *testing.T) {
	r := run(t, "--max-stream-age=1s")
	client := r.h2cClient()
	if _, _, isNew := r.fetch(client, "GET", r.url(""), ""); !isNew {
		t.Fatal("the first call has an old connection")
	}
	r.eventually("a new connection", func() bool {
		_, _, isNew := r.fetch(client, "GET", r.url(""), "")
		return isNew
	})
}

func TestW16_HTTP2WithoutTLSIsDrained(t *testing.T) {
	r := run(t, "--drain-timeout=10s")
	client := r.h2cClient()
	response := r.get(client, r.url(":watch"))
	lines := bufio.NewReader(response.Body)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	ended := make(chan string, 1)
	go func() {
		rest, _ := io.ReadAll(lines)
		ended <- string(rest)
	}()
	r.stop()
	if rest := <-ended; !strings.Contains(rest, `"DRAINING"`) {
		t.Errorf("the stream ended with %q", rest)
	}
	if log := r.log.String(); strings.Contains(log, "cut at the drain timeout") {
		t.Error("the drain had to cut calls")
	}
}

func TestTheAdminPortRefusesForeignHosts(t *testing.T) {
	r := run(t, "--allowed-hosts=metrics.example.com", "--auth=none")
	_, port, _ := strings.Cut(r.AdminAddr(), ":")
	for host, status := range map[string]int{
		r.AdminAddr(): 200, "localhost:" + port: 200, "metrics.example.com:" + port: 200, "10.1.2.3:" + port: 200,
		"evil.example:" + port: 403, "evil.example": 403, "127.0.0.1.evil.example": 403,
	} {
		for _, path := range []string{"/metrics", "/healthz", "/readyz", "/debug/pprof/", "/schema"} {
			response, text, _ := r.fetch(r.browser(nil), "GET", "http://"+r.AdminAddr()+path, "", "Host: "+host)
			// /metrics names this reason too, as a label.
			isRefused := strings.HasPrefix(text, "{") && strings.Contains(text, `"HOST_REFUSED"`)
			if response.StatusCode != status || (status == 403) != isRefused {
				t.Errorf("%s%s: %s %.200s", host, path, response.Status, text)
			}
		}
	}
}
