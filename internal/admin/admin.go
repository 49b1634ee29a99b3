// Package admin is what an operator sees and changes through the admin port: the conferences and
// streams, whether the process is ready and why not, and the level of the log.
//
// The port has no credentials. So all but the readiness is for programs on the same machine alone, and
// changes are refused if the page of another site asks for them.
package admin

import (
	"context"
	"net/http"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
)

// Options are what the pages show.
type Options struct {
	// Overview returns the conferences and streams, or those of one conference only unless it is
	// empty. It is called for each request, and keeps nothing.
	Overview func(ctx context.Context, conference string) Overview
	// EndStream ends the stream with an ID of an Overview. It returns false if there is none.
	EndStream func(ctx context.Context, id string) bool
	Readiness func() Readiness
	Level     *Level
}

type handler struct{ Options }

// Register adds the pages to the admin port.
func Register(mux *http.ServeMux, options Options) {
	h := handler{options}
	mux.HandleFunc("GET /readyz", h.readyz)
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /conferences":       h.conferences,
		"POST /streams/{id}/end": h.endStream,
		"GET /loglevel":          h.logLevel,
		"PUT /loglevel":          h.setLogLevel,
		"POST /loglevel":         h.setLogLevel, // Forms have no PUT.
	} {
		mux.Handle(pattern, guarded(handle))
	}
}

func (h handler) conferences(w http.ResponseWriter, r *http.Request) {
	asPage := wantsPage(r)
	if format := r.URL.Query().Get("format"); format != "" {
		if format != "json" && format != "html" {
			httpio.WriteError(w, invalid("format", "must be json or html"))
			return
		}
		asPage = format == "html"
	}
	overview := h.Overview(r.Context(), r.URL.Query().Get("conference"))
	overview.limit()
	if asPage {
		h.writePage(w, r, overview)
		return
	}
	writeJSON(w, http.StatusOK, overview)
}

func (h handler) endStream(w http.ResponseWriter, r *http.Request) {
	if !h.EndStream(r.Context(), r.PathValue("id")) {
		httpio.WriteError(w, &apierror.Error{Reason: apierror.RouteNotFound, Message: "this process has no such stream; it may have ended"})
		return
	}
	changed(w, r)
}

// changed answers a change: a form gets its page again.
func changed(w http.ResponseWriter, r *http.Request) {
	if wantsPage(r) {
		http.Redirect(w, r, "/conferences", http.StatusSeeOther)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
