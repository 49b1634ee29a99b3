package upstream

import (
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// probeAfter is the time after which an account whose polls all fail makes a poll out of
// turn. With the time until a feed asks, and a poll's timeout, polls then begin within 10 s of
// each other (W10).
const probeAfter = 3500 * time.Millisecond

// pollFailures records whether all polls of the account fail, since when, and why (W10). The
// budget's lock guards it.
type pollFailures struct {
	// all is true if no poll has succeeded since one failed.
	all bool
	// since is when the first source failed whose poll before had succeeded: one conference
	// that keeps failing proves nothing about the account.
	since   time.Time
	reason  apierror.Reason
	changed notifier
}

// record records a source's failure; hadSucceeded is true if its poll before succeeded.
func (f *pollFailures) record(reason apierror.Reason, hadSucceeded bool) {
	f.all, f.reason = true, reason
	if f.since.IsZero() && hadSucceeded {
		f.since = time.Now()
		f.changed.notify()
	}
}

func (f *pollFailures) clear() {
	f.all, f.reason = false, ""
	if !f.since.IsZero() {
		f.since = time.Time{}
		f.changed.notify()
	}
}

// pollFailure returns why a poll failed, or empty. The upstream works if it refuses a
// conference itself.
func pollFailure(err error) apierror.Reason {
	if err == nil || apierror.IsAccessRefusal(err) {
		return ""
	}
	return apierror.ReasonOf(err)
}

// recordOutcome records how a source's poll ended.
func (b *budget) recordOutcome(s *Source, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.polled = time.Now()
	reason := pollFailure(err)
	if reason == "" {
		s.failed, s.succeeded = false, err == nil
		b.failures.clear()
		return
	}
	b.failures.record(reason, s.succeeded)
	s.failed, s.succeeded = true, false
}

// recordList records the number of pages of a source's list.
func (b *budget) recordList(s *Source, read participant.List) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.hadList = true
	if s.pages != read.Pages {
		s.pages = read.Pages
		b.fair.invalidate()
	}
}

// probe reports whether a failing source makes the one poll out of turn that checks whether
// the upstream works again.
func (b *budget) probe(s *Source) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if !b.failures.all || !s.failed || now.Before(b.rate.paused) || now.Sub(b.polled) < probeAfter {
		return false
	}
	b.polled = now
	return true
}
