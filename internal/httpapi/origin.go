package httpapi

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/rs/cors"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
)

// refuseCrossOriginWrites refuses writes that a page of a foreign origin sends with its user's
// credentials (CSRF).
func (g guard) refuseCrossOriginWrites(next http.Handler, trusted []string) (http.Handler, error) {
	protection := http.NewCrossOriginProtection()
	for _, origin := range trusted {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("trust %q: %w", origin, err)
		}
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.errors.Refuse(w, r, &apierror.Error{
			Reason: apierror.OriginRefused, Message: "pages of this origin may not write",
		})
	}))
	return protection.Handler(next), nil
}

// CheckHosts refuses requests for a foreign host name: with DNS rebinding, a page could make
// its own name resolve to this address and read the responses.
func CheckHosts(next http.Handler, allowed []string, refuse func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isOwnHost(r.Host, allowed) {
			refuse(w, r, &apierror.Error{Reason: apierror.HostRefused, Message: "this host name is not served here"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isOwnHost reports whether a Host header names this server. An address always does: no
// name was resolved to reach it.
func isOwnHost(host string, allowed []string) bool {
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

// withCORS lets pages of the origins read the responses (CORS).
func withCORS(next http.Handler, origins []string) http.Handler {
	if len(origins) == 0 {
		return next
	}
	const maxAge = 10 * time.Minute
	return cors.New(cors.Options{
		// cors would take an origin with an asterisk as a pattern.
		AllowOriginFunc: func(origin string) bool { return slices.Contains(origins, origin) },
		AllowedMethods:  []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete},
		AllowedHeaders:  []string{"*"},
		ExposedHeaders: []string{
			httpio.RequestIDHeader, httpio.TraceparentHeader, "Idempotency-Replayed", "Participant-Source", "Retry-After",
			"Grpc-Status", "Grpc-Message", "Grpc-Status-Details-Bin",
		},
		MaxAge: int(maxAge.Seconds()),
	}).Handler(next)
}
