package apierror_test

import (
	"fmt"

	"github.com/audian/participant-gateway/internal/apierror"
)

// A 409 with one of the upstream's documented bodies proves that nothing was done. A lost
// response proves nothing.
func ExampleClassify() {
	full := &apierror.Error{
		Reason: apierror.ConferenceFull, Message: "the conference is full",
		UpstreamStatus: 409, FromUpstream: true,
	}
	lost := &apierror.Error{Reason: apierror.UpstreamUnavailable, Message: "the response was lost"}
	for _, err := range []error{fmt.Errorf("add participant: %w", full), lost} {
		fmt.Println(apierror.ReasonOf(err), apierror.Classify(err) == apierror.Refused)
	}
	// Output:
	// CONFERENCE_FULL true
	// UPSTREAM_UNAVAILABLE false
}
