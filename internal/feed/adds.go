package feed

import (
	"time"

	"github.com/audian/participant-gateway/internal/participant"
)

// maxRecentAdds is of how many conferences the last Add is known.
const maxRecentAdds = 10_000

// recentAdds know when each conference's last Add succeeded, for as long as it matters
// (W1). The zero value is ready.
type recentAdds struct {
	times map[participant.Key]time.Time
	// order holds every Add in times, and those that others have followed since, the
	// oldest first.
	order []addOf
}

// addOf is one Add that succeeded.
type addOf struct {
	key participant.Key
	at  time.Time
}

// note notes an Add that succeeds now, and forgets those that matter no longer.
func (r *recentAdds) note(key participant.Key, now time.Time) {
	for len(r.order) > 0 && (len(r.order) >= maxRecentAdds || now.Sub(r.order[0].at) >= addLag) {
		if oldest := r.order[0]; r.times[oldest.key].Equal(oldest.at) {
			delete(r.times, oldest.key)
		}
		r.order = r.order[1:]
	}
	if r.times == nil {
		r.times = map[participant.Key]time.Time{}
	}
	r.times[key] = now
	r.order = append(r.order, addOf{key, now})
}

// last is when the conference's last Add succeeded; zero where that no longer matters.
func (r *recentAdds) last(key participant.Key, now time.Time) time.Time {
	if at := r.times[key]; now.Sub(at) < addLag {
		return at
	}
	return time.Time{}
}
