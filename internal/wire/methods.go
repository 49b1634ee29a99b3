package wire

import (
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// The most bytes that a request may have: one of a few values, and one of up to 1,000 entries
// (A9) or 100 conferences (A16).
const (
	MaxRequest     = 64 << 10
	MaxLongRequest = 1 << 20
)

// RequestLimit returns the most bytes that a request may have.
func RequestLimit(request proto.Message) int {
	switch request.(type) {
	case *v2.BatchAddParticipantsRequest, *v2.WatchConferencesRequest:
		return MaxLongRequest
	default:
		return MaxRequest
	}
}

// Dials reports whether a method can make phones ring. Only the errors of such a method contain
// dialled (A1).
func Dials(method string) bool {
	return method == v2.ParticipantService_AddParticipant_FullMethodName ||
		method == v2.ParticipantService_BatchAddParticipants_FullMethodName
}
