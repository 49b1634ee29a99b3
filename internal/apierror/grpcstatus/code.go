package grpcstatus

import (
	"net/http"
	"slices"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/internal/apierror"
)

// Code returns the gRPC code of a reason.
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
	apierror.BatchUnknown:       codes.FailedPrecondition,
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
	apierror.NumberNotAllowed:     codes.PermissionDenied,
	apierror.DailyLimit:           codes.ResourceExhausted,

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
	apierror.StreamEnded:   codes.Unavailable,
	apierror.ClientBlocked: codes.ResourceExhausted,
	apierror.Internal:      codes.Internal,

	apierror.SharedStateUnavailable: codes.Unavailable,

	apierror.CallerRateLimited:  codes.ResourceExhausted,
	apierror.TooManyStreams:     codes.ResourceExhausted,
	apierror.TooManySubscribers: codes.ResourceExhausted,
	apierror.TooManyConferences: codes.ResourceExhausted,
	apierror.TooManyFilters:     codes.ResourceExhausted,
}

// HTTPStatus returns the HTTP status of a gRPC status: the upstream's where the upstream
// refused the request, a fixed one for a few reasons, and grpc-gateway's for all others.
func HTTPStatus(st *status.Status) int {
	if fixed, found := httpStatuses[Reason(st)]; found {
		return fixed
	}
	if upstream := upstreamStatus(st); isForwarded(upstream) && !isInconclusive(st.Code()) {
		return upstream
	}
	return runtime.HTTPStatusFromCode(st.Code())
}

var httpStatuses = map[apierror.Reason]int{
	apierror.MethodNotAllowed:    http.StatusMethodNotAllowed,
	apierror.UnsupportedEncoding: http.StatusUnsupportedMediaType,
	apierror.HeadersTooLarge:     http.StatusRequestHeaderFieldsTooLarge,
}

// notForwarded are upstream statuses about the gateway's own connection or credential. From
// the gateway they would blame the caller's, and HTTP clients react to some of them (A5).
var notForwarded = []int{
	http.StatusUnauthorized, http.StatusProxyAuthRequired, http.StatusRequestTimeout,
	http.StatusLengthRequired, http.StatusExpectationFailed, http.StatusMisdirectedRequest,
	http.StatusTooEarly, http.StatusUpgradeRequired,
}

// isForwarded reports whether the caller gets an upstream's status unchanged.
func isForwarded(number int) bool {
	return number >= 400 && number < 500 && !slices.Contains(notForwarded, number)
}

// isInconclusive reports whether a code means that the upstream did not decide the request:
// a proxy answered 404, for example, or an Add with a 403 has an unknown outcome (A1).
func isInconclusive(code codes.Code) bool {
	switch code {
	case codes.Unknown, codes.Internal, codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return true
	default:
		return false
	}
}
