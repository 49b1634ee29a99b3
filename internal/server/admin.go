package server

import (
	"io"
	"net/http"
	"net/http/pprof"
	"sync/atomic"

	"github.com/audian/participant-gateway/internal/httpapi"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/httpapi/web"
)

// newAdmin returns the admin door: metrics, health, and profiles where it is for this
// machine alone.
func newAdmin(m *metrics, ready *atomic.Bool, profiles bool, allowedHosts []string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "ok")
	})
	// Ready is the gateway's own state, not the upstream's: an outage upstream is no
	// reason to take watchers away from the replica that tells them so.
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready.Load() {
			answer(w, http.StatusServiceUnavailable, "not ready")
			return
		}
		answer(w, http.StatusOK, "ready")
	})
	schema := web.Schema()
	mux.Handle("GET /schema", schema)
	mux.Handle("GET /schema/", schema)
	if profiles {
		// The command line is not among them: it may hold a credential.
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return httpio.WithDeadlines(httpapi.CheckHosts(mux, allowedHosts, func(w http.ResponseWriter, _ *http.Request, err error) {
		httpio.WriteError(w, err)
	}))
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	// A prober that has hung up needs no answer.
	_, _ = io.WriteString(w, text+"\n")
}
