package client

import (
	"context"
	"errors"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// domain is the domain of the gateway's ErrorInfo.
const domain = "participant-gateway"

// Reasons of errors that this package makes itself. All other reasons come from the gateway
// and are listed in its docs/errors.md.
const (
	// ReasonSilent is the reason of UNAVAILABLE when a stream got no message for too long.
	ReasonSilent = "SILENT"
	// ReasonStreamEnded is the reason of UNAVAILABLE when a stream ended OK before its last message.
	ReasonStreamEnded = "STREAM_ENDED"
	// ReasonRosterMismatch is the reason of DATA_LOSS when the roster of a watch has
	// another size than the gateway says.
	ReasonRosterMismatch = "ROSTER_MISMATCH"
	// ReasonCredentialUnavailable is the reason of UNAVAILABLE when the function of
	// [WithCredential] failed.
	ReasonCredentialUnavailable = "CREDENTIAL_UNAVAILABLE"
)

// Dialled reports whether a phone may ring because of a call that failed.
type Dialled string

const (
	// DialledAbsent means that the error does not say: it is not about an add, or it did
	// not come from the gateway.
	DialledAbsent Dialled = ""
	// DialledNo means that surely no phone rings because of this call.
	DialledNo Dialled = "no"
	// DialledUnknown means that a phone may ring. Do not add the participant again before
	// a list or a watch shows that they are not there.
	DialledUnknown Dialled = "unknown"
)

// FieldViolation names an invalid field of a request.
type FieldViolation struct {
	// Field is the path of the field, for example `entries[3].phone_number`.
	Field string
	// Description says what the field must be.
	Description string
}

// Error is a failed call.
type Error struct {
	// Code is the gRPC code.
	Code codes.Code
	// Message is a text for people.
	Message string
	// Reason is the stable reason of the gateway or of this package. Empty if the error
	// comes from neither, for example from a closed connection.
	Reason string
	// Metadata is further data about the reason, for example `upstream_request_id`.
	Metadata map[string]string
	// Dialled reports whether a phone may ring because of the call.
	Dialled Dialled
	// FieldViolations names the invalid fields of an INVALID_ARGUMENT.
	FieldViolations []FieldViolation
	// RetryDelay is how long to wait before the next try. 0 if the error does not say.
	RetryDelay time.Duration

	// status is that of the gateway, with all details. nil if this package made the error.
	status *status.Status
	cause  error
	// unsent is whether the request was surely not sent.
	unsent bool
}

// Error returns the code, the reason and the message.
func (e *Error) Error() string {
	parts := []string{e.Code.String()}
	if e.Reason != "" {
		parts = append(parts, e.Reason)
	}
	return strings.Join(append(parts, e.Message), ": ")
}

// Unwrap returns the error of the context that ended the call, or nil.
func (e *Error) Unwrap() error { return e.cause }

// GRPCStatus returns the error as a gRPC status, so that status.Code and status.FromError
// of grpc-go understand an Error.
func (e *Error) GRPCStatus() *status.Status {
	if e.status != nil {
		return e.status
	}
	return status.New(e.Code, e.Message)
}

// AsError returns the [*Error] in err's chain, or one that has the gRPC status in err's
// chain. It returns false if there is neither. The error of an entry of WatchConferences, a
// google.rpc.Status, becomes an Error by AsError(status.ErrorProto(s)).
func AsError(err error) (*Error, bool) {
	if own, ok := errors.AsType[*Error](err); ok {
		return own, true
	}
	if err == nil {
		return nil, false
	}
	st, ok := status.FromError(err)
	if !ok {
		return nil, false
	}
	return fromStatus(st), true
}

// errorOf returns err as an *Error: UNKNOWN if it has no status.
func errorOf(err error) *Error {
	if own, ok := AsError(err); ok {
		return own
	}
	return &Error{Code: codes.Unknown, Message: err.Error(), cause: err}
}

// contextError returns the *Error of a context that has ended.
func contextError(ctx context.Context) *Error {
	e := fromStatus(status.FromContextError(ctx.Err()))
	e.cause = ctx.Err()
	return e
}

func fromStatus(st *status.Status) *Error {
	e := &Error{Code: st.Code(), Message: st.Message(), status: st}
	for _, detail := range st.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.GetDomain() == domain {
				e.Reason, e.Metadata = detail.GetReason(), detail.GetMetadata()
				e.Dialled = Dialled(e.Metadata["dialled"])
			}
		case *errdetails.BadRequest:
			for _, violation := range detail.GetFieldViolations() {
				e.FieldViolations = append(e.FieldViolations, FieldViolation{violation.GetField(), violation.GetDescription()})
			}
		case *errdetails.RetryInfo:
			e.RetryDelay = max(0, detail.GetRetryDelay().AsDuration())
		}
	}
	return e
}
