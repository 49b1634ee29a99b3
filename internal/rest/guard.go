package rest

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/audian/participant-gateway/internal/apierror"
)

// refuseForeignWrites keeps pages of other origins from changing anything in the
// name of whoever looks at them.
func (a *api) refuseForeignWrites(next http.Handler, trusted []string) (http.Handler, error) {
	protection := http.NewCrossOriginProtection()
	for _, origin := range trusted {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("trust %q: %w", origin, err)
		}
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.refuse(w, r, &apierror.Error{
			Reason: apierror.OriginRefused, Message: "pages of this origin may not write",
		})
	}))
	return protection.Handler(next), nil
}

// refuseForeignHosts answers only to names that are this server's.
func (a *api) refuseForeignHosts(next http.Handler, allowed []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ServesHost(r.Host, allowed) {
			a.refuse(w, r, HostRefused())
			return
		}
		next.ServeHTTP(w, r)
	})
}

// HostRefused is the error of a request for a foreign host.
func HostRefused() *apierror.Error {
	return &apierror.Error{Reason: apierror.HostRefused, Message: "this host name is not served here"}
}

// ServesHost says whether a Host header names this server. An address always does: no
// name was resolved to come here, so none can have been made to.
func ServesHost(host string, allowed []string) bool {
	name := host
	if withoutPort, _, err := net.SplitHostPort(host); err == nil {
		name = withoutPort
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	return name == "" || name == "localhost" || strings.HasSuffix(name, ".localhost") ||
		slices.ContainsFunc(allowed, func(one string) bool { return strings.EqualFold(one, name) || strings.EqualFold(one, host) })
}

// allowOrigins lets pages of the origins read what they are answered (CORS).
func allowOrigins(next http.Handler, origins []string) http.Handler {
	if len(origins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if !slices.Contains(origins, origin) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", origin)
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			allowPreflight(w, r)
			return
		}
		w.Header().Set("Access-Control-Expose-Headers", exposed)
		next.ServeHTTP(w, r)
	})
}

// exposed are the answers' headers that a foreign page may read, gRPC-Web's among them.
const exposed = "X-Request-Id, Traceparent, Idempotency-Replayed, Retry-After, Grpc-Status, Grpc-Message, Grpc-Status-Details-Bin"

func allowPreflight(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, DELETE")
	header.Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
	header.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}
