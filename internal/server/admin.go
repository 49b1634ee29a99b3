package server

import (
	"io"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/audian/participant-gateway/internal/admin"
	"github.com/audian/participant-gateway/internal/httpapi"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/httpapi/web"
)

// newAdmin returns the handler of the admin port: metrics, health, schemas, what package admin
// shows, and profiles if only this machine can reach the port.
func (s *Server) newAdmin() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.metrics.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		// The client may be gone.
		_, _ = io.WriteString(w, "ok\n")
	})
	admin.Register(mux, admin.Options{
		Overview: s.overview, EndStream: s.endStream, Readiness: s.readiness,
		Level: admin.NewLevel(s.logger, levelOf(s.logger, s.config.Log.Level)),
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

// phase is how far the process is.
type phase int32

// The phases, in their order.
const (
	phaseStarting phase = iota
	phaseServing
	phaseDraining
)

func (s *Server) setPhase(p phase) { s.phase.Store(int32(p)) }

// readiness returns whether the process should get calls. It is the gateway's own state: in an outage
// of the upstream the watchers must stay connected, because the gateway reports the outage to them.
func (s *Server) readiness() (r admin.Readiness) {
	switch phase(s.phase.Load()) {
	case phaseStarting:
		r.Reasons = append(r.Reasons, admin.Reason{Code: admin.Starting, Message: "the ports do not serve yet"})
	case phaseDraining:
		r.Reasons = append(r.Reasons, admin.Reason{Code: admin.Draining, Message: "the gateway is shutting down"})
	case phaseServing:
	}
	if err := s.replicas.notReady(); err != nil {
		r.Reasons = append(r.Reasons, admin.Reason{Code: admin.RedisUnavailable, Message: err.Error()})
	}
	r.Warnings = s.fileWarnings(time.Now())
	return r
}

// fileWarnings returns the files that cannot be used. Their last good content stays in force, so that
// the process goes on serving.
func (s *Server) fileWarnings(now time.Time) (warnings []admin.Reason) {
	if file, hasFile := s.authenticator.(interface{ Usable() bool }); hasFile && !file.Usable() {
		warnings = append(warnings, admin.Reason{
			Code: admin.KeysFileUnusable, Message: "--auth-keys-file cannot be used; the callers of its last good content are accepted",
		})
	}
	if s.identity == nil {
		return warnings
	}
	if !s.identity.Usable() {
		warnings = append(warnings, admin.Reason{
			Code:    admin.TLSFilesUnusable,
			Message: "a file of --tls-cert-file, --tls-key-file or --tls-client-ca-file cannot be used; the last good content is in force",
		})
	}
	if expiry := s.identity.NotAfter(); now.After(expiry) {
		warnings = append(warnings, admin.Reason{
			Code: admin.CertificateExpired, Message: "the certificate expired at " + expiry.UTC().Format(time.RFC3339),
		})
	}
	return warnings
}
