package server

import (
	"io"
	"net/http"
	"net/http/pprof"
	"sync/atomic"

	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/rest"
	"github.com/audian/participant-gateway/internal/schema"
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
	contract := schema.New()
	mux.Handle("GET /schema", contract)
	mux.Handle("GET /schema/", contract)
	if profiles {
		// The command line is not among them: it may hold a credential.
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return rest.Bound(refuseForeignHosts(mux, allowedHosts))
}

// refuseForeignHosts keeps web pages out: a name that a page makes resolve to this address
// would let it read what is here.
func refuseForeignHosts(next http.Handler, allowed []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest.ServesHost(r.Host, allowed) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write(grpcstatus.HTTPBody(grpcstatus.From(rest.HostRefused()))) // A client that has gone needs no answer.
	})
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	// A prober that has hung up needs no answer.
	_, _ = io.WriteString(w, text+"\n")
}
