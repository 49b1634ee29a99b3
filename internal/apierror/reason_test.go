package apierror_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/audian/participant-gateway/internal/apierror"
)

func TestReasonOf_FindsTheReasonInAChain(t *testing.T) {
	cause := errors.New("connection refused")
	err := fmt.Errorf("list: %w", &apierror.Error{Reason: apierror.UpstreamUnreachable, Message: "no answer", Cause: cause})
	if got := apierror.ReasonOf(err); got != apierror.UpstreamUnreachable {
		t.Errorf("got %s", got)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause should be in the chain")
	}
	if got := apierror.ReasonOf(cause); got != apierror.Internal {
		t.Errorf("an error without a reason: got %s", got)
	}
}
