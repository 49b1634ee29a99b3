package upstream

import (
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// probeAfter is how long an account whose polls all fail goes without a poll before one is
// made out of turn. With the time until a feed asks, and a poll's timeout, polls then
// begin within 10 s of each other (W10).
const probeAfter = 3500 * time.Millisecond

// failing knows whether all polls of the account fail, since when, and why (W10). It
// belongs to the budget's lock.
type failing struct {
	// all says that no poll has succeeded since one failed.
	all bool
	// since is when the first source failed that had succeeded before: one conference
	// that keeps failing says nothing of the account.
	since   time.Time
	reason  apierror.Reason
	changed signal
}

// failed notes a source's failure, hadSucceeded that its poll before was none.
func (f *failing) failed(reason apierror.Reason, hadSucceeded bool) {
	f.all, f.reason = true, reason
	if f.since.IsZero() && hadSucceeded {
		f.since = time.Now()
		f.changed.ring()
	}
}

func (f *failing) clear() {
	f.all, f.reason = false, ""
	if !f.since.IsZero() {
		f.since = time.Time{}
		f.changed.ring()
	}
}

// failure is why a poll counts as failed, empty where it does not: where the upstream
// itself refused a conference, it is well.
func failure(err error) apierror.Reason {
	if err == nil || apierror.IsAccessRefusal(err) {
		return ""
	}
	return apierror.ReasonOf(err)
}

// settle notes how a source's poll ended.
func (b *budget) settle(s *Source, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.polled = time.Now()
	reason := failure(err)
	if reason == "" {
		s.failed, s.succeeded = false, err == nil
		b.failing.clear()
		return
	}
	b.failing.failed(reason, s.succeeded)
	s.failed, s.succeeded = true, false
}

// read notes how many pages a source's list had.
func (b *budget) read(s *Source, read participant.List) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.hadList = true
	if s.pages != read.Pages {
		s.pages = read.Pages
		b.fair.forget()
	}
}

// probe gives a failing source the one poll out of turn that finds out whether the
// upstream is back.
func (b *budget) probe(s *Source) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if !b.failing.all || !s.failed || now.Before(b.rate.paused) || now.Sub(b.polled) < probeAfter {
		return false
	}
	b.polled = now
	return true
}
