package feed

import (
	"context"
	"net/http"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"

	"github.com/audian/participant-gateway/internal/participant"
)

// maxRecentAdds bounds the number of Adds in recentAdds.
const maxRecentAdds = 10_000

// recentAdds keeps when each conference's last Add succeeded, for addLag (W1). The zero
// value is ready.
type recentAdds struct {
	times map[participant.Key]time.Time
	// order contains every Add in times, and older Adds of the same conferences, the
	// oldest first.
	order []recentAdd
}

type recentAdd struct {
	key participant.Key
	at  time.Time
}

// record records an Add that succeeded now, and drops those that have expired.
func (r *recentAdds) record(key participant.Key, now time.Time) {
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
	r.order = append(r.order, recentAdd{key, now})
}

// last returns when the conference's last Add succeeded; zero if it has expired.
func (r *recentAdds) last(key participant.Key, now time.Time) time.Time {
	if at := r.times[key]; now.Sub(at) < addLag {
		return at
	}
	return time.Time{}
}

// learnLastAdd asks the replicas for the last Add before a 404 is judged (W1, R7). A 404 before
// that Add no longer proves that the conference is gone.
func (f *Feed) learnLastAdd(ctx context.Context, err error) {
	if f.options.LastAdd == nil || apierror.UpstreamStatusOf(err) != http.StatusNotFound {
		return
	}
	at := f.options.LastAdd(ctx, f.key.Conference)
	f.mu.Lock()
	defer f.mu.Unlock()
	if at.After(f.lastAdd) {
		f.lastAdd = at
		f.freshness.addSucceeded()
	}
}
