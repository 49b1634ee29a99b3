package redisconn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/audian/participant-gateway/internal/replica/redisurl"
)

const (
	ioTimeout = time.Second
	// maxIdle is less than what firewalls and servers allow at least.
	maxIdle = 30 * time.Second
)

// silence turns off go-redis' log on standard error: its errors come back from the calls.
var silence = sync.OnceFunc(logging.Disable)

// newClient returns a client that sends a call at most once, and that needs no commands beyond
// those that the gateway uses.
func newClient(target *redisurl.Target, roots *x509.CertPool, s *sockets) *redis.Client {
	silence()
	if target.Sentinel != nil {
		return redis.NewFailoverClient(sentinelOptions(target.Sentinel, roots, s))
	}
	o := target.Single
	o.Dialer = s.dialer(withRoots(o.TLSConfig, roots))
	o.Protocol, o.MaxRetries, o.DialerRetries, o.PipelinePoolSize = 2, -1, 1, -1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = ioTimeout, ioTimeout, ioTimeout, ioTimeout
	o.ContextTimeoutEnabled, o.DisableIdentity = true, true
	if o.ConnMaxIdleTime == 0 {
		o.ConnMaxIdleTime = maxIdle
	}
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClient(o)
}

func sentinelOptions(o *redis.FailoverOptions, roots *x509.CertPool, s *sockets) *redis.FailoverOptions {
	o.Dialer = s.dialer(withRoots(o.TLSConfig, roots))
	o.Protocol, o.MaxRetries, o.DialerRetries, o.PipelinePoolSize = 2, -1, 1, -1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = ioTimeout, ioTimeout, ioTimeout, ioTimeout
	o.ContextTimeoutEnabled, o.DisableIdentity = true, true
	if o.ConnMaxIdleTime == 0 {
		o.ConnMaxIdleTime = maxIdle
	}
	return o
}

func withRoots(config *tls.Config, roots *x509.CertPool) *tls.Config {
	if config != nil {
		config.RootCAs = roots
	}
	return config
}

// sockets are the open network connections. After a time-out all are closed: behind the same
// address may be another host, which does not know them.
type sockets struct {
	mu   sync.Mutex
	open map[*socket]struct{}
}

func newSockets() *sockets { return &sockets{open: map[*socket]struct{}{}} }

// dialer returns go-redis' dialer, with TLS if config is not nil.
func (s *sockets) dialer(config *tls.Config) func(ctx context.Context, network, addr string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: ioTimeout}
	dial := dialer.DialContext
	if config != nil {
		dial = (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		opened := &socket{Conn: conn, owner: s}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.open[opened] = struct{}{}
		if plain, ok := conn.(syscall.Conn); ok {
			// With it go-redis notices that an idle connection was closed.
			return plainSocket{socket: opened, Conn: plain}, nil
		}
		return opened, nil
	}
}

func (s *sockets) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for open := range s.open {
		_ = open.Conn.Close()
	}
	clear(s.open)
}

type socket struct {
	net.Conn

	owner *sockets
}

// Close implements net.Conn. A second Close is no error.
func (s *socket) Close() error {
	s.owner.mu.Lock()
	_, open := s.owner.open[s]
	delete(s.owner.open, s)
	s.owner.mu.Unlock()
	if !open {
		return nil
	}
	return s.Conn.Close() //nolint:wrapcheck // It stands for the connection.
}

// plainSocket is a connection without TLS.
type plainSocket struct {
	*socket
	syscall.Conn
}
