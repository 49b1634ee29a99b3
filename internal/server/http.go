package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// Limits of client connections, for gRPC and HTTP. There is no write timeout, because streams
// last; a stream itself ends when its client does not read (W12).
const (
	// headerTimeout is the time within which a client must send its headers, or complete the
	// handshake.
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// maxHeaderBytes is larger than httpio.MaxHeaders: a request beyond it ends an HTTP/2
	// connection, without a reason.
	maxHeaderBytes = 1 << 20
	// maxStreams is the most open streams of a connection: a thousand watches and some other
	// calls. Over gRPC, further streams wait.
	maxStreams = 1024
	// pingAfter and pingTimeout detect clients that are gone.
	pingAfter   = 30 * time.Second
	pingTimeout = 10 * time.Second
)

func (s *Server) newHTTP(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: maxStreams,
			SendPingTimeout:      pingAfter,
			PingTimeout:          pingTimeout,
		},
		ErrorLog: slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
	}
}

// connectionAge limits the age of HTTP connections, as grpc-go does for gRPC, so that clients
// spread over the replicas (W18). An old connection takes no new requests. A watch closes its
// connection when it ends, so that its client reconnects.
type connectionAge struct{ max time.Duration }

type openedAtKey struct{}

// opened stores in the context when a connection was opened.
func (connectionAge) opened(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, openedAtKey{}, time.Now())
}

// close adds "Connection: close" to the response where the connection must take no more
// requests. HTTP/1.1 closes it then; HTTP/2 sends GOAWAY and lets the streams end.
func (a connectionAge) close(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		openedAt, known := r.Context().Value(openedAtKey{}).(time.Time)
		isOld := known && time.Since(openedAt) > a.max
		if isOld || isWatch(r.URL.Path) {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// isWatch reports whether a path is that of a watch: it ends in `:watch` in REST, and is the
// method's name in Connect and gRPC-Web.
func isWatch(path string) bool {
	return strings.HasSuffix(path, ":watch") || path == v2.ParticipantService_WatchParticipants_FullMethodName ||
		path == v2.ParticipantService_WatchConferences_FullMethodName
}
