package audit

import "context"

// Entry is the outcome of one entry of a batch. Err is nil if the participant was added.
type Entry struct {
	PhoneNumber, ParticipantID, UpstreamRequestID string
	Err                                           error
}

type entriesKey struct{}

// WithEntries returns a context whose entries are passed to write, from any goroutine.
func WithEntries(ctx context.Context, write func(Entry)) context.Context {
	return context.WithValue(ctx, entriesKey{}, write)
}

// WriteEntry passes an entry to the function of WithEntries, if ctx has one.
func WriteEntry(ctx context.Context, entry Entry) {
	if write, has := ctx.Value(entriesKey{}).(func(Entry)); has {
		write(entry)
	}
}
