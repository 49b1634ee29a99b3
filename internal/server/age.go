package server

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// aging keeps HTTP connections from holding callers to one replica for ever, as gRPC's
// own limit does (W18): an old connection takes no new requests, and a watch has one
// that ends with it, so that its client comes back by a new one.
type aging struct{ maxAge time.Duration }

type bornKey struct{}

// born notes when a connection began.
func (aging) born(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, bornKey{}, time.Now())
}

// close says with the answer that its connection takes no more: HTTP/1.1 closes it, and
// HTTP/2 sends GOAWAY and lets the streams end.
func (a aging) close(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, known := r.Context().Value(bornKey{}).(time.Time)
		isOld := known && time.Since(began) > a.maxAge
		if isOld || isStream(r.URL.Path) {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// isStream says whether a path is that of a watch, whatever the protocol: REST's ends in
// `:watch`, Connect's and gRPC-Web's is the method's name.
func isStream(path string) bool {
	return strings.HasSuffix(path, ":watch") || path == v2.ParticipantService_WatchParticipants_FullMethodName
}
