package batch

import (
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// retryAfter is the RetryAfter of temporary errors.
const retryAfter = time.Second

// unknown is the error of a batch that must be held, and is not: entries may have been dialled
// before.
func unknown() error {
	return &apierror.Error{
		Reason:  apierror.BatchUnknown,
		Message: "the gateway does not hold a batch with this request_id, and sent nothing; its phones may have been dialled before",
		Dialled: apierror.DialledUnknown,
	}
}

func reused() error {
	return &apierror.Error{
		Reason:  apierror.RequestIDReused,
		Message: "the request_id was used before, with other entries",
		Dialled: apierror.DialledNo,
	}
}

func sharedStateUnavailable(cause error) error {
	return &apierror.Error{
		Reason:     apierror.SharedStateUnavailable,
		Message:    "this call sent nothing, because the shared Redis is unavailable: retry with the same request_id",
		Dialled:    apierror.DialledNo,
		RetryAfter: retryAfter,
		Cause:      cause,
	}
}

// draining is the error of a batch that the shutdown has refused or stopped.
func draining() error {
	return &apierror.Error{
		Reason:     apierror.Draining,
		Message:    "the gateway is shutting down; call again with the same request_id and resume",
		RetryAfter: retryAfter,
	}
}
