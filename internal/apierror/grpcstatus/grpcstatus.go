// Package grpcstatus turns errors into what callers receive: a gRPC status with its code and
// details, and the HTTP status and body for it (A5).
package grpcstatus

import (
	"errors"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/audian/participant-gateway/internal/apierror"
)

// Domain is the domain of every ErrorInfo.
const Domain = "participant-gateway"

// Keys of ErrorInfo's metadata.
const (
	upstreamStatusKey    = "upstream_status"
	upstreamRequestIDKey = "upstream_request_id"
	dialledKey           = "dialled"
)

// From returns the status of an error, the same for every transport. The text of an error
// that is neither an apierror.Error nor a status never leaves the gateway: it is INTERNAL.
func From(err error) *status.Status {
	if err == nil {
		return nil
	}
	if known, isKnown := errors.AsType[*apierror.Error](err); isKnown {
		return statusOf(known)
	}
	if carrier, hasStatus := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err); hasStatus {
		return withInfo(carrier.GRPCStatus())
	}
	return statusOf(apierror.From(err))
}

func statusOf(e *apierror.Error) *status.Status {
	return detailed(status.New(Code(e.Reason), validUTF8(e.Message)), details(e))
}

// withInfo adds the ErrorInfo to a status of grpc-go or grpc-gateway.
func withInfo(st *status.Status) *status.Status {
	if st.Code() == codes.OK || info(st) != nil {
		return st
	}
	return detailed(st, details(&apierror.Error{Reason: reasonOf(st.Code())}))
}

func detailed(st *status.Status, details []protoadapt.MessageV1) *status.Status {
	complete, err := st.WithDetails(details...)
	if err != nil {
		return st
	}
	return complete
}

// reasonOf returns the reason for a status without an ErrorInfo.
func reasonOf(code codes.Code) apierror.Reason {
	switch code {
	case codes.InvalidArgument, codes.OutOfRange:
		return apierror.InvalidRequest
	case codes.DeadlineExceeded:
		return apierror.DeadlineExceeded
	case codes.Canceled:
		return apierror.Cancelled
	case codes.Unimplemented:
		return apierror.RouteNotFound
	default:
		return apierror.Internal
	}
}

// info returns the status's ErrorInfo, or nil.
func info(st *status.Status) *errdetails.ErrorInfo { return detail[*errdetails.ErrorInfo](st) }

// detail returns the status's first detail of a type, or nil.
func detail[D protoadapt.MessageV1](st *status.Status) (found D) {
	for _, one := range st.Details() {
		if found, isIt := one.(D); isIt {
			return found
		}
	}
	return found
}

// upstreamStatus returns the HTTP status of the upstream's answer, or 0.
func upstreamStatus(st *status.Status) int {
	number, err := strconv.Atoi(info(st).GetMetadata()[upstreamStatusKey])
	if err != nil {
		return 0
	}
	return number
}

// validUTF8 replaces invalid bytes: protobuf cannot encode them.
func validUTF8(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
