package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// descriptors returns the number of open files and sockets of the process.
func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Logf("descriptors are not counted here: %v", err)
	}
	return len(open)
}

// opensAndCloses opens a stream in one of four ways and closes it.
func opensAndCloses(r *running, n int, grpcCaller v2.ParticipantServiceClient, browser *http.Client) error {
	switch n % 4 {
	case 0:
		ctx, leave := context.WithCancel(r.t.Context())
		defer leave()
		return open(ctx, grpcCaller, &v2.WatchParticipantsRequest{ConferenceId: demoConference})
	case 1: // The body is closed before all is read: the connection with it.
		response, err := browser.Get(r.url(":watch"))
		if err != nil {
			return err
		}
		_, err = bufio.NewReader(response.Body).ReadString('\n')
		response.Body.Close()
		return err
	case 2: // Gone before any response.
		return raw(r, "GET /v2/conferences/"+demoConference+"/participants:watch HTTP/1.1\r\nHost: localhost\r\n\r\n")
	default: // Gone in the middle of the request.
		return raw(r, "POST /v2/conferences/"+demoConference+"/participants HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
	}
}

func raw(r *running, text string) error {
	conn, err := net.Dial("tcp", r.HTTPAddr())
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = io.WriteString(conn, text)
	return err
}

func TestManyOpensAndClosesLeaveNoDescriptors(t *testing.T) {
	r := run(t)
	caller, browser := r.dial(nil), r.browser(nil)
	for n := range 8 { // What is made once, as connections and the feed.
		if err := opensAndCloses(r, n, caller, browser); err != nil {
			t.Fatal(err)
		}
	}
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	for n := range 2000 {
		if err := opensAndCloses(r, n, caller, browser); err != nil {
			t.Fatalf("open %d: %v", n, err)
		}
	}
	const slack = 20 // Streams and connections of the moment before, of this test's too.
	r.eventually("all streams closed", func() bool { return strings.HasSuffix(r.metric("gateway_subscribers"), " 0") })
	r.eventually(fmt.Sprintf("about %d goroutines", goroutines), func() bool { return runtime.NumGoroutine() < goroutines+slack })
	r.eventually(fmt.Sprintf("about %d descriptors", files), func() bool { return descriptors(t) < files+slack })
}

// A client that never reads affects no other client, and does not delay the drain.
func TestW12_AClientThatNeverReadsDelaysNoOther(t *testing.T) {
	r := run(t, "--drain-timeout=10s")
	for range 50 {
		conn, err := net.Dial("tcp", r.HTTPAddr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := io.WriteString(conn, strings.Repeat(
			"GET /v2/conferences/"+demoConference+"/participants HTTP/1.1\r\nHost: localhost\r\n\r\n", 20,
		)+"GET /v2/conferences/"+demoConference+"/participants:watch HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	r.eventually("their streams", func() bool { return strings.HasSuffix(r.metric("gateway_subscribers"), " 50") })
	if err := open(r.context(), r.dial(nil), &v2.WatchParticipantsRequest{ConferenceId: demoConference}); err != nil {
		t.Error(err)
	}
	if response := r.get(r.browser(nil), r.url("")); response.StatusCode != http.StatusOK {
		t.Error(response.Status)
	}
	r.stop()
	if log := r.log.String(); strings.Contains(log, "cut at the drain timeout") {
		t.Error("the clients delayed the drain")
	}
}
