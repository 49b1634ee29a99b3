package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// through asks a server by way of the proxy.
func through(t *testing.T, p *proxy) (string, error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	response, err := client.Get("http://" + p.addr())
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func TestProxyAppliesNetworkFaults(t *testing.T) {
	const size = 2000
	played := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", size))
	}))
	defer played.Close()
	for name, test := range map[string]struct {
		networkFault networkFault
		kind         string
		least        time.Duration
		complete     bool
	}{
		"fair":    {networkFault{}, "", 0, true},
		"delay":   {networkFault{delay: 30 * time.Millisecond}, "proxy delayed", 60 * time.Millisecond, true},
		"trickle": {networkFault{trickle: 200}, "proxy trickled", 30 * time.Millisecond, true},
		"cut":     {networkFault{cut: true}, "proxy cut", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			counted := newResults(1)
			p, err := startProxy(t.Context(), played.Listener.Addr().String, counted)
			if err != nil {
				t.Fatal(err)
			}
			defer p.close()
			p.set(test.networkFault)
			began := time.Now()
			body, err := through(t, p)
			if complete := err == nil && len(body) == size; complete != test.complete {
				t.Errorf("arrived complete: %t, %v", complete, err)
			}
			if took := time.Since(began); took < test.least {
				t.Errorf("took %s", took)
			}
			if test.kind != "" && counted.faultCount(test.kind) == 0 {
				t.Errorf("counted %v", counted.report.Faults)
			}
		})
	}
}

func TestProxyResetsWithoutUpstream(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := listener.Addr().String()
	_ = listener.Close()
	p, err := startProxy(t.Context(), func() string { return gone }, newResults(1))
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if _, err := through(t, p); err == nil {
		t.Error("an answer arrived")
	}
}
