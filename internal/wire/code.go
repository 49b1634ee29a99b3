package wire

import (
	"net/http"
	"slices"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/internal/apierror"
)

// Code is the gRPC code of a reason.
func Code(reason apierror.Reason) codes.Code {
	if code, found := reasonCodes[reason]; found {
		return code
	}
	return codes.Internal
}

var reasonCodes = map[apierror.Reason]codes.Code{
	apierror.InvalidRequest:     codes.InvalidArgument,
	apierror.InvalidResumeToken: codes.InvalidArgument,
	apierror.InvalidPageToken:   codes.InvalidArgument,
	apierror.RequestIDReused:    codes.AlreadyExists,
	apierror.AddRateLimited:     codes.ResourceExhausted,
	apierror.DeadlineExceeded:   codes.DeadlineExceeded,
	apierror.Cancelled:          codes.Canceled,
	apierror.MethodNotAllowed:   codes.Unimplemented,
	apierror.RouteNotFound:      codes.NotFound,
	apierror.BodyTooLarge:       codes.InvalidArgument,
	apierror.BodyTooSlow:        codes.DeadlineExceeded,
	apierror.MediaType:          codes.InvalidArgument,

	apierror.UnsupportedEncoding: codes.Unimplemented,
	apierror.HeadersTooLarge:     codes.InvalidArgument,

	apierror.CredentialMissing:    codes.Unauthenticated,
	apierror.CredentialInvalid:    codes.Unauthenticated,
	apierror.CredentialExpired:    codes.Unauthenticated,
	apierror.CredentialsDiffer:    codes.Unauthenticated,
	apierror.IssuerUnavailable:    codes.Unavailable,
	apierror.IssuerMismatch:       codes.Unavailable,
	apierror.RoleNotGranted:       codes.PermissionDenied,
	apierror.ConferenceNotGranted: codes.PermissionDenied,
	apierror.OriginRefused:        codes.PermissionDenied,
	apierror.HostRefused:          codes.PermissionDenied,

	apierror.UpstreamBadRequest:      codes.InvalidArgument,
	apierror.UpstreamUnauthenticated: codes.Unauthenticated,
	apierror.CredentialRefused:       codes.Internal,
	apierror.PaymentRequired:         codes.FailedPrecondition,
	apierror.UpstreamForbidden:       codes.PermissionDenied,
	apierror.ConferenceNotFound:      codes.NotFound,
	apierror.ParticipantNotFound:     codes.NotFound,
	apierror.UpstreamConflict:        codes.FailedPrecondition,
	apierror.ConferenceFull:          codes.FailedPrecondition,
	apierror.UpstreamRateLimited:     codes.ResourceExhausted,
	apierror.UpstreamRefused:         codes.FailedPrecondition,
	apierror.UpstreamUnavailable:     codes.Unavailable,

	apierror.UpstreamUnreachable: codes.Unavailable,
	apierror.UpstreamTimeout:     codes.DeadlineExceeded,
	apierror.UpstreamUndecodable: codes.Internal,
	apierror.UpstreamIncomplete:  codes.Unavailable,
	apierror.BreakerOpen:         codes.Unavailable,
	apierror.AddOutcomeUnknown:   codes.Unknown,
	apierror.PollDelayed:         codes.Unavailable,

	apierror.Draining:      codes.Unavailable,
	apierror.StreamAged:    codes.Unavailable,
	apierror.ClientBlocked: codes.ResourceExhausted,
	apierror.Internal:      codes.Internal,

	apierror.CallerRateLimited:  codes.ResourceExhausted,
	apierror.TooManyStreams:     codes.ResourceExhausted,
	apierror.TooManySubscribers: codes.ResourceExhausted,
	apierror.TooManyConferences: codes.ResourceExhausted,
	apierror.TooManyFilters:     codes.ResourceExhausted,
}

// HTTPStatus is the number that a status has over HTTP: grpc-gateway's, but 405 for a
// verb that a path does not take, and the upstream's where the upstream refused.
func HTTPStatus(st *status.Status) int {
	if number, found := reasonNumbers[apierror.Reason(info(st).GetReason())]; found {
		return number
	}
	if number := upstreamStatus(st); isVerdict(number) && !isOutage(st.Code()) {
		return number
	}
	return runtime.HTTPStatusFromCode(st.Code())
}

var reasonNumbers = map[apierror.Reason]int{
	apierror.MethodNotAllowed:    http.StatusMethodNotAllowed,
	apierror.UnsupportedEncoding: http.StatusUnsupportedMediaType,
	apierror.HeadersTooLarge:     http.StatusRequestHeaderFieldsTooLarge,
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
