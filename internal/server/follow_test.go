package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/audian/participant-gateway/internal/metrics"
	"github.com/audian/participant-gateway/internal/panics"
)

func TestATaskThatPanicsRunsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{metrics: metrics.New(), logger: slog.New(slog.DiscardHandler)}
		ctx, stop := context.WithCancel(t.Context())
		before := panics.Recovered()
		runs := 0
		err := s.follow(ctx, "a test", func(context.Context) {
			runs++
			if runs < 3 {
				panic("no reason")
			}
			stop()
		})
		shown := httptest.NewRecorder()
		s.metrics.Handler().ServeHTTP(shown, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
		if counted := strings.Contains(shown.Body.String(), fmt.Sprintf("gateway_panics_total %d\n", before+2)); err != nil || runs != 3 || !counted {
			t.Errorf("%v after %d runs, counted: %t", err, runs, counted)
		}
	})
}
