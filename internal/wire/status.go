package wire

import (
	"context"
	"errors"
	"strconv"

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

// internalText is all that a caller is told of an error that was not meant for one.
const internalText = "internal error"

// Status is an error as every door tells it (A5). An error that is none of ours is
// INTERNAL, and its text stays inside.
func Status(err error) *status.Status {
	if err == nil {
		return nil
	}
	if known, isKnown := errors.AsType[*apierror.Error](err); isKnown {
		return statusOf(known)
	}
	if told, isStatus := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err); isStatus {
		return withInfo(told.GRPCStatus())
	}
	return statusOf(Known(err))
}

// Known is the error as one of ours.
func Known(err error) *apierror.Error {
	if known, isKnown := errors.AsType[*apierror.Error](err); isKnown {
		return known
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &apierror.Error{Reason: apierror.DeadlineExceeded, Message: "the call's deadline has passed"}
	case errors.Is(err, context.Canceled):
		return &apierror.Error{Reason: apierror.Cancelled, Message: "the caller cancelled the call"}
	default:
		return &apierror.Error{Reason: apierror.Internal, Message: internalText}
	}
}

func statusOf(e *apierror.Error) *status.Status {
	return detailed(status.New(Code(e.Reason), valid(e.Message)), details(e))
}

// withInfo gives a status of gRPC's or grpc-gateway's own the ErrorInfo that every
// error has.
func withInfo(st *status.Status) *status.Status {
	if st.Code() == codes.OK || info(st) != nil {
		return st
	}
	return detailed(st, details(&apierror.Error{Reason: reasonOf(st.Code())}))
}

func detailed(st *status.Status, details []protoadapt.MessageV1) *status.Status {
	told, err := st.WithDetails(details...)
	if err != nil {
		return st
	}
	return told
}

// reasonOf is the reason of a status that came without one.
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

// info is the status's ErrorInfo, nil where it has none.
func info(st *status.Status) *errdetails.ErrorInfo { return detail[*errdetails.ErrorInfo](st) }

// detail is the status's first detail of a type, nil where it has none.
func detail[D protoadapt.MessageV1](st *status.Status) (found D) {
	for _, one := range st.Details() {
		if found, isIt := one.(D); isIt {
			return found
		}
	}
	return found
}

// upstreamStatus is the HTTP status that the upstream answered with; 0 where the
// error does not tell.
func upstreamStatus(st *status.Status) int {
	number, err := strconv.Atoi(info(st).GetMetadata()[upstreamStatusKey])
	if err != nil {
		return 0
	}
	return number
}
