package upstream

import (
	"context"
	"errors"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/panics"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

const (
	// gatherCalls is how long a shared list waits for further calls after each call: a hundred
	// that a client sends at the same time arrive within 200 ms, with pauses between them.
	gatherCalls = 20 * time.Millisecond
	// maxGatherCalls bounds how long the first call waits for further ones.
	maxGatherCalls = 250 * time.Millisecond
)

// ListShared reads the conference's list like List, but together with other calls (A7): with
// all that arrive before its first request is sent. The list may lack later pages, and it must
// not be changed. It is read for as long as a call waits for it.
func (a *Account) ListShared(ctx context.Context, conference string) (participant.List, error) {
	a.acquire()
	defer a.release()
	list, err := a.callerReads.do(ctx, conference)
	if ctx.Err() != nil {
		return participant.List{}, apierror.From(ctx.Err())
	}
	return list, ownError(err)
}

// ownError returns a copy of an error that several calls get, so that each may change its own.
func ownError(err error) error {
	shared, known := errors.AsType[*apierror.Error](err)
	if !known {
		return err
	}
	own := *shared
	return &own
}

// readForCallers reads one list for ListShared.
func (a *Account) readForCallers(ctx context.Context, conference string, begun func()) (read participant.List, err error) {
	a.acquire()
	defer a.release()
	panicked := panics.Recover(a.budget.logger, "shared list", func() {
		begun()
		read, err = a.readWithRetries(ctx, conference)
	})
	if panicked != nil {
		return participant.List{}, panicked
	}
	return read, err
}

// readWithRetries reads a list as far as the breaker, the retries and ctx allow. A list whose later
// page could not be read is a failure for all of them, but no error.
func (a *Account) readWithRetries(ctx context.Context, conference string) (read participant.List, err error) {
	if err := a.breaker.allow(); err != nil {
		return participant.List{}, err
	}
	began := time.Now()
	failed := a.listRetry.Do(ctx, func() error {
		read, err = a.client.List(ctx, conference, audian.Pacing{})
		_, failed := allPages(read, err)
		return failed
	}, isRetryable)
	a.recordOutcome(ctx, began, failed)
	return read, err
}
