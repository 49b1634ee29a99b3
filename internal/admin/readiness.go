package admin

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Readiness is whether the process accepts calls. The state of the upstream is no part of it: in an
// outage, watchers need a process that reports it.
type Readiness struct {
	// Reasons are why the process accepts no calls; none if it does.
	Reasons []Reason
	// Warnings are faults that do not keep it from serving yet.
	Warnings []Reason
}

// Reason is one reason or warning. Code is stable.
type Reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// The codes.
const (
	Starting           = "starting"
	Draining           = "draining"
	RedisUnavailable   = "redis_unavailable"
	KeysFileUnusable   = "keys_file_unusable"
	TLSFilesUnusable   = "tls_files_unusable"
	CertificateExpired = "certificate_expired"
)

// readyz answers with text, a line for each reason and warning, or with JSON.
func (h handler) readyz(w http.ResponseWriter, r *http.Request) {
	state, status := h.Readiness(), http.StatusOK
	if len(state.Reasons) > 0 {
		status = http.StatusServiceUnavailable
	}
	if wantsJSON(r) {
		writeJSON(w, status, struct {
			Ready    bool     `json:"ready"`
			Reasons  []Reason `json:"reasons"`
			Warnings []Reason `json:"warnings"`
		}{len(state.Reasons) == 0, state.Reasons, state.Warnings})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	// The client may be gone.
	_, _ = io.WriteString(w, state.text())
}

func (r Readiness) text() string {
	var text strings.Builder
	if len(r.Reasons) == 0 {
		text.WriteString("ready\n")
	}
	for _, reason := range r.Reasons {
		fmt.Fprintf(&text, "not ready: %s: %s\n", reason.Code, reason.Message)
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(&text, "warning: %s: %s\n", warning.Code, warning.Message)
	}
	return text.String()
}
