package feed

import (
	"fmt"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

func TestW01_RecentAddsExpire(t *testing.T) {
	var adds recentAdds
	start := time.Now()
	a, b := participant.Key{Conference: "a"}, participant.Key{Conference: "b"}
	adds.record(a, start)
	adds.record(b, start.Add(time.Second))
	adds.record(a, start.Add(9*time.Second))
	at := start.Add(12 * time.Second)
	if got := adds.last(a, at); !got.Equal(start.Add(9 * time.Second)) {
		t.Errorf("a: %v after the start", got.Sub(start))
	}
	if got := adds.last(b, at); !got.IsZero() {
		t.Errorf("b: %v after the start", got.Sub(start))
	}
	if other := (participant.Key{Conference: "a", Credential: participant.Fingerprint{1}}); !adds.last(other, at).IsZero() {
		t.Error("an Add under another credential counts")
	}
	adds.record(b, start.Add(30*time.Second))
	if len(adds.times) != 1 || len(adds.order) != 1 {
		t.Errorf("%d times, %d in order", len(adds.times), len(adds.order))
	}
}

func TestW01_RecentAddsAreBounded(t *testing.T) {
	var adds recentAdds
	now := time.Now()
	for i := range 3 * maxRecentAdds {
		adds.record(participant.Key{Conference: fmt.Sprint(i)}, now)
	}
	if len(adds.times) > maxRecentAdds || len(adds.order) > maxRecentAdds {
		t.Errorf("%d times, %d in order", len(adds.times), len(adds.order))
	}
}
