package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
)

func TestAFollowerThatPanicsGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{gate: &gate{metrics: newMetrics(), logger: slog.New(slog.DiscardHandler)}}
		ctx, stop := context.WithCancel(t.Context())
		runs := 0
		err := s.follow(ctx, "a test", func(context.Context) {
			runs++
			if runs < 3 {
				panic("no reason")
			}
			stop()
		})
		shown := httptest.NewRecorder()
		s.gate.metrics.handler().ServeHTTP(shown, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
		if counted := strings.Contains(shown.Body.String(), "gateway_panics_total 2\n"); err != nil || runs != 3 || !counted {
			t.Errorf("%v after %d runs, counted: %t", err, runs, counted)
		}
	})
}
