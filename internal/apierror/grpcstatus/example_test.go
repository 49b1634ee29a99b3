package grpcstatus_test

import (
	"fmt"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
)

func ExampleFrom() {
	err := fmt.Errorf("list participants: %w", &apierror.Error{
		Reason: apierror.ConferenceNotFound, Message: "there is no such conference",
		UpstreamStatus: 404, FromUpstream: true,
	})
	st := grpcstatus.From(err)
	fmt.Println(st.Code(), st.Message())
	fmt.Println(grpcstatus.HTTPStatus(st), grpcstatus.Reason(st))
	// Output:
	// NotFound there is no such conference
	// 404 CONFERENCE_NOT_FOUND
}
