package server

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// demoToken is the token with which the gateway calls its embedded simulator.
const demoToken = "demo-token"

// demo is the embedded simulator. It has its own port, so that a person can use it.
type demo struct {
	server   *http.Server
	listener net.Listener
}

func newDemo(logger *slog.Logger) (*demo, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the simulator: %w", err)
	}
	upstream := simulator.New(simulator.Options{
		Demo: true, Seed: rand.Uint64(), LingerDisconnected: 8 * time.Second, Logger: logger,
	})
	return &demo{
		server:   &http.Server{Handler: upstream.Handler(), ReadHeaderTimeout: headerTimeout},
		listener: listener,
	}, nil
}

func (d *demo) baseURL() string { return "http://" + d.listener.Addr().String() + "/v2" }
