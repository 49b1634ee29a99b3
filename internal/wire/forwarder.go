package wire

import "google.golang.org/grpc"

// Forwarder is a stream around another one.
type Forwarder interface {
	// ForwardsTo returns the other stream if SendMsg only calls that of the other; else nil.
	ForwardsTo() grpc.ServerStream
}

// Target returns the stream that does something with the messages of a stream. To send through it saves
// calls, and for a thousand streams each one has its costs.
func Target(stream grpc.ServerStream) grpc.ServerStream {
	for {
		forwarder, is := stream.(Forwarder)
		if !is {
			return stream
		}
		next := forwarder.ForwardsTo()
		if next == nil {
			return stream
		}
		stream = next
	}
}
