package wire

import "time"

// The limits of a client that reads a stream, the same over every transport.
const (
	// SendTimeout is how long a send may make no progress because its client does not read
	// (W12).
	SendTimeout = 60 * time.Second
	// LastTimeout is the same for the end of a stream (W16).
	LastTimeout = 2 * time.Second
	// PartSize is how much of a message is progress.
	PartSize = 16 << 10
)
