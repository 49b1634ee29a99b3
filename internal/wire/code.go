package wire

import (
	"net/http"
	"slices"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/internal/participant"
)

// Code is the gRPC code of a reason.
func Code(reason participant.Reason) codes.Code {
	if code, found := reasonCodes[reason]; found {
		return code
	}
	return codes.Internal
}

var reasonCodes = map[participant.Reason]codes.Code{
	participant.InvalidRequest:     codes.InvalidArgument,
	participant.InvalidResumeToken: codes.InvalidArgument,
	participant.InvalidPageToken:   codes.InvalidArgument,
	participant.RequestIDReused:    codes.AlreadyExists,
	participant.AddRateLimited:     codes.ResourceExhausted,
	participant.DeadlineExceeded:   codes.DeadlineExceeded,
	participant.Cancelled:          codes.Canceled,
	participant.MethodNotAllowed:   codes.Unimplemented,
	participant.RouteNotFound:      codes.NotFound,
	participant.BodyTooLarge:       codes.InvalidArgument,
	participant.BodyTooSlow:        codes.DeadlineExceeded,
	participant.MediaType:          codes.InvalidArgument,

	participant.UnsupportedEncoding: codes.Unimplemented,
	participant.HeadersTooLarge:     codes.InvalidArgument,

	participant.CredentialMissing:    codes.Unauthenticated,
	participant.CredentialInvalid:    codes.Unauthenticated,
	participant.CredentialExpired:    codes.Unauthenticated,
	participant.CredentialsDiffer:    codes.Unauthenticated,
	participant.IssuerUnavailable:    codes.Unavailable,
	participant.IssuerMismatch:       codes.Unavailable,
	participant.RoleNotGranted:       codes.PermissionDenied,
	participant.ConferenceNotGranted: codes.PermissionDenied,
	participant.OriginRefused:        codes.PermissionDenied,
	participant.HostRefused:          codes.PermissionDenied,

	participant.UpstreamBadRequest:      codes.InvalidArgument,
	participant.UpstreamUnauthenticated: codes.Unauthenticated,
	participant.CredentialRefused:       codes.Internal,
	participant.PaymentRequired:         codes.FailedPrecondition,
	participant.UpstreamForbidden:       codes.PermissionDenied,
	participant.ConferenceNotFound:      codes.NotFound,
	participant.ParticipantNotFound:     codes.NotFound,
	participant.UpstreamConflict:        codes.FailedPrecondition,
	participant.ConferenceFull:          codes.FailedPrecondition,
	participant.UpstreamRateLimited:     codes.ResourceExhausted,
	participant.UpstreamRefused:         codes.FailedPrecondition,
	participant.UpstreamUnavailable:     codes.Unavailable,

	participant.UpstreamUnreachable: codes.Unavailable,
	participant.UpstreamTimeout:     codes.DeadlineExceeded,
	participant.UpstreamUndecodable: codes.Internal,
	participant.UpstreamIncomplete:  codes.Unavailable,
	participant.BreakerOpen:         codes.Unavailable,
	participant.AddOutcomeUnknown:   codes.Unknown,
	participant.PollDelayed:         codes.Unavailable,

	participant.Draining:      codes.Unavailable,
	participant.StreamAged:    codes.Unavailable,
	participant.ClientBlocked: codes.ResourceExhausted,
	participant.Internal:      codes.Internal,

	participant.CallerRateLimited:  codes.ResourceExhausted,
	participant.TooManyStreams:     codes.ResourceExhausted,
	participant.TooManySubscribers: codes.ResourceExhausted,
	participant.TooManyConferences: codes.ResourceExhausted,
	participant.TooManyFilters:     codes.ResourceExhausted,
}

// HTTPStatus is the number that a status has over HTTP: grpc-gateway's, but 405 for a
// verb that a path does not take, and the upstream's where the upstream refused.
func HTTPStatus(st *status.Status) int {
	if number, found := reasonNumbers[participant.Reason(info(st).GetReason())]; found {
		return number
	}
	if number := upstreamStatus(st); isVerdict(number) && !isOutage(st.Code()) {
		return number
	}
	return runtime.HTTPStatusFromCode(st.Code())
}

var reasonNumbers = map[participant.Reason]int{
	participant.MethodNotAllowed:    http.StatusMethodNotAllowed,
	participant.UnsupportedEncoding: http.StatusUnsupportedMediaType,
	participant.HeadersTooLarge:     http.StatusRequestHeaderFieldsTooLarge,
}

// ownNumbers are the upstream's statuses that would mean something else from this server:
// its connection or its credential is at fault there, not the caller's. HTTP clients act
// on some of them by themselves (A5).
var ownNumbers = []int{
	http.StatusUnauthorized, http.StatusProxyAuthRequired, http.StatusRequestTimeout,
	http.StatusLengthRequired, http.StatusExpectationFailed, http.StatusMisdirectedRequest,
	http.StatusTooEarly, http.StatusUpgradeRequired,
}

// isVerdict reports whether an upstream's status is passed on as it is.
func isVerdict(number int) bool {
	return number >= 400 && number < 500 && !slices.Contains(ownNumbers, number)
}

// isOutage reports whether a code says that the upstream's answer was not its verdict: a
// 404 of a proxy, say, or the 403 of an add of unknown outcome (A1).
func isOutage(code codes.Code) bool {
	switch code {
	case codes.Unknown, codes.Internal, codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return true
	default:
		return false
	}
}
