package watch

import "time"

// How long a stream may make no progress because its client does not read. Every transport has
// the same limits.
const (
	// SendTimeout is the limit while the stream goes on (W12).
	SendTimeout = time.Minute
	// LastSendTimeout is the limit once the stream is to end (W16).
	LastSendTimeout = 2 * time.Second
)
