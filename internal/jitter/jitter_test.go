package jitter_test

import (
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/jitter"
)

func TestBounds(t *testing.T) {
	const d, share = 2 * time.Second, 0.25
	different := map[time.Duration]bool{}
	for range 1000 {
		around, above := jitter.Around(d, share), jitter.Above(d, share)
		if around < 1500*time.Millisecond || around > 2500*time.Millisecond {
			t.Fatalf("Around(2s, 0.25) = %v", around)
		}
		if above < d || above > 2500*time.Millisecond {
			t.Fatalf("Above(2s, 0.25) = %v", above)
		}
		different[around], different[above] = true, true
	}
	if len(different) < 1000 {
		t.Errorf("only %d different durations", len(different))
	}
}
