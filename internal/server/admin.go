package server

import (
	"errors"
	"io"
	"net/http"
	"net/http/pprof"

	"github.com/audian/participant-gateway/internal/httpapi"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/httpapi/web"
)

// newAdmin returns the handler of the admin port: metrics, health, schemas, and profiles if
// only this machine can reach the port.
func (s *Server) newAdmin() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.metrics.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		respond(w, http.StatusOK, "ok")
	})
	// Readiness is the gateway's own state. In an outage of the upstream, the watchers must
	// stay connected, because the gateway reports the outage to them.
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := s.notReady(); err != nil {
			respond(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		respond(w, http.StatusOK, "ready")
	})
	schema := web.Schema()
	mux.Handle("GET /schema", schema)
	mux.Handle("GET /schema/", schema)
	if isLoopback(s.listeners.admin.Addr()) {
		// The command line is left out, because it may contain a credential.
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	refuse := func(w http.ResponseWriter, _ *http.Request, err error) { httpio.WriteError(w, err) }
	return httpio.WithDeadlines(httpapi.CheckHosts(mux, s.config.Access.AllowedHosts, refuse))
}

var errNotReady = errors.New("not ready")

// notReady returns why the process should get no calls, or nil.
func (s *Server) notReady() error {
	if !s.ready.Load() {
		return errNotReady
	}
	return s.replicas.notReady()
}

func respond(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	// The client may be gone.
	_, _ = io.WriteString(w, text+"\n")
}
