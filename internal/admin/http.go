package admin

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
)

// guarded serves programs of this machine only, and no writes of pages of other sites.
func guarded(next http.Handler) http.Handler {
	sameSite := http.NewCrossOriginProtection()
	sameSite.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		httpio.WriteError(w, &apierror.Error{Reason: apierror.OriginRefused, Message: "pages of another site may not change anything here"})
	}))
	checked := sameSite.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		httpio.SetResponseDefaults(w.Header())
		if !isLocal(r.RemoteAddr) {
			httpio.WriteError(w, &apierror.Error{
				Reason: apierror.HostRefused,
				Message: "this is served to programs on the gateway's own machine only; " +
					"forward the port to it, for example by kubectl port-forward or ssh -L",
			})
			return
		}
		checked.ServeHTTP(w, r)
	})
}

// isLocal reports whether a connection comes from this machine.
func isLocal(remote string) bool {
	address, err := netip.ParseAddrPort(remote)
	return err == nil && address.Addr().Unmap().IsLoopback()
}

// wantsPage reports whether a request is a browser's.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// wantsJSON reports whether a request asks for JSON where text is the default.
func wantsJSON(r *http.Request) bool {
	return r.URL.Query().Get("format") == "json" || strings.Contains(r.Header.Get("Accept"), httpio.JSONType)
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	httpio.SetResponseDefaults(w.Header())
	w.Header().Set("Content-Type", httpio.JSONType)
	w.WriteHeader(status)
	// The client may be gone.
	_ = json.MarshalWrite(w, value, json.Deterministic(true))
}

func invalid(field, rule string) error {
	return &apierror.Error{
		Reason: apierror.InvalidRequest, Message: field + " " + rule,
		Violations: []apierror.Violation{{Field: field, Rule: field, Message: rule}},
	}
}
